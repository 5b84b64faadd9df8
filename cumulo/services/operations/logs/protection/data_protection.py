"""Data protection policies of groups: what was sensitive when it came is masked when it is read.

A policy holds for what comes while it is set; what came before, and after its end, is not masked. Whoever may
logs:Unmask reads all. Source: CloudWatch Logs User Guide, "Help protect sensitive log data with masking".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.operations.logs.errors import GROUP_NOT_FOUND, INVALID_PARAMETER, RESOURCE_NOT_FOUND
from cumulo.services.operations.logs.groups import delivery_access, groups
from cumulo.services.operations.logs.groups.groups import STANDARD
from cumulo.services.operations.logs.lines import Line
from cumulo.services.operations.logs.protection import masking
from cumulo.services.operations.logs.protection.masking import PolicyError, Protection, Unknown

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.stubs import logs as t

ACTIVATED, DELETED = "ACTIVATED", "DELETED"
_FOR_EVER = 1 << 62
_DOCUMENT_BYTES = 30_720
_REMEMBERED = 50  # policies of the past


class ProtectionPolicy(Record):
    """All policies that a group had: (since, until, document), in milliseconds, the last one the latest.

    `group` is the id of a group, or what stands for an account and region.
    """

    group: bytes
    periods: list[tuple[int, int, str]]


PROTECTION_POLICIES = Table(ProtectionPolicy, name="logs.protection_policies", key="group", scope=GLOBAL)


def current(ctx: Context, owner: bytes) -> tuple[int, int, str] | None:
    """The policy that is set now."""
    found = PROTECTION_POLICIES.peek(ctx, owner)
    return found.periods[-1] if found is not None and found.periods[-1][1] == _FOR_EVER else None


def account_key(account: str, region: str) -> bytes:
    """What stands for an account's own policy."""
    return f"{account} {region}".encode()


def check(ctx: Context, document: str) -> None:
    """Refuse a document that is no policy with AWS's error; let reports of findings into the group that it names.

    Source: User Guide, "IAM permissions required to create or work with a data protection policy".
    """
    if len(document) > _DOCUMENT_BYTES:
        raise INVALID_PARAMETER(f"The policy document must not be longer than {_DOCUMENT_BYTES} characters.")
    try:
        protection = masking.check(document)
    except Unknown as unknown:
        raise not_implemented("logs", ctx.operation, str(unknown)) from None
    except PolicyError as error:
        raise INVALID_PARAMETER(str(error)) from None
    if protection.reports_to:
        ctx.authorize("*", action="logs:CreateLogDelivery")
        group = groups.GROUPS.peek(ctx, protection.reports_to)
        if group is None:
            raise GROUP_NOT_FOUND()
        delivery_access.let_in(ctx, group)


def put(ctx: Context, owner: bytes, document: str | None) -> int:
    """Set a policy (None: none) from now on; the time."""
    now_ms = int(ctx.now() * 1000)
    found = PROTECTION_POLICIES.peek(ctx, owner)
    periods = found.periods if found is not None else []
    if periods and periods[-1][1] == _FOR_EVER:
        since, _, text = periods[-1]
        periods[-1] = (since, now_ms, text)
    if document is not None:
        periods.append((now_ms, _FOR_EVER, document))
    if periods:
        PROTECTION_POLICIES.put(ctx, ProtectionPolicy(owner, periods[-_REMEMBERED:]))
    return now_ms


@operation
def put_data_protection_policy(
    ctx: Context, request: t.PutDataProtectionPolicyRequest
) -> t.PutDataProtectionPolicyResponse:
    """Mask what comes to a group from now on."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    groups.refuse_class(group, "PutDataProtectionPolicy", STANDARD)
    document = request["policyDocument"]
    check(ctx, document)
    now_ms = put(ctx, group.id, document)
    group.protected = ACTIVATED
    groups.keep(ctx, group)
    return {
        "logGroupIdentifier": request["logGroupIdentifier"],
        "policyDocument": document,
        "lastUpdatedTime": now_ms,
    }


@operation
def get_data_protection_policy(
    ctx: Context, request: t.GetDataProtectionPolicyRequest
) -> t.GetDataProtectionPolicyResponse:
    """The policy of a group; without one, only which group it is."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    answer: t.GetDataProtectionPolicyResponse = {"logGroupIdentifier": request["logGroupIdentifier"]}
    found = current(ctx, group.id)
    if found is not None:
        answer["policyDocument"] = found[2]
        answer["lastUpdatedTime"] = found[0]
    return answer


@operation
def delete_data_protection_policy(ctx: Context, request: t.DeleteDataProtectionPolicyRequest) -> None:
    """Mask nothing of what comes to a group from now on."""
    group = groups.find_any(ctx, request["logGroupIdentifier"])
    if current(ctx, group.id) is None:
        raise RESOURCE_NOT_FOUND("The specified data protection policy does not exist.")
    put(ctx, group.id, None)
    group.protected = DELETED
    groups.keep(ctx, group)


class Masks(NamedTuple):
    """The policies that hold for a group, by the time at which events came."""

    periods: Sequence[tuple[int, int, Protection]]

    def line(self, line: Line) -> Line:
        """A line as who may not see everything sees it."""
        message = line.message
        for since, until, protection in self.periods:
            if since <= line.ingested < until:
                message = protection.masked(message)
        return line if message == line.message else line._replace(message=message)

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        """Lines as who may not see everything sees them."""
        return [self.line(line) for line in lines]


def masks_of(ctx: Context, group: Group) -> Masks | None:
    """What masks a group's events; None when nothing ever did."""
    periods: list[tuple[int, int, Protection]] = []
    owners = [account_key(group.account, group.region)]
    if group.protected:
        owners.append(group.id)
    for owner in owners:
        found = PROTECTION_POLICIES.peek(ctx, owner)
        if found is not None:
            periods += [(since, until, masking.read(document)) for since, until, document in found.periods]
    return Masks(periods) if periods else None


def for_reader(ctx: Context, group: Group, request: Any, stream: str = "") -> Masks | None:
    """What masks what this caller reads: nothing, where it asks for all and may have it."""
    if request.get("unmask"):
        groups.authorize(ctx, group.name, group, account=group.account, stream=stream, action="logs:Unmask")
        return None
    return masks_of(ctx, group)


def identity(lines: list[Line]) -> list[Line]:
    """Lines as they are."""
    return lines


def masking_of(masks: Masks | None) -> Callable[[list[Line]], list[Line]]:
    """What is done to lines before they are shown."""
    return identity if masks is None else masks.lines
