"""Events for a Lambda function while the server is killed: what was accepted is executed, and its end is told once."""

import json
import sys
import time
from collections import Counter
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.server_process import Server
from tests.services.compute.lambda_.conftest import TRUST, zip_of
from tests.services.compute.lambda_.test_events import ALLOW

EVENTS = 120
CODE = "import time\ndef handler(event, context):\n    time.sleep(0.05)\n    return event\n"


def set_up(server: Server) -> str:
    """A function whose events end in a queue; the queue's URL."""
    iam = server.client("iam")
    role = iam.create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="worker", PolicyName="all", PolicyDocument=json.dumps(ALLOW))
    sqs = server.client("sqs")
    url: str = sqs.create_queue(QueueName="ends")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lambda_ = server.client("lambda")
    lambda_.create_function(
        FunctionName="slow",
        Runtime=f"python3.{sys.version_info.minor}",
        Role=role,
        Handler="index.handler",
        Timeout=30,
        Code={"ZipFile": zip_of({"index.py": CODE})},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName="slow")
    lambda_.put_function_event_invoke_config(FunctionName="slow", DestinationConfig={"OnSuccess": {"Destination": arn}})
    return url


def send(lambda_: Any, number: int) -> str:
    answer = lambda_.invoke(FunctionName="slow", InvocationType="Event", Payload=json.dumps(number).encode())
    request_id: str = answer["ResponseMetadata"]["RequestId"]
    return request_id


def test_events_survive(server: Server) -> None:
    url = set_up(server)
    accepted: dict[str, int] = {}
    lambda_ = server.client("lambda")
    for number in range(EVENTS):
        if number % 50 == 45:
            server.kill()
            server.start()
        try:
            accepted[send(lambda_, number)] = number
        except (BotoCoreError, ClientError):
            lambda_ = server.client("lambda")
    server.kill()
    server.start()
    sqs = server.client("sqs")
    ends: Counter[str] = Counter()
    deadline = time.monotonic() + 60
    while len(accepted.keys() - ends.keys()) and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2)
        for message in answer.get("Messages", []):
            record = json.loads(message["Body"])
            request_id = record["requestContext"]["requestId"]
            ends[request_id] += 1
            assert (
                record["requestPayload"]
                == record["responsePayload"]
                == accepted.get(request_id, record["requestPayload"])
            )
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(accepted) >= EVENTS - 3
    assert not accepted.keys() - ends.keys()
    assert max(ends.values()) == 1
    assert "Traceback" not in server.log.read_text()
