"""What the Secrets Manager tests share: clients and refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account


@pytest.fixture
def client(cloud: Account) -> Any:
    return cloud.client("secretsmanager")


class Refusal:
    """An AWS error as a client sees it."""

    def __init__(self, error: ClientError) -> None:
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.fixture
def refused() -> Callable[..., Refusal]:
    """Call something and give back the AWS error that it raised."""

    def call(function: Callable[..., Any], **request: Any) -> Refusal:
        with pytest.raises(ClientError) as caught:
            function(**request)
        return Refusal(caught.value)

    return call


def members(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its metadata."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def token(number: int) -> str:
    """A ClientRequestToken, which becomes a version's id."""
    return f"00000000-0000-4000-8000-{number:012d}"
