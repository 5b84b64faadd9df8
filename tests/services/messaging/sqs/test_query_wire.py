"""The query wire: forms posted to the endpoint or to a queue's URL, XML answered."""

import re
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.messaging.sqs.conftest import bodies, receive

Form = Callable[..., tuple[int, str]]


def text(xml: str, name: str) -> str:
    found = re.search(rf"<{name}>(.*?)</{name}>", xml, re.DOTALL)
    assert found is not None, xml
    return found[1]


def test_a_message_goes_round(cloud: Account, sqs: Any, form: Form) -> None:
    status, xml = form(
        "CreateQueue", QueueName="q", Attribute__1__Name="VisibilityTimeout", Attribute__1__Value="40", Tag__1__Key="a",
        Tag__1__Value="b",
    )  # fmt: skip
    assert status == 200
    url = text(xml, "QueueUrl")
    assert url == f"{cloud.url}/{cloud.account}/q"
    assert 'xmlns="http://queue.amazonaws.com/doc/2012-11-05/"' in xml
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
    status, xml = form(
        "SendMessage", QueueUrl=url, MessageBody="hello <world>", MessageAttribute__1__Name="n",
        MessageAttribute__1__Value__DataType="String", MessageAttribute__1__Value__StringValue="v",
    )  # fmt: skip
    assert status == 200
    message_id = text(xml, "MessageId")
    status, xml = form("ReceiveMessage", QueueUrl=url, AttributeName__1="All", MessageAttributeName__1="All")
    assert status == 200
    assert text(xml, "Body") == "hello &lt;world&gt;"
    assert text(xml, "MessageId") == message_id
    assert "<Name>ApproximateReceiveCount</Name><Value>1</Value>" in re.sub(r"\s+<", "<", xml)
    status, xml = form("DeleteMessage", QueueUrl=url, ReceiptHandle=text(xml, "ReceiptHandle"))
    assert status == 200
    assert "RequestId" in xml
    status, xml = form("GetQueueAttributes", QueueUrl=url, AttributeName__1="ApproximateNumberOfMessagesNotVisible")
    assert text(xml, "Value") == "0"


def test_a_queues_url_says_which_queue(cloud: Account, sqs: Any, queue: str, form: Form) -> None:
    path = queue.removeprefix(cloud.url)
    status, _ = form("SendMessage", path=path, MessageBody="by path")
    assert status == 200
    assert bodies(receive(sqs, queue)) == ["by path"]
    status, xml = form("ReceiveMessage", path=path)
    assert status == 200
    assert "<Message>" not in xml


def test_errors(cloud: Account, queue: str, form: Form) -> None:
    status, xml = form("GetQueueUrl", QueueName="nothing")
    assert status == 400
    assert text(xml, "Code") == "AWS.SimpleQueueService.NonExistentQueue"
    assert text(xml, "Message") == "The specified queue does not exist for this wsdl version."
    assert text(xml, "Type") == "Sender"
    assert "<Detail/>" in xml
    status, xml = form("SendMessage", QueueUrl=queue)
    assert (status, text(xml, "Code")) == (400, "MissingParameter")
    assert text(xml, "Message") == "The request must contain the parameter MessageBody."
    status, xml = form("ReceiveMessage", QueueUrl=queue, MaxNumberOfMessages="11")
    assert (status, text(xml, "Code")) == (400, "InvalidParameterValue")
    form("PurgeQueue", QueueUrl=queue)
    status, xml = form("PurgeQueue", QueueUrl=queue)
    assert (status, text(xml, "Code")) == (403, "AWS.SimpleQueueService.PurgeQueueInProgress")
    status, xml = form("CreateQueue", QueueName="orders", Attribute__1__Name="DelaySeconds", Attribute__1__Value="9")
    assert (status, text(xml, "Code")) == (400, "QueueAlreadyExists")


def test_batches(cloud: Account, sqs: Any, queue: str, form: Form) -> None:
    first, second = "SendMessageBatchRequestEntry__1__", "SendMessageBatchRequestEntry__2__"
    entries = {f"{first}Id": "a", f"{first}MessageBody": "A", f"{second}Id": "b", f"{second}MessageBody": "B"}
    status, xml = form("SendMessageBatch", QueueUrl=queue, **entries, **{f"{second}DelaySeconds": "901"})
    assert status == 200
    assert text(text(xml, "SendMessageBatchResultEntry"), "Id") == "a"
    failed = text(xml, "BatchResultErrorEntry")
    assert (text(failed, "Id"), text(failed, "SenderFault")) == ("b", "true")
    assert text(failed, "Code") == "InvalidParameterValue"
    status, xml = form("SendMessageBatch", QueueUrl=queue)
    assert (status, text(xml, "Code")) == (400, "AWS.SimpleQueueService.EmptyBatchRequest")


def test_the_older_attribute_names_win(cloud: Account, sqs: Any, queue: str, form: Form) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="msg")
    both = {"AttributeName__1": "SenderId", "MessageSystemAttributeName__1": "All"}
    _, xml = form("ReceiveMessage", QueueUrl=queue, VisibilityTimeout="0", **both)
    assert re.findall("<Name>(.*?)</Name>", xml) == ["SenderId"]
    _, xml = form("ReceiveMessage", QueueUrl=queue, VisibilityTimeout="0", MessageSystemAttributeName__1="All")
    assert len(re.findall("<Name>(.*?)</Name>", xml)) == 4


def test_permissions_and_lists(cloud: Account, sqs: Any, queue: str, form: Form) -> None:
    status, _ = form("AddPermission", QueueUrl=queue, Label="x", AWSAccountId__1="111122223333", ActionName__1="*")
    assert status == 200
    _, xml = form("ListQueues", QueueNamePrefix="ord")
    assert text(xml, "QueueUrl") == queue
    _, xml = form("ListDeadLetterSourceQueues", QueueUrl=queue)
    assert "<QueueUrl>" not in xml
    status, _ = form("SetQueueAttributes", QueueUrl=queue, Attribute__1__Name="DelaySeconds", Attribute__1__Value="3")
    assert status == 200
    _, xml = form("GetQueueAttributes", QueueUrl=queue, AttributeName__1="DelaySeconds")
    assert text(xml, "Value") == "3"
