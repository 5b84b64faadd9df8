"""What an older cumulo kept is read by this one, and goes on: `state_before_0114.zip` is of the one before S3's modules
moved into folders, with a restore on its way, a line for the access log, and an upload that is not finished."""

import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Account, RunningCloud

STATE = Path(__file__).with_name("state_before_0114.zip")
HOURS_S = 3600


def test_an_older_state_goes_on(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    with zipfile.ZipFile(STATE) as state:
        state.extractall(tmp_path)
    (tmp_path / "kms" / "root.key").chmod(0o600)
    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    s3 = cloud.client("s3")

    def body(key: str, **named: str) -> bytes:
        data: bytes = s3.get_object(Bucket="kept", Key=key, **named)["Body"].read()
        return data

    assert body("small") == b"second"
    assert body("in-a-row") == b"r" * 5000
    assert body("in-a-blob") == b"b" * 20_000
    assert body("sealed") == b"secret" * 2000
    versions = s3.list_object_versions(Bucket="kept")
    first = next(each for each in versions["Versions"] if each["Key"] == "small" and not each["IsLatest"])
    assert body("small", VersionId=first["VersionId"]) == b"first"
    assert s3.get_object_tagging(Bucket="kept", Key="small", VersionId=first["VersionId"])["TagSet"]
    assert [each["Key"] for each in versions["DeleteMarkers"]] == ["deleted"]
    note = s3.get_object_annotation(Bucket="kept", Key="small", AnnotationName="note")["AnnotationPayload"]
    assert note.read() == b"annotated"
    assert [rule["ID"] for rule in s3.get_bucket_lifecycle_configuration(Bucket="kept")["Rules"]] == ["old"]

    upload = s3.list_multipart_uploads(Bucket="kept")["Uploads"][0]
    named = {"Bucket": "kept", "Key": upload["Key"], "UploadId": upload["UploadId"]}
    part = {"PartNumber": 1, "ETag": s3.list_parts(**named)["Parts"][0]["ETag"]}
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [part]})
    assert body("in-parts") == b"p" * 20_000

    for _ in range(6):  # the task of the restore was put on disk by the old names
        running.advance(HOURS_S)
    assert body("archived") == b"cold"
    assert s3.list_objects_v2(Bucket="logs", Prefix="l/")["KeyCount"] >= 1
    running.stop()
