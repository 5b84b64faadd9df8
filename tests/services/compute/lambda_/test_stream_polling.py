"""Streams of tables read for functions, whose code is the test's own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.recorder import Recorder, allow, record
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_event_source_mappings import make_queue, make_table
from tests.services.compute.lambda_.test_queue_polling import wait_until

Create = Callable[..., dict[str, Any]]


@pytest.fixture
def function(cloud: Account, create: Create, role: str, simulated: Environments) -> Recorder:
    allow(cloud, role, "dynamodb:*", "sqs:*", "sns:*", "s3:*")
    return record(create)


def join(cloud: Account, stream: str, **request: Any) -> str:
    """Have the function read a stream; the mapping's id."""
    request.setdefault("StartingPosition", "TRIM_HORIZON")
    uuid: str = cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName="greeter", **request
    )["UUID"]
    cloud.settle()
    return uuid


def put(cloud: Account, *ids: str, **attributes: Any) -> None:
    for each in ids:
        cloud.client("dynamodb").put_item(TableName="orders", Item={"id": {"S": each}, **attributes})


def ids_in(event: Any) -> list[str]:
    return [record["dynamodb"]["Keys"]["id"]["S"] for record in event["Records"]]


def ids(function: Recorder, count: int) -> list[str]:
    return ids_in({"Records": function.records(count)})


def result(cloud: Account, uuid: str) -> str:
    text: str = cloud.client("lambda").get_event_source_mapping(UUID=uuid)["LastProcessingResult"]
    return text


def fails_on(*bad: str) -> Callable[[Any], Any]:
    def answer(event: Any) -> None:
        if set(bad) & set(ids_in(event)):
            raise ValueError("no")

    return answer


def letters(cloud: Account, url: str) -> list[Any]:
    """The documents in a destination queue, once there are any."""
    found: list[Any] = []
    while not found:
        answer = cloud.client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=10)
        found += [json.loads(message["Body"]) for message in answer.get("Messages", ())]
    return found


def test_a_change_as_the_function_sees_it(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    uuid = join(cloud, stream)
    assert result(cloud, uuid) == "No records processed"
    put(cloud, "1", data={"B": b"foobar"})
    (seen,) = function.next()["Records"]
    assert len(seen.pop("eventID")) == 32
    body = seen.pop("dynamodb")
    assert isinstance(body.pop("ApproximateCreationDateTime"), float)
    assert body.pop("SequenceNumber").isdigit()
    assert body.pop("SizeBytes") > 0
    assert body == {
        "Keys": {"id": {"S": "1"}},
        "NewImage": {"id": {"S": "1"}, "data": {"B": "Zm9vYmFy"}},
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    assert seen == {
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "eventSourceARN": stream,
    }
    wait_until(lambda: result(cloud, uuid) == "OK")


def test_where_to_begin(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    put(cloud, "old")
    join(cloud, stream, StartingPosition="LATEST")
    put(cloud, "new")
    assert ids(function, 1) == ["new"]
    other = record(lambda name, **options: _another(cloud, name, **options), "other")
    cloud.client("lambda").create_event_source_mapping(
        EventSourceArn=stream, FunctionName="other", StartingPosition="TRIM_HORIZON"
    )
    cloud.settle()
    assert ids(other, 2) == ["old", "new"]


def _another(cloud: Account, name: str, **options: Any) -> dict[str, Any]:
    role = cloud.client("iam").get_role(RoleName="worker")["Role"]["Arn"]
    made: dict[str, Any] = cloud.client("lambda").create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler="index.handler", **options
    )
    cloud.settle()
    return made


def test_batches_are_no_larger_than_wanted(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    put(cloud, *map(str, range(10)))
    join(cloud, stream, BatchSize=4)
    assert [len(function.next()["Records"]) for _ in range(3)] == [4, 4, 2]


def test_a_window_gathers(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    join(cloud, stream, MaximumBatchingWindowInSeconds=60)
    put(cloud, "1", "2")
    cloud.advance(10)
    put(cloud, "3")
    assert function.quiet
    cloud.advance(51)
    assert ids_in(function.next()) == ["1", "2", "3"]


def test_reading_goes_on_in_the_next_shard(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    join(cloud, stream)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    for number in range(2, 5):
        cloud.advance(4 * 3600 + 1)
        put(cloud, str(number))
        assert ids(function, 1) == [str(number)]


def test_order_is_kept_while_a_batch_fails(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    function.answer = fails_on("1")
    uuid = join(cloud, stream, BatchSize=1)
    put(cloud, "1", "2")
    assert ids(function, 1) == ["1"]
    wait_until(lambda: result(cloud, uuid) == "PROBLEM: Function call failed")
    cloud.advance(1)
    assert ids(function, 1) == ["1"]
    function.answer = lambda event: None
    seen = []
    while "2" not in seen:
        cloud.advance(60)  # the pause between two attempts grows
        seen += ids(function, 1)
    assert set(seen[:-1]) == {"1"}


def failed(cloud: Account, function: Recorder, calls: int) -> list[list[str]]:
    """The ids of each of so many calls, time passing for the pauses between them."""
    seen = []
    for _ in range(calls):
        seen.append(ids_in(function.next()))
        cloud.advance(60)
    return seen


def test_a_batch_is_given_up_after_its_retries(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    url, queue = make_queue(cloud, "failed")
    function.answer = fails_on("1")
    join(cloud, stream, MaximumRetryAttempts=1, BatchSize=1, DestinationConfig={"OnFailure": {"Destination": queue}})
    put(cloud, "1", "2")
    assert failed(cloud, function, 3) == [["1"], ["1"], ["2"]]
    (document,) = letters(cloud, url)
    assert document["requestContext"].pop("requestId")
    batch = document["DDBStreamBatchInfo"]
    assert batch.pop("shardId").startswith("shardId-")
    assert batch["startSequenceNumber"] == batch.pop("endSequenceNumber")
    assert batch.pop("startSequenceNumber").isdigit()
    assert batch.pop("approximateArrivalOfFirstRecord") == batch.pop("approximateArrivalOfLastRecord")
    assert document.pop("timestamp").endswith("Z")
    assert document == {
        "requestContext": {
            "functionArn": function.arn,
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "DDBStreamBatchInfo": {"batchSize": 1, "streamArn": stream},
    }


def test_a_batch_is_cut_in_two(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    put(cloud, *"abcde")
    function.answer = fails_on("d")
    join(cloud, stream, BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    assert failed(cloud, function, 6) == [list("abcde"), list("abc"), list("de"), ["d"], ["d"], ["e"]]


def test_what_a_function_names_is_called_again(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    url, queue = make_queue(cloud, "failed")
    put(cloud, *"abc")

    def answer(event: Any) -> Any:
        bad = [each["dynamodb"]["SequenceNumber"] for each in event["Records"] if ids_in({"Records": [each]}) == ["b"]]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}

    function.answer = answer
    join(
        cloud,
        stream,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    assert failed(cloud, function, 3) == [["a", "b", "c"], ["b", "c"], ["b", "c"]]
    (document,) = letters(cloud, url)
    assert document["DDBStreamBatchInfo"]["batchSize"] == 2
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert document["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": None}


def test_old_changes_are_given_up_uncalled(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    url, queue = make_queue(cloud, "failed")
    put(cloud, "1")
    cloud.advance(61)
    put(cloud, "2")
    join(
        cloud,
        stream,
        MaximumRecordAgeInSeconds=60,
        DestinationConfig={"OnFailure": {"Destination": queue}},
    )
    assert ids_in(function.next()) == ["2"]
    (document,) = letters(cloud, url)
    assert document["requestContext"]["condition"] == "RecordAgeExceeded"
    assert document["requestContext"]["approximateInvokeCount"] == 1
    assert "responseContext" not in document


def test_topics_and_buckets_are_destinations(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    s3, sns = cloud.client("s3"), cloud.client("sns")
    bucket = f"failed-{cloud.account}"
    s3.create_bucket(Bucket=bucket)
    topic = sns.create_topic(Name="failed")["TopicArn"]
    url, queue = make_queue(cloud, "failed")
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    function.answer = fails_on("1", "2")
    uuid = join(
        cloud,
        stream,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}},
    )
    put(cloud, "1")
    function.next()

    def objects() -> list[Any]:
        return s3.list_objects_v2(Bucket=bucket).get("Contents", [])  # type: ignore[no-any-return]

    wait_until(lambda: bool(objects()))
    (kept,) = objects()
    assert kept["Key"].startswith(f"aws/lambda/{uuid}/shardId-")
    document = json.load(s3.get_object(Bucket=bucket, Key=kept["Key"])["Body"])
    assert ids_in(document["payload"]) == ["1"]
    cloud.client("lambda").update_event_source_mapping(
        UUID=uuid, DestinationConfig={"OnFailure": {"Destination": topic}}
    )
    cloud.settle()
    put(cloud, "2")
    function.next()
    (document,) = letters(cloud, url)
    assert document["requestContext"]["condition"] == "RetryAttemptsExhausted"


def test_filters_drop_changes(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    pattern = {"dynamodb": {"NewImage": {"kind": {"S": ["order"]}}}}
    join(cloud, stream, FilterCriteria={"Filters": [{"Pattern": json.dumps(pattern)}]})
    put(cloud, "1", kind={"S": "other"})
    put(cloud, "2", kind={"S": "order"})
    assert ids(function, 1) == ["2"]
    assert function.quiet


def test_lanes_keep_the_order_of_each_item(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    for number in range(30):
        put(cloud, f"item-{number % 6}", number={"N": str(number)})
    join(cloud, stream, ParallelizationFactor=4, BatchSize=2)
    seen = [
        (each["dynamodb"]["Keys"]["id"]["S"], int(each["dynamodb"]["NewImage"]["number"]["N"]))
        for each in function.records(30)
    ]
    assert sorted(number for _, number in seen) == list(range(30))
    for item in range(6):
        numbers = [number for name, number in seen if name == f"item-{item}"]
        assert numbers == sorted(numbers)


def test_a_mapping_goes_on_where_it_stood(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    uuid = join(cloud, stream)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    wait_until(lambda: result(cloud, uuid) == "OK")
    lambda_ = cloud.client("lambda")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    cloud.settle()
    put(cloud, "2", "3")
    assert function.quiet
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.settle()
    assert ids(function, 2) == ["2", "3"]


def test_tumbling_windows_carry_a_state(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)

    def answer(event: Any) -> Any:
        if event["isFinalInvokeForWindow"]:
            return None
        return {"state": {"count": event["state"].get("count", 0) + len(event["Records"])}}

    function.answer = answer
    join(cloud, stream, TumblingWindowInSeconds=60, BatchSize=1)
    now = cloud.running.clock.now()
    cloud.advance(60 - now % 60 + 1)  # a window has just begun
    put(cloud, "1", "2")
    first, second = function.next(), function.next()
    assert (ids_in(first), first["state"]) == (["1"], {})
    assert (ids_in(second), second["state"]) == (["2"], {"count": 1})
    assert first["window"] == second["window"]
    assert first["window"]["start"].endswith(":00Z")
    assert (first["eventSourceARN"], first["isFinalInvokeForWindow"]) == (stream, False)
    assert first["shardId"].startswith("shardId-")
    cloud.advance(60)
    final = function.next()
    assert (final["Records"], final["state"]) == ([], {"count": 2})
    assert (final["isFinalInvokeForWindow"], final["isWindowTerminatedEarly"]) == (True, False)
    put(cloud, "3")
    third = function.next()
    assert (ids_in(third), third["state"]) == (["3"], {})
    assert third["window"]["start"] == first["window"]["end"]


def test_a_state_that_is_too_large_ends_its_window(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    function.answer = lambda event: {"state": {"text": "x" * 1_100_000}}
    join(cloud, stream, TumblingWindowInSeconds=900, BatchSize=1)
    put(cloud, "1")
    assert ids_in(function.next()) == ["1"]
    final = function.next()
    assert (final["isFinalInvokeForWindow"], final["isWindowTerminatedEarly"]) == (True, True)


def test_deletions_by_time_to_live_say_who(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    dynamodb = cloud.client("dynamodb")
    dynamodb.update_time_to_live(
        TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
    )
    cloud.settle()
    pattern = json.dumps({"eventName": ["REMOVE"]})
    join(cloud, stream, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    put(cloud, "1", until={"N": str(int(cloud.running.clock.now()) + 60)})
    cloud.advance(2 * 3600)
    (seen,) = function.records(1)
    assert seen["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


def test_changes_that_are_gone_are_skipped(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    uuid = join(cloud, stream)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    wait_until(lambda: result(cloud, uuid) == "OK")
    lambda_ = cloud.client("lambda")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    cloud.settle()
    put(cloud, "2")
    cloud.advance(25 * 3600)
    put(cloud, "3")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.settle()
    assert ids(function, 1) == ["3"]
    assert function.quiet


def test_a_position_within_a_shard_can_be_gone_too(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    uuid = join(cloud, stream, BatchSize=1)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    wait_until(lambda: result(cloud, uuid) == "OK")
    lambda_ = cloud.client("lambda")
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    cloud.settle()
    cloud.advance(3 * 3600)
    put(cloud, "2")
    cloud.advance(22 * 3600)  # the first change is over a day old now, the second is not
    lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.settle()
    assert ids(function, 1) == ["2"]


def test_a_shard_that_is_gone_is_over(cloud: Account, function: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """A computer that slept for days: the shard that was being read has ended meanwhile, and all of it is too old."""
    stream = make_table(cloud)
    uuid = join(cloud, stream)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    cloud.advance(3 * 86_400)
    put(cloud, "2")
    assert ids(function, 1) == ["2"]
    wait_until(lambda: result(cloud, uuid) == "OK")
    cloud.advance(600)
    assert stream not in caplog.text


def test_a_table_that_is_gone_is_a_problem(cloud: Account, function: Recorder) -> None:
    stream = make_table(cloud)
    uuid = join(cloud, stream)
    put(cloud, "1")
    assert ids(function, 1) == ["1"]
    cloud.client("dynamodb").delete_table(TableName="orders")
    cloud.settle()
    cloud.advance(25 * 3600)
    wait_until(lambda: result(cloud, uuid).startswith("PROBLEM: Requested resource not found"))
    cloud.client("lambda").delete_event_source_mapping(UUID=uuid)
    cloud.settle()
