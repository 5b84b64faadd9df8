"""Tables for tests, and what AWS answers when it refuses."""

from __future__ import annotations

from typing import Any

from tests import refusals

UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
INVALID = "One or more parameter values were invalid: "


refused = refusals.refused


def invalid(message: str) -> Any:
    """ValidationException with this text."""
    return refused("ValidationException", message)


def attributes(*names: str) -> list[dict[str, str]]:
    """AttributeDefinitions: `id`, or `n:N` for another type than S."""
    found = []
    for name in names:
        name, _, kind = name.partition(":")
        found.append({"AttributeName": name, "AttributeType": kind or "S"})
    return found


def keys(*names: str) -> list[dict[str, str]]:
    """A KeySchema: a hash attribute, then range attributes; `name:HASH` says it."""
    found = []
    for position, name in enumerate(names):
        name, _, kind = name.partition(":")
        found.append({"AttributeName": name, "KeyType": kind or ("RANGE" if position else "HASH")})
    return found


def definition(name: str = "orders", **changes: Any) -> dict[str, Any]:
    """What CreateTable takes, on demand unless said otherwise; None leaves a member out."""
    made: dict[str, Any] = {
        "TableName": name,
        "AttributeDefinitions": attributes("id"),
        "KeySchema": keys("id"),
        "BillingMode": "PAY_PER_REQUEST",
    }
    made.update(changes)
    return {member: value for member, value in made.items() if value is not None}


def index(name: str = "by_name", *names: str, projection: Any = None, **more: Any) -> dict[str, Any]:
    """A secondary index that projects everything."""
    projection = projection or {"ProjectionType": "ALL"}
    return {"IndexName": name, "KeySchema": keys(*names), "Projection": projection, **more}
