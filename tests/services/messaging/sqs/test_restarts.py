"""What was answered is there after a restart: messages, what is in flight, deduplication, move tasks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Account, RunningCloud
from tests.services.messaging.sqs.conftest import arn, bodies, counts, receive, redrive


def test_a_cloud_goes_on_where_it_stopped(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    sqs = cloud.client("sqs")
    path = _fill(cloud, sqs)
    running.stop()

    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    sqs = cloud.client("sqs")
    _check(cloud, sqs, {name: running.url + rest for name, rest in path.items()})
    running.stop()


def _fill(cloud: Account, sqs: Any) -> dict[str, str]:
    standard = sqs.create_queue(QueueName="standard")["QueueUrl"]
    fifo = sqs.create_queue(QueueName="q.fifo", Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "true"})[
        "QueueUrl"
    ]
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    source = sqs.create_queue(QueueName="source", Attributes=redrive(arn(sqs, dead)))["QueueUrl"]
    for number in range(5):
        sqs.send_message(QueueUrl=standard, MessageBody=str(number))
        sqs.send_message(QueueUrl=fifo, MessageBody=str(number), MessageGroupId="g")
        sqs.send_message(QueueUrl=source, MessageBody=str(number))
    first, second = receive(sqs, standard, 2, VisibilityTimeout=1000)
    sqs.delete_message(QueueUrl=standard, ReceiptHandle=first["ReceiptHandle"])
    receive(sqs, fifo, 1, VisibilityTimeout=1000)
    while receive(sqs, source, VisibilityTimeout=0):
        pass
    sqs.start_message_move_task(SourceArn=arn(sqs, dead), MaxNumberOfMessagesPerSecond=1)
    cloud.settle()
    assert second["Body"] == "1"
    urls = {"standard": standard, "fifo": fifo, "dead": dead, "source": source}
    return {name: url.removeprefix(cloud.url) for name, url in urls.items()}


def _check(cloud: Account, sqs: Any, urls: dict[str, str]) -> None:
    assert counts(sqs, urls["standard"]) == (3, 1, 0)
    assert bodies(receive(sqs, urls["standard"])) == ["2", "3", "4"]
    assert counts(sqs, urls["fifo"]) == (4, 1, 0)
    assert receive(sqs, urls["fifo"]) == []
    sqs.send_message(QueueUrl=urls["fifo"], MessageBody="3", MessageGroupId="other")
    assert counts(sqs, urls["fifo"]) == (4, 1, 0)
    for _ in range(6):
        cloud.advance(1.01)
    assert counts(sqs, urls["source"])[0] == 5
    assert counts(sqs, urls["dead"]) == (0, 0, 0)
    cloud.advance(1000)
    assert bodies(receive(sqs, urls["fifo"])) == ["0", "1", "2", "3", "4"]
