"""Capacity of tables and global indexes: provisioned, on demand, warm; what may be asked for and what it becomes.

Sources: Amazon DynamoDB Developer Guide, "Provisioned capacity mode", "On-demand capacity mode", "Warm throughput",
"Quotas"; answers of AWS for the texts. A UTC day allows four decreases, and after them one an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import LIMIT_EXCEEDED, VALIDATION
from cumulo.services.data.dynamodb.tables.key_schemas import INVALID
from cumulo.services.data.dynamodb.tables.tables import ACTIVE, PAY_PER_REQUEST, UNLIMITED, UPDATING, Throughput

if TYPE_CHECKING:
    from cumulo.core.context import Context

TABLE_MAXIMUM = 40_000
ON_DEMAND_READ, ON_DEMAND_WRITE = 12_000, 4_000
FREE_DECREASES = 4
DECREASE_WAIT_S = 3_600
DAY_S = 86_400
_GUIDE = "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits."


def check_maximum(ctx: Context, read: int, write: int, index: str = "") -> None:
    """LimitExceededException above what one table, or one index, may have."""
    for unit, asked in (("ReadCapacityUnits", read), ("WriteCapacityUnits", write)):
        if asked > TABLE_MAXIMUM:
            kind, whose = ("index", f" for index {index}") if index else ("table", "")
            raise LIMIT_EXCEEDED(
                f"The requested {unit}{whose}, {asked}, is above the per {kind} maximum for the account in "
                f"{ctx.region}. Per {kind} maximum: {TABLE_MAXIMUM}. {_GUIDE}"
            )


def created(ctx: Context, mode: str, request: Mapping[str, Any], index: str = "") -> Throughput:
    """The capacity of a new table, or of its new index, from the members of a request."""
    provisioned = request.get("ProvisionedThroughput")
    throughput = Throughput()
    if mode == PAY_PER_REQUEST:
        throughput.warm_read, throughput.warm_write = ON_DEMAND_READ, ON_DEMAND_WRITE
    elif provisioned is not None:
        throughput.read, throughput.write = provisioned["ReadCapacityUnits"], provisioned["WriteCapacityUnits"]
        check_maximum(ctx, throughput.read, throughput.write, index)
        throughput.warm_read, throughput.warm_write = throughput.read, throughput.write
    limit(throughput, mode, request.get("OnDemandThroughput"), index, creating=True)
    warm(throughput, mode, request.get("WarmThroughput"), index, creating=True)
    return throughput


def _whose(index: str) -> str:
    return f"index : {index}" if index else "table"


def limit(
    throughput: Throughput, mode: str, asked: Mapping[str, int] | None, index: str = "", *, creating: bool = False
) -> None:
    """Set the maximums of on-demand capacity; -1 takes one away again, member by member."""
    if asked is None:
        return
    for member, field in (("MaxReadRequestUnits", "maximum_read"), ("MaxWriteRequestUnits", "maximum_write")):
        value = asked.get(member)
        if value is None:
            continue
        if mode != PAY_PER_REQUEST:
            place = f" for index : {index}" if index else ""
            text = "when table BillingMode is PROVISIONED." if creating else "when the table BillingMode is PROVISIONED"
            raise VALIDATION(f"{INVALID}{member} for OnDemandThroughput{place} cannot be specified {text}")
        if value < 1 and (creating or value != UNLIMITED):
            raise VALIDATION(
                f"{INVALID}Requested {member} for OnDemandThroughput for {_whose(index)} is outside of valid range"
            )
        setattr(throughput, field, value)


def warm(
    throughput: Throughput, mode: str, asked: Mapping[str, int] | None, index: str = "", *, creating: bool = False
) -> None:
    """Raise the warm throughput; it never falls."""
    if asked is None:
        return
    place = f"index {index}" if index else "table"
    provisioned = mode != PAY_PER_REQUEST
    for member, field, unit in (
        ("ReadUnitsPerSecond", "warm_read", "ReadCapacityUnits"),
        ("WriteUnitsPerSecond", "warm_write", "WriteCapacityUnits"),
    ):
        value = asked.get(member)
        if value is None:
            continue
        if value < getattr(throughput, field):
            if not creating:
                why = "current WarmThroughput, decreasing WarmThroughput is not supported"
            elif provisioned:
                why = f"{unit} of ProvisionedThroughput"
            else:
                why = (
                    "initial throughput for OnDemand. See: https://docs.aws.amazon.com/amazondynamodb/latest/"
                    "developerguide/on-demand-capacity-mode.html#on-demand-capacity-mode-initial"
                )
            raise VALIDATION(f"{INVALID}Requested {member} for WarmThroughput for {place} is lower than {why}")
        setattr(throughput, field, value)
        throughput.warm_asked = True


def change(ctx: Context, throughput: Throughput, asked: Mapping[str, int], index: str = "") -> None:
    """Provision other units, within the limits on how often they may fall."""
    read, write = asked["ReadCapacityUnits"], asked["WriteCapacityUnits"]
    if (read, write) == (throughput.read, throughput.write):
        kind = f"index {index}" if index else "table"
        raise VALIDATION(
            f"The provisioned throughput for the {kind} will not change. The requested value equals the current value. "
            f"Current ReadCapacityUnits provisioned for the {kind}: {throughput.read}. Requested ReadCapacityUnits: "
            f"{read}. Current WriteCapacityUnits provisioned for the {kind}: {throughput.write}. Requested "
            f"WriteCapacityUnits: {write}. {_GUIDE}"
        )
    check_maximum(ctx, read, write, index)
    now = ctx.now()
    if read > throughput.read or write > throughput.write:
        throughput.increased_at = now
    if read < throughput.read or write < throughput.write:
        today = decreases_today(throughput, now)
        if today >= FREE_DECREASES and now < throughput.decreased_at + DECREASE_WAIT_S:
            raise _too_often(throughput, today)
        throughput.decreases = today + 1
        throughput.decreased_at = now
    throughput.read, throughput.write = read, write
    throughput.warm_read = max(throughput.warm_read, read)
    throughput.warm_write = max(throughput.warm_write, write)


def decreases_today(throughput: Throughput, now: float) -> int:
    """The decreases of the UTC day that `now` is in."""
    return throughput.decreases if int(throughput.decreased_at // DAY_S) == int(now // DAY_S) else 0


def _too_often(throughput: Throughput, today: int) -> Exception:
    last = throughput.decreased_at
    again = min(last + DECREASE_WAIT_S, (last // DAY_S + 1) * DAY_S)
    return LIMIT_EXCEEDED(
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the "
        f"first {FREE_DECREASES} decreases, each subsequent decrease in the same UTC day can be performed at most once "
        f"every {DECREASE_WAIT_S} seconds. Number of decreases today: {today}. Last decrease at {in_words(last)}. "
        f"Next decrease can be made at {in_words(again)}"
    )


def in_words(when: float) -> str:
    """A time as DynamoDB's messages write it: "Friday, October 9, 2026 at 12:21:34 AM Coordinated Universal Time"."""
    time = datetime.fromtimestamp(when, UTC)
    hour = time.hour % 12 or 12
    return (
        f"{time:%A, %B} {time.day}, {time.year} at {hour}:{time:%M:%S} {'AM' if time.hour < 12 else 'PM'} "
        "Coordinated Universal Time"
    )


def described(throughput: Throughput, now: float) -> dict[str, Any]:
    """ProvisionedThroughput as DescribeTable shows it."""
    shown: dict[str, Any] = {
        "NumberOfDecreasesToday": decreases_today(throughput, now),
        "ReadCapacityUnits": throughput.read,
        "WriteCapacityUnits": throughput.write,
    }
    if throughput.increased_at:
        shown["LastIncreaseDateTime"] = throughput.increased_at
    if throughput.decreased_at:
        shown["LastDecreaseDateTime"] = throughput.decreased_at
    return shown


def described_maximum(throughput: Throughput) -> dict[str, int]:
    """OnDemandThroughput, empty where there is no maximum."""
    shown = {}
    if throughput.maximum_read != UNLIMITED:
        shown["MaxReadRequestUnits"] = throughput.maximum_read
    if throughput.maximum_write != UNLIMITED:
        shown["MaxWriteRequestUnits"] = throughput.maximum_write
    return shown


def described_warm(throughput: Throughput, *, updating: bool = False) -> dict[str, Any]:
    """WarmThroughput."""
    return {
        "ReadUnitsPerSecond": throughput.warm_read,
        "WriteUnitsPerSecond": throughput.warm_write,
        "Status": UPDATING if updating else ACTIVE,
    }
