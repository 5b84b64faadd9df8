"""Durable functions written with Amazon's own SDK, run for real: steps, waits, retries, callbacks, branches, chains."""

import importlib.util
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of

SDK = importlib.util.find_spec("aws_durable_execution_sdk_python")
pytestmark = [
    pytest.mark.skipif(SDK is None, reason="aws-durable-execution-sdk-python is not installed"),
    pytest.mark.usefixtures("still"),
]

RIGHTS = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState", "lambda:InvokeFunction"],
        "Resource": "*",
    },
}
HEAD = """
from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import *
from aws_durable_execution_sdk_python.retries import *
"""


def code(body: str) -> bytes:
    """An archive of a handler and the SDK."""
    assert SDK is not None and SDK.origin is not None
    package = Path(SDK.origin).parent
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("index.py"), HEAD + body)
        for path in sorted(package.rglob("*.py")):
            archive.write(path, str(path.relative_to(package.parent)))
    return buffer.getvalue()


@pytest.fixture
def durable(cloud: Account, create: Create, role: str) -> Callable[..., str]:
    """Makes durable functions; gives their qualified ARNs."""
    cloud.client("iam").put_role_policy(RoleName="worker", PolicyName="durable", PolicyDocument=json.dumps(RIGHTS))

    def make(body: str, name: str = "greeter", **options: Any) -> str:
        config = {"DurableConfig": {"ExecutionTimeout": 600}, "Timeout": 20, **options}
        arn: str = create(name, Code={"ZipFile": code(body)}, **config)["FunctionArn"]
        return f"{arn}:$LATEST"

    return make


def until(cloud: Account, arn: str, *, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The execution once it is as wanted."""
    client = cloud.client("lambda")
    deadline = time.monotonic() + 30
    while True:
        found: dict[str, Any] = client.get_durable_execution(DurableExecutionArn=arn)
        if wanted(found):
            return found
        assert time.monotonic() < deadline, (found, events(cloud, arn))
        time.sleep(0.05)


def ended(cloud: Account, arn: str) -> dict[str, Any]:
    return until(cloud, arn, wanted=lambda found: found["Status"] not in ("RUNNING", "PAUSING", "PAUSED"))


def events(cloud: Account, arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.client("lambda").get_durable_execution_history(DurableExecutionArn=arn)[
        "Events"
    ]
    return found


def kinds(cloud: Account, arn: str) -> list[str]:
    return [event["EventType"] for event in events(cloud, arn)]


def wait_for_event(cloud: Account, arn: str, kind: str) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        for event in events(cloud, arn):
            if event["EventType"] == kind:
                return event
        assert time.monotonic() < deadline, events(cloud, arn)
        time.sleep(0.05)


def begin(cloud: Account, arn: str, payload: Any = None, **options: Any) -> str:
    answer = cloud.client("lambda").invoke(
        FunctionName=arn, InvocationType="Event", Payload=json.dumps(payload), **options
    )
    assert answer["StatusCode"] == 202
    found: str = answer["DurableExecutionArn"]
    return found


STEPS = """
@durable_step
def add(step_context, number):
    return number + 1

@durable_execution
def handler(event, context):
    first = context.step(add(event["n"]))
    second = context.step(add(first))
    return {"n": second}
"""


def test_steps_of_a_synchronous_execution(cloud: Account, durable: Callable[..., str]) -> None:
    arn = durable(STEPS)
    answer = cloud.client("lambda").invoke(FunctionName=arn, Payload=json.dumps({"n": 1}))
    assert json.loads(answer["Payload"].read()) == {"n": 3}
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    execution = cloud.client("lambda").get_durable_execution(DurableExecutionArn=answer["DurableExecutionArn"])
    assert execution["Status"] == "SUCCEEDED"
    assert json.loads(execution["Result"]) == {"n": 3}
    assert kinds(cloud, answer["DurableExecutionArn"]) == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "StepStarted",
        "StepSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


WAITS = """
@durable_execution
def handler(event, context):
    before = context.step(lambda _: "before", name="first")
    context.wait(Duration.from_hours(2), name="nap")
    return [before, "after"]
"""


def test_a_wait_of_two_hours(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(WAITS, DurableConfig={"ExecutionTimeout": 86400}))
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.settle()
    assert cloud.client("lambda").get_durable_execution(DurableExecutionArn=execution)["Status"] == "RUNNING"
    cloud.advance(7201)
    assert json.loads(ended(cloud, execution)["Result"]) == ["before", "after"]
    assert kinds(cloud, execution).count("InvocationCompleted") == 2
    assert kinds(cloud, execution).count("StepSucceeded") == 1


RETRIES = """
@durable_step
def flaky(step_context):
    raise ValueError("not yet")

@durable_execution
def handler(event, context):
    strategy = create_retry_strategy(RetryStrategyConfig(max_attempts=3, initial_delay=Duration.from_seconds(60)))
    return context.step(flaky(), config=StepConfig(retry_strategy=strategy))
"""


def test_a_step_is_tried_again_later(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(RETRIES))
    for _ in range(2):
        wait_for_event(cloud, execution, "StepFailed")
        cloud.settle()
        cloud.advance(200)
    found = ended(cloud, execution)
    assert found["Status"] == "FAILED"
    assert "not yet" in found["Error"]["ErrorMessage"]
    attempts = [
        event["StepFailedDetails"]["RetryDetails"]["CurrentAttempt"]
        for event in events(cloud, execution)
        if event["EventType"] == "StepFailed"
    ]
    assert attempts == [1, 2, 3]


CALLBACK = """
@durable_execution
def handler(event, context):
    config = CallbackConfig(timeout=Duration.from_hours(1), heartbeat_timeout=Duration.from_minutes(10))
    callback = context.create_callback(name="approval", config=config)
    return {"approval": callback.result()}
"""


def callback_of(cloud: Account, execution: str) -> str:
    found: str = wait_for_event(cloud, execution, "CallbackStarted")["CallbackStartedDetails"]["CallbackId"]
    wait_for_event(cloud, execution, "InvocationCompleted")
    return found


def test_somebody_outside_answers_a_callback(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    execution = begin(cloud, durable(CALLBACK, DurableConfig={"ExecutionTimeout": 86400}))
    callback = callback_of(cloud, execution)
    cloud.advance(500)
    client.send_durable_execution_callback_heartbeat(CallbackId=callback)
    cloud.advance(500)
    client.send_durable_execution_callback_success(CallbackId=callback, Result=b"yes")
    assert json.loads(ended(cloud, execution)["Result"]) == {"approval": "yes"}
    error = refused(lambda: client.send_durable_execution_callback_success(CallbackId=callback, Result=b"1"))
    assert error["Error"]["Code"] == "ResourceNotFoundException"
    error = refused(lambda: client.send_durable_execution_callback_heartbeat(CallbackId="bm90aGluZw=="))
    assert error["Error"]["Code"] == "InvalidParameterValueException"


def test_a_callback_fails(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(CALLBACK))
    cloud.client("lambda").send_durable_execution_callback_failure(
        CallbackId=callback_of(cloud, execution), Error={"ErrorType": "Refused", "ErrorMessage": "the boss said no"}
    )
    found = ended(cloud, execution)
    assert found["Status"] == "FAILED"
    assert "the boss said no" in found["Error"]["ErrorMessage"]


@pytest.mark.parametrize(("beats", "text"), [(False, "heartbeat"), (True, "timed out")])
def test_a_callback_times_out(cloud: Account, durable: Callable[..., str], beats: bool, text: str) -> None:
    client = cloud.client("lambda")
    execution = begin(cloud, durable(CALLBACK, DurableConfig={"ExecutionTimeout": 86400}))
    callback = callback_of(cloud, execution)
    if beats:
        for _ in range(7):  # nine minutes apart: the hour is over before ten minutes without a beat are
            client.send_durable_execution_callback_heartbeat(CallbackId=callback)
            cloud.advance(540)
    else:
        cloud.advance(601)
    found = ended(cloud, execution)
    assert found["Status"] == "FAILED"
    assert text in found["Error"]["ErrorMessage"]
    error = refused(lambda: client.send_durable_execution_callback_success(CallbackId=callback, Result=b"1"))
    assert error["Error"]["Code"] == "CallbackTimeoutException"


BRANCHES = """
def branch(seconds):
    def run(context):
        context.wait(Duration.from_seconds(seconds))
        return context.step(lambda _: seconds)
    return run

@durable_execution
def handler(event, context):
    both = context.parallel([branch(60), branch(3600)])
    squares = context.map(list(range(60)), lambda context, item, index, items: context.step(lambda _: item * item))
    child = context.run_in_child_context(lambda inner: inner.step(lambda _: "inside"), name="child")
    return [both.get_results(), squares.get_results()[-1], child]
"""


def test_branches_wait_side_by_side(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(BRANCHES, DurableConfig={"ExecutionTimeout": 86400}, Timeout=60))
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.advance(61)
    wait_for_event(cloud, execution, "StepSucceeded")
    cloud.settle()
    cloud.advance(3600)
    assert json.loads(ended(cloud, execution)["Result"]) == [[60, 3600], 59 * 59, "inside"]
    pages = []
    client = cloud.client("lambda")
    marker: dict[str, str] = {}
    while True:
        page = client.get_durable_execution_history(DurableExecutionArn=execution, MaxItems=50, **marker)
        pages += page["Events"]
        if "NextMarker" not in page:
            break
        marker = {"Marker": page["NextMarker"]}
    assert [event["EventId"] for event in pages] == list(range(1, len(pages) + 1))
    assert len(pages) > 200
    newest = client.get_durable_execution_history(DurableExecutionArn=execution, ReverseOrder=True, MaxItems=1)
    assert newest["Events"][0]["EventType"] == "ExecutionSucceeded"
    bare = client.get_durable_execution_history(DurableExecutionArn=execution, IncludeExecutionData=False, MaxItems=1)
    assert "Payload" not in bare["Events"][0]["ExecutionStartedDetails"]["Input"]


MANY = """
@durable_execution
def handler(event, context):
    total = 0
    for number in range(150):
        total += context.step(lambda _: number, name=f"s{number}")
    context.wait(Duration.from_minutes(5))
    return total
"""


def test_more_operations_than_a_payload_holds(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(MANY, Timeout=60))
    until(cloud, execution, wanted=lambda _: "InvocationCompleted" in newest_kinds(cloud, execution))
    cloud.advance(301)
    assert ended(cloud, execution)["Result"] == str(sum(range(150)))


def newest_kinds(cloud: Account, arn: str) -> list[str]:
    page = cloud.client("lambda").get_durable_execution_history(DurableExecutionArn=arn, ReverseOrder=True, MaxItems=5)
    return [event["EventType"] for event in page["Events"]]


CHAIN = """
@durable_execution
def handler(event, context):
    plain = context.invoke("plain", {"n": 1}, name="plain")
    other = context.invoke("other:$LATEST", {"n": plain["n"]}, name="other")
    try:
        context.invoke("broken", {}, name="broken")
    except Exception as error:
        return [plain, other, str(error)]
"""


def test_a_chain_of_functions(cloud: Account, durable: Callable[..., str], create: Create) -> None:
    plain = 'def handler(event, context):\n    return {"n": event["n"] + 10}\n'
    broken = 'def handler(event, context):\n    raise ValueError("out of order")\n'
    create("plain", Code={"ZipFile": zip_of({"index.py": plain})}, Timeout=20)
    create("broken", Code={"ZipFile": zip_of({"index.py": broken})}, Timeout=20)
    durable(STEPS, "other")
    result = json.loads(ended(cloud, begin(cloud, durable(CHAIN)))["Result"])
    assert result[:2] == [{"n": 11}, {"n": 13}]
    assert "out of order" in result[2]


def test_an_execution_is_paused_and_resumed(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    execution = begin(cloud, durable(WAITS, DurableConfig={"ExecutionTimeout": 10_000}))
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.settle()
    client.pause_durable_execution(DurableExecutionArn=execution, Reason="lunch", ClientToken="one")
    client.pause_durable_execution(DurableExecutionArn=execution, Reason="lunch", ClientToken="one")
    error = refused(lambda: client.pause_durable_execution(DurableExecutionArn=execution))
    assert error["Error"]["Code"] == "ResourceConflictException"
    paused = client.get_durable_execution(DurableExecutionArn=execution)
    assert (paused["Status"], paused["PauseDetails"]["Reason"]) == ("PAUSED", "lunch")
    cloud.advance(20_000)
    assert client.get_durable_execution(DurableExecutionArn=execution)["Status"] == "PAUSED"
    assert kinds(cloud, execution).count("InvocationCompleted") == 1
    client.resume_durable_execution(DurableExecutionArn=execution)
    assert ended(cloud, execution)["Status"] == "SUCCEEDED"
    assert [kind for kind in kinds(cloud, execution) if kind.startswith(("ExecutionP", "ExecutionR"))] == [
        "ExecutionPaused",
        "ExecutionResumed",
    ]


def test_an_execution_is_stopped_and_deleted(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    execution = begin(cloud, durable(WAITS))
    wait_for_event(cloud, execution, "InvocationCompleted")
    error = refused(lambda: client.delete_durable_execution(DurableExecutionArn=execution))
    assert error["Error"]["Code"] == "ResourceConflictException"
    stopped = client.stop_durable_execution(DurableExecutionArn=execution, Error={"ErrorMessage": "enough"})
    found = client.get_durable_execution(DurableExecutionArn=execution)
    assert (found["Status"], found["Error"]) == ("STOPPED", {"ErrorMessage": "enough"})
    assert found["EndTimestamp"] == stopped["StopTimestamp"]
    cloud.advance(8000)
    assert client.get_durable_execution(DurableExecutionArn=execution)["Status"] == "STOPPED"
    client.delete_durable_execution(DurableExecutionArn=execution)
    cloud.settle()
    error = refused(lambda: client.get_durable_execution(DurableExecutionArn=execution))
    assert error["Error"]["Code"] == "ResourceNotFoundException"


def test_an_execution_times_out_and_is_forgotten(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    arn = durable(WAITS, DurableConfig={"ExecutionTimeout": 60, "RetentionPeriodInDays": 1})
    execution = begin(cloud, arn)
    wait_for_event(cloud, execution, "InvocationCompleted")
    cloud.advance(61)
    assert ended(cloud, execution)["Status"] == "TIMED_OUT"
    cloud.advance(86_401)
    assert refused(lambda: client.get_durable_execution(DurableExecutionArn=execution))["Error"]["Code"] == (
        "ResourceNotFoundException"
    )


CRASH = """
import os

@durable_execution
def handler(event, context):
    context.step(lambda _: 1, name="once", config=StepConfig(step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY))
    os._exit(1)
"""


def test_an_invocation_that_dies_is_repeated(cloud: Account, durable: Callable[..., str]) -> None:
    execution = begin(cloud, durable(CRASH))
    for _ in range(8):
        cloud.settle()
        cloud.advance(60)
        if cloud.client("lambda").get_durable_execution(DurableExecutionArn=execution)["Status"] != "RUNNING":
            break
    found = ended(cloud, execution)
    assert found["Status"] == "FAILED"
    assert found["Error"]["ErrorType"] == "Runtime.ExitError"
    assert kinds(cloud, execution).count("InvocationCompleted") == 6
    assert kinds(cloud, execution).count("StepSucceeded") == 1
