"""Saved queries.

Source: API reference, PutQueryDefinition, DescribeQueryDefinitions, DeleteQueryDefinition. A query is kept as it is
written, parameters and all: whether it compiles shows when it is started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.operations.logs import pages
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, LIMIT_EXCEEDED
from cumulo.services.operations.logs.insights.query_errors import DEFINITION_NOT_FOUND
from cumulo.services.operations.logs.insights.query_records import LANGUAGE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import logs as t

PAGE = 1000
MOST = 1000  # of an account and Region (User Guide, "CloudWatch Logs quotas")


class QueryDefinition(Record):
    """A saved query; times are milliseconds. `token` is the client's, so that a repeated request makes one only."""

    id: str
    name: str
    text: str
    modified_ms: int
    groups: list[str] = []
    parameters: list[dict[str, str]] = []
    token: str = ""


QUERY_DEFINITIONS = Table(
    QueryDefinition,
    name="logs.query_definitions",
    key="id",
    scope=REGION,
    missing=DEFINITION_NOT_FOUND,
    indexes={"name": ("name",), "token": ("token",)},
)


@operation
def put_query_definition(ctx: Context, request: t.PutQueryDefinitionRequest) -> t.PutQueryDefinitionResponse:
    """Save a query, or change one."""
    language = request.get("queryLanguage") or LANGUAGE
    if language != LANGUAGE:
        raise not_implemented("logs", "PutQueryDefinition", f"queryLanguage {language}")
    given = request.get("queryDefinitionId")
    token = request.get("clientToken") or ""
    if given is not None:
        if QUERY_DEFINITIONS.peek(ctx, given) is None:
            raise DEFINITION_NOT_FOUND(id=given)
        definition_id = given
    else:
        again = QUERY_DEFINITIONS.range(ctx, token, index="token", limit=1) if token else []
        if again:
            return {"queryDefinitionId": again[0].id}
        if len(QUERY_DEFINITIONS.range(ctx, limit=MOST)) >= MOST:
            raise LIMIT_EXCEEDED()
        definition_id = ctx.uuid()
    names = [parameter["name"] for parameter in request.get("parameters") or []]
    if len(set(names)) != len(names):
        raise INVALID_PARAMETER("The names of query parameters must be unique.")
    definition = QueryDefinition(
        definition_id,
        request["name"],
        request["queryString"],
        int(ctx.now() * 1000),
        list(request.get("logGroupNames") or []),
        [dict(parameter) for parameter in request.get("parameters") or []],  # type: ignore[arg-type]
        token,
    )
    QUERY_DEFINITIONS.put(ctx, definition)
    return {"queryDefinitionId": definition_id}


@operation
def describe_query_definitions(
    ctx: Context, request: t.DescribeQueryDefinitionsRequest
) -> t.DescribeQueryDefinitionsResponse:
    """Saved queries, by name."""
    prefix = request.get("queryDefinitionNamePrefix") or ""
    if request.get("queryLanguage", LANGUAGE) != LANGUAGE:
        return {"queryDefinitions": []}

    def fetch(after: tuple[Any, ...] | None, limit: int) -> list[QueryDefinition]:
        return QUERY_DEFINITIONS.range(
            ctx,
            index="name",
            start=(prefix,) if prefix else None,
            end=(prefix + "\U0010ffff",) if prefix else None,
            after=after,
            limit=limit,
        )

    found, more = pages.page(ctx, request, fetch, lambda definition: (definition.name, definition.id), most=PAGE)
    return {"queryDefinitions": [_described(each) for each in found], **more}


def _described(definition: QueryDefinition) -> t.QueryDefinition:
    answer: t.QueryDefinition = {
        "queryLanguage": LANGUAGE,
        "queryDefinitionId": definition.id,
        "name": definition.name,
        "queryString": definition.text,
        "lastModified": definition.modified_ms,
        "logGroupNames": definition.groups,
    }
    if definition.parameters:
        answer["parameters"] = definition.parameters  # type: ignore[typeddict-item]
    return answer


@operation
def delete_query_definition(ctx: Context, request: t.DeleteQueryDefinitionRequest) -> t.DeleteQueryDefinitionResponse:
    """Forget a saved query."""
    definition = QUERY_DEFINITIONS.peek(ctx, request["queryDefinitionId"])
    if definition is None:
        raise DEFINITION_NOT_FOUND(id=request["queryDefinitionId"])
    QUERY_DEFINITIONS.delete(ctx, definition)
    return {"success": True}
