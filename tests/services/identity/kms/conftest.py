"""Fixtures of the KMS tests, and how a refusal is expected."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account

DAY_S = 86_400


@pytest.fixture
def kms(cloud: Account) -> Any:
    return cloud.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    """The ARN of a symmetric key."""
    return str(kms.create_key()["KeyMetadata"]["Arn"])


def new_key(kms: Any, spec: str = "SYMMETRIC_DEFAULT", usage: str = "", **members: Any) -> str:
    """The ARN of a new key."""
    if usage:
        members["KeyUsage"] = usage
    return str(kms.create_key(KeySpec=spec, **members)["KeyMetadata"]["Arn"])


def state(kms: Any, key: str) -> str:
    return str(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])


@contextmanager
def refused(code: str, text: str | None = None) -> Iterator[None]:
    """Expect this error code and, if given, exactly this text."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if text is not None:
        assert error["Message"] == text
