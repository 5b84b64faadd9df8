"""Pages that were asked for again: what has changed since is mended in them, and they are as fresh ones would be."""

from __future__ import annotations

import random
from typing import Any

import pytest

from cumulo.services.storage.s3.stored import remembered_pages
from tests.conftest import Account

QUESTIONS: list[dict[str, Any]] = [
    {},
    {"MaxKeys": 3},
    {"MaxKeys": 40},
    {"Prefix": "b"},
    {"Prefix": "b", "MaxKeys": 2},
    {"StartAfter": "b3"},
    {"FetchOwner": True},
    {"EncodingType": "url"},
    {"Delimiter": "/"},
    {"MaxKeys": 0},
]


def answer(s3: Any, bucket: str, question: dict[str, Any]) -> dict[str, Any]:
    found = s3.list_objects_v2(Bucket=bucket, **question)
    del found["ResponseMetadata"]
    found["v1"] = s3.list_objects(
        Bucket=bucket, **{name: value for name, value in question.items() if name not in ("StartAfter", "FetchOwner")}
    )
    del found["v1"]["ResponseMetadata"]
    return found  # type: ignore[no-any-return]


def forget(cloud: Account) -> None:
    cloud.running.cloud.runtime.memory.pop(remembered_pages._PLACE, None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("versioned", [False, True])
def test_mended_pages_are_as_fresh_ones(cloud: Account, s3: Any, bucket: str, seed: int, versioned: bool) -> None:
    chance = random.Random(seed)
    if versioned:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    keys = [f"{letter}{number}{tail}" for letter in "abc" for number in range(5) for tail in ("", "/é &")]
    for key in chance.sample(keys, 8):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    for _ in range(6):
        for question in QUESTIONS:
            answer(s3, bucket, question)
        for _ in range(chance.choice((1, 1, 2, 5))):
            key = chance.choice(keys)
            if chance.random() < 0.6:
                s3.put_object(Bucket=bucket, Key=key, Body=b"x" * chance.randrange(1, 100))
            else:
                s3.delete_object(Bucket=bucket, Key=key)
        mended = [answer(s3, bucket, question) for question in QUESTIONS]
        again = [answer(s3, bucket, question) for question in QUESTIONS]
        forget(cloud)
        assert mended == again == [answer(s3, bucket, question) for question in QUESTIONS]


def test_a_page_is_mended_not_read(cloud: Account, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    s3.list_objects_v2(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k3", Body=b"four")
    s3.put_object(Bucket=bucket, Key="k9", Body=b"x")
    s3.delete_object(Bucket=bucket, Key="k0")
    monkeypatch.setattr("cumulo.services.storage.s3.listings.listing_pages.collect", None)
    listed = s3.list_objects_v2(Bucket=bucket)
    assert [(each["Key"], each["Size"]) for each in listed["Contents"]] == [
        ("k1", 1), ("k2", 1), ("k3", 4), ("k4", 1), ("k9", 1),
    ]  # fmt: skip
    assert listed["KeyCount"] == 5


def test_after_many_changes_it_is_read_anew(cloud: Account, s3: Any, bucket: str) -> None:
    s3.list_objects_v2(Bucket=bucket)
    for number in range(remembered_pages.MOST_CHANGES + 1):
        s3.put_object(Bucket=bucket, Key=f"k{number}", Body=b"x")
    memory = cloud.running.cloud.runtime.memory[remembered_pages._PLACE]
    assert bucket not in memory
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == remembered_pages.MOST_CHANGES + 1
