"""Objects put, read and deleted: their bytes at every size, their headers, their metadata."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

# Around what is kept in the version, in a row, read at once, streamed in, gathered for a thread.
SIZES = (0, 1, 2047, 2048, 8191, 8192, 8193, 65_535, 65_536, 65_537, 600_000, 3_000_000)


@pytest.mark.parametrize("size", SIZES)
def test_what_is_put_is_read(s3: Any, bucket: str, size: int) -> None:
    data = os.urandom(size)
    for body in (data, io.BytesIO(data)):  # a file is announced with Expect: 100-continue
        put = s3.put_object(Bucket=bucket, Key="k", Body=body)
        got = s3.get_object(Bucket=bucket, Key="k")
        assert got["Body"].read() == data
        assert got["ContentLength"] == size
        assert got["ETag"] == put["ETag"]
        assert got["ContentType"] == "binary/octet-stream"
        assert got["ServerSideEncryption"] == put["ServerSideEncryption"] == "AES256"
        assert "StorageClass" not in got and "VersionId" not in got
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentLength"] == size and head["ETag"] == put["ETag"]


def test_an_overwritten_or_deleted_object_leaves_no_bytes_behind(cloud: Account, s3: Any, bucket: str) -> None:
    blobs = cloud.running.cloud.runtime.blobs

    def count() -> int:
        cloud.settle()
        return sum(1 for path in blobs.folder.rglob("*") if path.is_file())

    before = count()
    for size in (100_000, 20_000, 10):
        s3.put_object(Bucket=bucket, Key="k", Body=os.urandom(size))
    s3.put_object(Bucket=bucket, Key="k", Body=os.urandom(100_000))
    s3.delete_object(Bucket=bucket, Key="k")
    for _ in range(200):
        if count() == before:
            break
    assert count() == before


def test_keys_of_every_kind(s3: Any, bucket: str) -> None:
    keys = [
        "a b",
        "ü/ß",
        "a//b",
        "/lead",
        "trail/",
        "a+b%20c",
        "?x=1&y",
        "#",
        "日本語",
        "..a/b",
        "a\tb",
        "~",
        "k" * 1024,
    ]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    with refused("KeyTooLongError", "Your key is too long", Size="1025", MaxSizeAllowed="1024"):
        s3.put_object(Bucket=bucket, Key="k" * 1025)


def test_system_headers_come_back(s3: Any, bucket: str) -> None:
    headers = {
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="foo.jpg"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "text/plain; charset=utf-8",
        "WebsiteRedirectLocation": "/elsewhere",
    }
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="STANDARD_IA", **headers)
    for got in (s3.get_object(Bucket=bucket, Key="k"), s3.head_object(Bucket=bucket, Key="k")):
        assert {name: got[name] for name in headers} == headers
        assert got["StorageClass"] == "STANDARD_IA"


def test_an_unknown_storage_class_is_refused(s3: Any, bucket: str) -> None:
    text = "The storage class you specified is not valid"
    for asked in ("OUTPOSTS", "EXPRESS_ONEZONE"):
        with refused("InvalidStorageClass", text, StorageClassRequested=asked):
            s3.put_object(Bucket=bucket, Key="k", StorageClass=asked)


def test_only_directory_buckets_append(s3: Any, bucket: str) -> None:
    text = "A header you provided implies functionality that is not implemented"
    with refused("NotImplemented", text, 501, Header="x-amz-write-offset-bytes"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", WriteOffsetBytes=0)


def test_user_metadata(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Metadata={"Upper": "Case", "a-b_c": "d, e"})
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == {"upper": "Case", "a-b_c": "d, e"}
    most = {"n": "v" * 2047}
    s3.put_object(Bucket=bucket, Key="k", Metadata=most)
    text = "Your metadata headers exceed the maximum allowed metadata size"
    with refused("MetadataTooLarge", text, Size="2049", MaxSizeAllowed="2048"):
        s3.put_object(Bucket=bucket, Key="k", Metadata={"n": "v" * 2048})


def test_what_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", "The specified key does not exist.", 404, Key="k"):
        s3.get_object(Bucket=bucket, Key="k")
    with refused("404", "Not Found", 404):
        s3.head_object(Bucket=bucket, Key="k")
    with refused("NoSuchBucket", "The specified bucket does not exist", 404):
        s3.get_object(Bucket="no-such-bucket-anywhere", Key="k")
    unknown = "HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"
    named = {"ArgumentName": "versionId", "ArgumentValue": unknown}
    for call in (s3.get_object, s3.delete_object):
        with refused("InvalidArgument", "Invalid version id specified", **named):
            call(Bucket=bucket, Key="k", VersionId=unknown)
    with refused("NoSuchVersion", "The specified version does not exist.", 404, Key="k", VersionId="null"):
        s3.get_object(Bucket=bucket, Key="k", VersionId="null")
    assert s3.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_the_null_version_can_be_named(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"x"


def test_a_delete_marker_says_so(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] is True
    with pytest.raises(s3.exceptions.NoSuchKey) as caught:
        s3.get_object(Bucket=bucket, Key="k")
    headers = caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["x-amz-delete-marker"], headers["x-amz-version-id"]) == ("true", marker["VersionId"])
    text = "The specified method is not allowed against this resource."
    with refused("MethodNotAllowed", text, 405, Method="GET", ResourceType="DeleteMarker"):
        s3.get_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    with refused("405", "Method Not Allowed", 405):
        s3.head_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    assert s3.delete_object(Bucket=bucket, Key="k", VersionId=marker["VersionId"])["DeleteMarker"] is True
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == first


def test_headers_of_an_answer_are_what_a_signed_request_wants(cloud: Account, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentType="text/plain")
    wanted = {
        "ResponseCacheControl": "max-age=1",
        "ResponseContentDisposition": "inline",
        "ResponseContentEncoding": "identity",
        "ResponseContentLanguage": "fr",
        "ResponseContentType": "text/html",
        "ResponseExpires": "Thu, 01 Jan 1970 00:00:00 GMT",
    }
    headers = s3.get_object(Bucket=bucket, Key="k", **wanted)["ResponseMetadata"]["HTTPHeaders"]
    names = ("cache-control", "content-disposition", "content-encoding", "content-language", "content-type")
    assert [headers[name] for name in names] == ["max-age=1", "inline", "identity", "fr", "text/html"]
    assert headers["expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    text = "Header value cannot be represented using ISO-8859-1."
    named = {"ArgumentName": "response-cache-control", "ArgumentValue": "em—dash"}
    with refused("InvalidArgument", text, **named):
        s3.get_object(Bucket=bucket, Key="k", ResponseCacheControl="em—dash")
    policy = f'{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Principal": "*", "Action": \
"s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/*"}}]}}'
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    anonymous = cloud.client("s3", config=Config(signature_version=UNSIGNED))
    assert anonymous.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    with refused("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests."):
        anonymous.get_object(Bucket=bucket, Key="k", ResponseContentType="text/html")


def test_archived_objects_are_not_read(s3: Any, bucket: str) -> None:
    for kept in ("GLACIER", "DEEP_ARCHIVE"):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass=kept)
        text = "The operation is not valid for the object's storage class"
        with refused("InvalidObjectState", text, 403, StorageClass=kept):
            s3.get_object(Bucket=bucket, Key="k")
        assert s3.head_object(Bucket=bucket, Key="k")["StorageClass"] == kept
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", StorageClass="GLACIER_IR")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_null_versions_take_each_other_s_place(s3: Any, bucket: str) -> None:
    """Small and large, empty and not, before versioning, under it and while it is suspended."""

    def put(size: int) -> bytes:
        data = os.urandom(size)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        return data

    def read(**version: str) -> bytes:
        return bytes(s3.get_object(Bucket=bucket, Key="k", **version)["Body"].read())

    def set_versioning(status: str) -> None:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})

    for size in (10, 20, 0, 30, 9000, 40, 0, 9000, 9001, 50):
        assert put(size) == read()
    kept = read()
    set_versioning("Enabled")
    second = put(60)
    assert (read(), read(VersionId="null")) == (second, kept)
    set_versioning("Suspended")
    for size in (70, 9000, 80, 0, 90):
        assert put(size) == read() == read(VersionId="null")
    last = read()
    set_versioning("Enabled")
    third = s3.put_object(Bucket=bucket, Key="k", Body=b"third")["VersionId"]
    assert read(VersionId="null") == last
    s3.delete_object(Bucket=bucket, Key="k", VersionId=third)
    assert read() == last
    set_versioning("Suspended")
    s3.delete_object(Bucket=bucket, Key="k")
    assert put(100) == read()
    assert len(s3.list_object_versions(Bucket=bucket)["Versions"]) == 2


def test_every_answer_says_who_gave_it(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="k")["ResponseMetadata"]
    assert put["HTTPHeaders"]["server"] == "AmazonS3"
    assert put["HostId"] == put["HTTPHeaders"]["x-amz-id-2"]
    for key, answer in (("k", s3.get_object(Bucket=bucket, Key="k")), ("", s3.list_objects_v2(Bucket=bucket))):
        said = answer["ResponseMetadata"]
        assert said["HostId"] and said["HTTPHeaders"]["server"] == "AmazonS3", key


def test_redirects_lead_somewhere(s3: Any, bucket: str) -> None:
    for location in ("/k2", "http://other.example/", "https://other.example/"):
        s3.put_object(Bucket=bucket, Key="k", WebsiteRedirectLocation=location)
        assert s3.head_object(Bucket=bucket, Key="k")["WebsiteRedirectLocation"] == location
    text = "The website redirect location must have a prefix of 'http://' or 'https://' or '/'."
    for location in ("k2", "ftp://other.example/"):
        with refused("InvalidRedirectLocation", text):
            s3.put_object(Bucket=bucket, Key="k", WebsiteRedirectLocation=location)
    with refused("InvalidRedirectLocation", "The length of website redirect location cannot exceed 2,048 characters."):
        s3.create_multipart_upload(Bucket=bucket, Key="k", WebsiteRedirectLocation="/" * 2049)


def test_names_that_cannot_be(s3: Any, bucket: str) -> None:
    for call in (s3.get_object, s3.get_object_tagging, s3.put_object):
        with refused("KeyTooLongError", "Your key is too long", Size="1026", MaxSizeAllowed="1024"):
            call(Bucket=bucket, Key="é" * 513, **({"Body": b"x"} if call == s3.put_object else {}))
    for call in (s3.get_object, s3.delete_object):
        with refused("InvalidArgument", "Version id cannot be the empty string", ArgumentName="versionId"):
            call(Bucket=bucket, Key="k", VersionId="")
