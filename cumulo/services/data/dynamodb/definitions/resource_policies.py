"""Resource-based policies of tables and streams: who else may use them, and who may not.

A revision is the millisecond of the change. A policy that says the same as the one that is there changes nothing.
Sources: Amazon DynamoDB Developer Guide, "Using resource-based policies for DynamoDB"; answers of AWS for the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.change_streams import STREAMS, Stream
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.documents import Document, Kind, parse
from cumulo.services.data.dynamodb.definitions import resource_arns
from cumulo.services.data.dynamodb.errors import (
    POLICY_LOCKS_OUT,
    POLICY_NOT_FOUND,
    RESOURCE_NOT_FOUND,
    TABLE_NOT_ACTIVE,
    TABLE_NOT_FOUND,
    VALIDATION,
)
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import DELETING, TABLES, TableRecord, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import dynamodb as t

LARGEST = 20_480
NO_POLICY = "NO_POLICY"


def _found(ctx: Context, arn: str) -> TableRecord | Stream:
    """The table or stream of an ARN, found and authorized."""
    resource = resource_arns.read(ctx, arn)
    if resource.account != ctx.account:
        ctx.authorized = True  # whatever there is in the other account: this says nothing of it
        raise VALIDATION("This action is only supported by accounts that match the resource owner’s account.")
    if resource.label:
        stream = STREAMS.peek(ctx, resource.table, resource.label)
        if stream is not None:
            ctx.authorize(arn, policy=stream.policy or None)
            return stream
        ctx.authorize(arn)
        if TABLES.peek(ctx, resource.table) is not None:
            raise RESOURCE_NOT_FOUND(
                f"Requested resource not found: Stream: {resource.label} not found for Table: {resource.table}"
            )
        raise TABLE_NOT_FOUND(name=resource.table)
    table = TABLES.peek(ctx, resource.table)
    if table is None or table.filling:
        ctx.authorize(arn)
        raise TABLE_NOT_FOUND(name=resource.table)
    ctx.authorize(arn, policy=table.policy or None, tags=table.tags)
    return table


def _keep(ctx: Context, resource: TableRecord | Stream) -> None:
    if isinstance(resource, Stream):
        STREAMS.put(ctx, resource)
    else:
        keep(ctx, resource)


@operation
def put_resource_policy(ctx: Context, request: t.PutResourcePolicyInput) -> t.PutResourcePolicyOutput:
    """Attach a policy, in place of the one that is there."""
    resource = _found(ctx, request["ResourceArn"])
    _check_revision(resource, request.get("ExpectedRevisionId"), request["ResourceArn"])
    document = check(request["Policy"])
    if isinstance(resource, TableRecord) and resource.status == DELETING:
        raise TABLE_NOT_ACTIVE(change="deleted", name=resource.name)
    if not request.get("ConfirmRemoveSelfResourceAccess"):
        _check_lockout(ctx, request["ResourceArn"], request["Policy"])
    if resource.policy and check(resource.policy) == document:
        return {"RevisionId": resource.policy_revision}
    _set(ctx, resource, request["Policy"])
    _keep(ctx, resource)
    return {"RevisionId": resource.policy_revision}


def put_on_table(ctx: Context, table: TableRecord, policy: str) -> None:
    """Attach a policy to a table that is being made; the caller keeps the table."""
    ctx.authorize(table.arn, action="dynamodb:PutResourcePolicy")
    check(policy)
    _check_lockout(ctx, table.arn, policy)
    _set(ctx, table, policy)


def _set(ctx: Context, resource: TableRecord | Stream, policy: str) -> None:
    revision = max(int(ctx.now() * 1000), int(resource.policy_revision or 0) + 1)
    resource.policy, resource.policy_revision = policy, str(revision)


@operation
def get_resource_policy(ctx: Context, request: t.GetResourcePolicyInput) -> t.GetResourcePolicyOutput:
    """The policy of a table or stream, in its short form."""
    resource = _found(ctx, request["ResourceArn"])
    if not resource.policy:
        raise POLICY_NOT_FOUND(arn=request["ResourceArn"])
    return {"Policy": canonical(resource.policy), "RevisionId": resource.policy_revision}


@operation
def delete_resource_policy(ctx: Context, request: t.DeleteResourcePolicyInput) -> t.DeleteResourcePolicyOutput:
    """Take the policy away; that there is none is no error."""
    resource = _found(ctx, request["ResourceArn"])
    _check_revision(resource, request.get("ExpectedRevisionId"), request["ResourceArn"])
    if not resource.policy:
        return {}
    _set(ctx, resource, "")
    _keep(ctx, resource)
    return {"RevisionId": resource.policy_revision}


def _check_revision(resource: TableRecord | Stream, expected: str | None, arn: str) -> None:
    if expected is None:
        return
    if expected == NO_POLICY:
        if resource.policy:
            raise POLICY_NOT_FOUND(f"A resource-based policy already exists for the provided ResourceArn: {arn}")
    elif not resource.policy:
        raise POLICY_NOT_FOUND(arn=arn)
    elif expected != resource.policy_revision:
        raise POLICY_NOT_FOUND(f"The provided ExpectedRevisionId did not match the revision of the policy of: {arn}")


def check(text: str) -> Document:
    """The document of a policy that DynamoDB takes."""
    if len(text.encode()) > LARGEST:
        raise VALIDATION(f"{INVALID}Maximum policy size of {LARGEST} bytes exceeded")
    try:
        document = parse(text, Kind.RESOURCE)
    except Fault as fault:
        if "Invalid principal" in fault.message:
            raise VALIDATION(f"{INVALID}Invalid principal in policy document.") from None
        raise VALIDATION(f"{INVALID}Invalid policy document: {fault.message}") from None
    for statement in document.statements:
        principal = statement.principal
        if statement.effect == "Allow" and principal is not None and principal.everyone and not statement.conditions:
            raise VALIDATION(
                "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to "
                "ensure least-privilege form of access"
            )
    return document


def _check_lockout(ctx: Context, arn: str, policy: str) -> None:
    """Refuse a policy that keeps its own author from changing it again."""
    try:
        ctx.authorize(arn, policy=policy, action="dynamodb:PutResourcePolicy")
    except Fault:
        raise POLICY_LOCKS_OUT() from None


def canonical(text: str) -> str:
    """A policy as GetResourcePolicy shows it: no blanks, lists of one as what is in them, statements always a list."""
    written: dict[str, Any] = msgspec.json.decode(text)
    statements = written["Statement"]
    shown: dict[str, Any] = {"Version": written.get("Version", "2008-10-17")}
    if "Id" in written:
        shown["Id"] = written["Id"]
    shown["Statement"] = [_short(each) for each in (statements if isinstance(statements, list) else [statements])]
    return msgspec.json.encode(shown).decode()


_ORDER = ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")


def _short(statement: dict[str, Any]) -> dict[str, Any]:
    shown = {}
    for name in _ORDER:
        if name in statement:
            value = statement[name]
            shown[name] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return shown
