"""Log groups and streams for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account


@pytest.fixture
def logs(cloud: Account) -> Any:
    """A boto3 client of a fresh account."""
    return cloud.client("logs")


@pytest.fixture
def now_ms(cloud: Account) -> Callable[[], int]:
    """Cloud time in milliseconds."""
    return lambda: int(cloud.running.clock.now() * 1000)


@pytest.fixture
def stream(logs: Any) -> dict[str, str]:
    """A log stream, as the two members that name it."""
    logs.create_log_group(logGroupName="/shop/orders")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="one")
    return {"logGroupName": "/shop/orders", "logStreamName": "one"}


@contextmanager
def refused(code: str, message: str | None = None) -> Iterator[None]:
    """What is done inside is refused so."""
    with pytest.raises(ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message
