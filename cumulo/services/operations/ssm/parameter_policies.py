"""Parameter policies: what they say and when they fall due. Pure.

Source: Systems Manager User Guide, "Assigning parameter policies in Parameter Store".
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cumulo.services.operations.ssm.errors import (
    INCOMPATIBLE_POLICY,
    INVALID_POLICY_ATTRIBUTE,
    INVALID_POLICY_TYPE,
    TOO_MANY_POLICIES,
)

EXPIRATION = "Expiration"
EXPIRATION_NOTIFICATION = "ExpirationNotification"
NO_CHANGE_NOTIFICATION = "NoChangeNotification"
PENDING, FINISHED, FAILED = "Pending", "Finished", "Failed"
LIMIT = 10
_UNITS_S = {"days": 86_400, "hours": 3600}


class Policy(NamedTuple):
    """One policy: its text as it is shown, and the time (Expiration) or the span in seconds that it speaks of."""

    type: str
    text: str
    value: float


def parse(text: str) -> list[Policy]:
    """The policies of a request; `{}` and `[{}]` are none. Raises PutParameter's errors for those it does not take."""
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        raise INVALID_POLICY_ATTRIBUTE("The policies are no valid JSON.") from None
    if isinstance(found, dict):
        found = [found]
    if not isinstance(found, list):
        raise INVALID_POLICY_ATTRIBUTE("The policies must be a JSON array.")
    policies = [_policy(each) for each in found if each != {}]
    if len(policies) > LIMIT:
        raise TOO_MANY_POLICIES()
    types = [policy.type for policy in policies]
    if types.count(EXPIRATION) > 1 or types.count(NO_CHANGE_NOTIFICATION) > 1:
        raise INCOMPATIBLE_POLICY("You can't specify two policies of the same type for a parameter.")
    if EXPIRATION_NOTIFICATION in types and EXPIRATION not in types:
        raise INCOMPATIBLE_POLICY("An ExpirationNotification policy needs an Expiration policy.")
    return policies


def _policy(written: Any) -> Policy:
    if not isinstance(written, dict):
        raise INVALID_POLICY_ATTRIBUTE("A policy must be a JSON object.")
    kind = written.get("Type")
    if kind not in (EXPIRATION, EXPIRATION_NOTIFICATION, NO_CHANGE_NOTIFICATION):
        raise INVALID_POLICY_TYPE(
            "The policy type isn't supported. Parameter Store supports the following policy types: Expiration, "
            "ExpirationNotification, and NoChangeNotification."
        )
    if written.get("Version") != "1.0":
        raise INVALID_POLICY_ATTRIBUTE("The version of a policy must be 1.0.")
    attributes = written.get("Attributes")
    if not isinstance(attributes, dict):
        raise INVALID_POLICY_ATTRIBUTE("A policy must have attributes.")
    value = _time(attributes) if kind == EXPIRATION else _span(kind, attributes)
    return Policy(kind, msgspec.json.encode(written).decode(), value)


def _time(attributes: dict[str, Any]) -> float:
    try:
        moment = datetime.fromisoformat(attributes["Timestamp"])
        if moment.tzinfo is None or set(attributes) != {"Timestamp"}:
            raise ValueError(attributes)
        return moment.timestamp()
    except (KeyError, TypeError, ValueError):
        raise INVALID_POLICY_ATTRIBUTE("The Timestamp of an Expiration policy must be an ISO 8601 time.") from None


def _span(kind: str, attributes: dict[str, Any]) -> float:
    name = "Before" if kind == EXPIRATION_NOTIFICATION else "After"
    unit = _UNITS_S.get(str(attributes.get("Unit", "")).lower())
    count = str(attributes.get(name, ""))
    if unit is None or not count.isascii() or not count.isdigit() or set(attributes) != {name, "Unit"}:
        raise INVALID_POLICY_ATTRIBUTE(f"A {kind} policy has {name}, a whole number, and Unit, Days or Hours.")
    return float(int(count) * unit)


def due(policies: list[Policy], modified_at: float) -> list[float]:
    """When each policy falls due, in seconds since 1970."""
    expires = next((policy.value for policy in policies if policy.type == EXPIRATION), 0.0)
    return [
        policy.value
        if policy.type == EXPIRATION
        else expires - policy.value
        if policy.type == EXPIRATION_NOTIFICATION
        else modified_at + policy.value
        for policy in policies
    ]
