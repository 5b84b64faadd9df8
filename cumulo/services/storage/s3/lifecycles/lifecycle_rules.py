"""Lifecycle rules: what a bucket's configuration wants of an object, and when. No state, no clock.

Sources: Amazon S3 User Guide, "Lifecycle configuration elements", "Conflicting lifecycle configurations" (permanent
deletion before transitions, the colder class before the warmer, the earlier expiration before the later) and
"Transitioning objects using Amazon S3 Lifecycle" (the order of classes, the smallest objects).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

DAY_S = 86_400
VARIES = "varies_by_storage_class"
SMALL_BYTES = 128 * 1024
# A transition goes down this list, never up.
COLDNESS = {
    "STANDARD": 0,
    "REDUCED_REDUNDANCY": 0,
    "STANDARD_IA": 1,
    "INTELLIGENT_TIERING": 2,
    "ONEZONE_IA": 3,
    "GLACIER_IR": 4,
    "GLACIER": 5,
    "DEEP_ARCHIVE": 6,
}
_FORBIDDEN = {("ONEZONE_IA", "GLACIER_IR")}
_SMALL_ALLOWED = frozenset(("GLACIER", "DEEP_ARCHIVE"))


class Transition:
    """Into `storage_class`, after so many days or (current versions only) at a date in seconds.

    `keep`: so many newer noncurrent versions stay where they are.
    """

    __slots__ = ("at", "days", "keep", "storage_class")

    def __init__(self, storage_class: str, days: int | None, at: float | None = None, keep: int = 0) -> None:
        self.storage_class = storage_class
        self.days = days
        self.at = at
        self.keep = keep


class Rule:
    """One enabled rule, ready to be asked."""

    __slots__ = (
        "abort_days",
        "expire_at",
        "expire_days",
        "expire_markers",
        "id",
        "larger",
        "noncurrent_days",
        "noncurrent_keep",
        "noncurrent_transitions",
        "prefix",
        "smaller",
        "tags",
        "transitions",
    )

    def __init__(self, document: Mapping[str, Any]) -> None:
        given = document.get("Filter") or {}
        both = given.get("And") or {}
        tag = given.get("Tag")
        self.id: str = document.get("ID") or ""
        self.prefix: str = document.get("Prefix") or given.get("Prefix") or both.get("Prefix") or ""
        tags = [tag] if tag else both.get("Tags") or ()
        self.tags: dict[str, str] = {each["Key"]: each["Value"] for each in tags}
        self.larger: int | None = _either(given, both, "ObjectSizeGreaterThan")
        self.smaller: int | None = _either(given, both, "ObjectSizeLessThan")
        expiration = document.get("Expiration") or {}
        self.expire_days: int | None = expiration.get("Days")
        self.expire_at: float | None = expiration.get("Date")
        self.expire_markers: bool = bool(expiration.get("ExpiredObjectDeleteMarker"))
        self.transitions = [
            Transition(each["StorageClass"], each.get("Days"), each.get("Date"))
            for each in document.get("Transitions") or ()
        ]
        ending = document.get("NoncurrentVersionExpiration") or {}
        self.noncurrent_days: int | None = ending.get("NoncurrentDays")
        self.noncurrent_keep: int = ending.get("NewerNoncurrentVersions") or 0
        self.noncurrent_transitions = [
            Transition(each["StorageClass"], each.get("NoncurrentDays"), keep=each.get("NewerNoncurrentVersions") or 0)
            for each in document.get("NoncurrentVersionTransitions") or ()
        ]
        self.abort_days: int | None = (document.get("AbortIncompleteMultipartUpload") or {}).get("DaysAfterInitiation")

    def matches(self, key: str, size: int, tags: Mapping[str, str]) -> bool:
        """Whether the rule is about this object."""
        if not key.startswith(self.prefix):
            return False
        if self.larger is not None and size <= self.larger:
            return False
        if self.smaller is not None and size >= self.smaller:
            return False
        return all(tags.get(name) == value for name, value in self.tags.items())

    def moves(self, size: int, storage_class: str, minimum: str) -> bool:
        """Whether an object of this size may go into the class; a rule that speaks of sizes decides itself."""
        if size >= SMALL_BYTES or self.larger is not None or self.smaller is not None:
            return True
        return minimum == VARIES and storage_class in _SMALL_ALLOWED


def _either(given: Mapping[str, Any], both: Mapping[str, Any], name: str) -> int | None:
    value: int | None = given.get(name)
    return both.get(name) if value is None else value


def rules_of(configuration: Mapping[str, Any]) -> list[Rule]:
    """The enabled rules of a LifecycleConfiguration."""
    return [Rule(each) for each in configuration.get("Rules") or () if each.get("Status") == "Enabled"]


def due(since: float, days: int) -> float:
    """When so many days are over, in seconds: the midnight (UTC) at which or after which that is."""
    return ceil((since + days * DAY_S) / DAY_S) * DAY_S


def expiration(
    rules: Iterable[Rule], key: str, size: int, tags: Mapping[str, str], modified_at: float
) -> tuple[float, str] | None:
    """When the current version expires, and by which rule; the earliest wins. None for never."""
    found: tuple[float, str] | None = None
    for rule in rules:
        if (rule.expire_days is None and rule.expire_at is None) or not rule.matches(key, size, tags):
            continue
        when = due(modified_at, rule.expire_days) if rule.expire_days is not None else rule.expire_at or 0
        if found is None or when < found[0]:
            found = when, rule.id
    return found


def transition(
    rules: Iterable[Rule],
    key: str,
    size: int,
    tags: Mapping[str, str],
    modified_at: float,
    *,
    now: float,
    storage_class: str,
    minimum: str = "",
) -> str:
    """The class that the current version has to be in by now: "" when it may stay where it is."""
    reached = [
        each.storage_class
        for rule in rules
        if rule.transitions and rule.matches(key, size, tags)
        for each in rule.transitions
        if (due(modified_at, each.days) if each.days is not None else each.at or 0) <= now
        and rule.moves(size, each.storage_class, minimum)
    ]
    return _coldest(storage_class, reached)


def _coldest(at: str, reached: Iterable[str]) -> str:
    """Where transitions to these classes, one after the other, lead from `at`; "" if none of them may be made."""
    wanted = ""
    for each in reached:
        now_at = wanted or at
        if (now_at, each) not in _FORBIDDEN and COLDNESS.get(each, -1) > COLDNESS.get(now_at, 99):
            wanted = each
    return wanted


def noncurrent_expires(
    rules: Iterable[Rule], key: str, size: int, tags: Mapping[str, str], since: float, newer: int, *, now: float
) -> bool:
    """Whether a version that is noncurrent `since` then, with so many newer noncurrent ones, has to go."""
    for rule in rules:
        if rule.noncurrent_days is None or newer < rule.noncurrent_keep or not rule.matches(key, size, tags):
            continue
        if due(since, rule.noncurrent_days) <= now:
            return True
    return False


def noncurrent_transition(
    rules: Iterable[Rule],
    key: str,
    size: int,
    tags: Mapping[str, str],
    since: float,
    newer: int,
    *,
    now: float,
    storage_class: str,
    minimum: str = "",
) -> str:
    """The class that a noncurrent version has to be in by now; "" when it may stay."""
    reached = [
        each.storage_class
        for rule in rules
        if rule.noncurrent_transitions and rule.matches(key, size, tags)
        for each in rule.noncurrent_transitions
        if newer >= each.keep and due(since, each.days or 0) <= now and rule.moves(size, each.storage_class, minimum)
    ]
    return _coldest(storage_class, reached)


def marker_goes(rules: Iterable[Rule], key: str, modified_at: float, *, now: float) -> bool:
    """Whether a delete marker that is all there is left of a key is to be removed.

    By a rule that says so, and by one that expires current versions once the marker is as old as that. Delete markers
    have no tags and no size, so rules that filter by those never reach them.
    """
    for rule in rules:
        if rule.tags or rule.larger is not None or rule.smaller is not None or not key.startswith(rule.prefix):
            continue
        if rule.expire_markers:
            return True
        if rule.expire_days is not None and due(modified_at, rule.expire_days) <= now:
            return True
        if rule.expire_at is not None and rule.expire_at <= now:
            return True
    return False


def upload_abort(rules: Iterable[Rule], key: str, initiated_at: float) -> tuple[float, str] | None:
    """When an upload that is not completed is aborted, and by which rule; None for never."""
    found: tuple[float, str] | None = None
    for rule in rules:
        if rule.abort_days is None or not key.startswith(rule.prefix):
            continue
        when = due(initiated_at, rule.abort_days)
        if found is None or when < found[0]:
            found = when, rule.id
    return found
