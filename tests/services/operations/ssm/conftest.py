"""What the Parameter Store tests share: clients and refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account


@pytest.fixture
def ssm(cloud: Account) -> Any:
    return cloud.client("ssm")


class Refusal:
    """An AWS error as a client sees it."""

    def __init__(self, error: ClientError) -> None:
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"].get("Message", "")
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def refused() -> Callable[..., Refusal]:
    """Call something and give back the AWS error that it raised."""

    def call(function: Callable[..., Any], **request: Any) -> Refusal:
        with pytest.raises(ClientError) as caught:
            function(**request)
        return Refusal(caught.value)

    return call


@pytest.fixture
def put(ssm: Any) -> Callable[..., Any]:
    """PutParameter with what most tests leave out."""

    def call(name: str, value: str = "v", **more: Any) -> Any:
        more.setdefault("Type", "String")
        return ssm.put_parameter(Name=name, Value=value, **more)

    return call
