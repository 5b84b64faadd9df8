"""Event source mappings: making, changing, listing and deleting them, and what AWS refuses."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.compute.lambda_.recorder import allow

Create = Callable[..., dict[str, Any]]


def error(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def make_queue(cloud: Account, name: str = "orders", **attributes: str) -> tuple[str, str]:
    """The URL and the ARN of a new queue."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def make_table(cloud: Account, name: str = "orders") -> str:
    """The stream's ARN of a new table."""
    answer = cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    cloud.settle()
    arn: str = answer["TableDescription"]["LatestStreamArn"]
    return arn


@pytest.fixture
def reads(cloud: Account, role: str) -> None:
    allow(cloud, role, "sqs:*", "dynamodb:*")


def test_a_mapping_of_a_queue(cloud: Account, create: Create, reads: None) -> None:
    arn = create()["FunctionArn"]
    _, queue = make_queue(cloud)
    lambda_ = cloud.client("lambda")
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName="greeter", Enabled=True)
    uuid = made["UUID"]
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    made.pop("LastModified")
    assert made == {
        "UUID": uuid,
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": queue,
        "FunctionArn": arn,
        "State": "Creating",
        "StateTransitionReason": "USER_INITIATED",
        "FunctionResponseTypes": [],
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:{cloud.account}:event-source-mapping:{uuid}",
    }
    cloud.settle()
    assert lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Enabled"
    changed = lambda_.update_event_source_mapping(UUID=uuid, BatchSize=5, Enabled=False)
    assert (changed["State"], changed["BatchSize"]) == ("Disabling", 5)
    cloud.settle()
    assert lambda_.get_event_source_mapping(UUID=uuid)["State"] == "Disabled"
    assert lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)["State"] == "Enabling"
    cloud.settle()
    assert lambda_.update_event_source_mapping(UUID=uuid, BatchSize=6)["State"] == "Updating"
    cloud.settle()
    assert lambda_.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
    cloud.settle()
    code, message = error(lambda_.get_event_source_mapping, UUID=uuid)
    assert (code, message) == ("ResourceNotFoundException", "The resource you requested does not exist.")


def test_a_mapping_of_a_stream(cloud: Account, create: Create, reads: None) -> None:
    arn = create()["FunctionArn"]
    stream = make_table(cloud)
    lambda_ = cloud.client("lambda")
    made = lambda_.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=arn, StartingPosition="TRIM_HORIZON", MaximumRetryAttempts=1
    )
    made.pop("ResponseMetadata")
    made.pop("LastModified")
    uuid = made["UUID"]
    assert made == {
        "UUID": uuid,
        "BatchSize": 100,
        "BisectBatchOnFunctionError": False,
        "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": stream,
        "EventSourceMappingArn": f"arn:aws:lambda:us-east-1:{cloud.account}:event-source-mapping:{uuid}",
        "FunctionArn": arn,
        "FunctionResponseTypes": [],
        "LastProcessingResult": "No records processed",
        "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1,
        "MaximumRetryAttempts": 1,
        "ParallelizationFactor": 1,
        "StartingPosition": "TRIM_HORIZON",
        "State": "Creating",
        "StateTransitionReason": "User action",
        "TumblingWindowInSeconds": 0,
    }
    both = f'(" {stream} ") and function (" greeter ")'
    assert error(
        lambda_.create_event_source_mapping, EventSourceArn=stream, FunctionName=arn, StartingPosition="LATEST"
    ) == (
        "ResourceConflictException",
        f"The event source arn {both} provided mapping already exists. "
        f"Please update or delete the existing mapping with UUID {uuid}",
    )


def test_lists(cloud: Account, create: Create, reads: None) -> None:
    create()
    create("other")
    lambda_ = cloud.client("lambda")
    uuids = {}
    for number in range(3):
        _, queue = make_queue(cloud, f"queue-{number}")
        for name in ("greeter", "other"):
            made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name, Enabled=False)
            assert made["State"] == "Disabled"
            uuids[made["UUID"]] = (queue, name)
    first = lambda_.list_event_source_mappings(MaxItems=4)
    rest = lambda_.list_event_source_mappings(MaxItems=4, Marker=first["NextMarker"])
    found = [mapping["UUID"] for mapping in (*first["EventSourceMappings"], *rest["EventSourceMappings"])]
    assert found == sorted(uuids)
    assert "NextMarker" not in rest

    def listed(**request: Any) -> set[str]:
        return {mapping["UUID"] for mapping in lambda_.list_event_source_mappings(**request)["EventSourceMappings"]}

    assert listed(FunctionName="other") == {uuid for uuid, (_, name) in uuids.items() if name == "other"}
    assert listed(EventSourceArn=queue) == {uuid for uuid, (arn, _) in uuids.items() if arn == queue}
    assert len(listed(EventSourceArn=queue, FunctionName="greeter")) == 1
    assert error(lambda_.list_event_source_mappings, FunctionName="nobody")[0] == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"BatchSize": 11},
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ),
        ({"StartingPosition": "LATEST"}, "StartingPosition is not valid for SQS event sources."),
        ({"FilterCriteria": {"Filters": [{"Pattern": "simple"}]}}, "Invalid filter pattern definition."),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": '{"eventSource": "aws:sqs"}'}]}},
            "Invalid filter pattern definition.",
        ),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"body": []}'}]}}, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{"Pattern": "null"}]}}, "Invalid filter pattern definition."),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": '{"a": ["b"]}'}] * 6}},
            "The number of filters must be at most 5.",
        ),
        ({"MetricsConfig": {"Metrics": ["KafkaMetrics"]}}, "KafkaMetrics is not valid for SQS event sources."),
        (
            {"ScalingConfig": {"MaximumConcurrency": 2}, "ProvisionedPollerConfig": {"MinimumPollers": 2}},
            "ScalingConfig and ProvisionedPollerConfig cannot be used together.",
        ),
        (
            {"ProvisionedPollerConfig": {"MinimumPollers": 4, "MaximumPollers": 3}},
            "MinimumPollers must be less than or equal to MaximumPollers.",
        ),
    ],
)
def test_what_queues_do_not_know(
    cloud: Account, create: Create, reads: None, request_: dict[str, Any], message: str
) -> None:
    create()
    _, queue = make_queue(cloud)
    create_mapping = cloud.client("lambda").create_event_source_mapping
    answer = error(create_mapping, EventSourceArn=queue, FunctionName="greeter", **request_)
    assert answer == ("InvalidParameterValueException", message)


def test_fifo_queues_have_no_window(cloud: Account, create: Create, reads: None) -> None:
    create()
    _, queue = make_queue(cloud, "orders.fifo", FifoQueue="true")
    create_mapping = cloud.client("lambda").create_event_source_mapping
    request = {"EventSourceArn": queue, "FunctionName": "greeter"}
    assert error(create_mapping, **request, BatchSize=100, MaximumBatchingWindowInSeconds=5)[1] == (
        "Batching window is not supported for FIFO queues"
    )
    assert error(create_mapping, **request, BatchSize=11)[0] == "InvalidParameterValueException"


def test_a_queue_must_hide_messages_for_as_long_as_the_function_may_take(
    cloud: Account, create: Create, reads: None
) -> None:
    create(Timeout=31)
    _, queue = make_queue(cloud)
    create_mapping = cloud.client("lambda").create_event_source_mapping
    assert error(create_mapping, EventSourceArn=queue, FunctionName="greeter") == (
        "InvalidParameterValueException",
        "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
    )


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {},
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null.",
        ),
        ({"StartingPosition": "AT_TIMESTAMP"}, "Unsupported starting position for arn type: {arn}"),
        (
            {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1_741_010_802},
            "Unsupported starting position for arn type: {arn}",
        ),
        (
            {"StartingPosition": "LATEST", "StartingPositionTimestamp": 1_741_010_802},
            "StartingPositionTimestamp is only valid with AT_TIMESTAMP as StartingPosition.",
        ),
        (
            {"StartingPosition": "LATEST", "ScalingConfig": {"MaximumConcurrency": 2}},
            "ScalingConfig is not valid for DynamoDB event sources.",
        ),
        (
            {"StartingPosition": "LATEST", "MaximumRecordAgeInSeconds": 59},
            "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800.",
        ),
        (
            {
                "StartingPosition": "LATEST",
                "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:lambda:us-east-1:123456789012:function:f"}},
            },
            "The provided destination config DestinationArn is invalid: "
            "arn:aws:lambda:us-east-1:123456789012:function:f",
        ),
    ],
)
def test_what_streams_do_not_know(
    cloud: Account, create: Create, reads: None, request_: dict[str, Any], message: str
) -> None:
    create()
    stream = make_table(cloud)
    create_mapping = cloud.client("lambda").create_event_source_mapping
    answer = error(create_mapping, EventSourceArn=stream, FunctionName="greeter", **request_)
    assert answer == ("InvalidParameterValueException", message.format(arn=stream))


def test_sources_that_are_not_there(cloud: Account, create: Create, reads: None) -> None:
    create()
    create_mapping = cloud.client("lambda").create_event_source_mapping
    place = f"us-east-1:{cloud.account}"
    code, message = error(create_mapping, EventSourceArn=f"arn:aws:sqs:{place}:nothing", FunctionName="greeter")
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
        "SQS Error Message: The specified queue does not exist"
    )
    stream = f"arn:aws:dynamodb:{place}:table/nothing/stream/2025-02-22T03:03:25.490"
    request = {"EventSourceArn": stream, "FunctionName": "greeter", "StartingPosition": "LATEST"}
    assert error(create_mapping, **request) == ("InvalidParameterValueException", f"Stream not found: {stream}")
    topic = f"arn:aws:sns:{place}:news"
    assert error(create_mapping, EventSourceArn=topic, FunctionName="greeter") == (
        "InvalidParameterValueException",
        f"Unrecognized event source, must be kinesis, dynamodb stream or sqs. Unsupported source arn : {topic}",
    )
    _, queue = make_queue(cloud)
    assert error(create_mapping, EventSourceArn=queue, FunctionName="nobody") == (
        "ResourceNotFoundException",
        f"Function not found: arn:aws:lambda:{place}:function:nobody",
    )


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("kinesis:us-east-1:123456789012:stream/s", "Kinesis"),
        ("kafka:us-east-1:123456789012:cluster/c/1", "Amazon MSK"),
        ("mq:us-east-1:123456789012:broker:b:1", "Amazon MQ"),
        ("rds:us-east-1:123456789012:cluster:c", "Amazon DocumentDB"),
    ],
)
def test_sources_that_are_not_here_yet_are_refused_by_name(
    cloud: Account, create: Create, source: str, shown: str
) -> None:
    create()
    code, message = error(
        cloud.client("lambda").create_event_source_mapping,
        EventSourceArn=f"arn:aws:{source}",
        FunctionName="greeter",
        StartingPosition="LATEST",
    )
    assert code == "NotImplemented"
    assert f"the event source {shown}" in message


def test_a_cluster_of_ones_own_wants_credentials(cloud: Account, create: Create) -> None:
    create()
    request = {
        "FunctionName": "greeter",
        "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["kafka:1000"]}},
    }
    create_mapping = cloud.client("lambda").create_event_source_mapping
    assert error(create_mapping, **request)[1] == "Required 'sourceAccessConfigurations' parameter is missing."
    secret = [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s"}]
    code, message = error(create_mapping, **request, SourceAccessConfigurations=secret)
    assert (code, "self-managed Apache Kafka" in message) == ("NotImplemented", True)


def test_the_role_must_be_allowed_to_read(cloud: Account, create: Create, role: str) -> None:
    create()
    _, queue = make_queue(cloud)
    stream = make_table(cloud)
    create_mapping = cloud.client("lambda").create_event_source_mapping
    request = {"EventSourceArn": queue, "FunctionName": "greeter"}
    lacking = "The provided execution role does not have permissions to call {} on SQS"
    assert error(create_mapping, **request)[1] == lacking.format("ReceiveMessage")
    allow(cloud, role, "sqs:ReceiveMessage", "sqs:GetQueueAttributes")
    assert error(create_mapping, **request)[1] == lacking.format("DeleteMessage")
    allow(cloud, role, "sqs:DeleteMessage")
    create_mapping(**request)
    request = {"EventSourceArn": stream, "FunctionName": "greeter", "StartingPosition": "LATEST"}
    assert error(create_mapping, **request) == (
        "InvalidParameterValueException",
        f"Cannot access stream {stream}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM.",
    )
    allow(cloud, role, "dynamodb:*")
    create_mapping(**request)


def test_policies_may_name_the_function(cloud: Account, create: Create, reads: None) -> None:
    arn = create()["FunctionArn"]
    create("other")
    _, queue = make_queue(cloud)
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    statement = {
        "Effect": "Allow",
        "Action": "lambda:CreateEventSourceMapping",
        "Resource": "*",
        "Condition": {"StringEquals": {"lambda:FunctionArn": arn}},
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client("lambda", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    made = ann.create_event_source_mapping(EventSourceArn=queue, FunctionName="greeter")
    assert error(ann.create_event_source_mapping, EventSourceArn=queue, FunctionName="other")[0] == (
        "AccessDeniedException"
    )
    assert error(ann.get_event_source_mapping, UUID=made["UUID"])[0] == "AccessDeniedException"


def test_filters_can_be_sealed(cloud: Account, create: Create, reads: None) -> None:
    create()
    _, queue = make_queue(cloud)
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    lambda_ = cloud.client("lambda")
    criteria = {"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]}
    made = lambda_.create_event_source_mapping(
        EventSourceArn=queue, FunctionName="greeter", FilterCriteria=criteria, KMSKeyArn=key
    )
    cloud.settle()
    shown = lambda_.get_event_source_mapping(UUID=made["UUID"])
    assert (shown["FilterCriteria"], shown["KMSKeyArn"]) == (criteria, key)
    (listed,) = lambda_.list_event_source_mappings()["EventSourceMappings"]
    assert "FilterCriteria" not in listed
    cloud.client("kms").disable_key(KeyId=key)
    shown = lambda_.get_event_source_mapping(UUID=made["UUID"])
    assert "FilterCriteria" not in shown
    assert shown["FilterCriteriaError"]["ErrorCode"] == "DisabledException"
    cloud.client("kms").enable_key(KeyId=key)
    plain = lambda_.update_event_source_mapping(UUID=made["UUID"], KMSKeyArn="")
    assert (plain["FilterCriteria"], "KMSKeyArn" in plain) == (criteria, False)
    cloud.settle()
    empty = lambda_.update_event_source_mapping(UUID=made["UUID"], FilterCriteria={"Filters": []})
    assert "FilterCriteria" not in empty


def test_tags(cloud: Account, create: Create, reads: None) -> None:
    create()
    _, queue = make_queue(cloud)
    lambda_ = cloud.client("lambda")
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName="greeter", Tags={"a": "1"})
    arn = made["EventSourceMappingArn"]
    lambda_.tag_resource(Resource=arn, Tags={"b": "2"})
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"a": "1", "b": "2"}
    lambda_.untag_resource(Resource=arn, TagKeys=["a", "c"])
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"b": "2"}
    gone = arn.replace(made["UUID"], "00000000-0000-0000-0000-000000000000")
    assert error(lambda_.list_tags, Resource=gone) == (
        "ResourceNotFoundException",
        f"Event source mapping not found: {gone}",
    )
