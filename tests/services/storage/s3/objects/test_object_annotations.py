"""Annotations: named texts beside a version."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime
from hashlib import md5, sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.storage.s3.stored import kept_annotations
from cumulo.services.storage.s3.stored.kept_annotations import ANNOTATIONS
from cumulo.services.storage.s3.stored.object_versions import CURRENT
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.encryption.test_object_encryption import KEY, at_rest, make_key
from tests.services.storage.s3.stored_objects import transact

SIZES = (1, 8192, 8193, 100_000, 1024**2)


def text(size: int) -> bytes:
    return base64.b64encode(os.urandom(size))[:size]


def put(s3: Any, bucket: str, name: str = "n", payload: bytes = b"{}", **more: Any) -> dict[str, Any]:
    request = {"Bucket": bucket, "Key": "k", "AnnotationName": name, "AnnotationPayload": payload, **more}
    return s3.put_object_annotation(**request)  # type: ignore[no-any-return]


def read(s3: Any, bucket: str, name: str = "n", **more: Any) -> bytes:
    got = s3.get_object_annotation(**{"Bucket": bucket, "Key": "k", "AnnotationName": name, **more})
    return got["AnnotationPayload"].read()  # type: ignore[no-any-return]


def names(s3: Any, bucket: str, **more: Any) -> list[str]:
    listed = s3.list_object_annotations(**{"Bucket": bucket, "Key": "k", **more})
    return [each["AnnotationName"] for each in listed.get("Annotations", ())]


@pytest.fixture
def bucket(s3: Any, new_bucket: Any) -> str:
    name: str = new_bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"object")
    return name


@pytest.mark.parametrize("size", SIZES)
def test_an_annotation(cloud: Account, s3: Any, bucket: str, size: int) -> None:
    payload = text(size)
    done = put(s3, bucket, "label.v-1_é", payload, ChecksumAlgorithm="SHA256")
    digest = base64.b64encode(sha256(payload).digest()).decode()
    assert (done["Key"], done["AnnotationName"]) == ("k", "label.v-1_é")
    assert (done["ETag"], done["ChecksumSHA256"]) == (f'"{md5(payload).hexdigest()}"', digest)
    assert (done["ChecksumType"], done["ServerSideEncryption"]) == ("FULL_OBJECT", "AES256")
    assert "ObjectVersionId" not in done
    got = s3.get_object_annotation(Bucket=bucket, Key="k", AnnotationName="label.v-1_é", ChecksumMode="ENABLED")
    assert got["AnnotationPayload"].read() == payload
    assert (got["ContentLength"], got["ETag"], got["ChecksumSHA256"]) == (size, done["ETag"], digest)
    (entry,) = s3.list_object_annotations(Bucket=bucket, Key="k")["Annotations"]
    assert (entry["AnnotationName"], entry["Size"], entry["ETag"]) == ("label.v-1_é", size, done["ETag"])
    assert (entry["ChecksumAlgorithm"], entry["LastModified"]) == (["SHA256"], got["LastModified"])
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"object"
    s3.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="label.v-1_é")
    s3.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="label.v-1_é")
    with refused("NoSuchAnnotation", "The specified annotation does not exist on this object.", 404):
        read(s3, bucket, "label.v-1_é")
    cloud.settle()
    assert payload not in at_rest(cloud.running.settings.data_dir / "blobs") or size < 100


def test_one_takes_the_place_of_another(cloud: Account, s3: Any, bucket: str) -> None:
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    for size in (10, 50_000, 20):
        put(s3, bucket, payload=text(size))
    assert len(read(s3, bucket)) == 20
    assert names(s3, bucket) == ["n"]
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == etag


def test_they_are_listed_page_by_page(s3: Any, bucket: str) -> None:
    for name in ("b1", "a", "b2", "c", "b3"):
        put(s3, bucket, name)
    assert names(s3, bucket) == ["a", "b1", "b2", "b3", "c"]
    first = s3.list_object_annotations(Bucket=bucket, Key="k", AnnotationPrefix="b", MaxAnnotationResults=2)
    assert [each["AnnotationName"] for each in first["Annotations"]] == ["b1", "b2"]
    assert (first["AnnotationCount"], first["MaxAnnotationResults"], first["AnnotationPrefix"]) == (2, 2, "b")
    assert names(s3, bucket, AnnotationPrefix="b", ContinuationToken=first["NextContinuationToken"]) == ["b3"]
    for wrong in ("a b", "x" * 513):
        with refused("InvalidPrefix", "The annotation prefix you provided is invalid."):
            names(s3, bucket, AnnotationPrefix=wrong)
    with refused("InvalidArgument"):
        names(s3, bucket, MaxAnnotationResults=1001)
    with refused("InvalidArgument"):
        names(s3, bucket, ContinuationToken="nobody's")


def test_names(s3: Any, bucket: str) -> None:
    for wrong in ("aws", "AWS.x", "s3", "S3-x", "a b", "a/b", "a:b", " "):
        with refused("InvalidAnnotationName", "The annotation name you provided is invalid."):
            put(s3, bucket, wrong)
    put(s3, bucket, "é" * 256)
    with refused("AnnotationNameTooLong", "The annotation name exceeds 512 bytes."):
        put(s3, bucket, "é" * 256 + "x")


def test_payloads(s3: Any, bucket: str) -> None:
    for payload in (b"\xff", b"\xff" * 10_000):
        with refused("UnsupportedMediaType", "The annotation payload is not valid UTF-8 encoded text.", 415):
            put(s3, bucket, payload=payload)
    for payload in (b"", b"x" * (1024**2 + 1)):
        with refused("InvalidRequest", "The annotation payload must be between 1 byte and 1 MiB in size."):
            put(s3, bucket, payload=payload)
    for payload in (b"x", b"x" * 10_000):
        with refused("BadDigest"):
            put(s3, bucket, payload=payload, ChecksumSHA256=base64.b64encode(bytes(32)).decode())
    with refused("NoSuchKey", status=404):
        put(s3, bucket, Key="gone")
    assert names(s3, bucket) == []


def test_a_thousand_at_most(cloud: Account, s3: Any, bucket: str) -> None:
    put(s3, bucket, "first")

    def many(ctx: Any) -> None:
        version = CURRENT.peek(ctx, bucket, "k")
        assert version is not None
        version.annotations = 1000
        CURRENT.put(ctx, version)

    transact(cloud, many)
    with refused("AnnotationLimitExceeded"):
        put(s3, bucket, "one-more")
    assert names(s3, bucket) == ["first"]
    put(s3, bucket, "first", b"another")


def test_the_object_is_the_expected_one(s3: Any, bucket: str) -> None:
    etag = s3.head_object(Bucket=bucket, Key="k")["ETag"]
    put(s3, bucket, ObjectIfMatch=etag)
    s3.put_object(Bucket=bucket, Key="k", Body=b"another")
    assert names(s3, bucket) == []  # which went with the object
    put(s3, bucket)
    with refused("PreconditionFailed", status=412):
        put(s3, bucket, ObjectIfMatch=etag)
    with refused("PreconditionFailed", status=412):
        s3.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="n", ObjectIfMatch=etag)
    assert names(s3, bucket) == ["n"]


def test_versions_have_their_own(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    assert put(s3, bucket, "one", b"1")["ObjectVersionId"] == first
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    put(s3, bucket, "two", b"2" * 20_000)
    assert names(s3, bucket) == ["two"]
    put(s3, bucket, "more", b"1", VersionId=first)
    assert names(s3, bucket, VersionId=first) == ["more", "one"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused("NoSuchKey", status=404):
        names(s3, bucket)
    assert read(s3, bucket, "two", VersionId=second) == b"2" * 20_000
    with refused("MethodNotAllowed", status=405):
        put(s3, bucket, VersionId=marker)
    for version in (first, second):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert transact(cloud, lambda ctx: ANNOTATIONS.range(ctx, bucket)) == []


def test_they_are_sealed_as_the_object_is(cloud: Account, s3: Any, bucket: str) -> None:
    key, small, large = make_key(cloud), text(100), text(50_000)
    for how in ("aws:kms", "aws:kms:dsse"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ServerSideEncryption=how, SSEKMSKeyId=key)
        for name, payload in (("small", small), ("large", large)):
            done = put(s3, bucket, name, payload)
            assert (done["ServerSideEncryption"], done["ETag"] == f'"{md5(payload).hexdigest()}"') == (how, False)
            assert read(s3, bucket, name) == payload
    cloud.settle()
    kept = at_rest(cloud.running.settings.data_dir)
    assert small not in kept and large not in kept
    cloud.client("kms").disable_key(KeyId=key)
    with refused("KMS.DisabledException"):
        read(s3, bucket, "small")
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey=KEY)
    with refused("InvalidRequest"):
        put(s3, bucket)


def test_they_get_under_the_object_s_new_key(cloud: Account, s3: Any, bucket: str) -> None:
    small, large = text(100), text(50_000)
    put(s3, bucket, "small", small)
    put(s3, bucket, "large", large)
    for _ in range(2):
        wanted = {"SSEKMS": {"KMSKeyArn": make_key(cloud)}}
        s3.update_object_encryption(Bucket=bucket, Key="k", ObjectEncryption=wanted)
        assert (read(s3, bucket, "small"), read(s3, bucket, "large")) == (small, large)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"object"
    cloud.settle()
    assert large not in at_rest(cloud.running.settings.data_dir / "blobs")


def test_copies_take_them_along(cloud: Account, s3: Any, bucket: str) -> None:
    small, large = text(100), text(50_000)
    put(s3, bucket, "small", small, ChecksumAlgorithm="SHA1")
    put(s3, bucket, "large", large)
    source = {"Bucket": bucket, "Key": "k"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": make_key(cloud), "ChecksumAlgorithm": "SHA256"}
    s3.copy_object(Bucket=bucket, Key="sealed", CopySource={"Bucket": bucket, "Key": "copy"}, **sealed)
    s3.copy_object(Bucket=bucket, Key="without", CopySource=source, AnnotationDirective="EXCLUDE")
    assert names(s3, bucket, Key="without") == []
    s3.delete_object(**source)
    for key, algorithm in (("copy", "SHA1"), ("sealed", "SHA256")):
        assert (read(s3, bucket, "small", Key=key), read(s3, bucket, "large", Key=key)) == (small, large)
        listed = s3.list_object_annotations(Bucket=bucket, Key=key)["Annotations"]
        assert [each["ChecksumAlgorithm"] for each in listed if each["AnnotationName"] == "small"] == [[algorithm]]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "copy"}, MetadataDirective="REPLACE")
    assert names(s3, bucket, Key="copy") == ["large", "small"]
    with refused("InvalidArgument", "Unknown annotation directive."):
        s3.copy_object(Bucket=bucket, Key="x", CopySource={"Bucket": bucket, "Key": "copy"}, AnnotationDirective="BOTH")


def test_annotations_that_change_while_they_are_copied(
    cloud: Account, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, bucket, payload=text(20_000))
    written = kept_annotations.written

    async def slowly(ctx: Any, data: bytes, key: bytes) -> Any:
        def change(ctx: Any) -> None:
            (there,) = ANNOTATIONS.range(ctx, bucket)
            there.modified_at += 1
            ANNOTATIONS.put(ctx, there)

        await ctx.transact(change)
        return await written(ctx, data, key)

    monkeypatch.setattr(kept_annotations, "written", slowly)
    with refused("OperationAborted", status=409):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    monkeypatch.undo()
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})


def test_rights(cloud: Account, s3: Any, bucket: str) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="u")
    made = iam.create_access_key(UserName="u")["AccessKey"]
    theirs = cloud.client("s3", aws_access_key_id=made["AccessKeyId"], aws_secret_access_key=made["SecretAccessKey"])

    def allow(*actions: str) -> None:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)

    def may(call: Any) -> bool:
        try:
            call()
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDenied"
            return False
        return True

    place = {"Bucket": bucket, "Key": "k", "AnnotationName": "n"}
    calls = {
        "s3:PutObjectAnnotation": lambda: put(theirs, bucket),
        "s3:GetObjectAnnotation": lambda: read(theirs, bucket),
        "s3:ListObjectAnnotations": lambda: names(theirs, bucket),
        "s3:DeleteObjectAnnotation": lambda: theirs.delete_object_annotation(**place),
    }
    put(s3, bucket)
    for action, call in calls.items():
        allow("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket")
        assert not may(call)
        allow(action)
        assert may(call)
    version = {"VersionId": "null"}
    allow("s3:PutObjectAnnotation")
    assert not may(lambda: put(theirs, bucket, **version))
    allow("s3:PutObjectVersionAnnotation")
    assert may(lambda: put(theirs, bucket, **version))
    copy = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}}
    allow("s3:GetObject", "s3:PutObject")
    assert not may(lambda: theirs.copy_object(**copy))
    assert may(lambda: theirs.copy_object(**copy, AnnotationDirective="EXCLUDE"))
    allow("s3:GetObject", "s3:PutObject", "s3:GetObjectAnnotation", "s3:PutObjectAnnotation")
    assert may(lambda: theirs.copy_object(**copy))


def test_events(cloud: Account, s3: Any, bucket: str) -> None:
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:{cloud.account}:q"
    allow = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    configuration = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectAnnotation:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    put(s3, bucket)
    s3.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="n")
    s3.delete_object_annotation(Bucket=bucket, Key="k", AnnotationName="n")
    cloud.settle()
    bodies = [
        json.loads(each["Body"]) for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    events = [record["eventName"] for each in bodies for record in each.get("Records", ())]
    assert sorted(events) == ["ObjectAnnotation:Delete", "ObjectAnnotation:Put"]


def test_locked_objects_keep_theirs(cloud: Account, s3: Any, new_bucket: Any) -> None:
    bucket = new_bucket(ObjectLockEnabledForBucket=True)
    until = datetime(2100, 1, 1, tzinfo=UTC)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **lock)
    put(s3, bucket)
    place = {"Bucket": bucket, "Key": "k", "AnnotationName": "n"}
    with refused("AccessDenied", status=403):
        s3.delete_object_annotation(**place)

    def bypass(request: Any, **_: Any) -> None:
        request.headers["x-amz-bypass-governance-retention"] = "true"

    s3.meta.events.register("before-sign.s3.DeleteObjectAnnotation", bypass)
    s3.delete_object_annotation(**place)
    assert names(s3, bucket) == []


def test_archived_objects_have_them_too(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER")
    put(s3, bucket, payload=b"cold")
    assert read(s3, bucket) == b"cold"
