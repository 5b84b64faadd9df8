"""CopyObject, UploadPartCopy, GetObjectAttributes."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.copies import copy_sources
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import fill

ITSELF = (
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
    "metadata, storage class, website redirect location or encryption attributes."
)
FAILED = "At least one of the pre-conditions you specified did not hold"
LARGE = bytes(range(256)) * 400
MIN_B = 5 * 1024**2


def read(s3: Any, bucket: str, key: str, **options: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return body


@pytest.mark.parametrize("body", [b"", b"small", LARGE])
def test_a_copy(s3: Any, bucket: str, body: bytes) -> None:
    put = s3.put_object(
        Bucket=bucket, Key="a", Body=body, ContentType="text/x", Metadata={"m": "1"}, Tagging="t=1", CacheControl="no"
    )
    answer = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    assert answer["CopyObjectResult"]["ETag"] == put["ETag"]
    assert answer["CopyObjectResult"]["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert answer["CopyObjectResult"]["ChecksumType"] == "FULL_OBJECT"
    assert not {"VersionId", "CopySourceVersionId"} & answer.keys()
    s3.delete_object(Bucket=bucket, Key="a")
    found = s3.get_object(Bucket=bucket, Key="b")
    assert found["Body"].read() == body
    assert (found["ContentType"], found["CacheControl"], found["Metadata"]) == ("text/x", "no", {"m": "1"})
    assert found["TagCount"] == 1


@pytest.mark.parametrize("key", ["a b+c%2F/d", "é\U0001f600", "-?versionIds=1"])
def test_odd_keys(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert read(s3, bucket, "copy") == b"x"


def test_directives(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentType="text/x", Metadata={"m": "1"}, Tagging="t=1")
    source = {"Bucket": bucket, "CopySource": f"{bucket}/a"}
    s3.copy_object(**source, Key="b", Metadata={"m": "2"}, ContentType="text/y", Tagging="u=2")  # all of it ignored
    head = s3.head_object(Bucket=bucket, Key="b")
    assert (head["ContentType"], head["Metadata"]) == ("text/x", {"m": "1"})
    assert s3.get_object_tagging(Bucket=bucket, Key="b")["TagSet"] == [{"Key": "t", "Value": "1"}]
    s3.copy_object(**source, Key="c", Metadata={"m": "2"}, MetadataDirective="REPLACE", TaggingDirective="REPLACE")
    head = s3.head_object(Bucket=bucket, Key="c")
    assert (head["ContentType"], head["Metadata"]) == ("binary/octet-stream", {"m": "2"})
    assert s3.get_object_tagging(Bucket=bucket, Key="c")["TagSet"] == []
    s3.copy_object(**source, Key="d", TaggingDirective="REPLACE", Tagging="u=2", StorageClass="GLACIER_IR")
    assert s3.get_object_tagging(Bucket=bucket, Key="d")["TagSet"] == [{"Key": "u", "Value": "2"}]
    assert s3.head_object(Bucket=bucket, Key="d")["StorageClass"] == "GLACIER_IR"
    with refused("InvalidArgument", "Unknown metadata directive.", ArgumentName="x-amz-metadata-directive"):
        s3.copy_object(**source, Key="e", MetadataDirective="BOTH")
    with refused("InvalidArgument", "Unknown tagging directive.", ArgumentName="x-amz-tagging-directive"):
        s3.copy_object(**source, Key="e", TaggingDirective="BOTH")


@pytest.mark.parametrize("body", [b"x", LARGE])
def test_onto_itself(s3: Any, bucket: str, body: bytes) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=body, ContentType="text/x", StorageClass="STANDARD_IA")
    itself = {"Bucket": bucket, "Key": "a", "CopySource": f"{bucket}/a"}
    with refused("InvalidRequest", ITSELF):
        s3.copy_object(**itself)
    with refused("InvalidRequest", ITSELF):
        s3.copy_object(**itself, Metadata={"a": "b"})
    answer = s3.copy_object(**itself, StorageClass="STANDARD", ChecksumAlgorithm="SHA256")
    sha256 = b64encode(hashlib.sha256(body).digest()).decode()
    assert answer["CopyObjectResult"]["ChecksumSHA256"] == sha256
    assert "StorageClass" not in s3.head_object(Bucket=bucket, Key="a")
    s3.copy_object(**itself, MetadataDirective="REPLACE")
    assert s3.head_object(Bucket=bucket, Key="a")["ContentType"] == "binary/octet-stream"
    s3.copy_object(**itself, WebsiteRedirectLocation="/b")
    s3.copy_object(**itself, ServerSideEncryption="AES256")
    assert read(s3, bucket, "a") == body


def test_versions(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="a", Body=b"one", Tagging="v=1")["VersionId"]
    second = s3.put_object(Bucket=bucket, Key="a", Body=b"two", Tagging="v=2")["VersionId"]
    answer = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    assert answer["CopySourceVersionId"] == second
    assert read(s3, bucket, "b", VersionId=answer["VersionId"]) == b"two"
    answer = s3.copy_object(Bucket=bucket, Key="a", CopySource=f"{bucket}/a?versionId={first}")
    assert answer["CopySourceVersionId"] == first
    assert read(s3, bucket, "a") == b"one"
    marker = s3.delete_object(Bucket=bucket, Key="a")["VersionId"]
    with refused("NoSuchKey", status=404, Key="a"):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    text = "The source of a copy request may not specifically refer to a delete marker by version id."
    with refused("InvalidRequest", text):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a?versionId={marker}")


@pytest.mark.parametrize("source", ["plain", "/", "bucket/"])
def test_sources_that_are_none(s3: Any, bucket: str, source: str) -> None:
    name = "x-amz-copy-source"
    with refused("InvalidArgument", "Invalid copy source object key", ArgumentName=name, ArgumentValue=name):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("b/k", ("b", "k", None)),
        ("/b/k/l", ("b", "k/l", None)),
        ("b%2Fk?versionId=v", ("b", "k", "v")),
        ("b/a+b%2Bc%C3%A9", ("b", "a b+cé", None)),
        (
            "arn:aws:s3:us-east-1:123456789012:accesspoint/p/object/k/l",
            ("arn:aws:s3:us-east-1:123456789012:accesspoint/p", "k/l", None),
        ),
    ],
)
def test_what_sources_name(text: str, source: tuple[str, str, str | None]) -> None:
    assert copy_sources.read(text) == source


@pytest.mark.parametrize("text", ["", "/", "b", "b/", "/b/", "%ff/%ff", "b/k?versionId="])
def test_what_names_no_source(text: str) -> None:
    with pytest.raises(Fault) as caught:
        copy_sources.read(text)
    assert caught.value.code == "InvalidArgument"


def test_sources_that_are_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", status=404, Key="nothing"):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/nothing")
    with refused("NoSuchBucket", status=404, BucketName="no-such-bucket-to-copy"):
        s3.copy_object(Bucket=bucket, Key="b", CopySource="no-such-bucket-to-copy/a")


def test_conditions(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="a", Body=b"x")["ETag"]
    now = s3.head_object(Bucket=bucket, Key="a")["LastModified"]
    early, late = now - timedelta(days=1), now + timedelta(days=1)
    for call in (_copy, _copy_part):
        for condition, name in (
            ({"CopySourceIfMatch": '"x"'}, "If-Match"),
            ({"CopySourceIfNoneMatch": etag.strip('"')}, "If-None-Match"),
            ({"CopySourceIfUnmodifiedSince": early}, "If-Unmodified-Since"),
            ({"CopySourceIfNoneMatch": '"x"', "CopySourceIfUnmodifiedSince": early}, "If-Unmodified-Since"),
        ):
            with refused("PreconditionFailed", FAILED, 412, Condition=f"x-amz-copy-source-{name}"):
                call(s3, bucket, **condition)
        call(s3, bucket, CopySourceIfModifiedSince=late)
        call(s3, bucket, CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=early)
        call(s3, bucket, CopySourceIfModifiedSince=early, CopySourceIfNoneMatch='"x"')
    with refused("PreconditionFailed", FAILED, 412, Condition="If-None-Match"):
        _copy(s3, bucket, IfNoneMatch="*")
    with refused("PreconditionFailed", FAILED, 412, Condition="If-Match"):
        _copy(s3, bucket, IfMatch='"x"')
    _copy(s3, bucket, IfMatch=etag)
    with refused("NoSuchKey", status=404, Key="c"):
        s3.copy_object(Bucket=bucket, Key="c", CopySource=f"{bucket}/a", IfMatch=etag)


def _copy(s3: Any, bucket: str, **options: Any) -> None:
    s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", **options)


def _copy_part(s3: Any, bucket: str, **options: Any) -> dict[str, Any]:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]
    answer: dict[str, Any] = s3.upload_part_copy(
        Bucket=bucket, Key="p", UploadId=upload, PartNumber=1, CopySource=f"{bucket}/a", **options
    )
    return answer


def test_between_accounts(cloud: Account, s3: Any, bucket: str) -> None:
    other = cloud.another()
    theirs = other.client("s3")
    target = f"{bucket}-theirs"
    theirs.create_bucket(Bucket=target)
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", Tagging="t=1")
    with refused("AccessDenied", status=403):
        theirs.copy_object(Bucket=target, Key="b", CopySource=f"{bucket}/a")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": ["s3:GetObject"],
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    with refused("AccessDenied", status=403):  # the tags would go with it
        theirs.copy_object(Bucket=target, Key="b", CopySource=f"{bucket}/a")
    theirs.copy_object(Bucket=target, Key="b", CopySource=f"{bucket}/a", TaggingDirective="REPLACE")
    assert read(theirs, target, "b") == b"x"
    with refused("AccessDenied", status=403):
        theirs.copy_object(Bucket=target, Key="b", CopySource=f"{bucket}/a", ExpectedSourceBucketOwner=other.account)


def test_between_regions(cloud: Account, s3: Any, bucket: str) -> None:
    west = cloud.client("s3", region="us-west-2")
    target = f"{bucket}-west"
    west.create_bucket(Bucket=target, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    west.copy_object(Bucket=target, Key="b", CopySource=f"{bucket}/a")
    assert read(west, target, "b") == b"x"


def customers_key(secret: bytes, prefix: str = "") -> dict[str, str]:
    return {
        f"{prefix}SSECustomerAlgorithm": "AES256",
        f"{prefix}SSECustomerKey": b64encode(secret).decode(),
        f"{prefix}SSECustomerKeyMD5": b64encode(hashlib.md5(secret).digest()).decode(),
    }


@pytest.mark.parametrize("body", [b"small", LARGE])
def test_under_other_keys(s3: Any, bucket: str, body: bytes) -> None:
    one, two = customers_key(b"1" * 32), customers_key(b"2" * 32)
    as_source = customers_key(b"1" * 32, "CopySource")
    s3.put_object(Bucket=bucket, Key="a", Body=body, **one)
    source = {"Bucket": bucket, "CopySource": f"{bucket}/a"}
    with refused("InvalidRequest"):
        s3.copy_object(**source, Key="b")
    s3.copy_object(**source, Key="b", **as_source, **two)
    assert read(s3, bucket, "b", **two) == body
    answer = s3.copy_object(**source, Key="c", **as_source)
    assert answer["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert answer["ServerSideEncryption"] == "AES256"
    assert read(s3, bucket, "c") == body
    answer = s3.copy_object(Bucket=bucket, Key="d", CopySource=f"{bucket}/c", ServerSideEncryption="aws:kms")
    assert answer["SSEKMSKeyId"].startswith("arn:aws:kms:")
    assert answer["CopyObjectResult"]["ETag"] != f'"{hashlib.md5(body).hexdigest()}"'
    assert read(s3, bucket, "d") == body


def test_locks_are_not_copied(cloud: Account, s3: Any, bucket: str) -> None:
    name = f"{bucket}-locks"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(days=10_000)  # other tests move the cloud on by years
    s3.put_object(
        Bucket=name,
        Key="a",
        Body=b"x",
        ObjectLockMode="GOVERNANCE",
        ObjectLockRetainUntilDate=until,
        ObjectLockLegalHoldStatus="ON",
    )
    s3.copy_object(Bucket=name, Key="b", CopySource=f"{name}/a")
    assert not {"ObjectLockMode", "ObjectLockLegalHoldStatus"} & s3.head_object(Bucket=name, Key="b").keys()
    s3.copy_object(Bucket=name, Key="c", CopySource=f"{name}/a", ObjectLockLegalHoldStatus="ON")
    assert s3.head_object(Bucket=name, Key="c")["ObjectLockLegalHoldStatus"] == "ON"


def test_archived_sources(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["cold"], storage_class="GLACIER")
    text = "The source object of the COPY action is not in the active tier and is only stored in Amazon S3 Glacier."
    with refused("ObjectNotInActiveTierError", text, 403):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/cold")


def test_sources_that_are_too_large(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["large"], size=5 * 1024**3 + 1)
    text = "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120"
    with refused("InvalidRequest", text):
        s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/large")


def upload(s3: Any, bucket: str, bodies: list[bytes], **options: Any) -> None:
    """An object in parts under the key "m"."""
    place = {"Bucket": bucket, "Key": "m"}
    place["UploadId"] = s3.create_multipart_upload(**place, **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(**place, PartNumber=number, Body=body)
        given = {name: value for name, value in answer.items() if name.startswith("Checksum") and options}
        parts.append({"PartNumber": number, "ETag": answer["ETag"], **given})
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


def test_a_copy_is_whole(s3: Any, bucket: str) -> None:
    bodies = [b"1" * MIN_B, b"2"]
    upload(s3, bucket, bodies, ChecksumAlgorithm="CRC32")
    assert s3.head_object(Bucket=bucket, Key="m", ChecksumMode="ENABLED")["ChecksumType"] == "COMPOSITE"
    result = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/m")["CopyObjectResult"]
    whole = b"".join(bodies)
    assert result["ETag"] == f'"{hashlib.md5(whole).hexdigest()}"'
    assert result["ChecksumType"] == "FULL_OBJECT"
    assert result["ChecksumCRC32"] == b64encode(crc32(whole).to_bytes(4, "big")).decode()
    assert read(s3, bucket, "b") == whole


def test_parts_from_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=LARGE)
    s3.put_object(Bucket=bucket, Key="s", Body=b"0123456789")
    place = {"Bucket": bucket, "Key": "p", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="p")["UploadId"]}
    answer = s3.upload_part_copy(**place, PartNumber=1, CopySource=f"{bucket}/s")
    assert answer["CopyPartResult"]["ETag"] == f'"{hashlib.md5(b"0123456789").hexdigest()}"'
    assert "ChecksumCRC32" not in answer["CopyPartResult"]
    answer = s3.upload_part_copy(**place, PartNumber=2, CopySource=f"{bucket}/a", CopySourceRange="bytes=100-99999")
    assert answer["CopyPartResult"]["ETag"] == f'"{hashlib.md5(LARGE[100:100_000]).hexdigest()}"'
    answer = s3.upload_part_copy(**place, PartNumber=3, CopySource=f"{bucket}/a")
    listed = s3.list_parts(**place)["Parts"]
    assert [part["Size"] for part in listed] == [10, 99_900, len(LARGE)]
    last = [{"PartNumber": 3, "ETag": listed[2]["ETag"]}]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": last})
    s3.delete_object(Bucket=bucket, Key="a")
    assert read(s3, bucket, "p") == LARGE


def test_ranges_of_parts(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    text = "Range specified is not valid for source object of size: 10"
    with refused("InvalidArgument", text, ArgumentName="x-amz-copy-source-range", ArgumentValue="bytes=0-10"):
        _copy_part(s3, bucket, CopySourceRange="bytes=0-10")
    for given in ("bytes=5-", "0-5", "bytes=5-4"):
        with refused("InvalidArgument", ArgumentName="x-amz-copy-source-range", ArgumentValue=given):
            _copy_part(s3, bucket, CopySourceRange=given)
    with refused("NoSuchUpload", status=404):
        s3.upload_part_copy(Bucket=bucket, Key="p", UploadId="x", PartNumber=1, CopySource=f"{bucket}/a")


def test_attributes(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"getattr", StorageClass="STANDARD_IA")
    every = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
    answer = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=every)
    assert answer["ETag"] == hashlib.md5(b"getattr").hexdigest()
    checksum = b64encode(crc32(b"getattr").to_bytes(4, "big")).decode()
    assert answer["Checksum"] == {"ChecksumCRC32": checksum, "ChecksumType": "FULL_OBJECT"}
    assert (answer["StorageClass"], answer["ObjectSize"]) == ("STANDARD_IA", 7)
    assert "ObjectParts" not in answer
    answer = s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=["ObjectSize"])
    assert not {"ETag", "Checksum", "StorageClass", "VersionId"} & answer.keys()
    with refused("NoSuchKey", status=404, Key="b"):
        s3.get_object_attributes(Bucket=bucket, Key="b", ObjectAttributes=["ETag"])
    with refused("InvalidArgument", "Invalid attribute name specified.", ArgumentName="x-amz-object-attributes"):
        s3.get_object_attributes(Bucket=bucket, Key="a", ObjectAttributes=["Etag"])


def test_attributes_of_parts(s3: Any, bucket: str) -> None:
    upload(s3, bucket, [b"1" * MIN_B, b"2"], ChecksumAlgorithm="CRC32")
    wanted = {"Bucket": bucket, "Key": "m", "ObjectAttributes": ["ObjectParts", "Checksum"]}
    answer = s3.get_object_attributes(**wanted)
    assert "-" not in answer["Checksum"]["ChecksumCRC32"]
    parts = answer["ObjectParts"]
    assert [(part["PartNumber"], part["Size"]) for part in parts["Parts"]] == [(1, MIN_B), (2, 1)]
    assert parts["Parts"][1]["ChecksumCRC32"] == b64encode(crc32(b"2").to_bytes(4, "big")).decode()
    assert (parts["TotalPartsCount"], parts["MaxParts"], parts["IsTruncated"]) == (2, 1000, False)
    parts = s3.get_object_attributes(**wanted, MaxParts=1)["ObjectParts"]
    assert (len(parts["Parts"]), parts["IsTruncated"], parts["NextPartNumberMarker"]) == (1, True, 1)
    parts = s3.get_object_attributes(**wanted, PartNumberMarker=1)["ObjectParts"]
    assert [part["PartNumber"] for part in parts["Parts"]] == [2]
    upload(s3, bucket, [b"1" * MIN_B, b"2"])
    assert s3.get_object_attributes(**wanted)["ObjectParts"] == {"TotalPartsCount": 2}


def test_torrents_are_no_more(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    with refused("MethodNotAllowed", "The specified method is not allowed against this resource.", 405):
        s3.get_object_torrent(Bucket=bucket, Key="a")


def test_keys_that_are_too_long(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    longest, too_long = "é" * 512, "é" * 512 + "x"
    s3.copy_object(Bucket=bucket, Key=longest, CopySource=f"{bucket}/a")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["a", longest]
    with refused("KeyTooLongError", "Your key is too long", Size="1025", MaxSizeAllowed="1024"):
        s3.copy_object(Bucket=bucket, Key=too_long, CopySource=f"{bucket}/a")
    with refused("KeyTooLongError", "Your key is too long"):
        s3.create_multipart_upload(Bucket=bucket, Key=too_long)


def test_a_null_version_is_not_named_unasked(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    copied = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a")
    assert copied["VersionId"] == "null"
    assert "CopySourceVersionId" not in copied
    asked = s3.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a?versionId=null")
    assert asked["CopySourceVersionId"] == "null"
