"""How long bytes lay in which class, for the bill: told when they go or change their class.

Sources: Amazon S3 pricing, "Storage & requests": what the infrequent and archive classes charge at least (30, 90 or 180
days, 128 KB; one hour in S3 Express One Zone), and the 32 KB beside each archived object with 8 KB of STANDARD.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

LEAST_DAYS = {
    "STANDARD_IA": 30, "ONEZONE_IA": 30, "GLACIER_IR": 90, "GLACIER": 90, "DEEP_ARCHIVE": 180,
    "EXPRESS_ONEZONE": 1 / 24,
}  # fmt: skip
_LEAST_B = {"STANDARD_IA": 131_072, "ONEZONE_IA": 131_072, "GLACIER_IR": 131_072}
_ARCHIVED_B = {"GLACIER": 32_768, "DEEP_ARCHIVE": 32_768}
_INDEX_B = 8192  # of STANDARD, beside each archived object
_HOUR_S = 3600
_DAY_S = 86_400
_STANDARD = "TimedStorage-STANDARD-ByteHrs"


def note_end(ctx: Context, version: ObjectVersion) -> None:
    """The time of a version in its class is over: TimedStorage and, where that was too soon, EarlyDelete."""
    name = version.storage_class
    since = version.class_since or version.sequence / 1e9
    metering, owner, region = ctx.runtime.journal.metering, version.owner, ctx.region
    if name == "STANDARD":  # nothing is charged at least, and most is of this class
        hours = max(0.0, ctx.now() - since) / _HOUR_S
        ctx.txn.on_commit(partial(metering.add, owner, region, "s3", _STANDARD, version.size * hours))
        return
    billed = max(version.size, _LEAST_B.get(name, 0)) + _ARCHIVED_B.get(name, 0)
    lay_s = max(0.0, ctx.now() - since)
    amounts = {f"TimedStorage-{name}-ByteHrs": billed * lay_s / _HOUR_S}
    if name in _ARCHIVED_B:
        amounts[_STANDARD] = _INDEX_B * lay_s / _HOUR_S
    missing_s = LEAST_DAYS.get(name, 0) * _DAY_S - lay_s
    if missing_s > 0:
        amounts[f"EarlyDelete-{name}-ByteHrs"] = billed * missing_s / _HOUR_S

    def add() -> None:
        for kind, amount in amounts.items():
            metering.add(owner, region, "s3", kind, amount)

    ctx.txn.on_commit(add)
