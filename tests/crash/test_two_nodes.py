"""Two processes over one PostgreSQL are one cloud: both take load, and when one dies the other does all its work."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.crash.message_load import Load
from tests.server_process import Server

pytestmark = pytest.mark.postgres


def test_one_cloud(nodes: list[Server]) -> None:
    """What is made on one node is there on the other, and an answer of one is good at the other."""
    first, second = nodes
    url = first.client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    sqs = second.client("sqs")
    assert sqs.list_queues()["QueueUrls"] == [url.replace(first.url, second.url)]
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    [message] = first.client("sqs").receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    keys = second.client("sts").get_session_token()["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    session = {ours: keys[theirs] for ours, theirs in (names | {"aws_session_token": "SessionToken"}).items()}
    assert first.client("sts", **session).get_caller_identity()["Account"] == "000000000000"


def received(sqs: Any, url: str) -> tuple[str, float]:
    """Take one message, waiting for it; when it came."""
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    at = time.monotonic()
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message["Body"], at


def test_a_long_poll_on_one_node_wakes_for_a_message_of_the_other(nodes: list[Server]) -> None:
    waiting, sending = (node.client("sqs") for node in nodes)
    url = waiting.create_queue(QueueName="orders")["QueueUrl"]
    delays: list[float] = []
    with ThreadPoolExecutor() as threads:
        for round_ in range(5):
            poll = threads.submit(received, waiting, url)
            wait([poll], 0.3)  # until the poll is surely there
            sending.send_message(QueueUrl=url, MessageBody=str(round_))
            sent_at = time.monotonic()
            body, at = poll.result(20)
            assert body == str(round_)
            delays.append(at - sent_at)
    print("woke after", [f"{delay * 1000:.0f} ms" for delay in delays])
    assert sorted(delays)[2] < 1


def test_a_node_dies_under_load(nodes: list[Server]) -> None:
    """Both publish, deliver and give out; one dies and does not come back: the other finishes its work."""
    load = Load(nodes, 1_200)
    load.set_up(visibility_s=5)
    begin = time.monotonic()
    load.start()
    try:
        while load.publishing and len(load.ledgers["orders"].acknowledged) < 300:
            load.stopping.wait(0.05)
        nodes[1].kill()
        while load.publishing:
            load.stopping.wait(0.05)
        load.finish(60)
    finally:
        load.stop()
    for failure in load.failures:
        raise failure
    for name, ledger in load.ledgers.items():
        print(f"{name}: {len(ledger.acknowledged)} acknowledged, {ledger.received} received, {ledger.repeated} again")
        assert len(ledger.acknowledged) >= 600
        assert not ledger.left, f"{name}: {len(ledger.left)} are lost"
        assert not ledger.violations, ledger.violations[:10]
    assert not [body for body, ids in load.ledgers["orders.fifo"].ids.items() if len(ids) > 1]
    print(f"{time.monotonic() - begin:.1f} s")
    for node in nodes:
        assert "Traceback" not in node.log.read_text()


class Endpoint(ThreadingHTTPServer):
    """Takes SNS's posts; the first notification gets no answer until the test is over."""

    daemon_threads = True

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.arrival = threading.Condition()
        self.over = threading.Event()
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with endpoint.arrival:
                    endpoint.posts.append(body)
                    first = len(endpoint.of("Notification")) == 1 and body["Type"] == "Notification"
                    endpoint.arrival.notify_all()
                if first:
                    endpoint.over.wait()
                    return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [post for post in self.posts if post["Type"] == kind]

    def expect(self, kind: str, count: int, timeout_s: float) -> list[dict[str, Any]]:
        """The posts of a kind, once there are so many."""
        with self.arrival:
            assert self.arrival.wait_for(lambda: len(self.of(kind)) >= count, timeout_s), f"{kind}: {self.of(kind)}"
            return self.of(kind)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    serving = threading.Thread(target=made.serve_forever)
    serving.start()
    yield made
    made.over.set()
    made.shutdown()
    serving.join()
    made.server_close()


def test_what_a_dead_node_was_doing_is_done_by_the_other(nodes: list[Server], endpoint: Endpoint) -> None:
    """A delivery over HTTP is under way when its node dies; the other begins it again when heartbeats are missing."""
    survivor, dying = nodes
    survivor.stop()  # so that the other is the one to deliver
    sns = dying.client("sns")
    topic = sns.create_topic(Name="searches")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{endpoint.server_port}/")
    [confirmation] = endpoint.expect("SubscriptionConfirmation", 1, 20)
    sns.confirm_subscription(TopicArn=topic, Token=confirmation["Token"])
    sns.publish(TopicArn=topic, Message="hello")
    endpoint.expect("Notification", 1, 20)
    survivor.start()
    dying.kill()
    begin = time.monotonic()
    first, second = endpoint.expect("Notification", 2, 40)
    print(f"taken over after {time.monotonic() - begin:.1f} s")
    assert first["MessageId"] == second["MessageId"]
