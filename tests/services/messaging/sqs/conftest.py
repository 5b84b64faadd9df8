"""Queues for tests, and what AWS answers when it refuses."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests import refusals
from tests.conftest import Account


@pytest.fixture
def sqs(cloud: Account) -> Any:
    """A boto3 client of a fresh account."""
    return cloud.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    """The URL of a standard queue."""
    return str(sqs.create_queue(QueueName="orders")["QueueUrl"])


@pytest.fixture
def fifo(sqs: Any) -> str:
    """The URL of a FIFO queue with content-based deduplication."""
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    return str(sqs.create_queue(QueueName="orders.fifo", Attributes=attributes)["QueueUrl"])


refused = refusals.refused


def arn(sqs: Any, url: str) -> str:
    """The ARN of a queue."""
    return str(attributes(sqs, url, "QueueArn")["QueueArn"])


def attributes(sqs: Any, url: str, *names: str) -> dict[str, str]:
    """Attributes of a queue, all unless some are named."""
    answer: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names or ["All"]).get(
        "Attributes", {}
    )
    return answer


def counts(sqs: Any, url: str) -> tuple[int, int, int]:
    """Messages visible, in flight and delayed."""
    found = attributes(sqs, url)
    names = ("", "NotVisible", "Delayed")
    visible, hidden, delayed = [int(found[f"ApproximateNumberOfMessages{name}"]) for name in names]
    return visible, hidden, delayed


def receive(sqs: Any, url: str, count: int = 10, **options: Any) -> list[dict[str, Any]]:
    """Messages, all their system attributes included."""
    options.setdefault("MessageSystemAttributeNames", ["All"])
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count, **options)
    messages: list[dict[str, Any]] = answer.get("Messages", [])
    return messages


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    """What is in them."""
    return [message["Body"] for message in messages]


def redrive(target_arn: str, count: int = 1) -> dict[str, str]:
    """The attribute that sends messages to a dead-letter queue."""
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target_arn, "maxReceiveCount": count})}


@pytest.fixture
def form(cloud: Account) -> Callable[..., tuple[int, str]]:
    """Calls by the query wire: a form posted to the endpoint or to a queue's URL; status and XML."""

    def post(action: str, *, path: str = "/", **parameters: str) -> tuple[int, str]:
        data = {"Action": action, "Version": "2012-11-05"} | {
            name.replace("__", "."): value for name, value in parameters.items()
        }
        body = urllib.parse.urlencode(data).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        signed = AWSRequest("POST", cloud.url + path, data=body, headers=kind)
        SigV4Auth(Credentials(cloud.account, "test"), "sqs", "us-east-1").add_auth(signed)
        request = urllib.request.Request(cloud.url + path, data=body, headers=dict(signed.headers))
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    return post
