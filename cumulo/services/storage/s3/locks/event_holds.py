"""Event holds: retention that begins to run out only when somebody says that the event has come.

While a hold is on, its version's retention lasts as long as the hold's duration from now on, whenever now is; releasing
the hold fixes that date. Source: S3 User Guide, "Object Lock considerations", "Troubleshooting variable retention",
which lists what is refused with 400 and gives no texts: those of InvalidArgument are ours. In a body, what is not whole
is MalformedXML, as AWS was seen to answer to other retentions.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, MALFORMED_XML

if TYPE_CHECKING:
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

Hold = tuple[int, int]
"""How long a version is kept after its hold: (days, years), one of them 0."""

ON, OFF = "ON", "OFF"
RELEASED: Hold = (0, 0)
MOST_DAYS, MOST_YEARS = 36_500, 100
DAY_S = 86_400
_HEADER = "x-amz-object-lock-event-hold"
_MEMBERS = ("ObjectLockEventHold", "ObjectLockEventHoldDurationDays", "ObjectLockEventHoldDurationYears")


def of_headers(request: Mapping[str, Any]) -> Hold | None:
    """What the head of a request that writes an object says of a hold; None for nothing. Raises InvalidArgument."""
    status, days, years = [request.get(name) for name in _MEMBERS]
    return _checked(status, days, years)


def of_retention(retention: Mapping[str, Any]) -> Hold | None:
    """What a Retention says of a hold."""
    duration = retention.get("EventHoldDuration") or {}
    status, days, years = retention.get("EventHold"), duration.get("Days"), duration.get("Years")
    if ((days is None) == (years is None)) if status == ON else (days is not None or years is not None):
        raise MALFORMED_XML()
    return _checked(status, days, years)


def of_default(duration: Mapping[str, Any]) -> Hold:
    """The DefaultEventHold of a bucket."""
    days, years = duration.get("Days"), duration.get("Years")
    if (days is None) == (years is None):
        raise MALFORMED_XML()
    return _duration(days, years)


def _checked(status: str | None, days: int | None, years: int | None) -> Hold | None:
    if status == ON:
        return _duration(days, years)
    if status not in (None, OFF):
        raise _refused("Event Hold must be either of 'ON' or 'OFF'", status)
    if days is not None or years is not None:
        raise _refused("An event hold duration can only be specified with an event hold that is 'ON'")
    return None if status is None else RELEASED


def _duration(days: int | None, years: int | None) -> Hold:
    if (days is None) == (years is None):
        raise _refused("An event hold needs exactly one duration, in days or in years")
    found = days or 0, years or 0
    if found == RELEASED or not (0 <= found[0] <= MOST_DAYS and 0 <= found[1] <= MOST_YEARS):
        raise _refused(f"An event hold duration must be between 1 and {MOST_DAYS} days or {MOST_YEARS} years")
    return found


def _refused(text: str, value: str = "") -> Fault:
    return INVALID_ARGUMENT(text, members={"ArgumentName": _HEADER, **({"ArgumentValue": value} if value else {})})


def no_mode() -> Fault:
    """The refusal of a hold without a retention mode."""
    return _refused("An event hold requires a retention mode")


def no_date() -> Fault:
    """The refusal to release what is not held, and has no date."""
    return _refused("An event hold that is 'OFF' requires a retain until date")


def is_on(version: ObjectVersion) -> bool:
    """Whether a hold lies on the version."""
    return version.event_hold is not None and tuple(version.event_hold) != RELEASED


def period_s(days: int, years: int, now: float) -> float:
    """So many days or years from now, in seconds; a year is one of the calendar."""
    if days:
        return days * DAY_S
    today = datetime.fromtimestamp(now, UTC)
    try:
        return today.replace(year=today.year + years).timestamp() - now
    except ValueError:  # the 29th of February
        return today.replace(year=today.year + years, month=3, day=1).timestamp() - now


def shown_duration(hold: Hold) -> dict[str, int]:
    """A duration as a Retention has it."""
    return {"Days": hold[0]} if hold[0] else {"Years": hold[1]}
