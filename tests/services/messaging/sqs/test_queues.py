"""Queues as a whole: made, found, listed, purged, deleted."""

from typing import Any

import pytest

from cumulo.services.messaging.sqs.messages import queue_place
from cumulo.services.messaging.sqs.queues import QUEUES
from cumulo.store.keys import prefix_range
from tests.conftest import Account
from tests.services.messaging.sqs.conftest import attributes, bodies, counts, receive, refused

STANDARD_NAME = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
FIFO_NAME = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
    "must end with .fifo suffix and be 1 to 80 in length."
)
MISSING = "The specified queue does not exist."


def test_a_url_is_made_from_the_endpoint_account_and_name(cloud: Account, sqs: Any) -> None:
    url = sqs.create_queue(QueueName="orders")["QueueUrl"]
    assert url == f"{cloud.url}/{cloud.account}/orders"
    assert sqs.get_queue_url(QueueName="orders")["QueueUrl"] == url


@pytest.mark.parametrize(
    "form",
    [
        "https://sqs.us-east-1.amazonaws.com/{account}/orders",
        "https://us-east-1.queue.amazonaws.com/{account}/orders",
        "https://queue.amazonaws.com/{account}/orders/",
        "http://localhost:1/queue/us-east-1/{account}/orders",
        "/{account}/orders",
    ],
)
def test_a_queue_is_found_by_any_url(cloud: Account, sqs: Any, queue: str, form: str) -> None:
    url = form.format(account=cloud.account)
    sqs.send_message(QueueUrl=url, MessageBody="one")
    assert bodies(receive(sqs, queue)) == ["one"]


@pytest.mark.parametrize("url", ["orders", "http://localhost/", "http://localhost/12/orders"])
def test_a_url_without_account_and_name_is_refused(sqs: Any, url: str) -> None:
    with refused("InvalidAddress", f"The address {url} is not valid for this endpoint.", 404):
        sqs.send_message(QueueUrl=url, MessageBody="one")


def test_an_unknown_queue(cloud: Account, sqs: Any) -> None:
    with refused("AWS.SimpleQueueService.NonExistentQueue", MISSING):
        sqs.get_queue_url(QueueName="nothing")
    with refused("AWS.SimpleQueueService.NonExistentQueue", MISSING):
        sqs.send_message(QueueUrl=f"{cloud.url}/{cloud.account}/nothing", MessageBody="one")
    with refused("AWS.SimpleQueueService.NonExistentQueue", MISSING):
        sqs.receive_message(QueueUrl=f"{cloud.url}/{cloud.account}/nothing")


@pytest.mark.parametrize("name", ["a" * 81, "a b", "a.b", "ä", "x.fifo"])
def test_names_of_standard_queues(sqs: Any, name: str) -> None:
    with refused("InvalidParameterValue", STANDARD_NAME):
        sqs.create_queue(QueueName=name)


@pytest.mark.parametrize("name", ["orders", ".fifo", "a.b.fifo", "a" * 76 + ".fifo"])
def test_names_of_fifo_queues(sqs: Any, name: str) -> None:
    with refused("InvalidParameterValue", FIFO_NAME):
        sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})


def test_a_queue_needs_a_name(sqs: Any) -> None:
    with refused("MissingParameter", "The request must contain the parameter QueueName."):
        sqs.create_queue()
    with refused("MissingParameter", "The request must contain the parameter QueueName."):
        sqs.create_queue(QueueName="")


def test_creating_a_queue_again_answers_its_url(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "3"})["QueueUrl"]
    assert sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "3"})["QueueUrl"] == url
    assert sqs.create_queue(QueueName="q")["QueueUrl"] == url
    assert sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"] == url
    assert attributes(sqs, url)["DelaySeconds"] == "3"


def test_creating_a_queue_again_with_another_attribute(sqs: Any) -> None:
    sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "3"})
    text = "A queue already exists with the same name and a different value for attribute DelaySeconds"
    with refused("QueueAlreadyExists", text):
        sqs.create_queue(QueueName="q", Attributes={"DelaySeconds": "4"})
    sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})
    text = "A queue already exists with the same name and a different value for attribute ContentBasedDeduplication"
    with refused("QueueAlreadyExists", text):
        sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "false"})


def test_a_deleted_queue_is_gone(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    sqs.delete_queue(QueueUrl=queue)
    with refused("AWS.SimpleQueueService.NonExistentQueue", MISSING):
        sqs.receive_message(QueueUrl=queue)
    with refused("AWS.SimpleQueueService.NonExistentQueue", MISSING):
        sqs.delete_queue(QueueUrl=queue)
    assert "QueueUrls" not in sqs.list_queues()


def test_a_name_is_free_60_seconds_after_the_queue_was_deleted(cloud: Account, sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="one")
    sqs.delete_queue(QueueUrl=queue)
    text = "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    with refused("AWS.SimpleQueueService.QueueDeletedRecently", text):
        sqs.create_queue(QueueName="orders")
    cloud.advance(61)
    assert sqs.create_queue(QueueName="orders")["QueueUrl"] == queue
    assert counts(sqs, queue) == (0, 0, 0)
    assert receive(sqs, queue) == []


def test_listing_queues(cloud: Account, sqs: Any) -> None:
    assert "QueueUrls" not in sqs.list_queues()
    for name in ("b", "a1", "a2", "a3"):
        sqs.create_queue(QueueName=name)
    urls = [f"{cloud.url}/{cloud.account}/{name}" for name in ("a1", "a2", "a3", "b")]
    assert sqs.list_queues()["QueueUrls"] == urls
    assert sqs.list_queues(QueueNamePrefix="a")["QueueUrls"] == urls[:3]
    assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="c")
    assert "QueueUrls" not in cloud.client("sqs", region="eu-west-1").list_queues()
    assert "QueueUrls" not in cloud.another().client("sqs").list_queues()


def test_pages_of_queues(cloud: Account, sqs: Any) -> None:
    for number in range(5):
        sqs.create_queue(QueueName=f"p{number}")
    sqs.create_queue(QueueName="other")
    page = sqs.list_queues(QueueNamePrefix="p", MaxResults=2)
    assert len(page["QueueUrls"]) == 2
    sqs.create_queue(QueueName="p00")  # before where the page ended: nothing shifts
    following = sqs.list_queues(QueueNamePrefix="p", MaxResults=2, NextToken=page["NextToken"])
    last = sqs.list_queues(QueueNamePrefix="p", MaxResults=2, NextToken=following["NextToken"])
    assert [url[-2:] for url in following["QueueUrls"] + last["QueueUrls"]] == ["p2", "p3", "p4"]
    assert "NextToken" not in last
    paginator = sqs.get_paginator("list_queues")
    pages = paginator.paginate(PaginationConfig={"PageSize": 3})
    assert len([url for page in pages for url in page["QueueUrls"]]) == 7
    with refused("InvalidParameterValue"):
        sqs.list_queues(MaxResults=1001)
    with refused("InvalidParameterValue", "Invalid or expired next token."):
        sqs.list_queues(MaxResults=1, NextToken="?")


def test_another_account_reads_a_url_only_when_a_policy_lets_it(cloud: Account, sqs: Any, queue: str) -> None:
    other = cloud.another()
    theirs = other.client("sqs")
    with refused("AccessDenied", status=403):
        theirs.get_queue_url(QueueName="orders", QueueOwnerAWSAccountId=cloud.account)
    sqs.add_permission(QueueUrl=queue, Label="url", AWSAccountIds=[other.account], Actions=["GetQueueUrl"])
    assert theirs.get_queue_url(QueueName="orders", QueueOwnerAWSAccountId=cloud.account)["QueueUrl"] == queue


def test_only_the_owner_deletes_and_configures(cloud: Account, sqs: Any, queue: str) -> None:
    other = cloud.another()
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}]}'
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    theirs = other.client("sqs")
    theirs.send_message(QueueUrl=queue, MessageBody="hello")
    assert bodies(receive(theirs, queue)) == ["hello"]
    with refused("AccessDenied", status=403):
        theirs.delete_queue(QueueUrl=queue)
    with refused("AccessDenied", status=403):
        theirs.set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "1"})
    with refused("AccessDenied", status=403):
        theirs.tag_queue(QueueUrl=queue, Tags={"a": "b"})


def test_purging(cloud: Account, sqs: Any, queue: str) -> None:
    for number in range(5):
        sqs.send_message(QueueUrl=queue, MessageBody=str(number))
    sqs.send_message(QueueUrl=queue, MessageBody="later", DelaySeconds=10)
    [held] = receive(sqs, queue, 1)
    assert counts(sqs, queue) == (4, 1, 1)
    sqs.purge_queue(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0, 0)
    assert receive(sqs, queue) == []
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=held["ReceiptHandle"])
    sqs.send_message(QueueUrl=queue, MessageBody="after")
    text = "Only one PurgeQueue operation on orders is allowed every 60 seconds."
    with refused("AWS.SimpleQueueService.PurgeQueueInProgress", text, 403):
        sqs.purge_queue(QueueUrl=queue)
    assert bodies(receive(sqs, queue)) == ["after"]
    cloud.advance(61)
    sqs.purge_queue(QueueUrl=queue)
    assert counts(sqs, queue) == (0, 0, 0)


def test_nothing_is_left_of_purged_and_deleted_queues(cloud: Account, sqs: Any, queue: str, fifo: str) -> None:
    run, runtime = cloud.running.run, cloud.running.cloud.runtime
    ctx = runtime.internal_context("sqs", "Test", cloud.account, "us-east-1")
    places = [queue_place(each.id) for each in run(ctx.transact(QUEUES.range))]
    assert len(places) == 2

    def left() -> int:
        return int(run(runtime.store.run(lambda txn: sum(txn.count(*prefix_range(place)) for place in places))))

    assert left() == 0
    for number in range(3):
        sqs.send_message(QueueUrl=queue, MessageBody="x" * 5000)
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), MessageGroupId="g")
    receive(sqs, queue)
    receive(sqs, fifo)
    assert left() > 0
    sqs.purge_queue(QueueUrl=queue)
    sqs.delete_queue(QueueUrl=fifo)
    cloud.settle()
    assert left() == 0
