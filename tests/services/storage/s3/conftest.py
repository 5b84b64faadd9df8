"""Buckets for tests, and what AWS answers when it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account

_numbers = itertools.count()


@contextmanager
def refused(code: str, message: str | None = None, status: int = 400, **members: str) -> Iterator[None]:
    """The block must be refused with this code and text, and with these further members of the Error document."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]
    if message is not None:
        assert answer["Error"]["Message"] == message
    for name, value in members.items():
        assert answer["Error"].get(name) == value, answer["Error"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status


@pytest.fixture
def s3(cloud: Account) -> Any:
    """A boto3 client of a fresh account."""
    return cloud.client("s3")


@pytest.fixture
def new_bucket(cloud: Account, s3: Any) -> Callable[..., str]:
    """Makes buckets of names that nobody else has."""

    def make(**options: Any) -> str:
        name = f"bucket-{cloud.account}-{next(_numbers)}"
        s3.create_bucket(Bucket=name, **options)
        return name

    return make


@pytest.fixture
def bucket(new_bucket: Callable[..., str]) -> str:
    """The name of a bucket in us-east-1."""
    return new_bucket()
