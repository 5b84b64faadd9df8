"""The main job: queues, topics and subscriptions with every real client, and nothing lost when the power goes."""

import contextlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.server_process import Server


def allow_topic(queue_arn: str, topic_arn: str) -> str:
    """The queue policy that lets a topic deliver, as AWS's guide tells people to write it."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "sns.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue_arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
                }
            ],
        }
    )


@pytest.mark.parametrize("version", ["aws_v1", "aws_v2"])
def test_the_command_line(version: str, run: Callable[..., Any], request: pytest.FixtureRequest) -> None:
    aws = request.getfixturevalue(version)
    assert run(aws, "sts", "get-caller-identity")["Arn"] == "arn:aws:iam::000000000000:root"
    url = run(aws, "sqs", "create-queue", "--queue-name", "orders")["QueueUrl"]
    arn = run(aws, "sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "QueueArn")
    queue_arn = arn["Attributes"]["QueueArn"]
    topic_arn = run(aws, "sns", "create-topic", "--name", "searches")["TopicArn"]
    attributes = json.dumps({"Policy": allow_topic(queue_arn, topic_arn)})
    run(aws, "sqs", "set-queue-attributes", "--queue-url", url, "--attributes", attributes)
    run(aws, "sns", "subscribe", "--topic-arn", topic_arn, "--protocol", "sqs", "--notification-endpoint", queue_arn)
    published = run(aws, "sns", "publish", "--topic-arn", topic_arn, "--message", "shoes")["MessageId"]
    [message] = run(aws, "sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20")["Messages"]
    assert json.loads(message["Body"]) | {"Message": "shoes", "MessageId": published} == json.loads(message["Body"])
    run(aws, "sqs", "delete-message", "--queue-url", url, "--receipt-handle", message["ReceiptHandle"])
    assert run(aws, "sqs", "list-queues")["QueueUrls"] == [url]


def test_the_javascript_sdk(run: Callable[..., Any], javascript: Path) -> None:
    result = run(["node", "main_job.mjs"], cwd=javascript)
    assert result["account"] == "000000000000"
    assert "direct ✓" in result["bodies"]
    [envelope] = [body for body in result["bodies"] if body != "direct ✓"]
    assert json.loads(envelope)["Message"] == "through the topic ✓"
    assert result["unknown"] == "QueueDoesNotExist"


class Load:
    """Threads that send, publish, receive and delete, noting only what was answered."""

    def __init__(self, server: Server, url: str, topic: str) -> None:
        self.server, self.url, self.topic = server, url, topic
        self.stopping = threading.Event()
        self.sent: set[str] = set()
        self.deleted: set[str] = set()
        self.delete_unknown: set[str] = set()
        self._lock = threading.Lock()

    def send(self, name: str) -> None:
        sqs, sns = self.server.client("sqs"), self.server.client("sns")
        number = 0
        while not self.stopping.is_set():
            body = f"{name}-{number}"
            number += 1
            with contextlib.suppress(ClientError, BotoCoreError):
                if number % 2:
                    sqs.send_message(QueueUrl=self.url, MessageBody=body)
                else:
                    sns.publish(TopicArn=self.topic, Message=body)
                with self._lock:
                    self.sent.add(body)

    def consume(self) -> None:
        sqs = self.server.client("sqs")
        while not self.stopping.is_set():
            with contextlib.suppress(ClientError, BotoCoreError):
                for message in sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=2).get("Messages", []):
                    body = message["Body"]
                    with self._lock:
                        self.delete_unknown.add(body)
                    sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                    with self._lock:
                        self.deleted.add(body)
                        self.delete_unknown.discard(body)


def drain(sqs: Any, url: str) -> list[str]:
    """Every message that is left, received and deleted."""
    bodies: list[str] = []
    empty = 0
    while empty < 3:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        empty = 0 if found else empty + 1
        for message in found:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def test_nothing_acknowledged_is_lost_when_the_power_goes(server: Server) -> None:
    sqs, sns = server.client("sqs"), server.client("sns")
    url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "3"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="searches")["TopicArn"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": allow_topic(arn, topic)})
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)

    load = Load(server, url, topic)
    threads = [threading.Thread(target=load.send, args=(f"sender{number}",)) for number in range(3)]
    threads.append(threading.Thread(target=load.consume))
    for thread in threads:
        thread.start()
    for _ in range(2):
        threading.Event().wait(1.5)  # real load in real time: there is nothing to jump over
        server.kill()
        server.start()
    threading.Event().wait(0.5)
    load.stopping.set()
    for thread in threads:
        thread.join(40)

    threading.Event().wait(3.1)  # what was received and not deleted becomes visible again
    left = drain(sqs, url)
    assert len(load.sent) > 100
    missing = load.sent - load.deleted - set(left) - load.delete_unknown
    assert not missing, f"{len(missing)} of {len(load.sent)} acknowledged messages are gone"
    assert not load.deleted & set(left), "a deleted message came back"

    sns.publish(TopicArn=topic, Message="still delivering")
    assert drain(sqs, url) == ["still delivering"]
    assert server.stop() == 0
