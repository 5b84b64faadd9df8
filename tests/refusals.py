"""What AWS answers when it refuses, as clients see it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError


class Refusal(NamedTuple):
    """An error: its code, its text ("" where there is none) and its HTTP status."""

    code: str
    message: str
    status: int


def refusal(call: Callable[..., Any], **request: Any) -> Refusal:
    """The refusal that a call must meet."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    answer = caught.value.response
    error = answer["Error"]
    return Refusal(error["Code"], error.get("Message", ""), answer["ResponseMetadata"]["HTTPStatusCode"])


@contextmanager
def refused(code: str, message: str | None = None, status: int | None = 400, **members: str) -> Iterator[None]:
    """The block must be refused with this code, text and status (None: any), and these further members of the error."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    error: dict[str, Any] = {**answer["Error"]}
    assert error["Code"] == code, error
    if message is not None:
        assert error["Message"] == message
    for name, value in members.items():
        assert error.get(name) == value, error
    if status is not None:
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
