"""Queues read for functions, whose code is the test's own."""

import itertools
import json
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.compute.lambda_.event_sources.queue_pollers import QueuePoller
from cumulo.services.compute.lambda_.event_sources.source_mappings import EventSourceMapping
from tests.conftest import Account
from tests.services.compute.lambda_.recorder import Recorder, allow, record
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_event_source_mappings import make_queue

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def function(cloud: Account, create: Create, role: str, simulated: Environments) -> Recorder:
    allow(cloud, role, "sqs:*")
    return record(create)


def join(cloud: Account, queue: str, **request: Any) -> str:
    """Have the function read a queue; the mapping's id."""
    uuid: str = cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=queue, FunctionName="greeter", **request
    )["UUID"]
    cloud.settle()
    return uuid


def wait_until(true: Callable[[], bool], timeout_s: float = 20) -> None:
    """Until something that happens beside the test has happened."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def left(cloud: Account, url: str) -> tuple[int, int]:
    """How many messages are visible, and how many are hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_a_message_as_the_function_sees_it(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    join(cloud, queue)
    sent = cloud.client("sqs").send_message(
        QueueUrl=url,
        MessageBody='{"order": 1}',
        MessageAttributes={
            "Author": {"DataType": "String", "StringValue": "Ann"},
            "Key": {"DataType": "Binary", "BinaryValue": b"\x00\x01"},
        },
    )
    (seen,) = function.next()["Records"]
    attributes = seen.pop("attributes")
    assert attributes["ApproximateReceiveCount"] == "1"
    assert set(attributes) == {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    assert seen.pop("receiptHandle")
    assert seen == {
        "messageId": sent["MessageId"],
        "body": '{"order": 1}',
        "messageAttributes": {
            "Author": {"stringValue": "Ann", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
            "Key": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
        },
        "md5OfMessageAttributes": sent["MD5OfMessageAttributes"],
        "md5OfBody": sent["MD5OfMessageBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue,
        "awsRegion": "us-east-1",
    }
    wait_until(lambda: left(cloud, url) == (0, 0))


def test_messages_that_were_there_before_come_too(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    sqs = cloud.client("sqs")
    for start in range(0, 30, 10):
        entries = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    join(cloud, queue)
    assert function.bodies(30) == sorted(str(n) for n in range(30))
    wait_until(lambda: left(cloud, url) == (0, 0))


def test_a_failed_batch_comes_back_after_its_visibility_timeout(cloud: Account, function: Recorder) -> None:
    dead_url, dead = make_queue(cloud, "dead")
    policy = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 2})
    url, queue = make_queue(cloud, VisibilityTimeout="30", RedrivePolicy=policy)

    def fail(event: Any) -> None:
        raise ValueError("no")

    function.answer = fail
    join(cloud, queue)
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="bad")
    assert function.bodies(1) == ["bad"]
    cloud.advance(31)
    (again,) = function.next()["Records"]
    assert again["attributes"]["ApproximateReceiveCount"] == "2"
    cloud.advance(31)
    wait_until(lambda: left(cloud, dead_url) == (1, 0))
    assert function.quiet


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (lambda bad: {"batchItemFailures": [{"itemIdentifier": bad}]}, ["bad"]),
        (lambda bad: {"batchItemFailures": []}, []),
        (lambda bad: {"batchItemFailures": None}, []),
        (lambda bad: {}, []),
        (lambda bad: None, []),
        (lambda bad: {"batchItemFailures": [{"itemIdentifier": ""}]}, ["bad", "good"]),
        (lambda bad: {"batchItemFailures": [{"itemIdentifier": "unknown"}]}, ["bad", "good"]),
        (lambda bad: {"batchItemFailures": [{"foo": bad}]}, ["bad", "good"]),
        (lambda bad: {"batchItemFailures": [{"itemIdentifier": None}]}, ["bad", "good"]),
    ],
)
def test_partial_failures(cloud: Account, function: Recorder, answer: Any, failed: list[str]) -> None:
    url, queue = make_queue(cloud)
    entries = [{"Id": body, "MessageBody": body} for body in ("bad", "good")]
    cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    function.answer = lambda event: answer(
        next(record["messageId"] for record in event["Records"] if record["body"] == "bad")
    )
    join(cloud, queue, FunctionResponseTypes=["ReportBatchItemFailures"])
    assert function.bodies(2) == ["bad", "good"]
    wait_until(lambda: left(cloud, url) == (0, len(failed)))
    function.answer = lambda event: None
    if failed:
        cloud.advance(31)
        assert function.bodies(len(failed)) == failed


def test_a_window_gathers(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud, VisibilityTimeout="300")
    sqs = cloud.client("sqs")
    join(cloud, queue, BatchSize=100, MaximumBatchingWindowInSeconds=60)
    for start in range(0, 20, 10):
        entries = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)
    wait_until(lambda: left(cloud, url) == (0, 20))
    assert function.quiet
    cloud.advance(61)
    assert len(function.next()["Records"]) == 20


def test_a_full_batch_does_not_wait_for_its_window(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    join(cloud, queue, BatchSize=15, MaximumBatchingWindowInSeconds=300)
    for start in range(0, 20, 10):
        entries = [{"Id": str(n), "MessageBody": str(start + n)} for n in range(10)]
        cloud.client("sqs").send_message_batch(QueueUrl=url, Entries=entries)
    assert len(function.next()["Records"]) == 15


def test_large_messages_are_parted(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    body = "x" * 1_000_000
    for _ in range(8):
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    join(cloud, queue)
    assert len(function.records(8)) == 8
    wait_until(lambda: left(cloud, url) == (0, 0))


def test_groups_of_a_fifo_queue_keep_their_order(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud, "orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    sqs = cloud.client("sqs")
    for number, group in itertools.product(range(12), "ab"):
        sqs.send_message(QueueUrl=url, MessageBody=f"{group}{number}", MessageGroupId=group)
    join(cloud, queue, BatchSize=2)
    seen = [(record["attributes"]["MessageGroupId"], record["body"]) for record in function.records(24)]
    for group in "ab":
        assert [body for of, body in seen if of == group] == [f"{group}{number}" for number in range(12)]


def test_filters_delete_what_they_do_not_take(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    join(cloud, queue, FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]})
    for body in ('{"kind": "other"}', "order", '{"kind": "order"}'):
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    assert function.bodies(1) == ['{"kind": "order"}']
    wait_until(lambda: left(cloud, url) == (0, 0))
    assert function.quiet


def test_sealed_filters_want_lambda_in_the_keys_policy(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    pattern = {"Filters": [{"Pattern": '{"body": ["yes"]}'}]}
    uuid = join(cloud, queue, FilterCriteria=pattern, KMSKeyArn=key, BatchSize=1)
    for body in ("no", "yes"):
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "kms:Decrypt"}
    policy["Statement"].append({**statement, "Resource": "*"})
    assert left(cloud, url) == (2, 0)  # without its filters nothing is polled
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))
    cloud.client("lambda").update_event_source_mapping(UUID=uuid, BatchSize=2)
    cloud.settle()
    assert function.bodies(1) == ["yes"]


def test_a_mapping_can_be_stopped_and_started(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    lambda_, sqs = cloud.client("lambda"), cloud.client("sqs")
    uuid = join(cloud, queue)
    sqs.send_message(QueueUrl=url, MessageBody="1")
    assert function.bodies(1) == ["1"]
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    cloud.settle()
    sqs.send_message(QueueUrl=url, MessageBody="2")
    cloud.advance(25)
    assert left(cloud, url)[0] == 1
    assert function.quiet
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.settle()
    assert function.bodies(1) == ["2"]
    lambda_.delete_event_source_mapping(UUID=uuid)
    cloud.settle()
    sqs.send_message(QueueUrl=url, MessageBody="3")
    cloud.advance(25)
    assert left(cloud, url)[0] == 1


def test_a_role_that_may_read_no_more_reads_no_more(cloud: Account, function: Recorder, role: str) -> None:
    url, queue = make_queue(cloud)
    join(cloud, queue)
    iam = cloud.client("iam")
    iam.delete_role_policy(RoleName="worker", PolicyName="sqs-all")
    cloud.advance(21)  # the long poll that was let in is over
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="1")
    assert left(cloud, url)[0] == 1
    allow(cloud, role, "sqs:*")
    cloud.advance(61)
    assert function.bodies(1) == ["1"]


def test_throttled_calls_are_made_again(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    lambda_ = cloud.client("lambda")
    lambda_.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=0)
    join(cloud, queue)
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="1")
    wait_until(lambda: left(cloud, url) == (0, 1))
    assert function.quiet
    lambda_.delete_function_concurrency(FunctionName="greeter")
    cloud.advance(31)
    assert function.bodies(1) == ["1"]


def test_metrics_count_messages(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    pattern = {"Filters": [{"Pattern": '{"body": ["yes"]}'}]}
    uuid = join(cloud, queue, FilterCriteria=pattern, MetricsConfig={"Metrics": ["EventCount"]})
    for body in ("yes", "no", "yes"):
        cloud.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    function.records(2)
    wait_until(lambda: left(cloud, url) == (0, 0))
    cloudwatch = cloud.client("cloudwatch")
    now = cloud.running.clock.now()

    def total(name: str) -> float:
        points = cloudwatch.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "EventSourceMappingUUID", "Value": uuid}],
            StartTime=now - 600,
            EndTime=now + 600,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    wait_until(lambda: total("DeletedEventCount") == 3)
    assert (total("PolledEventCount"), total("FilteredOutEventCount"), total("InvokedEventCount")) == (3, 1, 2)


def test_an_alias_is_called_by_its_name(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    lambda_ = cloud.client("lambda")
    version = lambda_.publish_version(FunctionName="greeter")["Version"]
    alias = lambda_.create_alias(FunctionName="greeter", Name="live", FunctionVersion=version)["AliasArn"]
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=alias)
    cloud.settle()
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="1")
    function.next()
    assert function.contexts[-1].invoked_function_arn == alias


def test_a_loop_is_stopped(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    sqs = cloud.client("sqs")

    def send_again(event: Any) -> None:
        trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": function.contexts[-1].trace_id}}
        sqs.send_message(QueueUrl=url, MessageBody="round", MessageSystemAttributes=trace)

    function.answer = send_again
    join(cloud, queue, BatchSize=1)
    sqs.send_message(QueueUrl=url, MessageBody="round")
    for _ in range(16):
        function.next()
    wait_until(lambda: left(cloud, url) == (0, 0))
    assert function.quiet


def test_a_queue_of_another_account(cloud: Account, function: Recorder) -> None:
    other = cloud.another()
    url, queue = make_queue(other)
    request = {"EventSourceArn": queue, "FunctionName": "greeter"}
    with pytest.raises(ClientError) as caught:
        cloud.client("lambda").create_event_source_mapping(**request)
    assert caught.value.response["Error"]["Message"] == (
        "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    )
    role = f"arn:aws:iam::{cloud.account}:role/worker"
    allowed = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sqs:*", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    other.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    cloud.client("lambda").create_event_source_mapping(**request)
    cloud.settle()
    other.client("sqs").send_message(QueueUrl=url, MessageBody="from afar")
    assert function.bodies(1) == ["from afar"]
    wait_until(lambda: left(other, url) == (0, 0))


def test_a_mapping_outlives_its_function(cloud: Account, function: Recorder, create: Create) -> None:
    url, queue = make_queue(cloud)
    uuid = join(cloud, queue)
    lambda_ = cloud.client("lambda")
    lambda_.delete_function(FunctionName="greeter")
    assert lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="1")
    again = record(create)
    cloud.advance(62)
    assert again.bodies(1) == ["1"]


class Crowd:
    """An answer that holds its callers up, and counts how many there are at once."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.lock = threading.Lock()
        self.gate = threading.Event()

    def __call__(self, event: Any) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.gate.wait(20)
        with self.lock:
            self.now -= 1


def test_no_more_are_called_at_once_than_wanted(cloud: Account, function: Recorder) -> None:
    url, queue = make_queue(cloud)
    sqs = cloud.client("sqs")
    for number in range(6):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    function.answer = crowd = Crowd()
    join(cloud, queue, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    wait_until(lambda: crowd.now == 2)
    assert left(cloud, url) == (4, 2)
    crowd.gate.set()
    assert len(function.records(6)) == 6
    wait_until(lambda: left(cloud, url) == (0, 0))
    assert crowd.most == 2


def test_how_many_may_be_called_at_once() -> None:
    now = 0.0
    runtime: Any = SimpleNamespace(endpoint="http://localhost", clock=SimpleNamespace(now=lambda: now))

    def poller(**settings: int) -> QueuePoller:
        arn = "arn:aws:sqs:us-east-1:111122223333:q"
        mapping = EventSourceMapping("111122223333", "us-east-1", "u", "sqs", arn, "f", "", 0.0, 0.0, **settings)  # type: ignore[arg-type]
        return QueuePoller(runtime, mapping, None)

    plain, provisioned = poller(), poller(minimum_pollers=2, maximum_pollers=3)
    assert (plain._allowed(), provisioned._allowed()) == (5, 20)
    busy: Any = set(range(20))
    plain._running = provisioned._running = busy
    assert (plain._allowed(), provisioned._allowed()) == (5, 20)
    now = 60.0  # all of them were busy for a minute: three hundred more
    assert (plain._allowed(), provisioned._allowed()) == (305, 30)
    now = 3600.0
    assert plain._allowed() == 1250
    plain._running = set()
    assert plain._allowed() == 5
