"""InvokeWithResponseStream."""

import json

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_invocations import FAILS, Create, error_of

LONG = "def handler(event, context):\n    return 'a' * 2500\n"


def test_an_answer_comes_in_pieces(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": LONG})})
    answer = cloud.client("lambda").invoke_with_response_stream(FunctionName="greeter", LogType="Tail")
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    *chunks, last = list(answer["EventStream"])
    pieces = [chunk["PayloadChunk"]["Payload"] for chunk in chunks]
    assert len(pieces) == 3
    assert json.loads(b"".join(pieces)) == "a" * 2500
    assert list(last["InvokeComplete"]) == ["LogResult"]


def test_a_failure_ends_the_stream(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": FAILS})})
    answer = cloud.client("lambda").invoke_with_response_stream(FunctionName="greeter")
    *_, last = list(answer["EventStream"])
    complete = last["InvokeComplete"]
    assert complete["ErrorCode"] == "ValueError"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "no"


def test_what_is_refused_before_the_stream(cloud: Account, create: Create, simulated: Environments) -> None:
    create()
    stream = cloud.client("lambda").invoke_with_response_stream
    dry = stream(FunctionName="greeter", InvocationType="DryRun")
    assert dry["StatusCode"] == 204
    dry["EventStream"].close()
    answer = error_of(stream, FunctionName="nobody")
    assert answer["Error"]["Code"] == "ResourceNotFoundException"
    answer = error_of(stream, FunctionName="greeter", Payload=b"{")
    assert answer["Error"]["Code"] == "InvalidRequestContentException"


def test_a_client_that_goes_away(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Code={"ZipFile": zip_of({"index.py": "def handler(event, context):\n    return 'a' * 5_000_000\n"})})
    lambda_ = cloud.client("lambda")
    answer = lambda_.invoke_with_response_stream(FunctionName="greeter")
    next(iter(answer["EventStream"]))
    answer["EventStream"].close()
    assert len(lambda_.invoke(FunctionName="greeter")["Payload"].read()) == 5_000_002
    [environment] = simulated.started
    assert environment.invocations == 2
