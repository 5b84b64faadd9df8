"""Notification configurations: what is kept, what is refused, and the test event."""

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


@pytest.fixture
def queue(cloud: Account, bucket: str) -> tuple[str, str]:
    """URL and ARN of a queue that S3 may send to for the bucket."""
    return open_queue(cloud, bucket, "events")


def open_queue(cloud: Account, bucket: str, name: str) -> tuple[str, str]:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{cloud.account}:{name}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "s3.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {
                    "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"},
                    "StringEquals": {"aws:SourceAccount": cloud.account},
                },
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    return url, arn


def configure(s3: Any, bucket: str, *entries: dict[str, Any], kind: str = "Queue", **options: Any) -> None:
    document = {f"{kind}Configurations": list(entries)}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=document, **options)


def entry(arn: str, *events: str, rules: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"QueueArn": arn, "Events": list(events or ("s3:ObjectCreated:*",)), **more}
    if rules is not None:
        found["Filter"] = {"Key": {"FilterRules": [{"Name": name, "Value": value} for name, value in rules.items()]}}
    return found


def messages(cloud: Account, url: str) -> list[Any]:
    received = cloud.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(message["Body"]) for message in received]


def test_a_configuration_is_kept_and_tried(cloud: Account, s3: Any, bucket: str, queue: tuple[str, str]) -> None:
    url, arn = queue
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)
    configure(s3, bucket, entry(arn, rules={"suffix": "", "prefix": "in/"}))
    (kept,) = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert kept.pop("Id")
    assert kept == {
        "QueueArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Suffix", "Value": ""}, {"Name": "Prefix", "Value": "in/"}]}},
    }
    (told,) = messages(cloud, url)
    assert {name: told[name] for name in ("Service", "Event", "Bucket")} == {
        "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket,
    }  # fmt: skip
    assert set(told) == {"Service", "Event", "Time", "Bucket", "RequestId", "HostId"}
    configure(s3, bucket)
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_a_topic_gets_the_test_event_with_its_subject(
    cloud: Account, s3: Any, bucket: str, queue: tuple[str, str]
) -> None:
    sns = cloud.client("sns")
    topic = sns.create_topic(Name="events")["TopicArn"]
    target = {"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"], "Id": "mine"}
    allow = {"Effect": "Allow", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:*", "Resource": topic}
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [allow]}))
    denied = "Permissions on the destination topic do not allow S3 to publish notifications from this bucket"
    text = "Unable to validate the following destination configurations"
    with refused("InvalidArgument", text, ArgumentName=topic, ArgumentValue=denied):
        configure(s3, bucket, target, kind="Topic")
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [allow]}))
    url = cloud.client("sqs").create_queue(QueueName="subscribed")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{cloud.account}:subscribed"
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Statement": [allow]})
    cloud.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    configure(s3, bucket, target, kind="Topic")
    cloud.settle()
    (told,) = messages(cloud, url)
    assert told["Subject"] == "Amazon S3 Notification"
    assert json.loads(told["Message"])["Event"] == "s3:TestEvent"
    assert s3.get_bucket_notification_configuration(Bucket=bucket)["TopicConfigurations"][0]["Id"] == "mine"


def test_destinations_are_validated(cloud: Account, s3: Any, bucket: str, queue: tuple[str, str]) -> None:
    text = "Unable to validate the following destination configurations"
    gone = [f"arn:aws:sqs:us-east-1:{cloud.account}:{name}" for name in ("gone", "gone-2")]
    missing = "The destination queue does not exist"
    with refused("InvalidArgument", text, ArgumentName=gone[0], ArgumentValue=missing):
        configure(s3, bucket, entry(gone[0]))
    with refused(
        "InvalidArgument", text,
        ArgumentName1=gone[0], ArgumentValue1=missing, ArgumentName2=gone[1], ArgumentValue2=missing,
    ):  # fmt: skip
        configure(s3, bucket, entry(gone[0], rules={"prefix": "a"}), entry(gone[1], rules={"prefix": "b"}))
    configure(s3, bucket, entry(gone[0]), SkipDestinationValidation=True)
    closed = cloud.client("sqs").create_queue(QueueName="closed")["QueueUrl"]
    assert closed
    denied = "Permissions on the destination queue do not allow S3 to publish notifications from this bucket"
    arn = f"arn:aws:sqs:us-east-1:{cloud.account}:closed"
    with refused("InvalidArgument", text, ArgumentName=arn, ArgumentValue=denied):
        configure(s3, bucket, entry(arn))
    with refused("InvalidArgument", text, ArgumentValue="FIFO SQS queues are not supported."):
        configure(s3, bucket, entry(f"{arn}.fifo"))


def test_arns_are_read_before_anything_is_tried(s3: Any, bucket: str) -> None:
    text = "The ARN could not be parsed"
    with refused("InvalidArgument", text, ArgumentName="Queue", ArgumentValue="invalid_arn"):
        configure(s3, bucket, entry("invalid_arn", rules={"prefix": "a"}), entry("other", rules={"prefix": "b"}))
    with refused("InvalidArgument", text, ArgumentName="Topic", ArgumentValue="arn:aws:sqs:us-east-1:1:queue"):
        target = {"TopicArn": "arn:aws:sqs:us-east-1:1:queue", "Events": ["s3:ObjectCreated:*"]}
        configure(s3, bucket, target, kind="Topic", SkipDestinationValidation=True)
    text = "The notification destination service region is not valid for the bucket location constraint"
    with refused("InvalidArgument", text):
        configure(s3, bucket, entry("arn:aws:sqs:eu-west-1:111122223333:queue"))


def test_what_does_not_exist_yet_is_refused_by_name(s3: Any, bucket: str) -> None:
    with refused("NotImplemented", status=501):
        wanted: Any = {"EventBridgeConfiguration": {}}
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=wanted)


@pytest.mark.parametrize(
    ("rules", "code", "message"),
    [
        ([{"Name": "INVALID", "Value": "x"}], "InvalidArgument", "filter rule name must be either prefix or suffix"),
        ([{"Name": "prefix"}], "MalformedXML", MALFORMED),
        ([{"Value": "x"}], "MalformedXML", MALFORMED),
        ([{}], "MalformedXML", MALFORMED),
        ([{"Name": "prefix", "Value": "a"}, {"Name": "Prefix", "Value": "b"}], "InvalidArgument",
         "Cannot specify more than one prefix rule in a filter."),
        ([{"Name": "suffix", "Value": "a"}, {"Name": "suffix", "Value": "b"}], "InvalidArgument",
         "Cannot specify more than one suffix rule in a filter."),
        ([{"Name": "suffix", "Value": "é" * 513}], "InvalidArgument",
         "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"),
    ],
)  # fmt: skip
def test_filters_are_held(
    s3: Any, bucket: str, queue: tuple[str, str], rules: list[dict[str, str]], code: str, message: str
) -> None:
    with refused(code, message):
        configure(s3, bucket, {**entry(queue[1]), "Filter": {"Key": {"FilterRules": rules}}})


AMBIGUOUS = (
    "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are "
    "overlapping for the same event type."
)


def test_overlapping_rules(s3: Any, bucket: str, queue: tuple[str, str]) -> None:
    arn = queue[1]
    put = "s3:ObjectCreated:Put"
    for other in (
        entry(arn, put), entry(arn, put, rules={"prefix": "images/x"}), entry(arn, rules={"suffix": ".jpg"}),
        entry(arn, put, rules={"prefix": "images", "suffix": "pg"}),
    ):  # fmt: skip
        with refused("InvalidArgument", AMBIGUOUS):
            configure(s3, bucket, entry(arn, rules={"prefix": "images/", "suffix": "jpg"}), other)
    for other in (
        entry(arn, "s3:ObjectRemoved:*"), entry(arn, put, rules={"prefix": "videos/"}),
        entry(arn, put, rules={"suffix": "png"}),
    ):  # fmt: skip
        configure(s3, bucket, entry(arn, rules={"prefix": "images/", "suffix": "jpg"}), other)
    with refused("InvalidArgument", "Same ID used for multiple configurations. IDs must be unique"):
        configure(s3, bucket, entry(arn, Id="a"), entry(arn, "s3:ObjectRemoved:*", Id="a"))
    with refused("InvalidArgument", "A specified event is not supported for notifications."):
        configure(s3, bucket, entry(arn, "s3:ObjectEaten:Whole"))


def test_destinations_are_looked_at_before_what_rules_are_together(cloud: Account, bucket: str) -> None:
    arns = [f"arn:aws:sqs:us-east-1:{cloud.account}:nobody-{number}" for number in (1, 2)]
    wanted = [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]} for arn in ("not-an-arn", arns[0])]
    s3 = cloud.client("s3")
    with refused("InvalidArgument", "The ARN could not be parsed", ArgumentName="Queue", ArgumentValue="not-an-arn"):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": wanted}
        )
    wanted = [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]} for arn in arns]
    with refused(
        "InvalidArgument",
        "Unable to validate the following destination configurations",
        ArgumentName1=arns[0],
        ArgumentValue2="The destination queue does not exist",
    ):
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": wanted}
        )
