"""Log groups: their record and table, how they are found, and the operations on a group as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import partition_of
from cumulo.core.table import GLOBAL, REGION, Record, Table
from cumulo.services.operations.logs.errors import (
    GROUP_NOT_FOUND,
    INVALID_OPERATION,
    INVALID_PARAMETER,
    NAME_TOO_LONG,
    VALIDATION,
)
from cumulo.services.operations.logs.groups import resource_access

if TYPE_CHECKING:
    from cumulo.core.context import Context

STANDARD, INFREQUENT_ACCESS, DELIVERY = "STANDARD", "INFREQUENT_ACCESS", "DELIVERY"
NAME_LENGTH = 512


class Group(Record):
    """A log group. `id` is 8 random bytes: another group of the same name later shares nothing with this one.

    Times are milliseconds of cloud time since 1970; `retention_days` 0 keeps events for ever.
    """

    account: str
    region: str
    name: str
    id: bytes
    created_ms: int
    log_class: str = STANDARD
    retention_days: int = 0
    kms_key: str = ""
    deletion_protection: bool = False
    tags: dict[str, str] = {}
    metric_filters: int = 0  # how many there are
    subscriptions: int = 0
    protected: str = ""  # the state of its data protection policy
    bearer_tokens: bool = False  # whether the HTTP endpoints take them

    @property
    def kept_days(self) -> int:
        """How long events are kept, 0 for ever; those of the class DELIVERY one day (API reference, CreateLogGroup)."""
        return 1 if self.log_class == DELIVERY else self.retention_days

    @property
    def arn(self) -> str:
        """The group's ARN, without the `:*` with which policies name it."""
        return f"arn:{partition_of(self.region)}:logs:{self.region}:{self.account}:log-group:{self.name}"


class Place(Record):
    """Where the group with this id is."""

    id: bytes
    account: str
    region: str
    name: str


GROUPS = Table(Group, name="logs.groups", key="name", scope=REGION, missing=GROUP_NOT_FOUND)
PLACES = Table(Place, name="logs.places", key="id", scope=GLOBAL)


def find(ctx: Context, name: str, *, account: str = "", stream: str = "", action: str | None = None) -> Group:
    """The group, found and authorized, or AWS's error.

    What is asked for permission on is the group as one with streams ("log-group:name:log-stream:"), which is what
    AWS's messages name and what "log-group:name:*" in policies matches. Source: CloudWatch Logs User Guide, "ARNs".
    """
    check_length(name)
    group = GROUPS.peek(ctx, name, account=account or ctx.account)
    authorize(ctx, name, group, account=account, stream=stream, action=action)
    if group is None:
        raise GROUP_NOT_FOUND()
    return group


def find_any(ctx: Context, identifier: str, *, stream: str = "") -> Group:
    """The group of a `logGroupIdentifier`: its name, or its ARN, which may be of another account."""
    account, name = read_identifier(ctx, identifier)
    return find(ctx, name, account=account, stream=stream)


def read_identifier(ctx: Context, identifier: str) -> tuple[str, str]:
    """Account and name of a `logGroupIdentifier`."""
    if not identifier.startswith("arn:"):
        return ctx.account, identifier
    parts = identifier.split(":", 6)
    if len(parts) != 7 or parts[2] != "logs" or parts[5] != "log-group" or parts[3] != ctx.region:
        raise INVALID_PARAMETER(f"The specified ARN is not valid: {identifier}")
    return parts[4], parts[6].removesuffix(":*")


def named(ctx: Context, request: Any, *, stream: str = "") -> Group:
    """The group that a request names by `logGroupName` or by `logGroupIdentifier`."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if name is not None and identifier is not None:
        raise VALIDATION("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
    if name is not None:
        return find(ctx, name, stream=stream)
    if identifier is None:
        raise VALIDATION("Either LogGroup name or LogGroup ARN must be specified.")
    return find_any(ctx, identifier, stream=stream)


def authorize(
    ctx: Context, name: str, group: Group | None, *, account: str = "", stream: str = "", action: str | None = None
) -> None:
    """Ask whether the caller may do this to the group, or to one stream of it."""
    owner = account or ctx.account
    if ctx.trusted(owner):
        return
    arn = f"arn:{ctx.partition}:logs:{ctx.region}:{owner}:log-group:{name}"
    policy = resource_access.policy_of(ctx, owner, arn)
    ctx.authorize(
        f"{arn}:log-stream:{stream}", policy=policy, tags=group.tags if group is not None else None, action=action
    )


def keep(ctx: Context, group: Group) -> None:
    """Write a group back to where it lives, whoever calls."""
    GROUPS.put(ctx, group, account=group.account, region=group.region)


def by_id(ctx: Context, group_id: bytes) -> Group | None:
    """The group with this id, None when it was deleted."""
    place = PLACES.peek(ctx, group_id)
    return None if place is None else GROUPS.peek(ctx, place.name, account=place.account, region=place.region)


def refuse_class(group: Group, operation: str, *allowed: str) -> None:
    """Refuse an operation on a group of a class that does not have it (User Guide, "Log classes")."""
    if group.log_class not in allowed:
        raise INVALID_OPERATION(f"{operation} is not supported for log groups of the {group.log_class} class.")


def check_length(*names: str) -> None:
    """Refuse names that are too long, in AWS's words."""
    for name in names:
        if len(name) > NAME_LENGTH:
            raise NAME_TOO_LONG()
