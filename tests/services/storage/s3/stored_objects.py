"""Objects put into the store directly: many of them, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from cumulo.core.context import Context
from cumulo.services.storage.s3.stored import remembered_pages
from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion
from tests.conftest import Account

FIRST = 1_700_000_000_000_000_000
CHUNK = 5000


def transact(cloud: Account, work: Callable[[Context], Any]) -> Any:
    """Run `work(ctx)` in a transaction of the cloud's own."""
    runtime = cloud.running.cloud.runtime
    ctx = runtime.internal_context("s3", "test", cloud.account, "us-east-1")
    return cloud.running.run(ctx.transact(work))


def fill(cloud: Account, bucket: str, keys: Iterable[str], **fields: Any) -> None:
    """Empty objects with these keys, as PutObject leaves them."""
    pending = list(keys)

    def put(ctx: Context, some: list[str], first: int) -> None:
        remembered_pages.forget(ctx, bucket)
        for number, key in enumerate(some, first):
            CURRENT.put(
                ctx,
                ObjectVersion(
                    bucket,
                    key,
                    FIRST + number,
                    "null",
                    FIRST / 1e9,
                    etag="d41d8cd98f00b204e9800998ecf8427e",
                    owner=cloud.account,
                    headers={"ContentType": "binary/octet-stream"},
                    checksums={"CRC32": "AAAAAA=="},
                    checksum_type="FULL_OBJECT",
                    **fields,
                ),
            )

    for start in range(0, len(pending), CHUNK):
        some = pending[start : start + CHUNK]
        transact(cloud, lambda ctx, some=some, start=start: put(ctx, some, start))
