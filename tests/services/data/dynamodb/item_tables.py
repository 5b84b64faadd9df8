"""Tables for tests of items."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account


def make(cloud: Account, name: str = "things", hash: str = "pk", range: str = "", **more: Any) -> Any:
    """A client, and a table of it with string keys unless `types` says otherwise; returned when it is ACTIVE."""
    client = cloud.client("dynamodb")
    types: dict[str, str] = {hash: "S", **({range: "S"} if range else {}), **more.pop("types", {})}
    schema = [{"AttributeName": hash, "KeyType": "HASH"}]
    if range:
        schema.append({"AttributeName": range, "KeyType": "RANGE"})
    client.create_table(
        TableName=name,
        KeySchema=schema,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in types.items()],
        **({"BillingMode": "PAY_PER_REQUEST"} | more),
    )
    cloud.settle()
    return client


def index(name: str, hash: str | list[str], range: str | list[str] = "", projection: Any = "ALL") -> dict[str, Any]:
    """A secondary index for `make`; `projection` is ALL, KEYS_ONLY or the list of attributes that it includes."""
    hashes = [hash] if isinstance(hash, str) else hash
    ranges = [range] if isinstance(range, str) and range else list(range)
    kind = "INCLUDE" if isinstance(projection, list) else projection
    return {
        "IndexName": name,
        "KeySchema": [{"AttributeName": each, "KeyType": "HASH"} for each in hashes]
        + [{"AttributeName": each, "KeyType": "RANGE"} for each in ranges],
        "Projection": {"ProjectionType": kind}
        | ({"NonKeyAttributes": projection} if isinstance(projection, list) else {}),
    }


def refused(call: Any, code: str, message: str | None = None, /, **request: Any) -> dict[str, Any]:
    """Check that a call is refused with this code and text; the error answer."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error: dict[str, Any] = caught.value.response  # type: ignore[assignment]
    assert error["Error"]["Code"] == code, error
    if message is not None:
        assert error["Error"]["Message"] == message
    return error
