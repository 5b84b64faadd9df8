"""Transformers of groups: PutTransformer & co. Metric and subscription filters can be applied to what they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import Wait, operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs.errors import INVALID_PARAMETER, RESOURCE_NOT_FOUND
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.groups.groups import STANDARD
from cumulo.services.operations.logs.transformation.pipelines import Pipeline, TransformerError, Unsupported

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line
    from cumulo.stubs import logs as t


class Transformer(Record):
    """The transformer of the group with this id. Times are milliseconds."""

    group: bytes
    config: list[dict[str, Any]]
    created_ms: int
    modified_ms: int


TRANSFORMERS = Table(Transformer, name="logs.transformers", key="group", scope=GLOBAL)


def checked(ctx: Context, config: Sequence[Mapping[str, Any]]) -> Pipeline:
    """The transformer of a configuration, or AWS's error."""
    try:
        return Pipeline(config)
    except Unsupported as error:
        raise not_implemented("logs", ctx.operation, str(error)) from None
    except TransformerError as error:
        raise INVALID_PARAMETER(str(error)) from None


@operation
def put_transformer(ctx: Context, request: t.PutTransformerRequest) -> None:
    """Set the transformer of a group."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    groups.refuse_class(group, "PutTransformer", STANDARD)
    config: list[Any] = request["transformerConfig"]
    checked(ctx, config)
    now_ms = int(ctx.now() * 1000)
    found = TRANSFORMERS.peek(ctx, group.id)
    TRANSFORMERS.put(ctx, Transformer(group.id, config, found.created_ms if found else now_ms, now_ms))


@operation
def get_transformer(ctx: Context, request: t.GetTransformerRequest) -> t.GetTransformerResponse:
    """The transformer of a group; without one, nothing but the group's name."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    found = TRANSFORMERS.peek(ctx, group.id)
    if found is None:
        return {"logGroupIdentifier": request["logGroupIdentifier"]}
    return {
        "logGroupIdentifier": request["logGroupIdentifier"],
        "creationTime": found.created_ms,
        "lastModifiedTime": found.modified_ms,
        "transformerConfig": found.config,  # type: ignore[typeddict-item]
    }


@operation
def delete_transformer(ctx: Context, request: t.DeleteTransformerRequest) -> None:
    """Remove the transformer of a group."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    found = TRANSFORMERS.peek(ctx, group.id)
    if found is None:
        raise RESOURCE_NOT_FOUND("The specified transformer does not exist.")
    TRANSFORMERS.delete(ctx, found)


@operation
def test_transformer(ctx: Context, request: t.TestTransformerRequest) -> t.TestTransformerResponse:
    """What a transformer makes of some messages. One that it cannot read is answered without what it became."""
    config: list[Any] = request["transformerConfig"]
    pipeline = checked(ctx, config)
    raise Wait(partial(_tested, pipeline=pipeline, messages=request["logEventMessages"]))


async def _tested(ctx: Context, pipeline: Pipeline, messages: list[str]) -> t.TestTransformerResponse:
    metadata = {"@accountId": ctx.account, "@regionName": ctx.region}
    return await ctx.in_thread(partial(_answer, pipeline, messages, metadata))


def _answer(pipeline: Pipeline, messages: list[str], metadata: dict[str, str]) -> t.TestTransformerResponse:
    records: list[Any] = []
    for number, message in enumerate(messages, 1):
        record: dict[str, Any] = {"eventNumber": number, "eventMessage": message}
        transformed = pipeline.transform(message, metadata)
        if transformed is not None:
            record["transformedEventMessage"] = transformed
        records.append(record)
    return {"transformedLogs": records}


def of_group(ctx: Context, group: Group, of_account: Sequence[Mapping[str, Any]] | None) -> Pipeline | None:
    """The transformer that events of a group go through: its own, else the account's."""
    found = TRANSFORMERS.peek(ctx, group.id)
    config = found.config if found is not None else of_account
    return None if config is None else Pipeline(config)


def transformed(pipeline: Pipeline, group: Group, lines: Sequence[Line]) -> list[Line]:
    """Lines with what their messages became; those that cannot be read as they are."""
    found = []
    for line in lines:
        metadata = {
            "@logGroupName": group.name,
            "@logGroupStream": line.stream,
            "@accountId": group.account,
            "@regionName": group.region,
        }
        message = pipeline.transform(line.message, metadata)
        found.append(line if message is None else line._replace(message=message))
    return found
