"""Durable executions as their API shows them: configuration, names, lists, checkpoints and what is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_fleet import until

INVALID = "InvalidParameterValueException"
HEAD = """
import boto3

def client(context):
    v = context.variables
    return boto3.client(
        "lambda", endpoint_url=v["AWS_ENDPOINT_URL"], region_name=v["AWS_REGION"],
        aws_access_key_id=v["AWS_ACCESS_KEY_ID"], aws_secret_access_key=v["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=v["AWS_SESSION_TOKEN"],
    )
"""
ANSWER = 'def handler(event, context):\n    return {"Status": "SUCCEEDED", "Result": "{}"}\n'.replace("{}", "7")


@pytest.fixture
def durable(cloud: Account, create: Create, simulated: Environments) -> Callable[..., str]:
    """Makes durable functions that run in the cloud's process; gives their qualified ARNs."""
    document = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"},
    }
    cloud.client("iam").put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=json.dumps(document))

    def make(body: str = ANSWER, **options: Any) -> str:
        config: dict[str, Any] = {"DurableConfig": {"ExecutionTimeout": 600}, **options}
        arn: str = create(Code={"ZipFile": zip_of({"index.py": HEAD + body})}, **config)["FunctionArn"]
        return f"{arn}:$LATEST"

    return make


def test_a_function_is_made_durable(cloud: Account, create: Create) -> None:
    made = create(DurableConfig={"ExecutionTimeout": 60})
    assert made["DurableConfig"] == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 30}
    client = cloud.client("lambda")
    changed = client.update_function_configuration(FunctionName="greeter", DurableConfig={"RetentionPeriodInDays": 3})
    assert changed["DurableConfig"] == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 3}
    refused(
        lambda: create("other", DurableConfig={"RetentionPeriodInDays": 3}),
        INVALID,
        "You cannot create a function with a durable configuration without an executionTimeout",
    )
    create("plain")
    refused(
        lambda: client.update_function_configuration(FunctionName="plain", DurableConfig={"ExecutionTimeout": 60}),
        INVALID,
        "Durable execution can only be enabled when a function is created.",
    )
    key = f"arn:aws:kms:us-east-1:{cloud.account}:key/x"
    error = refused(lambda: create("other", DurableConfig={"ExecutionTimeout": 60, "KMSKeyArn": key}))["Error"]
    assert error["Code"] == "NotImplemented"


def test_what_invocations_are_refused(cloud: Account, durable: Callable[..., str], create: Create) -> None:
    arn = durable(DurableConfig={"ExecutionTimeout": 901})
    create("plain")
    client = cloud.client("lambda")
    for call in (
        lambda: client.invoke(FunctionName="greeter", InvocationType="Event"),
        lambda: client.invoke(FunctionName=arn),
        lambda: client.invoke(FunctionName="plain", DurableExecutionName="one"),
        lambda: client.invoke_with_response_stream(FunctionName=arn),
        lambda: client.invoke_async(FunctionName="greeter", InvokeArgs=b"{}"),
    ):
        assert refused(call)["Error"]["Code"] == INVALID


def test_a_name_is_given_once(cloud: Account, durable: Callable[..., str]) -> None:
    arn = durable()
    client = cloud.client("lambda")

    def begin(payload: bytes) -> str:
        found: str = client.invoke(
            FunctionName=arn, InvocationType="Event", DurableExecutionName="order-1", Payload=payload
        )["DurableExecutionArn"]
        return found

    first = begin(b"1")
    assert first.startswith(f"{arn}/durable-execution/order-1/")
    assert begin(b"1") == first
    error = refused(lambda: begin(b"2"))
    assert error["Error"]["Code"] == "DurableExecutionAlreadyStartedException"
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_executions_are_listed(cloud: Account, durable: Callable[..., str]) -> None:
    arn = durable()
    client = cloud.client("lambda")
    for number in range(5):
        client.invoke(FunctionName=arn, DurableExecutionName=f"e{number}", Payload=b"{}")
        cloud.advance(10)

    def names(**options: Any) -> list[str]:
        pages = client.get_paginator("list_durable_executions_by_function").paginate(FunctionName="greeter", **options)
        return [each["DurableExecutionName"] for page in pages for each in page["DurableExecutions"]]

    assert names(PaginationConfig={"PageSize": 2}) == ["e4", "e3", "e2", "e1", "e0"]
    assert names(ReverseOrder=True) == ["e0", "e1", "e2", "e3", "e4"]
    assert names(DurableExecutionName="e2") == ["e2"]
    assert names(Statuses=["FAILED"]) == []
    assert names(Statuses=["SUCCEEDED"], Qualifier="$LATEST") == ["e4", "e3", "e2", "e1", "e0"]
    middle = client.list_durable_executions_by_function(FunctionName="greeter", DurableExecutionName="e2")
    at = middle["DurableExecutions"][0]["StartTimestamp"]
    assert names(StartedAfter=at) == ["e4", "e3"]
    assert names(StartedBefore=at) == ["e1", "e0"]
    missing = f"arn:aws:lambda:us-east-1:{cloud.account}:function:nobody"
    refused(
        lambda: client.list_durable_executions_by_function(FunctionName="nobody"),
        "ResourceNotFoundException",
        f"Function not found: {missing}",
    )


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ('def handler(event, context):\n    return {"n": 1}\n', "Invalid Status in invocation output."),
        (
            'def handler(event, context):\n    return {"Status": "PENDING"}\n',
            "Cannot return PENDING status with no pending operations.",
        ),
    ],
)
def test_functions_that_are_not_written_as_durable_ones(
    cloud: Account, durable: Callable[..., str], body: str, error: str
) -> None:
    answer = cloud.client("lambda").invoke(FunctionName=durable(body), Payload=b"{}")
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorMessage"] == error


TOKENS = """
def handler(event, context):
    c, arn, token = client(context), event["DurableExecutionArn"], event["CheckpointToken"]
    update = {"Id": "a", "Type": "STEP", "Action": "START", "Name": "first"}
    one = c.checkpoint_durable_execution(
        DurableExecutionArn=arn, CheckpointToken=token, Updates=[update], ClientToken="x")
    again = c.checkpoint_durable_execution(
        DurableExecutionArn=arn, CheckpointToken=token, Updates=[update], ClientToken="x")
    out = [one["CheckpointToken"] == again["CheckpointToken"], one["NewExecutionState"]["Operations"][0]["Status"],
           again["NewExecutionState"]["Operations"][0]["StepDetails"]["Attempt"]]
    for call in (
        lambda: c.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token),
        lambda: c.get_durable_execution_state(DurableExecutionArn=arn, CheckpointToken=token),
    ):
        try:
            call()
        except c.exceptions.InvalidParameterValueException as error:
            out.append(error.response["message"])
    token = one["CheckpointToken"]
    for bad in (
        {"Id": "a", "Type": "WAIT", "Action": "START", "WaitOptions": {"WaitSeconds": 1}},
        {"Id": "b", "Type": "WAIT", "Action": "START"},
        {"Id": "b", "Type": "WAIT", "Action": "SUCCEED"},
        {"Id": "b", "ParentId": "nobody", "Type": "STEP", "Action": "START"},
    ):
        try:
            c.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[bad])
        except c.exceptions.InvalidParameterValueException as error:
            out.append(error.response["message"])
    done = {"Id": "a", "Type": "STEP", "Action": "SUCCEED", "Payload": "1"}
    token = c.checkpoint_durable_execution(
        DurableExecutionArn=arn, CheckpointToken=token, Updates=[done])["CheckpointToken"]
    try:
        c.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[done])
    except c.exceptions.InvalidParameterValueException as error:
        out.append(error.response["message"])
    state = c.get_durable_execution_state(DurableExecutionArn=arn, CheckpointToken=token, MaxItems=1)
    rest = c.get_durable_execution_state(
        DurableExecutionArn=arn, CheckpointToken=token, MaxItems=1, Marker=state["NextMarker"])
    out.append([op["Type"] for op in state["Operations"] + rest["Operations"]])
    import json
    c.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[
        {"Id": "end", "Type": "EXECUTION", "Action": "SUCCEED", "Payload": json.dumps(out)}])
    return {"Status": "SUCCEEDED", "Result": ""}
"""


def test_a_token_counts_once(cloud: Account, durable: Callable[..., str]) -> None:
    answer = cloud.client("lambda").invoke(FunctionName=durable(TOKENS), Payload=b"{}")
    assert json.loads(answer["Payload"].read()) == [
        True,
        "STARTED",
        1,
        "Invalid checkpoint token",
        "Invalid checkpoint token",
        "The operation a is of type STEP.",
        "WaitOptions.WaitSeconds is required to start an operation of type WAIT.",
        "Invalid action SUCCEED for an operation of type WAIT.",
        "The parent operation nobody does not exist.",
        "The operation a is already in the status SUCCEEDED.",
        ["EXECUTION", "STEP"],
    ]


PAUSED = """
def handler(event, context):
    if not event["UpdatedOperationIds"] and len(event["InitialExecutionState"]["Operations"]) == 1:
        c, arn, token = client(context), event["DurableExecutionArn"], event["CheckpointToken"]
        c.pause_durable_execution(DurableExecutionArn=arn)
        status = c.get_durable_execution(DurableExecutionArn=arn)["Status"]
        update = {"Id": "a", "Type": "STEP", "Action": "SUCCEED", "Payload": status}
        answer = c.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[update])
        assert "CheckpointToken" not in answer
        return {"Status": "PENDING"}
    return {"Status": "SUCCEEDED", "Result": event["InitialExecutionState"]["Operations"][1]["StepDetails"]["Result"]}
"""


def test_a_pause_waits_for_the_next_checkpoint(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    arn = client.invoke(FunctionName=durable(PAUSED), InvocationType="Event")["DurableExecutionArn"]
    cloud.settle()
    assert client.get_durable_execution(DurableExecutionArn=arn)["Status"] == "PAUSED"
    client.resume_durable_execution(DurableExecutionArn=arn)
    cloud.settle()
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert (found["Status"], found["Result"]) == ("SUCCEEDED", "PAUSING")


def test_messages_of_a_queue_start_executions(cloud: Account, durable: Callable[..., str]) -> None:
    arn = durable()
    sqs, client = cloud.client("sqs"), cloud.client("lambda")
    url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "900"})["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:{cloud.account}:orders"
    rights = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    cloud.client("iam").put_role_policy(
        RoleName="worker",
        PolicyName="sqs",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": rights}),
    )
    mapping = client.create_event_source_mapping(FunctionName=arn, EventSourceArn=queue, BatchSize=1)
    sqs.send_message(QueueUrl=url, MessageBody="seven")

    def executions() -> list[dict[str, Any]]:
        found = client.list_durable_executions_by_function(FunctionName="greeter", Statuses=["SUCCEEDED"])
        listed: list[dict[str, Any]] = found["DurableExecutions"]
        return listed

    until(lambda: bool(executions()))
    (execution,) = executions()
    shown = client.get_durable_execution(DurableExecutionArn=execution["DurableExecutionArn"])
    assert json.loads(shown["InputPayload"])["Records"][0]["body"] == "seven"
    client.delete_event_source_mapping(UUID=mapping["UUID"])


def test_only_who_may_saves_or_looks(cloud: Account, durable: Callable[..., str]) -> None:
    client = cloud.client("lambda")
    arn = client.invoke(FunctionName=durable(), Payload=b"{}")["DurableExecutionArn"]
    stranger = cloud.another().client("lambda")
    for call in (
        lambda: stranger.get_durable_execution(DurableExecutionArn=arn),
        lambda: stranger.get_durable_execution_history(DurableExecutionArn=arn),
        lambda: stranger.stop_durable_execution(DurableExecutionArn=arn),
        lambda: stranger.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken="eA=="),
    ):
        assert refused(call)["Error"]["Code"] == "AccessDeniedException"
    missing = f"{arn[:-1]}x"
    error = refused(lambda: client.get_durable_execution(DurableExecutionArn=missing))["Error"]
    assert error["Code"] == "ResourceNotFoundException"
