"""Conditions on reads, writes and deletes."""

from __future__ import annotations

import datetime
import itertools
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3.raw_requests import EMPTY, Signed

FAILED = "At least one of the pre-conditions you specified did not hold"
UNACCEPTED = "A header you provided implies functionality that is not implemented"


@pytest.fixture
def etag(s3: Any, bucket: str) -> str:
    return str(s3.put_object(Bucket=bucket, Key="k", Body=b"data")["ETag"])


def test_reads(s3: Any, bucket: str, etag: str) -> None:
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    before, after = [modified + datetime.timedelta(seconds=by) for by in (-10, 10)]
    future = modified + datetime.timedelta(days=3650)
    bare = etag.strip('"')
    # (conditions, what is refused)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"IfMatch": etag}, ""),
        ({"IfMatch": bare}, ""),
        ({"IfMatch": "*"}, ""),
        ({"IfMatch": f'"x", {etag}'}, ""),
        ({"IfMatch": '"x"'}, "If-Match"),
        ({"IfUnmodifiedSince": modified}, ""),
        ({"IfUnmodifiedSince": before}, "If-Unmodified-Since"),
        ({"IfMatch": etag, "IfUnmodifiedSince": before}, ""),
        ({"IfMatch": '"x"', "IfUnmodifiedSince": after}, "If-Match"),
        ({"IfNoneMatch": '"x"'}, ""),
        ({"IfNoneMatch": etag}, "304"),
        ({"IfNoneMatch": bare}, "304"),
        ({"IfNoneMatch": "*"}, "304"),
        ({"IfModifiedSince": before}, ""),
        ({"IfModifiedSince": modified}, "304"),
        ({"IfModifiedSince": future}, ""),
        ({"IfNoneMatch": '"x"', "IfModifiedSince": modified}, ""),
        ({"IfNoneMatch": etag, "IfModifiedSince": before}, "304"),
        ({"IfMatch": etag, "IfNoneMatch": etag}, "304"),
    ]
    for conditions, refusal in cases:
        if not refusal:
            assert s3.get_object(Bucket=bucket, Key="k", **conditions)["Body"].read() == b"data", conditions
            s3.head_object(Bucket=bucket, Key="k", **conditions)
        elif refusal == "304":
            for call in (s3.get_object, s3.head_object):
                with refused("304", "Not Modified", 304):
                    call(Bucket=bucket, Key="k", **conditions)
        else:
            with refused("PreconditionFailed", FAILED, 412, Condition=refusal):
                s3.get_object(Bucket=bucket, Key="k", **conditions)
            with refused("412", "Precondition Failed", 412):
                s3.head_object(Bucket=bucket, Key="k", **conditions)


@pytest.mark.parametrize("size", [10, 100_000])
def test_writes(s3: Any, bucket: str, size: int) -> None:
    body = b"x" * size
    with refused("NoSuchKey", "The specified key does not exist.", 404, Key="k"):
        s3.put_object(Bucket=bucket, Key="k", Body=body, IfMatch='"x"')
    first = s3.put_object(Bucket=bucket, Key="k", Body=body, IfNoneMatch="*")["ETag"]
    with refused("PreconditionFailed", FAILED, 412, Condition="If-None-Match"):
        s3.put_object(Bucket=bucket, Key="k", Body=body, IfNoneMatch="*")
    with refused("PreconditionFailed", FAILED, 412, Condition="If-Match"):
        s3.put_object(Bucket=bucket, Key="k", Body=body, IfMatch='"x"')
    second = s3.put_object(Bucket=bucket, Key="k", Body=body + b"y", IfMatch=first)["ETag"]
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] == second
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=body, IfNoneMatch="*")


def test_values_that_writes_do_not_take(s3: Any, bucket: str, etag: str) -> None:
    for conditions, header in (
        ({"IfMatch": "*"}, "If-Match"),
        ({"IfNoneMatch": etag}, "If-None-Match"),
        ({"IfMatch": etag, "IfNoneMatch": "*"}, "If-Match,If-None-Match"),
    ):
        with refused("NotImplemented", UNACCEPTED, 501, Header=header):
            s3.put_object(Bucket=bucket, Key="k", **conditions)


def test_deletes(s3: Any, bucket: str, etag: str) -> None:
    with refused("PreconditionFailed", FAILED, 412, Condition="If-Match"):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch='"x"')
    for member, header in (
        ({"IfMatchLastModifiedTime": datetime.datetime(2020, 1, 1)}, "x-amz-if-match-last-modified-time"),
        ({"IfMatchSize": 4}, "x-amz-if-match-size"),
    ):
        with refused("NotImplemented", UNACCEPTED, 501, Header=header):
            s3.delete_object(Bucket=bucket, Key="k", **member)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    with refused("404", None, 404):
        s3.head_object(Bucket=bucket, Key="k")
    with refused("NoSuchKey", None, 404):
        s3.delete_object(Bucket=bucket, Key="k", IfMatch=etag)


def test_what_changes_while_a_body_comes_is_a_conflict(s3: Any, bucket: str, etag: str) -> None:
    numbers = itertools.count()

    class Slow:
        """A body in the middle of which somebody else writes."""

        def __init__(self, key: str) -> None:
            self.left = 200_000
            self.key = key

        def __len__(self) -> int:
            return 200_000

        def read(self, count: int = -1) -> bytes:
            if self.left == 100_000:
                s3.put_object(Bucket=bucket, Key=self.key, Body=b"between %d" % next(numbers))
            some = min(self.left, 100_000 if count < 0 else min(count, 100_000))
            self.left -= some
            return b"x" * some

    import http.client
    from urllib.parse import urlsplit

    for key, header, params in (
        ("k", {"If-Match": etag}, {"IfMatch": etag}),
        ("new", {"If-None-Match": "*"}, {"IfNoneMatch": "*"}),
    ):
        url = urlsplit(s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key, **params}))
        assert url.hostname
        connection = http.client.HTTPConnection(url.hostname, url.port, blocksize=100_000)
        connection.request(
            "PUT", f"{url.path}?{url.query}", body=Slow(key), headers={"Content-Length": "200000", **header}
        )
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 409 and b"<Code>ConditionalRequestConflict</Code>" in text, text
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read().startswith(b"between")


@pytest.mark.parametrize(
    ("date", "status"),
    [
        ("Sun, 06 Nov 2050 08:49:37 GMT", 200),  # of the future: ignored
        ("Sat, 01 Jan 2000 00:00:00 GMT", 200),
        ("Saturday, 01-Jan-00 00:00:00 GMT", 200),
        ("Sat Jan  1 00:00:00 2000", 200),
        ("yesterday", 200),
        ("", 200),
    ],
)
def test_dates_in_all_of_https_forms(cloud: Account, s3: Any, bucket: str, date: str, status: int) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    sent = {"If_Modified_Since": date}
    answer = Signed(cloud.url, "GET", f"/{bucket}/k", EMPTY, key=cloud.account).send(b"", **sent)
    assert answer.status == status
    old = date.startswith("Sat")
    sent = {"If_Unmodified_Since": date}
    answer = Signed(cloud.url, "GET", f"/{bucket}/k", EMPTY, key=cloud.account).send(b"", **sent)
    assert answer.status == (412 if old else 200)
