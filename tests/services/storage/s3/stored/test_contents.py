"""Where the bytes of small objects lie: in their version, in a row beside it, or in a blob."""

from __future__ import annotations

import itertools
import os
from typing import Any

import pytest

from cumulo.core.context import Context
from cumulo.core.table import prefix_range
from cumulo.services.storage.s3.stored import contents
from cumulo.services.storage.s3.stored.object_versions import CURRENT
from tests.conftest import Account
from tests.services.storage.s3.stored_objects import transact

SIZES = (0, 100, 4000, 20_000)


def rows(cloud: Account, bucket: str) -> int:
    def count(ctx: Context) -> int:
        return len(ctx.txn.range(*prefix_range(contents._ROWS.key(ctx, bucket))))

    found: int = transact(cloud, count)
    return found


@pytest.mark.parametrize("versions", [False, True])
def test_whatever_replaces_whatever(cloud: Account, s3: Any, bucket: str, versions: bool) -> None:
    if versions:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    for first, second in itertools.product(SIZES, SIZES):
        for size in (first, second):
            data = os.urandom(size)
            s3.put_object(Bucket=bucket, Key="k", Body=data)
            assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data
        assert rows(cloud, bucket) == (second == 4000)
        s3.delete_object(Bucket=bucket, Key="k")
        assert rows(cloud, bucket) == 0


def test_a_copy_and_tags_keep_the_bytes(cloud: Account, s3: Any, bucket: str) -> None:
    for size in SIZES:
        data = os.urandom(size)
        s3.put_object(Bucket=bucket, Key="k", Body=data)
        s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
        for key in ("k", "copy"):
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == data


def test_what_an_earlier_cumulo_kept_in_a_row_is_read_and_replaced(cloud: Account, s3: Any, bucket: str) -> None:
    data = os.urandom(500)
    s3.put_object(Bucket=bucket, Key="k", Body=data)

    def move(ctx: Context) -> None:
        version = CURRENT.peek(ctx, bucket, "k")
        assert version is not None and version.data == data
        version.data = b""
        ctx.txn.put(contents._row_key(ctx, version), data)
        CURRENT.put(ctx, version)

    transact(cloud, move)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == data
    assert rows(cloud, bucket) == 1
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"new"
    assert rows(cloud, bucket) == 0
