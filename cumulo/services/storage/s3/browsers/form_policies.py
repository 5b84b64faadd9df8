"""The policy of a browser's upload (POST Object): what it must say, and whether a form keeps to it.

Source: S3 API Reference, "Creating a POST policy" and "POST Object"; the texts are S3's answers where they were seen.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from cumulo.services.storage.s3.errors import (
    ENTITY_TOO_LARGE,
    ENTITY_TOO_SMALL,
    INVALID_POLICY_DOCUMENT,
    OUTSIDE_POLICY,
)

_EXPIRATION = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?Z\Z", re.ASCII)
_RANGE = "content-length-range"
_NEEDS_NO_CONDITION = frozenset(("awsaccesskeyid", "signature", "x-amz-signature", "policy", "file"))
_IGNORED = "x-ignore-"


class Condition(NamedTuple):
    """One condition: "eq", "starts-with" or "content-length-range"; the field as it was written; its operands."""

    operator: str
    field: str
    operands: tuple[Any, ...]

    def shown(self) -> str:
        """The condition as S3's message shows it."""
        parts = [self.operator, self.field, *self.operands]
        return "[" + ", ".join(msgspec.json.encode(part).decode() for part in parts) + "]"


class FormPolicy(NamedTuple):
    """A policy: when it ends (seconds since 1970), and its conditions."""

    expires_at: float
    conditions: tuple[Condition, ...]

    @property
    def sizes(self) -> tuple[int, int] | None:
        """The least and the most bytes of the file, None where nothing is said."""
        ranges = [condition.operands for condition in self.conditions if condition.operator == _RANGE]
        return (max(low for low, _ in ranges), min(high for _, high in ranges)) if ranges else None


def read(text: str) -> FormPolicy:
    """The policy in a form's `policy` field, which is base64. Raises InvalidPolicyDocument."""
    try:
        document = msgspec.json.decode(b64decode(text, validate=False))
    except (binascii.Error, msgspec.DecodeError, ValueError):
        raise INVALID_POLICY_DOCUMENT(reason="Invalid JSON.") from None
    if not isinstance(document, dict):
        raise INVALID_POLICY_DOCUMENT(reason="Invalid JSON.")
    if "expiration" not in document:
        raise INVALID_POLICY_DOCUMENT(reason="Policy missing expiration.")
    if "conditions" not in document:
        raise INVALID_POLICY_DOCUMENT(reason="Policy missing conditions.")
    conditions = document["conditions"]
    if not isinstance(conditions, list):
        raise INVALID_POLICY_DOCUMENT(reason="Invalid 'conditions' value: must be a List.")
    return FormPolicy(_expiration(document["expiration"]), tuple([_condition(one) for one in conditions]))


def _expiration(value: Any) -> float:
    found = _EXPIRATION.match(value) if isinstance(value, str) else None
    try:
        if found is None:
            raise ValueError(value)
        year, month, day, hour, minute, second = (int(part) for part in found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        raise INVALID_POLICY_DOCUMENT(reason=f"Invalid 'expiration' value: '{value}'") from None


def _condition(value: Any) -> Condition:
    if isinstance(value, dict):
        if len(value) != 1:
            reason = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            raise INVALID_POLICY_DOCUMENT(reason=reason)
        ((field, wanted),) = value.items()
        if not isinstance(wanted, str):
            raise INVALID_POLICY_DOCUMENT(reason="Invalid Simple-Condition: value must be a string.")
        return Condition("eq", f"${field}", (wanted,))
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise INVALID_POLICY_DOCUMENT(reason="Invalid Condition: must be a List or an Object.")
    operator = value[0].lower()
    if operator == _RANGE:
        return _range(value)
    if operator not in ("eq", "starts-with"):
        raise INVALID_POLICY_DOCUMENT(reason=f"Invalid Condition: unknown operation '{value[0]}'.")
    if len(value) != 3 or not isinstance(value[1], str) or not isinstance(value[2], str):
        raise INVALID_POLICY_DOCUMENT(reason=f"Invalid Condition: wrong number of arguments to '{value[0]}'.")
    return Condition(operator, value[1], (value[2],))


def _range(value: list[Any]) -> Condition:
    try:
        low, high = (int(bound) for bound in value[1:])
        if low < 0 or high < 0:
            raise ValueError(value)
    except (ValueError, TypeError):
        raise INVALID_POLICY_DOCUMENT(reason="Invalid content-length-range.") from None
    return Condition(_RANGE, _RANGE, (low, high))


def check(policy: FormPolicy, fields: Mapping[str, str], now: float) -> None:
    """Hold a form against its policy; all but the file's size, which `check_size` holds.

    `fields` have lower-case names, `bucket` among them, and the file's name in place of `${filename}`.
    Raises AccessDenied.
    """
    if now > policy.expires_at:
        raise OUTSIDE_POLICY(reason="Policy expired.")
    named = set()
    for condition in policy.conditions:
        if condition.operator == _RANGE:
            continue
        name = condition.field.removeprefix("$").lower()
        named.add(name)
        if not condition.field.startswith("$") or not _holds(condition, name, fields.get(name)):
            raise OUTSIDE_POLICY(reason=f"Policy Condition failed: {condition.shown()}")
    extra = [
        name
        for name in fields
        if name not in named and name not in _NEEDS_NO_CONDITION and not name.startswith(_IGNORED)
    ]
    if extra:
        raise OUTSIDE_POLICY(reason=f"Extra input fields: {', '.join(extra)}")


def _holds(condition: Condition, name: str, value: str | None) -> bool:
    wanted = condition.operands[0]
    if condition.operator == "eq":
        return bool(value == wanted)
    if value is None:
        return not wanted
    if name == "content-type":  # commas make it a list, each item of which must fit
        return all(item.strip().startswith(wanted) for item in value.split(","))
    return value.startswith(wanted)


def check_size(policy: FormPolicy, size: int) -> None:
    """Hold the file's size, in bytes, against the policy. Raises EntityTooLarge, EntityTooSmall."""
    sizes = policy.sizes
    if sizes is None:
        return
    least, most = sizes
    if size > most:
        raise ENTITY_TOO_LARGE(members={"ProposedSize": str(size), "MaxSizeAllowed": str(most)})
    if size < least:
        raise ENTITY_TOO_SMALL(members={"ProposedSize": str(size), "MinSizeAllowed": str(least)})
