"""ListObjects and ListObjectsV2: prefixes, delimiters, markers, tokens, odd keys, and what a page costs."""

from __future__ import annotations

import urllib.request
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cumulo.core.context import Context
from cumulo.core.s3.access import canonical_user_id
from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.stored_objects import fill, transact

XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def keys(answer: dict[str, Any]) -> list[str]:
    return [entry["Key"] for entry in answer.get("Contents", ())]


def prefixes(answer: dict[str, Any]) -> list[str]:
    return [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())]


def get(cloud: Account, path: str) -> ElementTree.Element:
    """A signed GET, without what boto3 adds to listings."""
    request = AWSRequest("GET", f"{cloud.url}{path}")
    request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
    SigV4Auth(Credentials(cloud.account, "test"), "s3", "us-east-1").add_auth(request)
    with urllib.request.urlopen(urllib.request.Request(request.url, headers=dict(request.headers))) as answer:
        return ElementTree.fromstring(answer.read())


def test_an_empty_bucket(s3: Any, bucket: str) -> None:
    answer = s3.list_objects_v2(Bucket=bucket)
    answer.pop("ResponseMetadata")
    assert answer == {
        "EncodingType": "url",
        "IsTruncated": False,
        "KeyCount": 0,
        "MaxKeys": 1000,
        "Name": bucket,
        "Prefix": "",
    }
    answer = s3.list_objects(Bucket=bucket)
    answer.pop("ResponseMetadata")
    assert answer == {
        "EncodingType": "url",
        "IsTruncated": False,
        "Marker": "",
        "MaxKeys": 1000,
        "Name": bucket,
        "Prefix": "",
    }


def test_what_a_listing_says_of_an_object(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["a"], size=5)
    (entry,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert entry.pop("LastModified").isoformat() == "2023-11-14T22:13:20+00:00"
    assert entry == {
        "Key": "a",
        "ETag": '"d41d8cd98f00b204e9800998ecf8427e"',
        "Size": 5,
        "StorageClass": "STANDARD",
        "ChecksumAlgorithm": ["CRC32"],
        "ChecksumType": "FULL_OBJECT",
    }
    owner = canonical_user_id(cloud.account)
    (entry,) = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"]
    assert entry["Owner"] == {"ID": owner}
    (entry,) = s3.list_objects(Bucket=bucket)["Contents"]
    assert entry["Owner"] == {"ID": owner}


def test_the_xml_has_milliseconds_and_its_namespace(cloud: Account, bucket: str) -> None:
    fill(cloud, bucket, ["a&b"])
    root = get(cloud, f"/{bucket}?list-type=2")
    assert root.tag == f"{XML}ListBucketResult"
    assert root.findtext(f"{XML}Contents/{XML}LastModified") == "2023-11-14T22:13:20.000Z"
    assert root.findtext(f"{XML}Contents/{XML}Key") == "a&b"
    assert root.find(f"{XML}EncodingType") is None


def test_keys_sort_by_their_utf8_bytes(cloud: Account, s3: Any, bucket: str) -> None:
    some = ["é", "z", "\U0001f600", "\uffff", "a", "B", "a/", "a b", "a%20b", "a+b", "%2F", "~", "\x01", "a\x7f"]
    fill(cloud, bucket, some)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == sorted(some, key=str.encode)
    assert keys(s3.list_objects(Bucket=bucket)) == sorted(some, key=str.encode)


def test_encoded_keys(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["d=1/a b+c~*é.txt"])
    answer = s3.list_objects_v2(Bucket=bucket, EncodingType="url", StartAfter="a=", Prefix="d=", Delimiter="=1")
    assert (answer["Prefix"], answer["StartAfter"], answer["Delimiter"]) == ("d%3D", "a%3D", "%3D1")
    assert keys(answer) == ["d%3D1/a+b%2Bc%7E*%C3%A9.txt"]
    answer = s3.list_objects_v2(Bucket=bucket, EncodingType="url", Delimiter="=")
    assert prefixes(answer) == ["d%3D"]


def test_control_characters_without_encoding(cloud: Account, bucket: str) -> None:
    fill(cloud, bucket, ["a\nb"])
    assert get(cloud, f"/{bucket}").findtext(f"{XML}Contents/{XML}Key") == "a\nb"


def test_prefix_and_delimiter(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["photos/2006/a", "photos/2006/b", "photos/2007/c", "photos/d", "sample", "photos//e"])
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert (keys(answer), prefixes(answer), answer["KeyCount"]) == (["sample"], ["photos/"], 2)
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="photos/")
    assert (keys(answer), prefixes(answer)) == (["photos/d"], ["photos//", "photos/2006/", "photos/2007/"])
    answer = s3.list_objects_v2(Bucket=bucket, Delimiter="/2", Prefix="photos")
    assert (keys(answer), prefixes(answer)) == (["photos//e", "photos/d"], ["photos/2"])
    assert keys(s3.list_objects_v2(Bucket=bucket, Prefix="s")) == ["sample"]
    assert s3.list_objects_v2(Bucket=bucket, Prefix="nothing")["KeyCount"] == 0


def test_pages_of_version_2(cloud: Account, s3: Any, bucket: str) -> None:
    names = ["folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"]
    fill(cloud, bucket, names)
    seen: list[str] = []
    token: dict[str, str] = {}
    for turn in range(3):
        answer = s3.list_objects_v2(Bucket=bucket, Prefix="folder/", Delimiter="/", MaxKeys=1, **token)
        assert answer["KeyCount"] == 1
        assert answer.get("ContinuationToken") == token.get("ContinuationToken")
        assert answer["IsTruncated"] is (turn < 2)
        seen += keys(answer) + prefixes(answer)
        token = {"ContinuationToken": answer.get("NextContinuationToken", "")}
    assert seen == ["folder/aSubfolder/", "folder/file1", "folder/file2"]
    paginator = s3.get_paginator("list_objects_v2")
    assert [key for page in paginator.paginate(Bucket=bucket, MaxKeys=3) for key in keys(page)] == names


def test_start_after_and_the_token_that_wins_over_it(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["a", "b", "c", "d"])
    answer = s3.list_objects_v2(Bucket=bucket, StartAfter="a", MaxKeys=1)
    assert (keys(answer), answer["StartAfter"]) == (["b"], "a")
    answer = s3.list_objects_v2(
        Bucket=bucket, StartAfter="a", MaxKeys=1, ContinuationToken=answer["NextContinuationToken"]
    )
    assert keys(answer) == ["c"]
    assert "StartAfter" not in answer
    assert keys(s3.list_objects_v2(Bucket=bucket, StartAfter="bb")) == ["c", "d"]


def test_pages_of_version_1(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2"])
    options = {"Bucket": bucket, "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 1}
    answer = s3.list_objects(**options)
    assert (prefixes(answer), answer["NextMarker"]) == (["folder/aSubfolder/"], "folder/aSubfolder/")
    answer = s3.list_objects(**options, Marker="folder/aSubfolder/")
    assert (keys(answer), answer["NextMarker"], answer["IsTruncated"]) == (["folder/file1"], "folder/file1", True)
    assert keys(s3.list_objects(**options, Marker="folder/aSubfolder/subFile1")) == ["folder/file1"]
    answer = s3.list_objects(**options, Marker="folder/file1")
    assert keys(answer) == ["folder/file2"]
    assert "NextMarker" not in answer
    answer = s3.list_objects(Bucket=bucket, MaxKeys=2)
    assert answer["IsTruncated"]
    assert "NextMarker" not in answer  # without a delimiter the last key is the marker


def test_more_than_a_page(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, [f"key-{number:04}" for number in range(1010)])
    answer = s3.list_objects_v2(Bucket=bucket, MaxKeys=5000)
    assert (answer["KeyCount"], answer["MaxKeys"], answer["IsTruncated"]) == (1000, 1000, True)
    answer = s3.list_objects_v2(Bucket=bucket, ContinuationToken=answer["NextContinuationToken"])
    assert (answer["KeyCount"], answer["IsTruncated"]) == (10, False)
    answer = s3.list_objects_v2(Bucket=bucket, MaxKeys=0)
    assert (answer["KeyCount"], answer["MaxKeys"], answer["IsTruncated"]) == (0, 0, False)


def test_restores_on_request(cloud: Account, s3: Any, bucket: str) -> None:
    fill(cloud, bucket, ["going"], storage_class="GLACIER", restore_requested_at=1.0, restored_at=4e9)
    fill(
        cloud,
        bucket,
        ["there"],
        storage_class="GLACIER",
        restore_requested_at=1.0,
        restored_at=2.0,
        restore_expires_at=4_102_444_800.0,
    )
    fill(cloud, bucket, ["plain"])
    for answer in (
        s3.list_objects_v2(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"]),
        s3.list_objects(Bucket=bucket, OptionalObjectAttributes=["RestoreStatus"]),
    ):
        found = {entry["Key"]: entry.get("RestoreStatus") for entry in answer["Contents"]}
        assert found["going"] == {"IsRestoreInProgress": True}
        assert found["there"]["IsRestoreInProgress"] is False
        assert found["there"]["RestoreExpiryDate"].isoformat() == "2100-01-01T00:00:00+00:00"
        assert found["plain"] is None
    assert "RestoreStatus" not in s3.list_objects_v2(Bucket=bucket)["Contents"][0]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_what_listings_refuse(s3: Any, bucket: str, operation: str) -> None:
    call = getattr(s3, operation)
    text = "Invalid Encoding Method specified in Request"
    with refused("InvalidArgument", text, ArgumentName="encoding-type", ArgumentValue="value"):
        call(Bucket=bucket, EncodingType="value")
    text = "Argument maxKeys must be an integer between 0 and 2147483647"
    with refused("InvalidArgument", text, ArgumentName="maxKeys", ArgumentValue="-1"):
        call(Bucket=bucket, MaxKeys=-1)
    with refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName="no-such-bucket-here"):
        call(Bucket="no-such-bucket-here")


@pytest.mark.parametrize("token", ["", "abc", "A" * 40])
def test_tokens_that_are_none_of_ours(s3: Any, bucket: str, token: str) -> None:
    with refused("InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token"):
        s3.list_objects_v2(Bucket=bucket, ContinuationToken=token)


def test_another_account_may_not_list(cloud: Account, s3: Any, bucket: str) -> None:
    with refused("AccessDenied", status=403):
        cloud.another().client("s3").list_objects_v2(Bucket=bucket)


def test_a_service_gets_values(cloud: Account, bucket: str) -> None:
    fill(cloud, bucket, ["a", "b/c"])

    def listed(ctx: Context) -> dict[str, Any]:
        inner = ctx.child("s3", "ListObjectsV2", service="s3")
        inner.internal = True
        return ctx.runtime.nested(inner, {"Bucket": bucket, "Delimiter": "/"}, ctx.txn)

    answer = transact(cloud, listed)
    assert [entry["Key"] for entry in answer["Contents"]] == ["a"]
    assert answer["CommonPrefixes"] == [{"Prefix": "b/"}]


def test_a_page_that_is_remembered_is_as_fresh(s3: Any, bucket: str) -> None:
    for listing in (s3.list_objects_v2, s3.list_objects):
        for number in range(3):
            s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
            for _ in range(2):
                assert keys(listing(Bucket=bucket)) == [f"k{each}" for each in range(number + 1)]
        s3.put_object(Bucket=bucket, Key="k0", Body=b"longer")
        assert [entry["Size"] for entry in listing(Bucket=bucket)["Contents"]] == [6, 1, 1]
        assert keys(listing(Bucket=bucket, MaxKeys=1)) == ["k0"]
        assert keys(listing(Bucket=bucket, Prefix="k1")) == ["k1"]
        for number in range(3):
            s3.delete_object(Bucket=bucket, Key=f"k{number}")
        assert "Contents" not in listing(Bucket=bucket)
    versioning = {"Status": "Enabled"}
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    version = s3.put_object(Bucket=bucket, Key="v", Body=b"x")["VersionId"]
    assert keys(s3.list_objects_v2(Bucket=bucket)) == ["v"]
    marker = s3.delete_object(Bucket=bucket, Key="v")["VersionId"]
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []
    s3.delete_object(Bucket=bucket, Key="v", VersionId=marker)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == ["v"]
    s3.delete_object(Bucket=bucket, Key="v", VersionId=version)
    assert keys(s3.list_objects_v2(Bucket=bucket)) == []
