"""Ranges and parts of objects."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.objects import ranges
from tests.services.storage.s3.conftest import refused

DATA = bytes(range(256)) * 1000


@pytest.mark.parametrize("size", [100, 100_000])
def test_ranges(s3: Any, bucket: str, size: int) -> None:
    data = DATA[:size]
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    for asked, begin, end in (
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=-{size * 2}", 0, size),
        (f"bytes=5-{size * 2}", 5, size),
        ("BYTES=3-3", 3, 4),
    ):
        got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
        assert got["Body"].read() == data[begin:end]
        assert got["ContentRange"] == f"bytes {begin}-{end - 1}/{size}"
        assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
        assert "ChecksumCRC32" not in got or (begin, end) == (0, size)
        head = s3.head_object(Bucket=bucket, Key="k", Range=asked)
        assert (head["ContentLength"], head["ContentRange"]) == (end - begin, got["ContentRange"])


@pytest.mark.parametrize("asked", ["bytes=5-3", "bytes=0-1,3-4", "bytes=-", "bytes=x-1", "items=0-1", "0-5"])
def test_what_is_no_single_range_is_ignored(s3: Any, bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert got["Body"].read() == b"0123456789" and got["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100-200", "bytes=-0"])
def test_a_range_beyond_the_end_is_refused(s3: Any, bucket: str, asked: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    named = {"RangeRequested": asked, "ActualObjectSize": "10"}
    with refused("InvalidRange", "The requested range is not satisfiable", 416, **named):
        s3.get_object(Bucket=bucket, Key="k", Range=asked)
    with refused("416", None, 416):
        s3.head_object(Bucket=bucket, Key="k", Range=asked)


def test_an_empty_object_has_no_range(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k")
    with refused("InvalidRange", None, 416):
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=0-")


def test_an_object_put_whole_is_its_first_part(s3: Any, bucket: str) -> None:
    data = os.urandom(20)
    s3.put_object(Bucket=bucket, Key="k", Body=data)
    got = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert got["Body"].read() == data and got["ContentRange"] == "bytes 0-19/20" and "PartsCount" not in got
    named = {"PartNumberRequested": "2", "ActualPartCount": "1"}
    with refused("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, **named):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=2)
    for number in (0, 10_001):
        with refused("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"):
            s3.get_object(Bucket=bucket, Key="k", PartNumber=number)
    with refused("InvalidRequest", "Cannot specify both Range header and partNumber query parameter"):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=1, Range="bytes=0-1")


@given(st.integers(1, 50), st.integers(0, 60), st.integers(0, 60))
def test_a_range_is_python_s_slice(size: int, first: int, last: int) -> None:
    data = bytes(range(size))
    try:
        found = ranges.of_header(f"bytes={first}-{last}", size)
    except Fault as fault:
        assert fault.code == "InvalidRange" and first >= size and first <= last
        return
    if found is None:
        assert last < first
    else:
        offset, count = found
        assert data[offset : offset + count] == data[first : last + 1] and count > 0
