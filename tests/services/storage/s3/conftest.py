"""Buckets for tests, and what AWS answers when it refuses."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests import refusals
from tests.conftest import Account

_numbers = itertools.count()


refused = refusals.refused


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
