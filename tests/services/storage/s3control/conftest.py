"""S3 Control for tests. SDKs put the account before the host: `111122223333.localhost` must be found."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.conftest import Account


@pytest.fixture(autouse=True)
def names_below_localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """What most systems do by themselves (RFC 6761): every name below localhost is this machine."""
    resolve = socket.getaddrinfo

    def found(host: Any, *arguments: Any, **more: Any) -> Any:
        local = isinstance(host, str) and host.endswith(".localhost")
        return resolve("localhost" if local else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.fixture
def control(cloud: Account) -> Any:
    """A boto3 client of a fresh account."""
    return cloud.client("s3control")


@pytest.fixture
def bucket(cloud: Account) -> str:
    """The name of a bucket in us-east-1."""
    name = f"bucket-{cloud.account}"
    cloud.client("s3").create_bucket(Bucket=name)
    return name
