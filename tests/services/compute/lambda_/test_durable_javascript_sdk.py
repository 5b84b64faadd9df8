"""Durable functions written with Amazon's SDK for JavaScript, unmodified, on the Node.js 22 that it wants."""

import json
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments import runtimes
from tests.conftest import Account
from tests.engines.environments import node_programs
from tests.services.compute.lambda_.conftest import Create, zip_of
from tests.services.compute.lambda_.test_durable_sdk import (
    RIGHTS,
    begin,
    callback_of,
    ended,
    events,
    kinds,
    newest_kinds,
    until,
    wait_for_event,
)  # fmt: skip

HERE = Path(__file__).parent / "durable_javascript"
CACHE = Path.home() / ".cache" / "cumulo-tests" / "durable-javascript"
RUNTIME = "nodejs22.x"
SHORT = {"DurableConfig": {"ExecutionTimeout": 600}}
pytestmark = pytest.mark.timeout(240)


@cache
def archive() -> bytes:
    """The functions, and the SDK as npm has it, without its types and maps."""
    manifest = (HERE / "package.json").read_text()
    CACHE.mkdir(parents=True, exist_ok=True)
    if not (CACHE / "node_modules").exists() or (CACHE / "package.json").read_text() != manifest:
        (CACHE / "package.json").write_text(manifest)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=CACHE, check=True, timeout=200)
    files: dict[str, str | bytes] = {"index.mjs": (HERE / "index.mjs").read_bytes()}
    for path in (CACHE / "node_modules").rglob("*"):
        if path.suffix in (".js", ".mjs", ".cjs", ".json") and not {"dist-types", "dist-es"} & set(path.parts):
            files[str(path.relative_to(CACHE))] = path.read_bytes()
    return zip_of(files)


@pytest.fixture
def durable(cloud: Account, create: Create, role: str) -> Iterator[Callable[..., str]]:
    """Makes durable functions; gives their qualified ARNs."""
    runtimes.configure({RUNTIME: str(node_programs.program(22))})
    cloud.client("iam").put_role_policy(RoleName="worker", PolicyName="durable", PolicyDocument=json.dumps(RIGHTS))

    def make(handler: str, **options: Any) -> str:
        config = {"DurableConfig": {"ExecutionTimeout": 86_400}, "Timeout": 60, "MemorySize": 512, **options}
        given = {"Runtime": RUNTIME, "Handler": f"index.{handler}", "Code": {"ZipFile": archive()}}
        arn: str = create(handler, **given, **{k: v for k, v in config.items() if v is not None})["FunctionArn"]
        return f"{arn}:$LATEST"

    yield make
    runtimes.configure({})


def test_steps_of_a_synchronous_execution(cloud: Account, durable: Callable[..., str]) -> None:
    answer = cloud.client("lambda").invoke(FunctionName=durable("steps", **SHORT), Payload=b'{"n": 1}')
    assert json.loads(answer["Payload"].read()) == {"n": 3}
    assert "FunctionError" not in answer
    found = cloud.client("lambda").get_durable_execution(DurableExecutionArn=answer["DurableExecutionArn"])
    assert (found["Status"], json.loads(found["Result"])) == ("SUCCEEDED", {"n": 3})
    wanted = ["ExecutionStarted", *["StepStarted", "StepSucceeded"] * 2, "InvocationCompleted", "ExecutionSucceeded"]
    assert kinds(cloud, answer["DurableExecutionArn"]) == wanted


def test_an_execution_fails(cloud: Account, durable: Callable[..., str]) -> None:
    answer = cloud.client("lambda").invoke(FunctionName=durable("fails", **SHORT), Payload=b"{}")
    document = json.loads(answer["Payload"].read())
    assert answer["FunctionError"] == "Unhandled" and document["errorMessage"] == "out of order"
    found = cloud.client("lambda").get_durable_execution(DurableExecutionArn=answer["DurableExecutionArn"])
    assert (found["Status"], found["Error"]["ErrorType"]) == ("FAILED", "TypeError")


def test_a_wait_of_two_hours(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("waits"))
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.settle()
    cloud.advance(7201)
    assert json.loads(ended(cloud, execution)["Result"]) == ["before", "after"]
    assert kinds(cloud, execution).count("InvocationCompleted") == 2
    assert kinds(cloud, execution).count("StepSucceeded") == 1


def test_a_step_is_retried(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("retries"))
    for seconds in (61, 121):
        wait_for_event(cloud, execution, "InvocationCompleted")
        cloud.settle()
        cloud.advance(seconds)
    found = ended(cloud, execution)
    assert found["Status"] == "FAILED" and "not yet" in found["Error"]["ErrorMessage"]
    failed = [event for event in events(cloud, execution) if event["EventType"] == "StepFailed"]
    assert [event["StepFailedDetails"]["RetryDetails"]["CurrentAttempt"] for event in failed] == [1, 2, 3]


def test_callbacks(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    execution = begin(cloud, durable("callback"))
    callback = callback_of(cloud, execution)
    cloud.advance(500)
    client.send_durable_execution_callback_heartbeat(CallbackId=callback)
    cloud.advance(500)
    client.send_durable_execution_callback_success(CallbackId=callback, Result=b'"yes"')
    assert json.loads(ended(cloud, execution)["Result"]) == {"approval": '"yes"'}
    failing = begin(cloud, durable("submitted"))
    callback = callback_of(cloud, failing)
    client.send_durable_execution_callback_failure(
        CallbackId=callback, Error={"ErrorType": "Refused", "ErrorMessage": "the boss said no"}
    )
    found = ended(cloud, failing)
    assert found["Status"] == "FAILED" and "the boss said no" in found["Error"]["ErrorMessage"]


def test_branches_wait_side_by_side(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("branches"))
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.settle()
    cloud.advance(61)
    wait_for_event(cloud, execution, "StepSucceeded")
    cloud.settle()
    cloud.advance(3600)
    assert json.loads(ended(cloud, execution)["Result"]) == [[60, 3600], 59 * 59, 60, "inside"]


def test_a_chain_of_functions(cloud: Account, durable: Callable[..., str]) -> None:
    durable("plain", DurableConfig=None)
    durable("broken", DurableConfig=None)
    event = {"plain": "plain", "durable": durable("steps"), "broken": "broken"}
    result = json.loads(ended(cloud, begin(cloud, durable("chain"), event))["Result"])
    assert result[:2] == [{"n": 11}, {"n": 13}] and "out of order" in result[2]


def test_a_condition_is_looked_at_again(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("condition"))
    for turns in (1, 2):
        until(cloud, execution, wanted=lambda _: kinds(cloud, execution).count("InvocationCompleted") == turns)  # noqa: B023
        cloud.settle()
        cloud.advance(601)
    assert json.loads(ended(cloud, execution)["Result"]) == {"turns": 3}


def test_more_state_than_a_payload_holds(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("large"))
    until(cloud, execution, wanted=lambda _: "InvocationCompleted" in newest_kinds(cloud, execution))
    cloud.settle()
    cloud.advance(301)
    assert ended(cloud, execution)["Result"] == "6000000"


def test_an_invocation_that_dies_is_repeated(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable("crash"))
    for turns in range(1, 6):
        until(cloud, execution, wanted=lambda _: kinds(cloud, execution).count("InvocationCompleted") >= turns)  # noqa: B023
        cloud.settle()
        cloud.advance(60)
    found = ended(cloud, execution)
    assert (found["Status"], found["Error"]["ErrorType"]) == ("FAILED", "Runtime.ExitError")
    assert kinds(cloud, execution).count("StepSucceeded") == 1
