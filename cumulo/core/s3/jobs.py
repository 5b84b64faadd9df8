"""What jobs of S3 Control let S3 do that its API has no operation for: S3 leaves its hand here, as neither imports the
other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.runtime import Runtime

_PLACE = "s3.jobs"

Found = tuple[str, str]
"""A key and a version id, "" in a bucket that never had versions."""


class Hand(NamedTuple):
    """`replicate(acting, bucket, key, version_id)` copies a version under its bucket's rules: "" or the reason why not.

    `find(acting, generator)` lists the versions that a manifest generator's filter lets through.
    `checksum(acting, bucket, key, version_id, algorithm, type)` computes that of a version's bytes, as reports tell it.
    All with the rights of the context they are given; the last two raise S3's faults.
    """

    replicate: Callable[[Context, str, str, str], Awaitable[str]]
    find: Callable[[Context, dict[str, Any]], Awaitable[list[Found]]]
    checksum: Callable[[Context, str, str, str, str, str], Awaitable[dict[str, str]]]


def offer(runtime: Runtime, hand: Hand) -> None:
    """S3 is loaded, and can do it."""
    runtime.memory[_PLACE] = hand


def hand(runtime: Runtime) -> Hand:
    """S3, loaded if it was not yet."""
    runtime.registry.service("s3").handler("GetObject")
    return cast("Hand", runtime.memory[_PLACE])
