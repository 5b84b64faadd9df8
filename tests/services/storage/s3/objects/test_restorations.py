"""Archived objects: refused to readers, restored for some days, in simulated time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

pytestmark = pytest.mark.usefixtures("still")

NOT_VALID = "The operation is not valid for the object's storage class"
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def restore(s3: Any, bucket: str, tier: str = "", days: int = 2, **options: Any) -> int:
    request: dict[str, Any] = {"Days": days}
    if tier:
        request["GlacierJobParameters"] = {"Tier": tier}
    answer = s3.restore_object(Bucket=bucket, Key="k", RestoreRequest=request, **options)
    status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status


def head(s3: Any, bucket: str) -> str | None:
    found: str | None = s3.head_object(Bucket=bucket, Key="k").get("Restore")
    return found


def midnight_after(cloud: Account, seconds: float) -> str:
    when = datetime.fromtimestamp(cloud.running.clock.now() + seconds, UTC)
    day = (when + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return day.strftime("%a, %d %b %Y 00:00:00 GMT")


@pytest.fixture
def put(s3: Any, bucket: str) -> Any:
    """Puts the object "k" into a class, and says where."""

    def into(storage_class: str) -> str:
        s3.put_object(Bucket=bucket, Key="k", Body=b"cold", StorageClass=storage_class)
        return bucket

    return into


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_what_is_archived_cannot_be_read(s3: Any, put: Any, storage_class: str) -> None:
    bucket = put(storage_class)
    with refused("InvalidObjectState", NOT_VALID, 403, StorageClass=storage_class):
        s3.get_object(Bucket=bucket, Key="k")
    found = s3.head_object(Bucket=bucket, Key="k")
    assert (found["StorageClass"], found["ContentLength"]) == (storage_class, 4)
    assert "Restore" not in found


@pytest.mark.parametrize(
    ("storage_class", "tier", "takes_s"),
    [
        ("GLACIER", "Expedited", 5 * MINUTE_S),
        ("GLACIER", "", 5 * HOUR_S),
        ("GLACIER", "Bulk", 12 * HOUR_S),
        ("DEEP_ARCHIVE", "Standard", 12 * HOUR_S),
        ("DEEP_ARCHIVE", "Bulk", 48 * HOUR_S),
    ],
)
def test_a_restore_takes_its_time(
    cloud: Account, s3: Any, put: Any, storage_class: str, tier: str, takes_s: int
) -> None:
    bucket = put(storage_class)
    assert restore(s3, bucket, tier) == 202
    expires = midnight_after(cloud, takes_s + 2 * DAY_S)
    assert head(s3, bucket) == 'ongoing-request="true"'
    cloud.advance(takes_s - 30)
    with refused("InvalidObjectState", NOT_VALID, 403):
        s3.get_object(Bucket=bucket, Key="k")
    cloud.advance(31)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"cold"
    assert head(s3, bucket) == f'ongoing-request="false", expiry-date="{expires}"'
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == storage_class
    cloud.advance(3 * DAY_S)
    assert head(s3, bucket) is None
    with refused("InvalidObjectState", NOT_VALID, 403):
        s3.get_object(Bucket=bucket, Key="k")


def test_more_days_and_more_speed(cloud: Account, s3: Any, put: Any) -> None:
    bucket = put("GLACIER")
    restore(s3, bucket, "Bulk")
    with refused("RestoreAlreadyInProgress", "Object restore is already in progress", 409):
        restore(s3, bucket, "Bulk")
    assert restore(s3, bucket, "Expedited") == 202
    cloud.advance(5 * MINUTE_S + 1)
    assert restore(s3, bucket, days=10) == 200
    assert head(s3, bucket) == f'ongoing-request="false", expiry-date="{midnight_after(cloud, 10 * DAY_S)}"'
    listed = s3.list_objects_v2(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"])["Contents"][0]
    assert listed["RestoreStatus"]["IsRestoreInProgress"] is False
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/k")
    cloud.advance(5 * DAY_S)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"cold"


def test_what_restores_refuse(s3: Any, put: Any) -> None:
    bucket = put("STANDARD_IA")
    text = "Restore is not allowed for the object's current storage class"
    with refused("InvalidObjectState", text, 403, StorageClass="STANDARD_IA"):
        restore(s3, bucket)
    put("DEEP_ARCHIVE")
    with refused("InvalidArgument", "Retrieval option is not supported by this storage class"):
        restore(s3, bucket, "Expedited")
    with refused("MalformedXML"):
        s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={})
    with refused("NotImplemented", status=501):
        s3.restore_object(Bucket=bucket, Key="k", RestoreRequest={"Days": 1, "Type": "SELECT"})
    with refused("NoSuchKey", status=404, Key="other"):
        s3.restore_object(Bucket=bucket, Key="other", RestoreRequest={"Days": 1})


def test_events_of_a_restore(cloud: Account, s3: Any, put: Any) -> None:
    bucket = put("GLACIER")
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{bucket}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{cloud.account}:queue-{bucket}"
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", '
        f'"Resource": "{arn}"}}]}}'
    )
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectRestore:*"]}]},
    )
    restore(s3, bucket, "Expedited", days=1)
    cloud.advance(5 * MINUTE_S + 1)
    cloud.advance(3 * DAY_S)
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        bodies += [message["Body"] for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    told = [name for name in ("Post", "Completed", "Delete") if any(f"ObjectRestore:{name}" in body for body in bodies)]
    assert told == ["Post", "Completed", "Delete"]
