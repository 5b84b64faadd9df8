"""What services tell of themselves: tables and queues in CloudWatch, a minute after it happened."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.core.monitoring import service_metrics
from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make
from tests.services.operations.cloudwatch.conftest import statistics


class Told:
    """Asks what was told of the minutes since it was made."""

    def __init__(self, cloud: Account, namespace: str) -> None:
        self.cloud = cloud
        self.namespace = namespace
        self.start = int(cloud.running.clock.now()) // 60 * 60
        self.client = cloud.client("cloudwatch")

    def wait(self) -> None:
        self.cloud.advance(61)
        self.cloud.running.run(service_metrics.of(self.cloud.running.cloud.runtime).give())

    def sums(self, name: str, **dimensions: str) -> tuple[float, float]:
        """The sum and the number of the values."""
        pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        end = int(self.cloud.running.clock.now()) + 60
        points = statistics(self.client, self.start, end, Namespace=self.namespace, MetricName=name, Dimensions=pairs)
        return sum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)


def test_tables(cloud: Account) -> None:
    client = make(cloud, GlobalSecondaryIndexes=[index("by-owner", "owner")], types={"owner": "S"})
    told = Told(cloud, "AWS/DynamoDB")
    for pk in "ab":
        client.put_item(TableName="things", Item={"pk": {"S": pk}, "owner": {"S": "ann"}})
    client.get_item(TableName="things", Key={"pk": {"S": "a"}}, ConsistentRead=True)
    client.get_item(TableName="things", Key={"pk": {"S": "a"}})
    client.scan(TableName="things", ConsistentRead=True)
    client.query(
        TableName="things",
        IndexName="by-owner",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "ann"}},
    )
    client.transact_write_items(TransactItems=[{"Delete": {"TableName": "things", "Key": {"pk": {"S": "b"}}}}])
    client.execute_statement(Statement="SELECT * FROM things WHERE pk = 'a'", ConsistentRead=True)
    with pytest.raises(ClientError):
        client.put_item(TableName="things", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")
    told.wait()
    table = {"TableName": "things"}
    indexed = {**table, "GlobalSecondaryIndexName": "by-owner"}
    assert told.sums("ConsumedWriteCapacityUnits", **table) == (4.0, 3.0)
    assert told.sums("ConsumedReadCapacityUnits", **table) == (3.5, 4.0)
    assert told.sums("ConsumedWriteCapacityUnits", **indexed) == (4.0, 3.0)
    assert told.sums("ConsumedReadCapacityUnits", **indexed) == (0.5, 1.0)
    assert told.sums("ReturnedItemCount", **table, Operation="Scan") == (2.0, 1.0)
    assert told.sums("ReturnedItemCount", **table, Operation="Query") == (2.0, 1.0)
    assert told.sums("ConditionalCheckFailedRequests", **table) == (1.0, 1.0)
    assert told.sums("ReadThrottleEvents", **table) == (0.0, 0.0)


def test_throttled_tables(start_cloud: Any, cloud: Account) -> None:
    running = start_cloud(throttling=True)
    account = Account(running, cloud.account)
    throughput = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    client = make(account, BillingMode="PROVISIONED", ProvisionedThroughput=throughput)
    told = Told(account, "AWS/DynamoDB")
    refused = 0
    with running.still():
        for _ in range(320):
            try:
                client.put_item(TableName="things", Item={"pk": {"S": "a"}})
            except ClientError:
                refused += 1
    told.wait()
    assert refused
    assert told.sums("WriteThrottleEvents", TableName="things") == (refused, refused)
    assert told.sums("ThrottledRequests", TableName="things", Operation="PutItem") == (refused, refused)
    running.stop()


def test_queues(cloud: Account) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="jobs")["QueueUrl"]
    told = Told(cloud, "AWS/SQS")
    sqs.receive_message(QueueUrl=url)
    sqs.send_message(QueueUrl=url, MessageBody="12345")
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": n, "MessageBody": n * 3} for n in "ab"])
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=messages[0]["ReceiptHandle"])
    told.wait()
    queue = {"QueueName": "jobs"}
    assert told.sums("NumberOfMessagesSent", **queue) == (3.0, 3.0)
    assert told.sums("SentMessageSize", **queue) == (11.0, 3.0)
    assert told.sums("NumberOfMessagesReceived", **queue) == (len(messages), len(messages))
    assert told.sums("NumberOfEmptyReceives", **queue) == (1.0, 1.0)
    assert told.sums("NumberOfMessagesDeleted", **queue) == (1.0, 1.0)


def test_what_was_counted_is_kept_when_the_cloud_stops(start_cloud: Any, cloud: Account) -> None:
    running = start_cloud()
    account = Account(running, cloud.account)
    make(account).put_item(TableName="things", Item={"pk": {"S": "a"}})
    running.stop()
    again = Account(start_cloud(data_dir=running.settings.data_dir), cloud.account)
    told = Told(again, "AWS/DynamoDB")
    told.start -= 600
    assert told.sums("ConsumedWriteCapacityUnits", TableName="things") == (1.0, 1.0)
    again.running.stop()
