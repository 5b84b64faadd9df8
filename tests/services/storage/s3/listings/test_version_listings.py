"""ListObjectVersions, and what versions of a key do to each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.services.storage.s3.conftest import refused


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    """The name of a bucket with versions."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def suspend(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def put(s3: Any, bucket: str, key: str, body: str = "x") -> str:
    version: str = s3.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId", "null")
    return version


def delete(s3: Any, bucket: str, key: str, **options: str) -> str:
    version: str = s3.delete_object(Bucket=bucket, Key=key, **options).get("VersionId", "")
    return version


def shown(answer: dict[str, Any]) -> list[tuple[str, str, bool]]:
    """(key, version id, whether it is the latest) of versions and delete markers together."""
    entries = [*answer.get("Versions", ()), *answer.get("DeleteMarkers", ())]
    return [(entry["Key"], entry["VersionId"], entry["IsLatest"]) for entry in entries]


def test_versions_and_markers(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, "k", "one"), put(s3, versioned, "k", "two")
    marker = delete(s3, versioned, "k")
    answer = s3.list_object_versions(Bucket=versioned)
    assert [(each["VersionId"], each["IsLatest"], each["Size"]) for each in answer["Versions"]] == [
        (second, False, 3),
        (first, False, 3),
    ]
    (found,) = answer["DeleteMarkers"]
    assert (found["VersionId"], found["IsLatest"], found["Key"]) == (marker, True, "k")
    assert found["Owner"] == answer["Versions"][0]["Owner"]
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    assert delete(s3, versioned, "k", VersionId=marker) == marker
    assert shown(s3.list_object_versions(Bucket=versioned)) == [("k", second, True), ("k", first, False)]
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"two"


def test_what_was_there_before_versions_is_the_null_version(s3: Any, bucket: str) -> None:
    put(s3, bucket, "k", "old")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    new = put(s3, bucket, "k", "new")
    assert shown(s3.list_object_versions(Bucket=bucket)) == [("k", new, True), ("k", "null", False)]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"old"
    suspend(s3, bucket)
    put(s3, bucket, "k", "newest")
    assert shown(s3.list_object_versions(Bucket=bucket)) == [("k", "null", True), ("k", new, False)]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"newest"


def test_a_suspended_bucket_has_one_null_version(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, "k")
    suspend(s3, versioned)
    answer = s3.delete_object(Bucket=versioned, Key="k")
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert shown(s3.list_object_versions(Bucket=versioned)) == [("k", first, False), ("k", "null", True)]
    answer = s3.put_object(Bucket=versioned, Key="k", Body="again")
    assert "VersionId" not in answer
    assert shown(s3.list_object_versions(Bucket=versioned)) == [("k", "null", True), ("k", first, False)]
    assert delete(s3, versioned, "k") == "null"
    assert shown(s3.list_object_versions(Bucket=versioned)) == [("k", first, False), ("k", "null", True)]
    assert delete(s3, versioned, "k", VersionId="null") == "null"
    assert shown(s3.list_object_versions(Bucket=versioned)) == [("k", first, True)]


def test_markers_of_pages(s3: Any, versioned: str) -> None:
    ids = {key: [put(s3, versioned, key) for _ in range(2)][::-1] for key in ("test_0", "test_1", "test_2")}
    answer = s3.list_object_versions(Bucket=versioned, MaxKeys=3)
    assert shown(answer) == [
        ("test_0", ids["test_0"][0], True),
        ("test_0", ids["test_0"][1], False),
        ("test_1", ids["test_1"][0], True),
    ]
    assert (answer["IsTruncated"], answer["NextKeyMarker"]) == (True, "test_1")
    assert answer["NextVersionIdMarker"] == ids["test_1"][0]
    answer = s3.list_object_versions(
        Bucket=versioned, KeyMarker="test_1", VersionIdMarker=answer["NextVersionIdMarker"], MaxKeys=1
    )
    assert shown(answer) == [("test_1", ids["test_1"][1], False)]
    assert shown(s3.list_object_versions(Bucket=versioned, KeyMarker="test_1"))[0] == ("test_2", ids["test_2"][0], True)
    answer = s3.list_object_versions(Bucket=versioned, KeyMarker="test_2")
    assert (shown(answer), answer["IsTruncated"]) == ([], False)
    everything = [
        each
        for page in s3.get_paginator("list_object_versions").paginate(
            Bucket=versioned, PaginationConfig={"PageSize": 1}
        )
        for each in shown(page)
    ]
    assert [key for key, _, _ in everything] == ["test_0"] * 2 + ["test_1"] * 2 + ["test_2"] * 2


def test_a_marker_whose_version_is_gone(s3: Any, versioned: str) -> None:
    ids = [put(s3, versioned, "k") for _ in range(5)][::-1]
    for version in ids[:3]:
        delete(s3, versioned, "k", VersionId=version)
    answer = s3.list_object_versions(Bucket=versioned, KeyMarker="k", VersionIdMarker=ids[2])
    assert shown(answer) == [("k", ids[3], True), ("k", ids[4], False)]


def test_common_prefixes(s3: Any, versioned: str) -> None:
    names = ("folder/aSubfolder/subFile1", "folder/aSubfolder/subFile2", "folder/file1", "folder/file2")
    ids = {key: put(s3, versioned, key) for key in names}
    options = {"Bucket": versioned, "Prefix": "folder/", "Delimiter": "/", "MaxKeys": 1}
    answer = s3.list_object_versions(**options)
    assert answer["CommonPrefixes"] == [{"Prefix": "folder/aSubfolder/"}]
    assert answer["NextKeyMarker"] == "folder/aSubfolder/"
    assert "NextVersionIdMarker" not in answer
    answer = s3.list_object_versions(**options, KeyMarker="folder/aSubfolder/")
    assert shown(answer) == [("folder/file1", ids["folder/file1"], True)]
    assert answer["NextVersionIdMarker"] == ids["folder/file1"]
    answer = s3.list_object_versions(**options, KeyMarker="folder/aSubfolder/subFile1")
    assert shown(answer) == [("folder/file1", ids["folder/file1"], True)]


def test_a_version_marker_needs_a_key(s3: Any, versioned: str, bucket: str) -> None:
    version = put(s3, versioned, "k")
    text = "A version-id marker cannot be specified without a key marker."
    with refused("InvalidArgument", text, ArgumentName="version-id-marker", ArgumentValue=version):
        s3.list_object_versions(Bucket=versioned, VersionIdMarker=version)
    with refused("InvalidArgument", "Invalid version id specified", ArgumentName="version-id-marker"):
        s3.list_object_versions(Bucket=versioned, KeyMarker="k", VersionIdMarker="nonsense")


def test_a_bucket_without_versions(s3: Any, bucket: str) -> None:
    put(s3, bucket, "k")
    put(s3, bucket, "k")
    assert shown(s3.list_object_versions(Bucket=bucket)) == [("k", "null", True)]


def test_a_bucket_with_versions_is_not_empty(s3: Any, new_bucket: Callable[..., str]) -> None:
    name = new_bucket()
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    version = put(s3, name, "k")
    marker = delete(s3, name, "k")
    for left in (version, marker):
        with refused("BucketNotEmpty", status=409):
            s3.delete_bucket(Bucket=name)
        delete(s3, name, "k", VersionId=left)
    s3.delete_bucket(Bucket=name)
