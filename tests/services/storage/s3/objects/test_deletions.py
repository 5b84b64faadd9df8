"""DeleteObject and DeleteObjects."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from base64 import b64encode
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import fill

FOREIGN = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"


def enable(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def delete_many(s3: Any, bucket: str, *keys: Any, **options: Any) -> dict[str, Any]:
    objects = [key if isinstance(key, dict) else {"Key": key} for key in keys]
    answer: dict[str, Any] = s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, **options})
    answer.pop("ResponseMetadata")
    return answer


def test_without_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(2):  # what is not there is gone just as well
        answer = s3.delete_object(Bucket=bucket, Key="k")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert not {"DeleteMarker", "VersionId"} & answer.keys()
    with refused("NoSuchKey", "The specified key does not exist.", 404, Key="k"):
        s3.get_object(Bucket=bucket, Key="k")


def test_with_versions(s3: Any, bucket: str) -> None:
    enable(s3, bucket)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    assert marker["VersionId"] != version
    answer = s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker["VersionId"])
    answer = s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert answer["VersionId"] == version
    assert "DeleteMarker" not in answer
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId=version)["VersionId"] == version
    assert s3.delete_object(Bucket=bucket, Key="never")["DeleteMarker"] is True


def test_a_version_id_that_is_none(s3: Any, bucket: str) -> None:
    text = "Invalid version id specified"
    with refused("InvalidArgument", text, ArgumentName="versionId", ArgumentValue=FOREIGN):
        s3.delete_object(Bucket=bucket, Key="k", VersionId=FOREIGN)


def test_on_condition(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    failed = "At least one of the pre-conditions you specified did not hold"
    with refused("PreconditionFailed", failed, 412, Condition="If-Match"):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch="bad")
    with refused("NoSuchKey", status=404, Key="nothing"):
        s3.delete_object(Bucket=bucket, Key="nothing", IfMatch="*")
    answer = delete_many(s3, bucket, {"Key": "k", "ETag": "bad"})
    assert answer["Errors"] == [{"Key": "k", "Code": "PreconditionFailed", "Message": failed}]
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="k", IfMatch="*")
    enable(s3, bucket)
    s3.delete_object(Bucket=bucket, Key="k")
    with refused("PreconditionFailed", failed, 412, Condition="If-Match"):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch="*")


@pytest.mark.parametrize(
    ("condition", "header"),
    [
        ({"IfMatchLastModifiedTime": 1_700_000_000}, "x-amz-if-match-last-modified-time"),
        ({"IfMatchSize": 1}, "x-amz-if-match-size"),
    ],
)
def test_conditions_of_directory_buckets(s3: Any, bucket: str, condition: dict[str, Any], header: str) -> None:
    text = "A header you provided implies functionality that is not implemented"
    with refused("NotImplemented", text, 501, Header=header):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch="bad", **condition)


def test_many_without_versions(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="there", Body=b"x")
    answer = delete_many(s3, bucket, "a-wrong-key", "there", "c & <d>\n")
    assert answer == {"Deleted": [{"Key": "a-wrong-key"}, {"Key": "there"}, {"Key": "c & <d>\n"}]}
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    answer = delete_many(s3, bucket, {"Key": "there", "VersionId": FOREIGN})
    assert answer == {
        "Errors": [
            {
                "Key": "there",
                "VersionId": FOREIGN,
                "Code": "NoSuchVersion",
                "Message": "The specified version does not exist.",
            }
        ]
    }


def test_many_with_versions(s3: Any, bucket: str) -> None:
    enable(s3, bucket)
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marked, unknown = delete_many(s3, bucket, "k", "never")["Deleted"]
    assert marked["DeleteMarker"] is True
    assert unknown["DeleteMarkerVersionId"] not in ("", marked["DeleteMarkerVersionId"])
    assert "VersionId" not in marked
    marker = marked["DeleteMarkerVersionId"]
    answer = delete_many(s3, bucket, {"Key": "k", "VersionId": marker}, {"Key": "k", "VersionId": version})
    assert answer["Deleted"] == [
        {"Key": "k", "VersionId": marker, "DeleteMarker": True, "DeleteMarkerVersionId": marker},
        {"Key": "k", "VersionId": version},
    ]
    answer = delete_many(s3, bucket, {"Key": "k", "VersionId": version})
    assert [error["Code"] for error in answer["Errors"]] == ["NoSuchVersion"]


def test_quietly(s3: Any, bucket: str) -> None:
    answer = delete_many(s3, bucket, "k", {"Key": "k", "VersionId": FOREIGN}, Quiet=True)
    assert "Deleted" not in answer
    assert [error["Code"] for error in answer["Errors"]] == ["NoSuchVersion"]


def test_a_thousand_and_no_more(cloud: Account, s3: Any, bucket: str) -> None:
    keys = [f"k{number:04}" for number in range(1001)]
    fill(cloud, bucket, keys)
    with refused("MalformedXML"):
        delete_many(s3, bucket, *keys)
    assert [entry["Key"] for entry in delete_many(s3, bucket, *keys[:1000])["Deleted"]] == keys[:1000]
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == keys[1000:]
    with refused("MalformedXML"):
        delete_many(s3, bucket)


def test_each_key_is_allowed_by_itself(cloud: Account, s3: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    other = cloud.another()
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": "s3:DeleteObject",
        "Resource": f"arn:aws:s3:::{bucket}/yes*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    for key in ("yes", "no"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = delete_many(other.client("s3"), bucket, "yes", "no")
    assert answer["Deleted"] == [{"Key": "yes"}]
    (error,) = answer["Errors"]
    assert (error["Key"], error["Code"]) == ("no", "AccessDenied")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["no"]


def test_a_bucket_that_is_not_there(s3: Any) -> None:
    name = "no-such-bucket-to-delete-from"
    with refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name):
        delete_many(s3, name, "k")
    with refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name):
        s3.delete_object(Bucket=name, Key="k")


def post(cloud: Account, bucket: str, body: bytes, **headers: str) -> tuple[int, str]:
    """DeleteObjects with just these headers."""
    request = AWSRequest("POST", f"{cloud.url}/{bucket}?delete=", data=body)
    request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    for name, value in headers.items():
        request.headers[name.replace("_", "-")] = value
    SigV4Auth(Credentials(cloud.account, "test"), "s3", "us-east-1").add_auth(request)
    sent = urllib.request.Request(request.url, body, dict(request.headers), method="POST")
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_checksum_must_come_with_it(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    status, text = post(cloud, bucket, body)
    assert status == 400
    assert "<Code>InvalidRequest</Code>" in text
    assert "Missing required header for this request: Content-MD5 OR x-amz-checksum-*" in text
    status, text = post(cloud, bucket, body, Content_MD5=b64encode(hashlib.md5(b"other").digest()).decode())
    assert (status, "<Code>BadDigest</Code>" in text) == (400, True)
    s3.head_object(Bucket=bucket, Key="k")
    status, text = post(cloud, bucket, body, Content_MD5=b64encode(hashlib.md5(body).digest()).decode())
    assert status == 200
    assert '<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Deleted><Key>k</Key></Deleted>' in text
    status, text = post(cloud, bucket, b"<Delete><Object>", x_amz_checksum_crc32="AAAAAA==")
    assert (status, "<Code>MalformedXML</Code>" in text or "<Code>BadDigest</Code>" in text) == (400, True)
