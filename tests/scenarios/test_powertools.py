"""Powertools for AWS Lambda, unmodified, in Python and in TypeScript's runtime: what they rely on is there."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.lambda_code import (
    RUNTIME,
    allow,
    from_npm,
    installed,
    make_function,
    make_role,
    until,
    with_requirements,
)
from tests.server_process import Server

pytestmark = pytest.mark.timeout(240)

HERE = Path(__file__).parent / "powertools"


def python_code() -> dict[str, bytes]:
    packages = with_requirements("aws-lambda-powertools", "aws-xray-sdk")
    return {**installed(*packages, under=""), "index.py": (HERE / "index.py").read_bytes()}


def node_code() -> dict[str, bytes]:
    return {**from_npm("powertools", HERE / "package.json"), "index.mjs": (HERE / "index.mjs").read_bytes()}


@pytest.fixture(params=["python", "node"])
def deployed(request: pytest.FixtureRequest, server: Server) -> tuple[Server, str]:
    """A server with the functions "orders" and "parcels", and the URL of the queue of parcels."""
    node = request.param == "node"
    table = server.client("dynamodb").create_table(
        TableName="payments",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    server.client("dynamodb").get_waiter("table_exists").wait(TableName="payments", WaiterConfig={"Delay": 1})
    role = make_role(server, "worker", [allow("dynamodb:*", table), allow("sqs:*", "*")])
    code = node_code() if node else python_code()
    options = {
        "Runtime": "nodejs20.x" if node else RUNTIME,
        "Environment": {"Variables": {"TABLE": "payments", "POWERTOOLS_DEV": "false"}},
        "MemorySize": 512,
    }
    for name in ("orders", "parcels"):
        make_function(server, name, role, code, Handler=f"index.{name}", **options)
    sqs = server.client("sqs")
    dead = sqs.create_queue(QueueName="broken")["QueueUrl"]
    dead_arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    redrive = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
    attributes = {"RedrivePolicy": redrive, "VisibilityTimeout": "20"}
    url: str = sqs.create_queue(QueueName="parcels", Attributes=attributes)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    server.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName="parcels", FunctionResponseTypes=["ReportBatchItemFailures"]
    )
    return server, url


def lines(server: Server, name: str) -> list[Any]:
    """The lines of a function's log that are JSON; none before it has one."""
    logs = server.client("logs")
    try:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        texts = [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(text) for text in texts if text.startswith("{")]


def test_powertools(deployed: tuple[Server, str]) -> None:
    server, url = deployed
    lambda_ = server.client("lambda")

    def pay() -> Any:
        answer = lambda_.invoke(FunctionName="orders", Payload=json.dumps({"id": "7"}))
        document = json.load(answer["Payload"])
        assert "FunctionError" not in answer, document
        return document

    first = pay()
    assert first["order"] == "7"
    assert pay() == first  # the table of payments remembers

    paid = until(lambda: [line for line in lines(server, "orders") if line.get("message") == "paid"])
    assert [(line["level"], line["service"], line["order"]) for line in paid] == [("INFO", "orders", "7")]
    assert (paid[0]["function_name"], paid[0]["cold_start"]) == ("orders", True)
    assert paid[0]["function_arn"].endswith(":function:orders")
    assert paid[0]["xray_trace_id"].startswith("1-")
    (measured,) = [line for line in lines(server, "orders") if "_aws" in line]
    directive = measured["_aws"]["CloudWatchMetrics"][0]
    assert directive["Namespace"] == "shop"
    assert measured["payments"] in (1, [1.0])

    sqs = server.client("sqs")
    entries = [{"Id": str(number), "MessageBody": text} for number, text in enumerate(("a", "broken", "b"))]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    parcels = until(lambda: _parcels(server))
    assert parcels == {"a", "b"}
    dead = sqs.get_queue_url(QueueName="broken")["QueueUrl"]
    (message,) = until(lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=5).get("Messages"))
    assert message["Body"] == "broken"
    counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    left = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"]
    assert set(left.values()) == {"0"}


def _parcels(server: Server) -> set[str] | None:
    try:
        found = {line["parcel"] for line in lines(server, "parcels") if line.get("message") == "unpacked"}
    except server.client("logs").exceptions.ResourceNotFoundException:
        return None
    return found if len(found) == 2 else None
