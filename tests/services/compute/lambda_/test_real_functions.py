"""Functions that really run: in environments of their own, with the rights of their role, and logs in CloudWatch."""

import base64
import json
import sys
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_fleet import until
from tests.services.compute.lambda_.test_invocations import Create

RUNTIME = f"python3.{sys.version_info.minor}"
CODE = (
    "import os\n"
    "def handler(event, context):\n"
    "    print('heard', event)\n"
    "    if event == 'fail':\n"
    "        raise ValueError('no')\n"
    "    return {'n': event['n'], 'name': context.function_name, 'pid': os.getpid()}\n"
)


def make(create: Create) -> Callable[..., Any]:
    return create(Runtime=RUNTIME, Code={"ZipFile": zip_of({"index.py": CODE})}, Timeout=20)


def test_a_function_runs(cloud: Account, create: Create) -> None:
    make(create)
    let(cloud)
    lambda_ = cloud.client("lambda")
    first = lambda_.invoke(FunctionName="greeter", Payload=b'{"n": 1}', LogType="Tail")
    document = json.load(first["Payload"])
    assert (document["n"], document["name"]) == (1, "greeter")
    tail = base64.b64decode(first["LogResult"]).decode()
    assert "heard {'n': 1}\n" in tail
    assert "Init Duration" in tail
    second = json.load(lambda_.invoke(FunctionName="greeter", Payload=b'{"n": 2}')["Payload"])
    assert second["pid"] == document["pid"]
    failed = lambda_.invoke(FunctionName="greeter", Payload=b'"fail"')
    assert failed["FunctionError"] == "Unhandled"
    assert json.load(failed["Payload"])["errorType"] == "ValueError"
    logs = cloud.client("logs")

    def messages() -> list[str]:
        streams = logs.describe_log_streams(logGroupName="/aws/lambda/greeter")["logStreams"]
        assert len(streams) == 1
        assert "/[$LATEST]" in streams[0]["logStreamName"]
        events = logs.get_log_events(
            logGroupName="/aws/lambda/greeter", logStreamName=streams[0]["logStreamName"], startFromHead=True
        )
        return [event["message"] for event in events["events"]]

    until(lambda: bool(logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/greeter")["logGroups"]))
    until(lambda: any("heard fail" in message for message in messages()))
    assert any(message.startswith("REPORT RequestId: ") for message in messages())
