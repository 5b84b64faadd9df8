"""What the SNS tests share: clients, topics, queues that let SNS in, and an HTTP receiver."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import Account
from tests.refusals import Refusal, refusal


@pytest.fixture
def sns(cloud: Account) -> Any:
    return cloud.client("sns")


@pytest.fixture
def sqs(cloud: Account) -> Any:
    return cloud.client("sqs")


@pytest.fixture
def topic(sns: Any) -> str:
    arn: str = sns.create_topic(Name="searches")["TopicArn"]
    return arn


@pytest.fixture
def fifo_topic(sns: Any) -> str:
    arn: str = sns.create_topic(Name="searches.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    return arn


class Queue:
    """A queue whose policy lets SNS send."""

    def __init__(self, cloud: Account, name: str, *, allow: bool = True) -> None:
        self.sqs = cloud.client("sqs")
        self.cloud = cloud
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        self.arn = f"arn:aws:sqs:us-east-1:{cloud.account}:{name}"
        if allow:
            statement = {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": self.arn,
            }
            attributes["Policy"] = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.url: str = self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def messages(self) -> list[dict[str, Any]]:
        """What has arrived, taken out."""
        self.cloud.settle()
        found: list[dict[str, Any]] = []
        while True:
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=10,
                MessageAttributeNames=["All"],
                MessageSystemAttributeNames=["All"],
            )
            if not answer.get("Messages"):
                return found
            for message in answer["Messages"]:
                found.append(message)
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def bodies(self) -> list[str]:
        return [message["Body"] for message in self.messages()]


@pytest.fixture
def queue(cloud: Account) -> Callable[..., Queue]:
    def make(name: str = "orders", **options: Any) -> Queue:
        return Queue(cloud, name, **options)

    return make


class Receiver:
    """An HTTP endpoint that keeps what it is sent and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.statuses: list[int] = []
        self.challenge = ""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                receiver.requests.append((dict(self.headers.items()), body))
                status = receiver.statuses.pop(0) if receiver.statuses else 200
                if receiver.challenge and "Authorization" not in self.headers:
                    status = 401
                self.send_response(status)
                if status == 401:
                    self.send_header("WWW-Authenticate", receiver.challenge)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"

    def bodies(self, kind: str = "") -> list[dict[str, Any]]:
        found = [json.loads(body) for _, body in self.requests]
        return [body for body in found if not kind or body["Type"] == kind]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def refused() -> Callable[..., Refusal]:
    """Call something and give back the AWS error that it raised."""
    return refusal
