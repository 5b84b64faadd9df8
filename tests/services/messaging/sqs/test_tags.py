"""Tags of queues."""

from typing import Any

from tests.services.messaging.sqs.conftest import refused


def test_tags_come_and_go(sqs: Any, queue: str) -> None:
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)
    sqs.tag_queue(QueueUrl=queue, Tags={"tag1": "value1", "tag2": "value2", "tag3": ""})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"tag1": "value1", "tag2": "value2", "tag3": ""}
    sqs.tag_queue(QueueUrl=queue, Tags={"tag1": "other"})
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"]["tag1"] == "other"
    sqs.untag_queue(QueueUrl=queue, TagKeys=["tag1", "tag3", "nothing"])
    assert sqs.list_queue_tags(QueueUrl=queue)["Tags"] == {"tag2": "value2"}
    sqs.untag_queue(QueueUrl=queue, TagKeys=["tag2"])
    assert "Tags" not in sqs.list_queue_tags(QueueUrl=queue)


def test_tags_at_creation(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="tagged", tags={"Environment": "Production"})["QueueUrl"]
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"Environment": "Production"}
    assert sqs.create_queue(QueueName="tagged", tags={"Environment": "Other"})["QueueUrl"] == url
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"Environment": "Production"}


def test_what_is_refused(sqs: Any, queue: str) -> None:
    for bad in ({"aws:x": "1"}, {"": "1"}, {"a" * 129: "1"}, {"a": "1" * 257}, {"a": "<"}):
        with refused("InvalidParameterValue"):
            sqs.tag_queue(QueueUrl=queue, Tags=bad)
    with refused("InvalidParameterValue", "Too many tags added for queue. Maximum number of tags allowed is 50."):
        sqs.tag_queue(QueueUrl=queue, Tags={f"k{number}": "" for number in range(51)})
    sqs.tag_queue(QueueUrl=queue, Tags={f"k{number}": "" for number in range(50)})
    sqs.tag_queue(QueueUrl=queue, Tags={"k1": "again"})
    with refused("InvalidParameterValue"):
        sqs.tag_queue(QueueUrl=queue, Tags={"one more": ""})
    with refused("MissingParameter", "The request must contain the parameter Tags."):
        sqs.tag_queue(QueueUrl=queue, Tags={})
    with refused("MissingParameter", "The request must contain the parameter TagKeys."):
        sqs.untag_queue(QueueUrl=queue, TagKeys=[])
