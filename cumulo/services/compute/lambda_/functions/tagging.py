"""TagResource, UntagResource and ListTags: of functions, code signing configurations and event source mappings.

Texts observed in AWS's answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core import tags as rules
from cumulo.core.arns import Arn
from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import (
    CANNOT_PROCESS,
    FUNCTION_NOT_FOUND,
    INVALID_TAGS,
    NONE_OF_A_KIND,
    TOO_MANY_TAGS,
    UNTAGGABLE,
)
from cumulo.services.compute.lambda_.stored import function_names, functions, qualifiers
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Tagged(NamedTuple):
    """A resource that has tags: those it has, and what keeps others in their place."""

    tags: dict[str, str]
    keep: Callable[[dict[str, str]], None]


def check(tags: dict[str, str]) -> None:
    """InvalidParameterValueException for too many tags, or such as AWS does not take."""
    rules.check(tags, invalid=INVALID_TAGS, too_many=TOO_MANY_TAGS)


def _function(ctx: Context, arn: str) -> Tagged:
    asked = function_names.read(ctx, arn)
    if asked.qualifier:
        raise UNTAGGABLE()
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    qualifiers.authorize(ctx, asked, function)
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=arn)

    def keep(tags: dict[str, str]) -> None:
        function.tags = tags
        functions.keep(ctx, function)

    return Tagged(function.tags, keep)


# By the kind in the ARN; a module whose resources have tags adds its own when it is loaded.
TAGGABLE: dict[str, Callable[[Context, str], Tagged]] = {"function": _function}


def _tagged(ctx: Context, arn: str) -> Tagged:
    parsed = Arn.parse(arn)
    kind = parsed.resource.partition(":")[0]
    find = TAGGABLE.get(kind)
    if find is None:
        if not ctx.trusted(parsed.account):
            ctx.authorize(arn)
        raise NONE_OF_A_KIND[kind](arn=arn)
    return find(ctx, arn)


@operation
def tag_resource(ctx: Context, request: dict[str, Any]) -> None:
    """Add tags, or give them new values."""
    resource = _tagged(ctx, request["Resource"])
    if not request["Tags"]:
        raise CANNOT_PROCESS()
    tags = {**resource.tags, **request["Tags"]}
    check(tags)
    resource.keep(tags)


@operation
def untag_resource(ctx: Context, request: dict[str, Any]) -> None:
    """Take tags off; keys that are not there are no error."""
    resource = _tagged(ctx, request["Resource"])
    resource.keep(rules.without(resource.tags, request["TagKeys"]))


@operation
def list_tags(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The tags of a resource."""
    return {"Tags": _tagged(ctx, request["Resource"]).tags}
