"""Functions that really run: in environments of their own, with the rights of their role, and logs in CloudWatch."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_fleet import until
from tests.services.compute.lambda_.test_function_urls import call, open_url
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


STREAM = """
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  const path = event.rawPath;
  stream = awslambda.HttpResponseStream.from(stream, {
    statusCode: 201, headers: {"content-type": "text/plain", "x-path": path}, cookies: ["a=1"]});
  for (const word of ["one ", "two ", "three"]) {
    stream.write(word);
    await new Promise(done => setTimeout(done, 50));
  }
  stream.end();
});
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
def test_a_url_streams_while_its_function_writes(cloud: Account, create: Create) -> None:
    major = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.split(".")[0][1:]
    create(Runtime=f"nodejs{major}.x", Code={"ZipFile": zip_of({"index.js": STREAM})}, Timeout=20, MemorySize=512)
    url = open_url(cloud, InvokeMode="RESPONSE_STREAM")
    answer = call(url, path="/a/b")
    assert (answer.status, answer.body) == (201, b"one two three")
    assert (answer.headers["content-type"], answer.headers["x-path"]) == ("text/plain", "/a/b")
    assert answer.headers["set-cookie"] == "a=1"
    assert answer.headers["transfer-encoding"] == "chunked"


def test_a_role_decides_inside_the_function(cloud: Account, create: Create) -> None:
    code = (
        "import boto3\n"
        "def handler(event, context):\n"
        "    who = boto3.client('sts').get_caller_identity()['Arn']\n"
        "    try:\n"
        "        boto3.client('sqs').list_queues()\n"
        "    except Exception as error:\n"
        "        return [who, str(error)]\n"
        "    return [who, '']\n"
    )
    create(Runtime=RUNTIME, Code={"ZipFile": zip_of({"index.py": code})}, Timeout=30, MemorySize=512)
    invoke = cloud.client("lambda").invoke
    who, error = json.load(invoke(FunctionName="greeter")["Payload"])
    assert who == f"arn:aws:sts::{cloud.account}:assumed-role/worker/greeter"
    assert "is not authorized to perform: sqs:listqueues" in error
    let(cloud)
    assert json.load(invoke(FunctionName="greeter")["Payload"]) == [who, ""]
