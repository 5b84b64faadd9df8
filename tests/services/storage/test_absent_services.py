"""What of S3 this cloud does not have is refused by its name: S3 Tables, S3 Vectors, S3 on Outposts."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account

ABSENT = [
    ("s3tables", "list_table_buckets", {}, "Amazon S3 Tables"),
    ("s3vectors", "list_vector_buckets", {}, "Amazon S3 Vectors"),
    ("s3outposts", "list_endpoints", {}, "Amazon S3 on Outposts"),
]


@pytest.mark.parametrize(("service", "operation", "request_", "name"), ABSENT, ids=[each[0] for each in ABSENT])
def test_it_is_refused_by_name(
    cloud: Account, service: str, operation: str, request_: dict[str, Any], name: str
) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(cloud.client(service), operation)(**request_)
    answer = caught.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert answer["Error"]["Code"] == "NotImplemented"
    assert answer["Error"]["Message"] == f"cumulo does not offer {name} ('{service}') yet."
