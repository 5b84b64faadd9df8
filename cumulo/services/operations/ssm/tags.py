"""Tags of parameters. The other kinds of resource that Systems Manager tags are not there yet, and refused by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import tags as rules
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.operations.ssm.errors import INVALID_RESOURCE_ID, INVALID_TAG, TOO_MANY_TAGS
from cumulo.services.operations.ssm.parameter_records import find, put

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_records import Parameter
    from cumulo.stubs import ssm as t


def _tagged(ctx: Context, request: Any, operation: str) -> Parameter:
    kind = request["ResourceType"]
    if kind != "Parameter":
        raise not_implemented("ssm", operation, f"ResourceType={kind}")
    given = {"aws:TagKeys": request["TagKeys"] or None} if "TagKeys" in request else None
    return find(ctx, request["ResourceId"], INVALID_RESOURCE_ID, context=given)


@operation
def add_tags_to_resource(ctx: Context, request: t.AddTagsToResourceRequest) -> None:
    parameter = _tagged(ctx, request, "AddTagsToResource")
    added = rules.from_list(request["Tags"])  # type: ignore[arg-type]
    rules.check(added, invalid=INVALID_TAG, too_many=TOO_MANY_TAGS)
    tags = {**parameter.tags, **added}
    if len(tags) > rules.TAG_LIMIT:
        raise TOO_MANY_TAGS()
    parameter.tags = tags
    put(ctx, parameter)


@operation
def remove_tags_from_resource(ctx: Context, request: t.RemoveTagsFromResourceRequest) -> None:
    parameter = _tagged(ctx, request, "RemoveTagsFromResource")
    parameter.tags = rules.without(parameter.tags, request["TagKeys"])
    put(ctx, parameter)


@operation
def list_tags_for_resource(ctx: Context, request: t.ListTagsForResourceRequest) -> t.ListTagsForResourceResult:
    parameter = _tagged(ctx, request, "ListTagsForResource")
    answer: Any = {"TagList": rules.to_list(parameter.tags)}
    found: t.ListTagsForResourceResult = answer
    return found
