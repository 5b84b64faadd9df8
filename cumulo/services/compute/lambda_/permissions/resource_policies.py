"""PutResourcePolicy and its neighbours: the same policies as AddPermission's, whole.

Source: Lambda API Reference, PutResourcePolicy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault, not_implemented
from cumulo.core.operation import operation
from cumulo.core.policy.documents import Kind, parse
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER, LATEST_HAS_NO_POLICY, RESOURCE_NOT_FOUND
from cumulo.services.compute.lambda_.stored import policies, qualifiers
from cumulo.services.compute.lambda_.stored.function_names import read
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName


def _place(ctx: Context, request: dict[str, Any]) -> FunctionName:
    """The function, version or alias that is there, by its whole ARN."""
    arn = request["ResourceArn"]
    if ":function:" not in arn:
        raise not_implemented("lambda", ctx.operation, "ResourceArn of a runtime")
    place = read(ctx, arn)
    qualifiers.resolve(ctx, arn)
    return place


@operation
def put_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Put a policy in place of the one of a function, version or alias."""
    place = _place(ctx, request)
    if place.qualifier == LATEST:
        raise LATEST_HAS_NO_POLICY()
    policies.check_revision(policies.of(ctx, *place), request.get("RevisionId"), "GetResourcePolicy")
    text = request["Policy"]
    try:
        parse(text, Kind.RESOURCE)
    except Fault as fault:
        raise INVALID_PARAMETER(f"The provided policy is invalid: {fault.message}") from None  # of our own
    kept = policies.set_document(ctx, place, msgspec.json.format(text, indent=-1))
    return {"Policy": kept.document, "RevisionId": kept.revision_id}


@operation
def get_resource_policy(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The policy of a function, version or alias."""
    kept = policies.of(ctx, *_place(ctx, request))
    if kept is None:
        raise RESOURCE_NOT_FOUND()
    return {"Policy": kept.document, "RevisionId": kept.revision_id}


@operation
def delete_resource_policy(ctx: Context, request: dict[str, Any]) -> None:
    """Take away the policy of a function, version or alias."""
    place = _place(ctx, request)
    kept = policies.of(ctx, *place)
    if kept is None:
        raise RESOURCE_NOT_FOUND()
    policies.check_revision(kept, request.get("RevisionId"), "GetResourcePolicy")
    policies.drop(ctx, place, kept)
