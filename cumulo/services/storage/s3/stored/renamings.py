"""The client tokens of renames that were done, so that one that is heard again is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Renaming(Record):
    """A client token that renamed something: `digest` is of the request's parameters, `renamed_at` in seconds."""

    bucket: str
    token: str
    digest: bytes
    renamed_at: int


RENAMINGS = Table(
    Renaming, name="s3.renamings", key=("bucket", "token"), scope=GLOBAL, indexes={"by_time": ("renamed_at",)}
)


def drop_all(ctx: Context, bucket: str) -> None:
    """Forget the client tokens of a bucket that goes."""
    for each in RENAMINGS.range(ctx, bucket):
        RENAMINGS.delete(ctx, each)
