"""What an older cumulo kept of S3 is read by this one, and goes on, wherever the modules lie that do it.

`older_state.zip` was written by `write_older_state` before S3's modules were in folders, and is never written again.
"""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Account, RunningCloud

STATE = Path(__file__).with_name("older_state.zip")
ACCOUNT = "123456789012"
HOUR_S = 3600
LETS_LOGS_IN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::logs/*",
        }
    ],
}
RULE = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "none/"}, "Expiration": {"Days": 1}}
RESTORE = {"Days": 30_000, "GlacierJobParameters": {"Tier": "Standard"}}


def write_older_state(cloud: Account) -> None:
    """How the kept directory was made; at its end a restore, a line of the access log and an upload are under way."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.create_bucket(Bucket="logs")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="kept", Key="small", Body=b"first", Metadata={"a": "b"}, Tagging="k=v")
    s3.put_object(Bucket="kept", Key="small", Body=b"second")
    s3.put_object(Bucket="kept", Key="in-a-row", Body=b"r" * 5000)
    s3.put_object(Bucket="kept", Key="in-a-blob", Body=b"b" * 20_000)
    s3.put_object(Bucket="kept", Key="deleted", Body=b"x")
    s3.delete_object(Bucket="kept", Key="deleted")
    upload = s3.create_multipart_upload(Bucket="kept", Key="in-parts")["UploadId"]
    s3.upload_part(Bucket="kept", Key="in-parts", UploadId=upload, PartNumber=1, Body=b"p" * 20_000)
    s3.put_object(Bucket="kept", Key="archived", Body=b"cold", StorageClass="GLACIER")
    s3.put_object_annotation(Bucket="kept", Key="small", AnnotationName="note", AnnotationPayload=b"annotated")
    key = cloud.client("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key}
    s3.put_object(Bucket="kept", Key="sealed", Body=b"secret" * 2000, **sealed)
    s3.put_bucket_lifecycle_configuration(Bucket="kept", LifecycleConfiguration={"Rules": [RULE]})
    s3.put_bucket_policy(Bucket="logs", Policy=json.dumps(LETS_LOGS_IN))
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "l/"}}
    s3.put_bucket_logging(Bucket="kept", BucketLoggingStatus=target)
    cloud.settle()
    s3.get_object(Bucket="kept", Key="small")["Body"].read()
    s3.restore_object(Bucket="kept", Key="archived", RestoreRequest=RESTORE)


def test_an_older_state_goes_on(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    with zipfile.ZipFile(STATE) as state:
        state.extractall(tmp_path)
    running = start_cloud(tmp_path)
    cloud = Account(running, ACCOUNT)
    s3 = cloud.client("s3")
    check_objects(s3)

    upload = s3.list_multipart_uploads(Bucket="kept")["Uploads"][0]
    named = {"Bucket": "kept", "Key": upload["Key"], "UploadId": upload["UploadId"]}
    part = {"PartNumber": 1, "ETag": s3.list_parts(**named)["Parts"][0]["ETag"]}
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [part]})
    assert body(s3, "in-parts") == b"p" * 20_000

    for _ in range(6):
        cloud.advance(HOUR_S)
    assert body(s3, "archived") == b"cold"
    lines = [s3.get_object(Bucket="logs", Key=each["Key"])["Body"].read() for each in listed(s3, "logs")]
    assert any(b"REST.GET.OBJECT small" in line for line in lines)
    running.stop()


def check_objects(s3: Any) -> None:
    assert body(s3, "small") == b"second"
    assert body(s3, "in-a-row") == b"r" * 5000
    assert body(s3, "in-a-blob") == b"b" * 20_000
    assert body(s3, "sealed") == b"secret" * 2000
    versions = s3.list_object_versions(Bucket="kept")
    first = next(each for each in versions["Versions"] if each["Key"] == "small" and not each["IsLatest"])
    older = s3.get_object(Bucket="kept", Key="small", VersionId=first["VersionId"])
    assert (older["Body"].read(), older["Metadata"], older["TagCount"]) == (b"first", {"a": "b"}, 1)
    assert [each["Key"] for each in versions["DeleteMarkers"]] == ["deleted"]
    note = s3.get_object_annotation(Bucket="kept", Key="small", AnnotationName="note")["AnnotationPayload"]
    assert note.read() == b"annotated"
    assert [rule["ID"] for rule in s3.get_bucket_lifecycle_configuration(Bucket="kept")["Rules"]] == ["old"]


def body(s3: Any, key: str) -> bytes:
    return bytes(s3.get_object(Bucket="kept", Key=key)["Body"].read())


def listed(s3: Any, bucket: str) -> list[dict[str, Any]]:
    return list(s3.list_objects_v2(Bucket=bucket)["Contents"])
