"""Two nodes over one PostgreSQL are one SQS: polls wake across them, none lost, FIFO order kept."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.conftest import Account, RunningCloud
from tests.services.messaging.sqs.conftest import bodies, counts, receive

pytestmark = pytest.mark.postgres

ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def nodes(two_nodes: list[RunningCloud]) -> list[Any]:
    """A client of each of two nodes of one cloud."""
    return [Account(node, ACCOUNT).client("sqs") for node in two_nodes]


def test_a_poll_on_one_node_wakes_for_a_message_on_the_other(nodes: list[Any]) -> None:
    first, second = nodes
    url = first.create_queue(QueueName="wake")["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(receive, second, url, WaitTimeSeconds=20)
        time.sleep(0.3)
        assert not waiting.done()
        began = time.monotonic()
        first.send_message(QueueUrl=url, MessageBody="one")
        assert bodies(waiting.result(10)) == ["one"]
        assert time.monotonic() - began < 5


def drain(client: Any, url: str, batch: int) -> list[dict[str, Any]]:
    """Receive and delete until nothing comes any more."""
    found = []
    while messages := receive(client, url, batch, VisibilityTimeout=300, WaitTimeSeconds=1):
        for message in messages:
            found.append(message)
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def test_nothing_is_lost_or_given_out_twice(nodes: list[Any]) -> None:
    url = nodes[0].create_queue(QueueName="load")["QueueUrl"]

    def send(worker: int) -> None:
        for number in range(15):
            nodes[worker % 2].send_message(QueueUrl=url, MessageBody=f"{worker}-{number}")

    with ThreadPoolExecutor(8) as pool:
        senders = [pool.submit(send, worker) for worker in range(4)]
        receivers = [pool.submit(drain, nodes[worker % 2], url, 5) for worker in range(4)]
        for sender in senders:
            sender.result(60)
        found = [body for receiver in receivers for body in bodies(receiver.result(60))]
    found += bodies(drain(nodes[0], url, 10))
    assert sorted(found) == sorted(f"{worker}-{number}" for worker in range(4) for number in range(15))
    assert counts(nodes[1], url) == (0, 0, 0)


def test_groups_keep_their_order(nodes: list[Any]) -> None:
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = nodes[0].create_queue(QueueName="load.fifo", Attributes=attributes)["QueueUrl"]
    for number in range(12):
        for group in "ab":
            nodes[number % 2].send_message(QueueUrl=url, MessageBody=f"{group}{number}", MessageGroupId=group)
    order: list[str] = []

    def take(worker: int) -> None:
        client = nodes[worker % 2]
        while messages := receive(client, url, 3, VisibilityTimeout=300, WaitTimeSeconds=2):
            order.extend(bodies(messages))  # before the group is free again
            for message in messages:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(take, worker) for worker in range(4)]:
            done.result(60)
    for group in "ab":
        assert [body for body in order if body[0] == group] == [f"{group}{number}" for number in range(12)]
