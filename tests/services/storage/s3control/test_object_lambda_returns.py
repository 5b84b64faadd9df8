"""What functions return for HeadObject and listings, and what they must know for ranges."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.storage.s3.object_lambdas.listings import _inside
from cumulo.wire.faults import Fault
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3control.lenses import TEXT, Json, Lens, create, fetch, lens, role, simulated

__all__ = ["create", "lens", "role", "simulated"]


def test_a_function_answers_for_the_head(lens: Lens) -> None:
    lens.configure(actions=("HeadObject",))

    def head(event: Json) -> Json:
        _, headers = fetch(event["headObjectContext"]["inputS3Url"], "HEAD")
        return {"statusCode": 200, "headers": {**headers, "Content-Type": "a/b", "x-amz-meta-n": "2"}}

    lens.answers(head)
    got = lens.s3.head_object(Bucket=lens.alias, Key="a/k 1")
    assert (got["ContentLength"], got["ContentType"], got["Metadata"]) == (len(TEXT), "a/b", {"m": "1", "n": "2"})
    assert got["LastModified"] == lens.s3.head_object(Bucket=lens.bucket, Key="a/k 1")["LastModified"]
    assert set(lens.function.next()["headObjectContext"]) == {"inputS3Url"}
    lens.answers(lambda event: {"statusCode": 404, "errorCode": "NoSuchKey", "errorMessage": "m"})
    with pytest.raises(ClientError) as caught:
        lens.s3.head_object(Bucket=lens.alias, Key="a/k 1")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert lens.get()["Body"].read() == TEXT  # which no function answers


@pytest.mark.parametrize(
    "answer",
    [
        None, "text", {}, {"statusCode": "200"}, {"statusCode": 200}, {"statusCode": 200, "headers": {"ETag": "x"}},
        {"statusCode": 200, "headers": {"Content-Length": "many"}}, {"statusCode": 42, "headers": {}},
        {"statusCode": 200, "headers": {"Content-Length": 1, "x-amz-delete-marker": "perhaps"}},
        {"statusCode": 200, "headers": {"Content-Length": 1, "Last-Modified": "yesterday"}},
    ],
)  # fmt: skip
def test_heads_that_are_none(lens: Lens, answer: Any) -> None:
    lens.configure(actions=("HeadObject",))
    lens.answers(lambda event: answer)
    with pytest.raises(ClientError) as caught:
        lens.s3.head_object(Bucket=lens.alias, Key="a/k 1")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("operation", "context"), [("list_objects", "listObjectsContext"), ("list_objects_v2", "listObjectsV2Context")]
)
def test_a_function_lists(lens: Lens, operation: str, context: str) -> None:
    lens.configure(actions=("ListObjects", "ListObjectsV2"))
    lens.s3.put_object(Bucket=lens.bucket, Key="a/k 2", Body=b"")
    lens.s3.put_object(Bucket=lens.bucket, Key="b", Body=b"")

    def listed(event: Json) -> Json:
        xml = fetch(event[context]["inputS3Url"])[0].decode()
        return {"statusCode": 200, "listResultXml": xml.replace("<Size>19</Size>", "<Size>7</Size>")}

    lens.answers(listed)
    got = getattr(lens.s3, operation)(Bucket=lens.alias, Prefix="a/", MaxKeys=5)
    assert [(each["Key"], each["Size"]) for each in got["Contents"]] == [("a/k 1", 7), ("a/k 2", 0)]
    assert (got["Prefix"], got["MaxKeys"], got["IsTruncated"]) == ("a/", 5, False)
    asked = lens.function.next()
    assert "prefix=a/" in asked["userRequest"]["url"] and "max-keys=5" in asked["userRequest"]["url"]


def test_listings_as_json(lens: Lens) -> None:
    lens.configure(actions=("ListObjects", "ListObjectsV2"))
    result: Json = {
        "name": "n", "prefix": "p", "maxKeys": 2, "keyCount": 1, "isTruncated": True, "delimiter": "/",
        "nextContinuationToken": "next", "startAfter": "s",
        "contents": [{
            "key": "p&1", "lastModified": "2021-03-04T05:06:07.000Z", "size": 3, "eTag": '"e"',
            "storageClass": "GLACIER", "checksumAlgorithm": "CRC32", "owner": {"displayName": "d", "id": "i"},
        }],
        "commonPrefixes": [{"prefix": "p/"}],
    }  # fmt: skip
    lens.answers(lambda event: {"statusCode": 200, "listBucketResult": result})
    got = lens.s3.list_objects_v2(Bucket=lens.alias)
    (entry,) = got["Contents"]
    assert (entry["Key"], entry["Size"], entry["ETag"], entry["StorageClass"]) == ("p&1", 3, '"e"', "GLACIER")
    assert (entry["Owner"], entry["ChecksumAlgorithm"]) == ({"DisplayName": "d", "ID": "i"}, ["CRC32"])
    assert entry["LastModified"].isoformat() == "2021-03-04T05:06:07+00:00"
    assert (got["CommonPrefixes"], got["NextContinuationToken"], got["KeyCount"]) == ([{"Prefix": "p/"}], "next", 1)
    del result["keyCount"]
    assert lens.s3.list_objects(Bucket=lens.alias)["Name"] == "n"
    with refused("LambdaInvalidResponse", "The Lambda function returned an invalid listBucketResult", 400):
        lens.s3.list_objects_v2(Bucket=lens.alias)
    for said in ({}, {"listResultXml": "<a/>"}, {"listResultXml": "x", "listBucketResult": {}}):
        lens.answers(lambda event, said=said: {"statusCode": 200, **said})  # type: ignore[misc]
        with refused("LambdaInvalidResponse", status=400):
            lens.s3.list_objects(Bucket=lens.alias)


def test_errors_of_listings(lens: Lens) -> None:
    lens.configure(actions=("ListObjects", "ListObjectsV2"))
    lens.answers(lambda event: {"statusCode": 403, "errorCode": "No", "errorMessage": "never"})
    with refused("No", "never", 403):
        lens.s3.list_objects_v2(Bucket=lens.alias)
    xml = "<Error><Code>NoSuchBucket</Code><Message>It&apos;s gone</Message></Error>"
    lens.answers(lambda event: {"statusCode": 404, "listResultXml": xml})
    with refused("NoSuchBucket", "It's gone", 404):
        lens.s3.list_objects_v2(Bucket=lens.alias)


def test_ranges_and_parts_need_a_function_that_knows_them(lens: Lens) -> None:
    lens.configure(actions=("GetObject", "HeadObject"))
    for call in (lens.s3.get_object, lens.s3.head_object):
        for asked in ({"Range": "bytes=0-3"}, {"PartNumber": 1}):
            with pytest.raises(ClientError) as caught:
                call(Bucket=lens.alias, Key="a/k 1", **asked)
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    with refused("NotImplemented", status=501):
        lens.get(Range="bytes=0-3")
    lens.configure("GetObject-Range", "GetObject-PartNumber", "HeadObject-Range", "HeadObject-PartNumber")

    def part(event: Json) -> None:
        headers = {name.lower(): value for name, value in event["userRequest"]["headers"].items()}
        data = fetch(event["getObjectContext"]["inputS3Url"], Range=headers["range"])[0]
        lens.respond(event, data, ContentRange="bytes 0-3/19", StatusCode=206)

    lens.answers(part)
    got = lens.get(Range="bytes=0-3")
    assert (got["Body"].read(), got["ContentRange"]) == (b"the ", "bytes 0-3/19")
    assert lens.function.next()["userRequest"]["headers"]["Range"] == "bytes=0-3"
    lens.answers(lambda event: lens.respond(event, event["userRequest"]["url"].encode()))
    assert lens.get(PartNumber=2)["Body"].read().endswith(b"?partNumber=2")


@pytest.mark.parametrize(
    "xml",
    [
        "<ListBucketResult>" * 20_000,
        "<ListBucketResult " * 20_000,
        "<ListBucketResult>" * 20_000 + "</ListBucketResult>" * 20_000 + "x",
        "<ListBucketResult>" + ("</ListBucketResult>" + " " * 200) * 2000 + "x",
    ],
)
def test_hostile_documents_take_no_time(xml: str) -> None:
    begun = time.thread_time()
    with pytest.raises(Fault):
        _inside(xml)
    assert time.thread_time() - begun < 0.05


@pytest.mark.parametrize(
    ("xml", "inside"),
    [
        ("<?xml version='1.0'?>\n<ListBucketResult xmlns='a'><Name>b</Name></ListBucketResult >\n", "<Name>b</Name>"),
        ("<ListBucketResult/>", ""),
        ("<ListBucketResult xmlns='a' />\n", ""),
        ("<ListBucketResult></ListBucketResult>", ""),
    ],
)
def test_what_is_in_a_document(xml: str, inside: str) -> None:
    assert _inside(xml) == inside


@pytest.mark.parametrize(
    "xml", ["<ListBucketResult/>x", "<ListBucketResults></ListBucketResult>", "<ListBucketResult>"]
)
def test_documents_that_are_none(xml: str) -> None:
    with pytest.raises(Fault):
        _inside(xml)
