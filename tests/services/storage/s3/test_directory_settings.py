"""Directory buckets: their encryption under one key, their lifecycle rules, inventories and metrics."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.lifecycles.test_lifecycle_runs import days_pass
from tests.services.storage.s3.test_directory_buckets import (
    CONFIGURATION,
    NO_SESSION,
    client,
    directory,
    new_name,
    s3,
    user,
)

__all__ = ["directory", "s3"]

UNTOUCHED = {"SSEAlgorithm": "AES256"}


def encrypted(key: str, **more: Any) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", **({"KMSMasterKeyID": key} if key else {})}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, **more}]}


@pytest.fixture
def key(cloud: Account) -> str:
    arn: str = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


@pytest.fixture
def sealed(s3: Any, directory: str, key: str) -> str:
    s3.put_bucket_encryption(Bucket=directory, ServerSideEncryptionConfiguration=encrypted(key))
    return directory


def context_of(cloud: Account, bucket: str) -> str:
    arn = f"arn:aws:s3express:us-east-1:{cloud.account}:bucket/{bucket}"
    return base64.b64encode(json.dumps({"aws:s3express:arn": arn}).encode()).decode()


def test_the_default_encryption(s3: Any, directory: str, key: str) -> None:
    def rule() -> dict[str, Any]:
        found: dict[str, Any] = s3.get_bucket_encryption(Bucket=directory)["ServerSideEncryptionConfiguration"]
        return found["Rules"][0]  # type: ignore[no-any-return]

    assert rule() == {"ApplyServerSideEncryptionByDefault": UNTOUCHED, "BucketKeyEnabled": False}
    s3.put_bucket_encryption(Bucket=directory, ServerSideEncryptionConfiguration=encrypted(key))
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule() == {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    s3.delete_bucket_encryption(Bucket=directory)
    assert rule()["ApplyServerSideEncryptionByDefault"] == UNTOUCHED


def test_what_is_no_default_of_a_directory_bucket(cloud: Account, s3: Any, sealed: str, key: str) -> None:
    def put(configuration: dict[str, Any]) -> None:
        s3.put_bucket_encryption(Bucket=sealed, ServerSideEncryptionConfiguration=configuration)

    kms = cloud.client("kms")
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    for wrong in ("", "alias/mine", f"arn:aws:kms:us-east-1:{cloud.account}:alias/mine"):
        with refused("InvalidRequest", "Directory buckets need the key ID or the ARN of a customer managed KMS key."):
            put(encrypted(wrong))
    with refused("InvalidRequest", "The customer managed key of a directory bucket cannot be changed."):
        put(encrypted(kms.create_key()["KeyMetadata"]["KeyId"]))
    with refused("InvalidRequest", "S3 Bucket Keys cannot be disabled in directory buckets."):
        put(encrypted(key, BucketKeyEnabled=False))
    with refused("KMS.NotFoundException"):
        put(encrypted("00000000-0000-4000-8000-000000000000"))
    with refused("InvalidRequest", "Directory buckets can be encrypted with AES256 and aws:kms."):
        put({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse"}}]})
    with refused("InvalidArgument"):
        put({"Rules": [{"ApplyServerSideEncryptionByDefault": {**UNTOUCHED, "KMSMasterKeyID": key}}]})
    with refused("InvalidRequest", "Directory buckets have no blocked encryption types."):
        put({"Rules": [{"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}]})
    s3.delete_bucket_encryption(Bucket=sealed)
    put(encrypted(key.rpartition("/")[2]))  # the same key may come back


def test_aws_own_key_is_none(cloud: Account, s3: Any, directory: str, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption="aws:kms")
    with refused("InvalidRequest", "Directory buckets need the key ID or the ARN of a customer managed KMS key."):
        configuration = encrypted(put["SSEKMSKeyId"])
        s3.put_bucket_encryption(Bucket=directory, ServerSideEncryptionConfiguration=configuration)


def test_objects_are_sealed_under_the_bucket_s_key(cloud: Account, s3: Any, sealed: str, key: str) -> None:
    shown = ("aws:kms", key, True)
    put = s3.put_object(Bucket=sealed, Key="k", Body=b"secret", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    got = s3.get_object(Bucket=sealed, Key="k")
    assert got["Body"].read() == b"secret"
    for answer in (put, got, s3.put_object(Bucket=sealed, Key="j", Body=b"x" * 100_000)):
        assert (answer["ServerSideEncryption"], answer["SSEKMSKeyId"], answer["BucketKeyEnabled"]) == shown
    assert s3.get_object(Bucket=sealed, Key="j")["Body"].read() == b"x" * 100_000
    begun = s3.create_multipart_upload(Bucket=sealed, Key="parts")
    assert (begun["ServerSideEncryption"], begun["SSEKMSKeyId"]) == ("aws:kms", key)
    place = {"Bucket": sealed, "Key": "parts", "UploadId": begun["UploadId"]}
    part = s3.upload_part(**place, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert s3.get_object(Bucket=sealed, Key="parts")["Body"].read() == b"part"
    cloud.client("kms").disable_key(KeyId=key)
    cloud.advance(301)  # so long a bucket's key is good
    with refused("KMS.DisabledException"):
        client(cloud, config=NO_SESSION).get_object(Bucket=sealed, Key="k")


def test_copies_may_choose(cloud: Account, s3: Any, sealed: str, key: str, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")
    source = {"Bucket": bucket, "Key": "k"}
    copy = s3.copy_object(Bucket=sealed, Key="a", CopySource=source)
    assert (copy["ServerSideEncryption"], copy["SSEKMSKeyId"]) == ("aws:kms", key)
    assert "BucketKeyEnabled" not in copy
    assert s3.get_object(Bucket=sealed, Key="a")["Body"].read() == b"text"
    plain = s3.copy_object(Bucket=sealed, Key="b", CopySource=source, ServerSideEncryption="AES256")
    assert plain["ServerSideEncryption"] == "AES256"
    other = new_name(cloud)
    s3.create_bucket(Bucket=other, CreateBucketConfiguration=CONFIGURATION)
    with refused("InvalidRequest", "The directory bucket has no customer managed key for SSE-KMS."):
        s3.copy_object(Bucket=other, Key="k", CopySource=source, ServerSideEncryption="aws:kms")


def test_a_session_has_settings(cloud: Account, s3: Any, sealed: str, key: str) -> None:
    begun = s3.create_session(Bucket=sealed)
    assert (begun["ServerSideEncryption"], begun["SSEKMSKeyId"], begun["BucketKeyEnabled"]) == ("aws:kms", key, True)
    said = {"SSEKMSKeyId": key, "SSEKMSEncryptionContext": context_of(cloud, sealed), "BucketKeyEnabled": True}
    again = s3.create_session(Bucket=sealed, ServerSideEncryption="aws:kms", **said)
    assert again["SSEKMSEncryptionContext"] == said["SSEKMSEncryptionContext"]
    plain = s3.create_session(Bucket=sealed, ServerSideEncryption="AES256")
    assert plain["ServerSideEncryption"] == "AES256"
    keys = plain["Credentials"]
    express = client(
        cloud, config=NO_SESSION, aws_access_key_id=keys["AccessKeyId"], aws_session_token=keys["SessionToken"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )  # fmt: skip
    assert express.put_object(Bucket=sealed, Key="k", Body=b"x")["ServerSideEncryption"] == "AES256"
    with refused("InvalidRequest"):
        express.put_object(Bucket=sealed, Key="k", Body=b"x", ServerSideEncryption="aws:kms")


def test_what_no_session_can_have(cloud: Account, s3: Any, sealed: str, key: str) -> None:
    def begin(**said: Any) -> None:
        s3.create_session(Bucket=sealed, **{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key, **said})

    other = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    with refused("InvalidRequest", "The KMS key must be the customer managed key of the directory bucket."):
        begin(SSEKMSKeyId=other)
    with refused("InvalidRequest", "S3 Bucket Keys cannot be disabled in directory buckets."):
        begin(BucketKeyEnabled=False)
    for wrong in ("no base64", context_of(cloud, "another")):
        with refused("InvalidRequest", "The encryption context must be the ARN of the directory bucket."):
            begin(SSEKMSEncryptionContext=wrong)
    with refused("InvalidArgument", "The encryption method specified is not supported"):
        begin(ServerSideEncryption="aws:kms:dsse")
    with refused("InvalidArgument"):
        begin(ServerSideEncryption="AES256")
    with refused("InvalidRequest"):
        s3.create_session(Bucket=sealed, ServerSideEncryption="aws:kms")
    s3.delete_bucket_encryption(Bucket=sealed)
    with refused("InvalidRequest"):
        begin()


def test_a_session_needs_the_key(cloud: Account, sealed: str) -> None:
    with refused("AccessDenied", status=403):
        user(cloud, "s3express:CreateSession")().create_session(Bucket=sealed, SessionMode="ReadWrite")
    user(cloud, "s3express:CreateSession", "kms:GenerateDataKey")().put_object(Bucket=sealed, Key="k", Body=b"x")


def test_settings_are_the_owner_s(cloud: Account, s3: Any, directory: str) -> None:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "s3express:*", "Resource": "*"}
    arn = f"arn:aws:s3express:us-east-1:{cloud.account}:bucket/{directory}"
    policy = {"Version": "2012-10-17", "Statement": [{**everything, "Resource": arn}]}
    policy["Statement"][0]["Principal"] = {"AWS": cloud.another().account}  # type: ignore[index]
    s3.put_bucket_policy(Bucket=directory, Policy=json.dumps(policy))
    with refused("AccessDenied", status=403):
        client(cloud.another()).get_bucket_encryption(Bucket=directory)
    with refused("AccessDenied", status=403):
        user(cloud, "s3:*")().get_bucket_lifecycle_configuration(Bucket=directory)
    with refused("NoSuchLifecycleConfiguration", status=404):
        user(cloud, "s3express:*")().get_bucket_lifecycle_configuration(Bucket=directory)


def test_rules_expire_objects_and_abort_uploads(cloud: Account, directory: str) -> None:
    s3 = client(cloud, config=NO_SESSION)  # whose keys outlive five minutes
    rule = {
        "ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 3},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }  # fmt: skip
    put = s3.put_bucket_lifecycle_configuration(Bucket=directory, LifecycleConfiguration={"Rules": [rule]})
    assert "TransitionDefaultMinimumObjectSize" not in put
    assert s3.get_bucket_lifecycle_configuration(Bucket=directory)["Rules"] == [rule]
    for key in ("logs/a", "kept"):
        assert s3.put_object(Bucket=directory, Key=key, Body=b"x")["Expiration"] == "NotImplemented"
    begun = s3.create_multipart_upload(Bucket=directory, Key="logs/b")
    assert "AbortDate" not in begun
    days_pass(cloud, 2, lambda: "Uploads" not in s3.list_multipart_uploads(Bucket=directory))
    assert s3.list_objects_v2(Bucket=directory)["KeyCount"] == 2
    days_pass(cloud, 2, lambda: s3.list_objects_v2(Bucket=directory)["KeyCount"] == 1)
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=directory)["Contents"]] == ["kept"]
    s3.delete_bucket_lifecycle(Bucket=directory)
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=directory)


@pytest.mark.parametrize(
    ("member", "rule"),
    [
        ("Prefix", {"Prefix": "a/", "Expiration": {"Days": 1}}),
        ("Transition", {"Filter": {}, "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}),
        (
            "NoncurrentVersionTransition",
            {"Filter": {}, "NoncurrentVersionTransitions": [{"NoncurrentDays": 30, "StorageClass": "GLACIER"}]},
        ),
        ("NoncurrentVersionExpiration", {"Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}),
        ("Date", {"Filter": {}, "Expiration": {"Date": "2100-01-01T00:00:00Z"}}),
        ("ExpiredObjectDeleteMarker", {"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}}),
        ("Tag", {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}}),
    ],
)
def test_what_rules_cannot_say(s3: Any, directory: str, member: str, rule: dict[str, Any]) -> None:
    with refused("InvalidRequest", f"{member} is not supported for directory bucket lifecycle configurations."):
        rules = {"Rules": [{"Status": "Enabled", **rule}]}
        s3.put_bucket_lifecycle_configuration(Bucket=directory, LifecycleConfiguration=rules)


def test_rules_know_no_smallest_size(s3: Any, directory: str) -> None:
    rule = {"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 1}}
    with refused("InvalidRequest"):
        s3.put_bucket_lifecycle_configuration(
            Bucket=directory,
            LifecycleConfiguration={"Rules": [rule]},
            TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        )


def test_an_upload_is_aborted_if_it_began_then(s3: Any, directory: str, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=directory, Key="k")["UploadId"]
    place = {"Bucket": directory, "Key": "k", "UploadId": upload}
    begun = s3.list_multipart_uploads(Bucket=directory)["Uploads"][0]["Initiated"]
    with refused("PreconditionFailed", status=412):
        s3.abort_multipart_upload(**place, IfMatchInitiatedTime=begun + timedelta(seconds=1))
    s3.abort_multipart_upload(**place, IfMatchInitiatedTime=begun)
    s3.abort_multipart_upload(**place, IfMatchInitiatedTime=begun)  # what is not there is aborted already
    with refused("NoSuchUpload", status=404):
        s3.abort_multipart_upload(**place)
    general = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    with refused("NotImplemented", status=501):
        s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=general, IfMatchInitiatedTime=begun)


def test_inventories_and_metrics(cloud: Account, directory: str, bucket: str) -> None:
    s3 = client(cloud, config=NO_SESSION)
    allow = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    s3.put_object(Bucket=directory, Key="a/b", Body=b"x")
    inventory = {
        "Id": "i", "IsEnabled": True, "IncludedObjectVersions": "Current", "Schedule": {"Frequency": "Daily"},
        "Destination": {"S3BucketDestination": {"Bucket": f"arn:aws:s3:::{bucket}", "Format": "CSV"}},
        "OptionalFields": ["Size", "StorageClass"],
    }  # fmt: skip
    put = {"Bucket": directory, "Id": "i"}
    with refused("MalformedXML"):
        wrong = {**inventory, "OptionalFields": ["ObjectOwner"]}
        s3.put_bucket_inventory_configuration(**put, InventoryConfiguration=wrong)
    s3.put_bucket_inventory_configuration(**put, InventoryConfiguration=inventory)
    assert s3.get_bucket_inventory_configuration(**put)["InventoryConfiguration"]["Id"] == "i"
    cloud.advance(86_400)
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert len(keys) == 4
    s3.delete_bucket_inventory_configuration(**put)
    assert "InventoryConfigurationList" not in s3.list_bucket_inventory_configurations(Bucket=directory)
    metrics = {"Bucket": directory, "Id": "m"}
    s3.put_bucket_metrics_configuration(**metrics, MetricsConfiguration={"Id": "m", "Filter": {"Prefix": "a/"}})
    assert len(s3.list_bucket_metrics_configurations(Bucket=directory)["MetricsConfigurationList"]) == 1
    with refused("InvalidRequest"):
        tagged = {"Id": "m", "Filter": {"Tag": {"Key": "a", "Value": "b"}}}
        s3.put_bucket_metrics_configuration(**metrics, MetricsConfiguration=tagged)
    s3.delete_bucket_metrics_configuration(**metrics)
