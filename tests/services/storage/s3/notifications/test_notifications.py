"""What queues are told of objects: the records, member by member."""

import re
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.notifications.test_notification_configurations import (
    configure,
    entry,
    messages,
    open_queue,
)


@pytest.fixture
def told(cloud: Account, s3: Any, bucket: str) -> Any:
    """Configures a queue for events; gives a function that reads what it got."""
    url, arn = open_queue(cloud, bucket, "told")

    def listen(*events: str, **rules: str) -> Any:
        configure(s3, bucket, entry(arn, *events, rules=rules or None, Id="conf"))
        messages(cloud, url)
        return read

    def read() -> list[dict[str, Any]]:
        cloud.settle()
        return [record for message in messages(cloud, url) for record in message["Records"]]

    return listen


def test_a_record_says_who_did_what(cloud: Account, s3: Any, bucket: str, told: Any) -> None:
    read = told("s3:ObjectCreated:*")
    answer = s3.put_object(Bucket=bucket, Key="a folder/é+.txt", Body=b"something")
    (record,) = read()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("eventTime"))
    assert re.fullmatch(r"[0-9A-F]{18}", record["s3"]["object"].pop("sequencer"))
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert record.pop("responseElements")["x-amz-request-id"] == request_id
    owner = record["s3"]["bucket"].pop("ownerIdentity")["principalId"]
    assert record.pop("userIdentity") == {"principalId": f"AWS:{owner}"}
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "conf",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": "a+folder/%C3%A9%2B.txt", "size": 9, "eTag": "437b930db84b8079c2dd804a71936b5f"},
        },
    }


def test_filters_choose(s3: Any, bucket: str, told: Any) -> None:
    read = told("s3:ObjectCreated:Put", prefix="in/", suffix=".jpg")
    for key in ("in/a.jpg", "in/a.png", "out/a.jpg", "in/large.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * (100_000 if "large" in key else 1))
    assert sorted(record["s3"]["object"]["key"] for record in read()) == ["in/a.jpg", "in/large.jpg"]


def test_deletes_and_versions(s3: Any, bucket: str, told: Any) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    read = told("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    found = {record["eventName"]: record["s3"]["object"] for record in read()}
    assert [found[name].get("versionId") for name in (
        "ObjectCreated:Put", "ObjectRemoved:DeleteMarkerCreated", "ObjectRemoved:Delete",
    )] == [version, marker, version]  # fmt: skip
    assert found["ObjectRemoved:DeleteMarkerCreated"]["eTag"] == "d41d8cd98f00b204e9800998ecf8427e"
    assert set(found["ObjectRemoved:Delete"]) == {"key", "versionId", "sequencer"}
    order = [found[name]["sequencer"] for name in found]
    assert len(set(order)) == 3


def test_tags_and_acls(s3: Any, bucket: str, told: Any) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"something")
    read = told("s3:ObjectTagging:*", "s3:ObjectAcl:Put")
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.delete_object_tagging(Bucket=bucket, Key="k")
    s3.put_object_acl(Bucket=bucket, Key="k", ACL="bucket-owner-full-control")
    found = {record["eventName"]: record for record in read()}
    assert set(found) == {"ObjectTagging:Put", "ObjectTagging:Delete", "ObjectAcl:Put"}
    for record in found.values():
        assert record["eventVersion"] == "2.3"
        assert record["s3"]["object"] == {"eTag": "437b930db84b8079c2dd804a71936b5f", "key": "k"}


def test_other_ways_to_make_an_object(s3: Any, bucket: str, told: Any) -> None:
    read = told("s3:ObjectCreated:*")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"x" * 6144)
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    (record,) = read()
    assert (record["eventName"], record["s3"]["object"]["size"]) == ("ObjectCreated:CompleteMultipartUpload", 6144)
    assert record["s3"]["object"]["eTag"].endswith("-1")
