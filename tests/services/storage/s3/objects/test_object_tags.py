"""Tags of objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.storage.s3.conftest import refused

BAD_HEADER = (
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
    "duplicates."
)


def tags(s3: Any, bucket: str, **options: str) -> dict[str, str]:
    found = s3.get_object_tagging(Bucket=bucket, Key="k", **options)["TagSet"]
    return {tag["Key"]: tag["Value"] for tag in found}


def tag(s3: Any, bucket: str, pairs: list[tuple[str, str]], key: str = "k") -> None:
    tag_set = [{"Key": name, "Value": value} for name, value in pairs]
    s3.put_object_tagging(Bucket=bucket, Key=key, Tagging={"TagSet": tag_set})


@pytest.fixture
def there(s3: Any, bucket: str) -> str:
    """A bucket with the object "k"."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    return bucket


def test_put_get_delete(s3: Any, there: str) -> None:
    assert tags(s3, there) == {}
    tag(s3, there, [("tag1", "one"), ("tag2", "")])
    assert tags(s3, there) == {"tag1": "one", "tag2": ""}
    assert s3.get_object(Bucket=there, Key="k")["TagCount"] == 2
    assert s3.head_object(Bucket=there, Key="k")["TagCount"] == 2
    tag(s3, there, [("tag3", "three")])
    assert tags(s3, there) == {"tag3": "three"}
    answer = s3.delete_object_tagging(Bucket=there, Key="k")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert tags(s3, there) == {}
    assert "TagCount" not in s3.head_object(Bucket=there, Key="k")


def test_tags_of_versions(s3: Any, there: str) -> None:
    s3.put_bucket_versioning(Bucket=there, VersioningConfiguration={"Status": "Enabled"})
    tag(s3, there, [("a", "b")])
    version = s3.put_object(Bucket=there, Key="k", Body=b"y", Tagging="c=d")["VersionId"]
    assert tags(s3, there) == {"c": "d"}
    assert tags(s3, there, VersionId="null") == {"a": "b"}
    assert s3.get_object_tagging(Bucket=there, Key="k")["VersionId"] == version
    marker = s3.delete_object(Bucket=there, Key="k")["VersionId"]
    with refused("MethodNotAllowed", status=405):
        s3.get_object_tagging(Bucket=there, Key="k", VersionId=marker)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("tag1=one&tag2=two&tag=", {"tag1": "one", "tag2": "two", "tag": ""}),
        ("wrongquery&wrongagain", {"wrongquery": "", "wrongagain": ""}),
        ("a%20b=c%2Bd", {"a b": "c+d"}),
        ("", {}),
    ],
)
def test_with_the_object(s3: Any, bucket: str, header: str, found: dict[str, str]) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=header)
    assert tags(s3, bucket) == found


@pytest.mark.parametrize("header", ["key1=val1,key2=val2", "key1=val1&key1=val2", "a=%ff"])
def test_headers_that_are_refused(s3: Any, bucket: str, header: str) -> None:
    with refused("InvalidArgument", BAD_HEADER, ArgumentName="x-amz-tagging", ArgumentValue=header):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", Tagging=header)


def test_limits(s3: Any, there: str) -> None:
    tag(s3, there, [("k" * 128, "v" * 256)])
    with refused("BadRequest", "Object tags cannot be greater than 10"):
        tag(s3, there, [(f"k{number}", "") for number in range(11)])
    with refused("BadRequest", "Object tags cannot be greater than 10"):
        s3.put_object(Bucket=there, Key="k", Tagging="&".join(f"k{number}=" for number in range(11)))
    with refused("InvalidTag", "The TagKey you have provided is invalid", TagKey="k" * 129):
        tag(s3, there, [("k" * 129, "")])
    with refused("InvalidTag", "The TagValue you have provided is invalid", TagKey="k"):
        tag(s3, there, [("k", "v" * 257)])
    with refused("InvalidTag", "The TagKey you have provided is invalid", TagKey="a,b"):
        tag(s3, there, [("a,b", "")])
    with refused("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey="a"):
        tag(s3, there, [("a", ""), ("a", "b")])
    with refused("InvalidTag", TagKey="aws:a"):
        tag(s3, there, [("aws:a", "")])


def test_what_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", status=404, Key="fake"):
        tag(s3, bucket, [("a", "b")], key="fake")
    with refused("NoSuchKey", status=404, Key="fake"):
        s3.delete_object_tagging(Bucket=bucket, Key="fake")
    with refused("NoSuchKey", status=404, Key=f"{bucket}/fake"):
        s3.get_object_tagging(Bucket=bucket, Key="fake")
    with refused("NoSuchBucket", status=404):
        tag(s3, "no-such-bucket-to-tag", [("a", "b")])


def test_tagging_without_a_set_is_an_empty_one(s3: Any, there: str) -> None:
    tag(s3, there, [("a", "b")])
    s3.put_object_tagging(Bucket=there, Key="k", Tagging={})
    assert tags(s3, there) == {}
    with refused("MalformedXML"):
        s3.put_bucket_tagging(Bucket=there, Tagging={})


def test_delete_markers_have_no_tags(s3: Any, there: str) -> None:
    s3.put_bucket_versioning(Bucket=there, VersioningConfiguration={"Status": "Enabled"})
    marker = {"Bucket": there, "Key": "k", "VersionId": s3.delete_object(Bucket=there, Key="k")["VersionId"]}
    for method, call, options in (
        ("GET", s3.get_object_tagging, {}),
        ("PUT", s3.put_object_tagging, {"Tagging": {"TagSet": []}}),
        ("DELETE", s3.delete_object_tagging, {}),
    ):
        with refused("MethodNotAllowed", status=405, Method=method, ResourceType="DeleteMarker"):
            call(**marker, **options)
