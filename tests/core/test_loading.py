"""Services are loaded by their first call, which others do not wait for."""

import importlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Account, RunningCloud


def test_who_calls_others_does_not_wait_until_a_service_is_loaded(
    start_cloud: Callable[..., RunningCloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Account(start_cloud(), "000000000000")
    cloud.client("sts").get_caller_identity()
    begun, may = threading.Event(), threading.Event()
    load: Any = importlib.import_module

    def slowly(name: str) -> Any:
        begun.set()
        assert may.wait(30)
        return load(name)

    monkeypatch.setattr(importlib, "import_module", slowly)
    with ThreadPoolExecutor(2) as callers:
        both = [callers.submit(cloud.client("sns").list_topics) for _ in range(2)]
        assert begun.wait(30)
        assert cloud.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert not any(each.done() for each in both)
        may.set()
        assert [each.result()["Topics"] for each in both] == [[], []]


def test_a_service_that_cannot_be_loaded_is_a_failure_that_is_told(
    start_cloud: Callable[..., RunningCloud], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Account(start_cloud(), "000000000000")

    def broken(name: str) -> None:
        raise ImportError("no such module")

    monkeypatch.setattr(importlib, "import_module", broken)
    sns = cloud.client("sns")
    with pytest.raises(sns.exceptions.ClientError, match=r"InternalFailure|InternalError"):
        sns.list_topics()
    monkeypatch.undo()
    assert sns.list_topics()["Topics"] == []
