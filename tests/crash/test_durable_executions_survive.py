"""Durable executions go on where they were, however often the server is killed: each step is saved once."""

import json
import time
from typing import Any

import pytest

from tests.server_process import Server
from tests.services.compute.lambda_.conftest import RUNTIME, TRUST
from tests.services.compute.lambda_.test_durable_sdk import RIGHTS, SDK, code

EXECUTIONS = 3
BODY = """
@durable_execution
def handler(event, context):
    done = []
    for number in range(4):
        done.append(context.step(lambda _: [event, number], name=f"step-{number}"))
        context.wait(Duration.from_seconds(1))
    return done
"""


def _status(client: Any, arn: str) -> str:
    status: str = client.get_durable_execution(DurableExecutionArn=arn)["Status"]
    return status


@pytest.mark.skipif(SDK is None, reason="aws-durable-execution-sdk-python is not installed")
def test_durable_executions_survive(server: Server) -> None:
    iam, client = server.client("iam"), server.client("lambda")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="durable", PolicyDocument=json.dumps(RIGHTS))
    arn = client.create_function(
        FunctionName="greeter",
        Runtime=RUNTIME,
        Role=role,
        Handler="index.handler",
        Timeout=30,
        Code={"ZipFile": code(BODY)},
        DurableConfig={"ExecutionTimeout": 600},
    )["FunctionArn"]
    client.get_waiter("function_active_v2").wait(FunctionName="greeter", WaiterConfig={"Delay": 1})
    arns = []
    for number in range(EXECUTIONS):
        answer = client.invoke(FunctionName=f"{arn}:$LATEST", InvocationType="Event", Payload=json.dumps(number))
        arns.append(answer["DurableExecutionArn"])
    for _ in range(2):
        time.sleep(2)
        server.kill()
        server.start()
    deadline = time.monotonic() + 90
    while any(_status(client, each) == "RUNNING" for each in arns):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    for number, each in enumerate(arns):
        found = client.get_durable_execution(DurableExecutionArn=each)
        assert found["Status"] == "SUCCEEDED", found
        assert json.loads(found["Result"]) == [[number, step] for step in range(4)]
        history = client.get_durable_execution_history(DurableExecutionArn=each)["Events"]
        names = [event["Name"] for event in history if event["EventType"] == "StepSucceeded"]
        assert names == [f"step-{step}" for step in range(4)]
