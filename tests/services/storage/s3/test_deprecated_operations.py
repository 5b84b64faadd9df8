"""The operations that botocore still has of S3's first years: the newer ones answer them, on the same paths."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cumulo.core import coverage
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.notifications.test_notification_configurations import open_queue

OLD_RULE = {
    "ID": "old", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 90},
    "Transition": {"Days": 30, "StorageClass": "STANDARD_IA"},
    "NoncurrentVersionTransition": {"NoncurrentDays": 30, "StorageClass": "GLACIER"},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 60},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}  # fmt: skip


def test_lifecycle_rules_of_old(s3: Any, bucket: str) -> None:
    s3.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [OLD_RULE]})
    assert s3.get_bucket_lifecycle(Bucket=bucket)["Rules"] == [OLD_RULE]
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Transitions"] == [OLD_RULE["Transition"]]
    assert rule["NoncurrentVersionTransitions"] == [OLD_RULE["NoncurrentVersionTransition"]]
    assert (rule["Prefix"], rule["Expiration"]) == ("logs/", {"Days": 90})
    at = datetime(2100, 1, 1, tzinfo=UTC)
    s3.put_bucket_lifecycle(
        Bucket=bucket,
        LifecycleConfiguration={"Rules": [{"Prefix": "", "Status": "Disabled", "Expiration": {"Date": at}}]},
    )
    assert s3.get_bucket_lifecycle(Bucket=bucket)["Rules"][0]["Expiration"] == {"Date": at}
    with refused("InvalidArgument", "'Days' for Expiration action must be a positive integer"):
        wrong = {**OLD_RULE, "Expiration": {"Days": 0}}
        s3.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [wrong]})


def test_objects_expire_by_an_old_rule(s3: Any, bucket: str) -> None:
    rule = {"ID": "old", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 1}}
    s3.put_bucket_lifecycle(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
    assert 'rule-id="old"' in s3.put_object(Bucket=bucket, Key="logs/a", Body=b"x")["Expiration"]


@pytest.mark.parametrize("events", [{"Event": "s3:ObjectCreated:*"}, {"Events": ["s3:ObjectCreated:*"]}])
def test_a_notification_of_old(cloud: Account, s3: Any, bucket: str, events: dict[str, Any]) -> None:
    url, arn = open_queue(cloud, bucket, "events")
    wanted = {"QueueConfiguration": {"Id": "q", "Queue": arn, **events}}
    s3.put_bucket_notification(Bucket=bucket, NotificationConfiguration=wanted)
    found = s3.get_bucket_notification(Bucket=bucket)["QueueConfiguration"]
    assert (found["Id"], found["Queue"], found["Events"]) == ("q", arn, ["s3:ObjectCreated:*"])
    (newer,) = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    assert newer == {"Id": "q", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    cloud.settle()
    sqs = cloud.client("sqs")
    bodies = [
        json.loads(each["Body"]) for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    assert [record["eventName"] for each in bodies for record in each.get("Records", ())] == ["ObjectCreated:Put"]
    s3.put_bucket_notification(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfiguration" not in s3.get_bucket_notification(Bucket=bucket)


def test_coverage_tells_who_answers(cloud: Account) -> None:
    registry = cloud.running.cloud.runtime.registry
    rows = {row["operation"]: row for row in coverage.of_service(registry.service("s3"))}
    assert rows["PutBucketLifecycle"]["source"] == rows["PutBucketLifecycleConfiguration"]["source"]
    assert rows["GetBucketNotification"]["real"]
    assert "the same request as PutBucketNotificationConfiguration" in coverage.explain(
        registry, "s3", "PutBucketNotification"
    )
