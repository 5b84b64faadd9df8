"""What the Secrets Manager tests share: clients and refusals."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.refusals import Refusal, refusal


@pytest.fixture
def client(cloud: Account) -> Any:
    return cloud.client("secretsmanager")


@pytest.fixture
def refused() -> Callable[..., Refusal]:
    """Call something and give back the AWS error that it raised."""
    return refusal


def members(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without its metadata."""
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def token(number: int) -> str:
    """A ClientRequestToken, which becomes a version's id."""
    return f"00000000-0000-4000-8000-{number:012d}"
