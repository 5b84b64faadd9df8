"""UpdateObjectEncryption: objects get under KMS keys and stay what they are."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.encryption.test_object_encryption import KEY, at_rest, body, make_key

KEPT = ("ETag", "LastModified", "Metadata", "ContentType", "ContentLength", "ChecksumCRC32")


def wanted(key: str, **more: Any) -> dict[str, Any]:
    return {"SSEKMS": {"KMSKeyArn": key, **more}}


def update(s3: Any, bucket: str, wanted: dict[str, Any], **more: Any) -> None:
    s3.update_object_encryption(**{"Bucket": bucket, "Key": "k", **more}, ObjectEncryption=wanted)


@pytest.mark.parametrize("size", [0, 40, 5000, 9000, 200_000])
def test_from_s3_s_keys_to_kms(cloud: Account, s3: Any, bucket: str, size: int) -> None:
    first, second, data = make_key(cloud), make_key(cloud), body(size)
    s3.put_object(Bucket=bucket, Key="k", Body=data, Metadata={"m": "1"}, ContentType="a/b")
    before = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    cloud.advance(5)
    for key, shared in ((first, False), (second, True), (second, False)):
        update(s3, bucket, wanted(key, BucketKeyEnabled=shared) if shared else wanted(key))
        got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert got["Body"].read() == data
        assert (got["ServerSideEncryption"], got["SSEKMSKeyId"]) == ("aws:kms", key)
        assert got.get("BucketKeyEnabled", False) is shared
        assert {name: got[name] for name in KEPT} == {name: before[name] for name in KEPT}
    cloud.client("kms").disable_key(KeyId=second)
    with refused("KMS.DisabledException"):
        s3.get_object(Bucket=bucket, Key="k")
    cloud.client("kms").enable_key(KeyId=second)
    cloud.client("kms").disable_key(KeyId=first)  # which nothing is under any more
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data


def test_an_object_in_parts(cloud: Account, s3: Any, bucket: str) -> None:
    key = make_key(cloud)
    place = {"Bucket": bucket, "Key": "k"}
    upload = {**place, "UploadId": s3.create_multipart_upload(**place)["UploadId"]}
    pieces = [os.urandom(5 * 1024**2), os.urandom(100)]
    parts = [
        {"PartNumber": number, "ETag": s3.upload_part(**upload, PartNumber=number, Body=data)["ETag"]}
        for number, data in enumerate(pieces, 1)
    ]
    etag = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})["ETag"]
    update(s3, bucket, wanted(key))
    got = s3.get_object(**place)
    assert (got["Body"].read(), got["ETag"], got["SSEKMSKeyId"]) == (b"".join(pieces), etag, key)
    second = s3.get_object(**place, PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (pieces[1], 2)
    cloud.settle()
    assert pieces[1] not in at_rest(cloud.running.settings.data_dir / "blobs")
    s3.copy_object(**{**place, "Key": "copy"}, CopySource=place)
    s3.delete_object(**place)
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"".join(pieces)


def test_a_version(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second = [s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"] for _ in range(2)]
    update(s3, bucket, wanted(make_key(cloud)), VersionId=first)
    shown = [s3.head_object(Bucket=bucket, Key="k", VersionId=each)["ServerSideEncryption"] for each in (first, second)]
    assert shown == ["aws:kms", "AES256"]


def test_archived_objects_stay_where_they_are(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=body(20_000), StorageClass="GLACIER")
    update(s3, bucket, wanted(make_key(cloud)))
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["StorageClass"], head["ServerSideEncryption"]) == ("GLACIER", "aws:kms")
    with refused("InvalidObjectState", status=403):
        s3.get_object(Bucket=bucket, Key="k")


def test_what_cannot_be_updated(cloud: Account, s3: Any, bucket: str) -> None:
    key = make_key(cloud)
    with refused("NoSuchKey", status=404):
        update(s3, bucket, wanted(key))
    source = (
        "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or "
        "SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported."
    )
    for more in ({"ServerSideEncryption": "aws:kms:dsse"}, {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **more)
        with refused("InvalidRequest", source):
            update(s3, bucket, wanted(key))
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for wrong in (key.rpartition("/")[2], f"arn:aws:kms:us-east-1:{cloud.account}:alias/mine"):
        with refused(
            "InvalidRequest",
            "Requests that modify an object's encryption type to SSE-KMS require a valid AWS KMS key Amazon Resource "
            "Name (ARN). Confirm that you have a correctly formatted KMS key ARN in your request, and then try again.",
        ):
            update(s3, bucket, wanted(wrong))
    with refused(
        "InvalidRequest",
        "Requests that modify an object's encryption type to SSE-KMS require an AWS KMS key Amazon Resource Name "
        "(ARN). Modify the request to specify a KMS key ARN, and then try again.",
    ):
        update(s3, bucket, wanted(""))
    with refused(
        "InvalidRequest",
        "Requests that modify an object encryption configuration require a valid new encryption type. Valid values are "
        "SSEKMS. Modify the request to specify SSE-KMS for the updated encryption type, and then try again.",
    ):
        update(s3, bucket, {})
    with refused(
        "AccessDenied",
        "The AWS KMS key in the request must be owned by the same account as the bucket. Modify the request to specify "
        "a KMS key from the same account, and then try again.",
        403,
    ):
        update(s3, bucket, wanted(make_key(cloud.another())))
    with refused("KMS.NotFoundException"):
        update(s3, bucket, wanted(f"arn:aws:kms:us-east-1:{cloud.account}:key/00000000-0000-4000-8000-000000000000"))


def test_old_signatures_are_not_enough(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    old = boto3.client(
        "s3", endpoint_url=cloud.running.url, region_name="us-east-1", aws_access_key_id=cloud.account,
        aws_secret_access_key="test", config=Config(signature_version="s3", s3={"addressing_style": "path"}),
    )  # fmt: skip
    with refused(
        "InvalidRequest",
        "Requests that modify an object encryption configuration require AWS Signature Version 4. Modify the request "
        "to use AWS Signature Version 4, and then try again.",
    ):
        update(old, bucket, wanted(make_key(cloud)))


def test_locked_objects(cloud: Account, s3: Any, new_bucket: Any) -> None:
    bucket, key = new_bucket(ObjectLockEnabledForBucket=True), make_key(cloud)
    until = datetime(2100, 1, 1, tzinfo=UTC)
    for lock in (
        {"ObjectLockLegalHoldStatus": "ON"},
        {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until},
    ):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", **lock)
        with refused("AccessDenied", status=403):
            update(s3, bucket, wanted(key))


def test_rights(cloud: Account, s3: Any, bucket: str) -> None:
    key, iam = make_key(cloud), cloud.client("iam")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    iam.create_user(UserName="u")
    made = iam.create_access_key(UserName="u")["AccessKey"]
    theirs = cloud.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)

    for actions in (("s3:PutObject", "s3:GetObject", "kms:*"), ("s3:UpdateObjectEncryption",)):
        allow(*actions)
        with refused("AccessDenied", status=403):
            update(theirs, bucket, wanted(key))
    allow("s3:UpdateObjectEncryption", "kms:GenerateDataKey", "kms:Decrypt")
    update(theirs, bucket, wanted(key))
