"""What the Parameter Store tests share: clients and refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.refusals import Refusal, refusal


@pytest.fixture
def ssm(cloud: Account) -> Any:
    return cloud.client("ssm")


@pytest.fixture
def refused() -> Callable[..., Refusal]:
    """Call something and give back the AWS error that it raised."""
    return refusal


@pytest.fixture
def put(ssm: Any) -> Callable[..., Any]:
    """PutParameter with what most tests leave out."""

    def call(name: str, value: str = "v", **more: Any) -> Any:
        more.setdefault("Type", "String")
        return ssm.put_parameter(Name=name, Value=value, **more)

    return call
