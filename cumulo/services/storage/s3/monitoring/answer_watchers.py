"""Who hears of the answers to a bucket's requests: its access log, deliveries of it, and its metrics configurations.

An operation may look for its bucket in several transactions, and a copy looks for two buckets: the last one heard of
has its say, and the time since the first counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3.monitoring import access_logs, request_metrics, vended_logs

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

KINDS = frozenset((access_logs.KIND, request_metrics.KIND, vended_logs.KIND))


class Watchers:
    """Those of one request, called with `wire_calls.Sent`. `began` are seconds of the wall clock; `before` is who was
    to hear of the answer already (an Object Lambda access point)."""

    __slots__ = ("before", "began", "counted", "logged", "vended")

    def __init__(self, began: float, before: Callable[[Any], None] | None) -> None:
        self.began = began
        self.before = before
        self.logged: Callable[[Any], None] | None = None
        self.vended: Callable[[Any], None] | None = None
        self.counted: Callable[[Any, float], None] | None = None

    def __call__(self, sent: Any) -> None:
        if self.before is not None:
            self.before(sent)
        if self.logged is not None:
            self.logged(sent)
        if self.vended is not None:
            self.vended(sent)
        if self.counted is not None:
            self.counted(sent, self.began)


def watch(ctx: Context, bucket: Bucket, request: Mapping[str, Any]) -> None:
    """Have the answer to this request written down and counted, as the bucket wants it."""
    if KINDS.isdisjoint(bucket.configured):
        return
    watchers = ctx.on_answer
    if not isinstance(watchers, Watchers):
        watchers = ctx.on_answer = Watchers(ctx.runtime.clock.wall(), watchers)
    if access_logs.KIND in bucket.configured:
        watchers.logged = access_logs.listener(ctx, bucket, request)
    if vended_logs.KIND in bucket.configured:
        watchers.vended = vended_logs.listener(ctx, bucket, request)
    if request_metrics.KIND in bucket.configured:
        watchers.counted = request_metrics.listener(ctx, bucket, request)
