"""Uploads from browsers' forms: signed in both versions, unsigned, and all that is refused."""

import io
import json
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import urllib3
from botocore.config import Config
from urllib3.filepost import encode_multipart_formdata

from tests.conftest import Account

Post = Callable[..., urllib3.BaseHTTPResponse]
HTTP = urllib3.PoolManager(retries=False)


def post(url: str, fields: dict[str, Any], data: bytes, name: str = "file.txt", **headers: str) -> Any:
    body, kind = encode_multipart_formdata({**fields, "file": (name, data)})
    return HTTP.request("POST", url, body=body, headers={"Content-Type": kind, **headers}, redirect=False)


def error(answer: Any) -> dict[str, str]:
    found = ElementTree.fromstring(answer.data)
    return {part.tag: part.text or "" for part in found}


def presigned(cloud: Account, bucket: str, key: str, version: str = "s3v4", **more: Any) -> tuple[str, dict[str, str]]:
    s3 = cloud.client("s3", config=Config(signature_version=version, s3={"addressing_style": "path"}), **KEYS)
    found = s3.generate_presigned_post(bucket, key, **more)
    return found["url"], found["fields"]


KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def s3(cloud: Account) -> Any:
    """The account whose secret is known, so that signatures are checked."""
    return cloud.client("s3", **KEYS)


@pytest.mark.parametrize("version", ["s3", "s3v4"])
@pytest.mark.parametrize("size", [0, 17, 100_000, 3_000_000])
def test_a_signed_form_uploads(cloud: Account, s3: Any, bucket: str, version: str, size: int) -> None:
    data = os.urandom(size)
    fields = {"Content-Type": "text/css", "x-amz-meta-a": "b", "x-ignore-x": "y"}
    conditions: list[Any] = [{"Content-Type": "text/css"}, ["starts-with", "$x-amz-meta-a", ""]]
    url, signed = presigned(
        cloud, bucket, "user/${filename}", version, Fields=fields,
        Conditions=[*conditions, ["content-length-range", 0, 4_000_000]],
    )  # fmt: skip
    answer = post(url, signed, data, name="C:\\dir\\a b.css")
    assert answer.status == 204, answer.data
    head = s3.get_object(Bucket=bucket, Key="user/a b.css")
    assert (head["Body"].read(), head["ContentType"], head["Metadata"]) == (data, "text/css", {"a": "b"})
    assert answer.headers["ETag"] == head["ETag"]
    assert answer.headers["Location"] == f"{cloud.url}/{bucket}/user/a%20b.css"


def test_success_is_answered_as_the_form_wants(cloud: Account, bucket: str) -> None:
    for status, expected in (("200", 200), ("201", 201), ("204", 204), ("299", 204)):
        url, fields = presigned(
            cloud, bucket, "k", Fields={"success_action_status": status},
            Conditions=[{"success_action_status": status}],
        )  # fmt: skip
        answer = post(url, fields, b"hello")
        assert answer.status == expected
        if expected == 201:
            assert error(answer) == {
                "Location": f"{cloud.url}/{bucket}/k", "Bucket": bucket, "Key": "k",
                "ETag": '"5d41402abc4b2a76b9719d911017c592"',
            }  # fmt: skip
    for target, joined in (("http://page.test/done", "?"), ("http://page.test/done?a=1", "&")):
        url, fields = presigned(
            cloud, bucket, "k", Fields={"success_action_redirect": target},
            Conditions=[{"success_action_redirect": target}],
        )  # fmt: skip
        answer = post(url, fields, b"hello")
        assert answer.status == 303
        etag = "%225d41402abc4b2a76b9719d911017c592%22"
        assert answer.headers["Location"] == f"{target}{joined}bucket={bucket}&key=k&etag={etag}"


def test_a_virtual_host_names_the_bucket(cloud: Account, bucket: str, s3: Any) -> None:
    _, fields = presigned(cloud, bucket, "k")
    port = urlsplit(cloud.url).port
    host = f"{bucket}.s3.localhost:{port}"
    answer = post(cloud.url, fields, b"hello", Host=host)
    assert (answer.status, answer.headers["Location"]) == (204, f"http://{host}/k")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_what_the_policy_does_not_allow(cloud: Account, bucket: str, version: str) -> None:
    redirect = "http://localhost.test/random"
    cases = [
        ({"Conditions": [["eq", "$success_action_redirect", redirect]]}, {}, 403, "AccessDenied",
         f'Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_redirect", "{redirect}"]'),
        ({}, {"acl": "public-read"}, 403, "AccessDenied", "Invalid according to Policy: Extra input fields: acl"),
        ({"ExpiresIn": -10}, {}, 403, "AccessDenied", "Invalid according to Policy: Policy expired."),
        ({"Conditions": [{"a": "b", "c": "d"}]}, {}, 400, "InvalidPolicyDocument",
         "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
        ({"Conditions": [["content-length-range", 6, 9]]}, {}, 400, "EntityTooSmall",
         "Your proposed upload is smaller than the minimum allowed size"),
        ({"Conditions": [["content-length-range", 1, 4]]}, {}, 400, "EntityTooLarge",
         "Your proposed upload exceeds the maximum allowed size"),
    ]  # fmt: skip
    for options, extra, status, code, message in cases:
        url, fields = presigned(cloud, bucket, "k", version, **options)
        answer = post(url, {**fields, **extra}, b"hello")
        found = error(answer)
        assert (answer.status, found["Code"], found["Message"]) == (status, code, message)


def test_a_large_file_is_stopped_at_the_policys_limit(cloud: Account, bucket: str, s3: Any) -> None:
    url, fields = presigned(cloud, bucket, "large", Conditions=[["content-length-range", 0, 100_000]])
    answer = post(url, fields, b"x" * 3_000_000)
    assert (answer.status, error(answer)["Code"], error(answer)["MaxSizeAllowed"]) == (400, "EntityTooLarge", "100000")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.mark.parametrize(("version", "first"), [("s3", "AWSAccessKeyId"), ("s3v4", "x-amz-algorithm")])
def test_missing_fields(cloud: Account, bucket: str, version: str, first: str) -> None:
    url, fields = presigned(cloud, bucket, "k", version)
    shown = {"x-amz-algorithm": "X-Amz-Algorithm"}.get(first, first)
    answer = post(url, {name: value for name, value in fields.items() if name != first}, b"x")
    found = error(answer)
    assert (answer.status, found["Code"], found["ArgumentName"], found["ArgumentValue"]) == (
        400, "InvalidArgument", shown, "",
    )  # fmt: skip
    assert found["Message"] == (
        f"Bucket POST must contain a field named '{shown}'.  If it is specified, please check the order of the fields."
    )
    for unsigned in ({"key": "k"}, {"key": "k", "policy": fields["policy"]}):
        answer = post(url, unsigned, b"x")
        found = error(answer)
        assert (answer.status, found["Code"], found["Message"]) == (403, "AccessDenied", "Access Denied")
    for name in ("key", "policy"):
        answer = post(url, {key: value for key, value in fields.items() if key != name}, b"x")
        assert (answer.status, error(answer)["ArgumentName"]) == (400, name)
    assert error(post(url, {**fields, "key": ""}, b"x"))["ArgumentName"] == "key"


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_changed_policy_is_noticed_before_it_is_read(cloud: Account, bucket: str, version: str) -> None:
    url, fields = presigned(cloud, bucket, "k", version)
    answer = post(url, {**fields, "policy": "bm8gcG9saWN5"}, b"x")
    found = error(answer)
    assert (answer.status, found["Code"], found["StringToSign"]) == (403, "SignatureDoesNotMatch", "bm8gcG9saWN5")
    assert set(found) == {
        "Code", "Message", "AWSAccessKeyId", "StringToSign", "SignatureProvided", "StringToSignBytes", "RequestId",
    } | ({"HostId"} & set(found))  # fmt: skip


def test_bodies_that_are_no_form(cloud: Account, bucket: str) -> None:
    url = f"{cloud.url}/{bucket}"
    answer = HTTP.request("POST", url, body=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert (answer.status, error(answer)["Code"], error(answer)["Condition"]) == (
        412, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data",
    )  # fmt: skip
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = HTTP.request("POST", url, body=b"nothing", headers=kind)
    assert (answer.status, error(answer)["Code"]) == (400, "MalformedPOSTRequest")
    answer = HTTP.request("POST", f"{url}/key", body=b"--b--", headers=kind)
    assert (answer.status, error(answer)["Code"]) == (405, "MethodNotAllowed")
    without = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n'
    answer = HTTP.request("POST", url, body=without, headers=kind)
    assert error(answer)["Message"] == "POST requires exactly one file upload per request."
    answer = post(f"{cloud.url}/no-such-bucket-{cloud.account}", {"key": "k"}, b"x")
    assert (answer.status, error(answer)["Code"]) == (404, "NoSuchBucket")


def test_anybody_may_upload_where_the_bucket_is_public(s3: Any, cloud: Account, bucket: str) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": False})
    allow = {"Effect": "Allow", "Principal": "*", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/in/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    assert post(f"{cloud.url}/{bucket}", {"key": "in/${filename}"}, b"x").status == 204
    assert post(f"{cloud.url}/{bucket}", {"key": "out/${filename}"}, b"x").status == 403


def test_storage_class(cloud: Account, s3: Any, bucket: str) -> None:
    for name, status in (("STANDARD_IA", 204), ("FakeClass", 400)):
        url, fields = presigned(
            cloud, bucket, "k", Fields={"x-amz-storage-class": name}, Conditions=[{"x-amz-storage-class": name}]
        )
        answer = post(url, fields, b"x")
        assert answer.status == status, answer.data
    found = error(answer)
    assert (found["Code"], found["Message"], found["StorageClassRequested"]) == (
        "InvalidStorageClass", "The storage class you specified is not valid", "FakeClass",
    )  # fmt: skip
    assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == "STANDARD_IA"


def test_a_policy_expires_in_real_time(cloud: Account, bucket: str, s3: Any) -> None:
    url, fields = presigned(cloud, bucket, "k")
    cloud.advance(30 * 86_400)
    body, kind = encode_multipart_formdata([*fields.items(), ("file", ("a", b"one"))])
    assert HTTP.request("POST", url, body=io.BytesIO(body), headers={"Content-Type": kind}).status == 204


def test_fields_are_read_whatever_follows_the_file(cloud: Account, bucket: str, s3: Any) -> None:
    url, fields = presigned(cloud, bucket, "k")
    body, kind = encode_multipart_formdata([*fields.items(), ("file", ("a", b"one")), ("acl", "public-read")])
    assert HTTP.request("POST", url, body=io.BytesIO(body), headers={"Content-Type": kind}).status == 204
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"
