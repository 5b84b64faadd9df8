"""A bucket too large to be read for a page: what one costs, anywhere in it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from cumulo.core.context import Context
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.stored import remembered_pages
from tests.conftest import Account
from tests.services.storage.s3.stored_objects import fill, transact

OBJECTS = 60_000
PAGE_S = 0.05  # five times what is claimed, for a busy machine; a scan of everything takes ten times as long


@pytest.fixture
def large(cloud: Account, bucket: str) -> Iterator[str]:
    """Three hundred folders of two hundred objects; nobody goes over them later, as they are in no bucket then."""
    fill(cloud, bucket, (f"folder-{number // 200:04}/file-{number % 200:04}" for number in range(OBJECTS)))
    yield bucket

    def drop(ctx: Context) -> None:
        there = BUCKETS.peek(ctx, bucket)
        assert there is not None
        BUCKETS.delete(ctx, there)

    transact(cloud, drop)


@pytest.mark.parametrize(
    ("request_of", "entries"),
    [
        ({}, 1000),
        ({"StartAfter": "folder-0150/file-0100"}, 1000),
        ({"Delimiter": "/"}, 300),
        ({"Delimiter": "/", "StartAfter": "folder-0150/file-0100"}, 149),
        ({"Delimiter": "/", "Prefix": "folder-0299/"}, 200),
        ({"Delimiter": "9", "Prefix": "folder-"}, 1000),
        ({"Prefix": "folder-0298"}, 200),
    ],
)
def test_a_page_costs_what_it_shows(cloud: Account, large: str, request_of: dict[str, Any], entries: int) -> None:
    def listed(ctx: Context) -> tuple[int, float]:
        inner = ctx.child("s3", "ListObjectsV2", service="s3")
        inner.internal, inner.protocol = True, "rest-xml"
        remembered_pages.forget(ctx, large)  # or it would cost nothing at all
        before = time.thread_time()
        answer = ctx.runtime.nested(inner, {"Bucket": large, **request_of}, ctx.txn)
        return answer["KeyCount"], time.thread_time() - before

    transact(cloud, listed)
    found = [transact(cloud, listed) for _ in range(3)]
    assert found[0][0] == entries
    assert min(cpu_s for _, cpu_s in found) < PAGE_S
