"""Environments: used again, started side by side, stopped when idle; concurrency and its limits."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.running import concurrency
from cumulo.services.compute.lambda_.running.concurrency import Limits, Usage
from cumulo.services.compute.lambda_.running.fleet import Fleet
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_invocations import Create, error_of

pytestmark = pytest.mark.usefixtures("still")

BARRIERS: dict[str, threading.Barrier] = {}
GATE = (
    "from tests.services.compute.lambda_ import test_fleet\n"
    "def handler(event, context):\n"
    "    test_fleet.BARRIERS[event].wait(20)\n"
    "    return context.log_stream_name\n"
)
EXITS = "def handler(event, context):\n    raise SystemExit(1)\n"


def gate(cloud: Account, parties: int) -> bytes:
    """The payload of calls that go on when so many have come."""
    BARRIERS[cloud.account] = threading.Barrier(parties)
    return json.dumps(cloud.account).encode()


def invoke(cloud: Account, payload: bytes = b"{}", name: str = "greeter", **more: Any) -> Any:
    return json.load(cloud.client("lambda").invoke(FunctionName=name, Payload=payload, **more)["Payload"])


def until(check: Callable[[], bool]) -> None:
    """Wait for what happens beside the calls."""
    for _ in range(1000):
        if check():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def test_a_warm_environment_is_used_again(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    for _ in range(3):
        invoke(cloud)
    [environment] = simulated.started
    assert environment.invocations == 3


def test_calls_at_the_same_time_run_side_by_side(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": GATE})})
    payload = gate(cloud, 3)
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(invoke, cloud, payload) for _ in range(3)]
        assert len({call.result() for call in calls}) == 3


def test_no_call_begins_in_an_environment_whose_credentials_may_end(
    cloud: Account, create: Create, simulated: Environments
) -> None:
    create()
    invoke(cloud)
    for _ in range(35):  # kept warm
        cloud.advance(500)
        invoke(cloud)
    assert len(simulated.started) == 1
    cloud.advance(590)
    invoke(cloud)
    until(lambda: [each.stopped for each in simulated.started] == [True, False])
    cloud.advance(500)
    invoke(cloud)
    assert len(simulated.started) == 2


def test_idle_environments_are_stopped(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    invoke(cloud)
    cloud.advance(300)
    invoke(cloud)
    cloud.advance(500)
    [environment] = simulated.started
    assert not environment.stopped
    cloud.advance(101)
    until(lambda: environment.stopped)
    invoke(cloud)
    assert len(simulated.started) == 2


def test_an_environment_that_dies_is_replaced(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": EXITS})})
    assert invoke(cloud)["errorType"] == "Runtime.ExitError"
    assert invoke(cloud)["errorType"] == "Runtime.ExitError"
    assert len(simulated.started) == 2


def test_credentials_do_not_get_old(cloud: Account, create: Create, simulated: Environments) -> None:
    variables = "def handler(event, context):\n    return context.variables['AWS_ACCESS_KEY_ID']\n"
    create(Code={"ZipFile": zip_of({"index.py": variables})})
    first = invoke(cloud)
    for _ in range(82):  # for longer than a session lasts
        cloud.advance(550)
        last = invoke(cloud)
    assert first != last
    assert len(simulated.started) <= 5


def test_no_room_for_a_call(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": GATE})})
    lambda_ = cloud.client("lambda")
    lambda_.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=1)
    payload = gate(cloud, 2)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(invoke, cloud, payload)
        until(lambda: BARRIERS[cloud.account].n_waiting == 1)
        answer = error_of(lambda_.invoke, FunctionName="greeter", Payload=payload)
        BARRIERS[cloud.account].wait(20)
        running.result()
    assert answer["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert (answer["Type"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("User", 429)
    gate(cloud, 1)
    invoke(cloud, payload)


def test_reservations(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    put = lambda_.put_function_concurrency
    assert put(FunctionName="greeter", ReservedConcurrentExecutions=900)["ReservedConcurrentExecutions"] == 900
    assert lambda_.get_function_concurrency(FunctionName="greeter")["ReservedConcurrentExecutions"] == 900
    lambda_.delete_function_concurrency(FunctionName="greeter")
    assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(FunctionName="greeter")
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function"

    def refused(name: str, count: int) -> str:
        text: str = error_of(put, FunctionName=name, ReservedConcurrentExecutions=count)["Error"]["Message"]
        return text

    assert refused("greeter", 901) == (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    )
    assert refused("nobody", 1) == f"Function not found: {arn}:nobody:$LATEST"
    assert refused(f"{arn}:greeter:1", 1).startswith("This operation is permitted on Lambda functions only.")


def test_a_function_that_is_shut_off(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    lambda_ = cloud.client("lambda")
    lambda_.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=0)
    answer = error_of(lambda_.invoke, FunctionName="greeter")
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_change_gets_an_environment_of_its_own(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    assert invoke(cloud, b"1") == 1
    changed = zip_of({"index.py": "def handler(event, context):\n    return event + 1\n"})
    cloud.client("lambda").update_function_code(FunctionName="greeter", ZipFile=changed)
    cloud.settle()
    assert invoke(cloud, b"1") == 2
    first, second = simulated.started
    until(lambda: first.stopped)
    assert not second.stopped
    cloud.client("lambda").delete_function(FunctionName="greeter")
    until(lambda: second.stopped)


def test_calls_a_second() -> None:
    usage = Usage()
    for now in (100.0, 101.0):
        for _ in range(20):
            usage.begin("greeter", Limits(2, 0), now)
        with pytest.raises(Fault) as caught:
            usage.begin("greeter", Limits(2, 0), now + 0.9)
        assert caught.value.members["Reason"] == "ReservedFunctionInvocationRateLimitExceeded"


def test_the_room_of_an_account() -> None:
    usage = Usage()
    for number in range(3):
        assert usage.enter(f"f{number}", Limits(None, 3))
    with pytest.raises(Fault) as caught:
        usage.enter("one more", Limits(None, 3))
    assert caught.value.members["Reason"] == "ConcurrentInvocationLimitExceeded"
    assert not usage.enter("reserved", Limits(1, 0))
    usage.leave("f0", True)
    assert usage.enter("one more", Limits(None, 3))
    assert usage.total == 4


def test_a_function_gets_so_many_new_environments_in_ten_seconds(
    cloud: Account, create: Create, simulated: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "SCALING", 2)
    create()
    lambda_ = cloud.client("lambda")
    for description in ("second", "third"):
        invoke(cloud)
        lambda_.update_function_configuration(FunctionName="greeter", Description=description)
        cloud.settle()
    answer = error_of(lambda_.invoke, FunctionName="greeter")
    assert answer["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert answer["Reason"] == "ConcurrentInvocationLimitExceeded"
    create("another")
    invoke(cloud, name="another")
    cloud.advance(5)
    invoke(cloud)
    invoke(cloud)
    assert len(simulated.of("greeter")) == 3


def test_an_environment_that_died_is_replaced_at_once(
    cloud: Account, create: Create, simulated: Environments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "SCALING", 1)
    create(Code={"ZipFile": zip_of({"index.py": EXITS})})
    for _ in range(3):
        assert invoke(cloud)["errorType"] == "Runtime.ExitError"


def test_the_scaling_rate() -> None:
    usage = Usage()
    for _ in range(1000):
        usage.allocate("greeter", 50.0)
    with pytest.raises(Fault):
        usage.allocate("greeter", 50.0)
    usage.allocate("another", 50.0)
    for _ in range(100):
        usage.allocate("greeter", 51.0)
    with pytest.raises(Fault):
        usage.allocate("greeter", 51.0)
    for _ in range(1000):
        usage.allocate("greeter", 1000.0)  # what was not used is not saved up
    with pytest.raises(Fault):
        usage.allocate("greeter", 1000.0)


def test_who_waits_for_an_environment_of_others_asks_for_none(
    cloud: Account, create: Create, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight at a time need eight environments at most, however many wait while those start."""
    monkeypatch.setattr(concurrency, "SCALING", 8)
    started = Fleet._started

    async def slowly(*given: Any, **more: Any) -> Any:
        await asyncio.sleep(0.3)
        return await started(*given, **more)

    monkeypatch.setattr(Fleet, "_started", slowly)
    create()

    def several(_: int) -> list[Any]:
        return [invoke(cloud) for _ in range(20)]

    with ThreadPoolExecutor(8) as pool:
        assert len(list(pool.map(several, range(8)))) == 8
