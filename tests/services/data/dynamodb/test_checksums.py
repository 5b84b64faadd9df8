"""x-amz-crc32: the checksum by which SDKs know that they have the whole answer."""

import zlib
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import make


def test_answers_and_errors_carry_their_checksum(cloud: Account) -> None:
    client = make(cloud)
    seen: list[tuple[str | None, int]] = []

    def note(http_response: Any, **event: Any) -> None:
        seen.append((http_response.headers.get("x-amz-crc32"), zlib.crc32(http_response.content)))

    client.meta.events.register("after-call", note)
    client.put_item(TableName="things", Item={"pk": {"S": "a"}})
    client.get_item(TableName="things", Key={"pk": {"S": "a"}})
    with pytest.raises(ClientError):
        client.get_item(TableName="none", Key={"pk": {"S": "a"}})
    streams = cloud.client("dynamodbstreams")
    streams.meta.events.register("after-call", note)
    streams.list_streams()
    assert len(seen) == 4
    assert all(said == str(checksum) for said, checksum in seen)
