"""Lifecycle rules at work: once a day, after midnight (UTC) of the cloud's time, over every bucket that has some.

A run is a chain of tasks, each of which deals with some keys in one transaction, so it neither holds up others nor is
lost with a crash. Intelligent tiering is looked after on the same walk. Sources: S3 User Guide, "Managing the lifecycle
of objects", "Lifecycle and other bucket configurations" and "How S3 Intelligent-Tiering works".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import reconciler, task
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.storage.s3.lifecycles import intelligent_tiering, lifecycle_configurations, lifecycle_rules
from cumulo.services.storage.s3.lifecycles.lifecycle_rules import DAY_S, Rule
from cumulo.services.storage.s3.listings import listing_pages
from cumulo.services.storage.s3.listings.version_listings import rows_of
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.stored import archives, configurations, open_uploads, storage_times, versions
from cumulo.services.storage.s3.stored.object_versions import CURRENT, NONCURRENT, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context

LOOK_S = 600  # how long after midnight a run may begin
ROWS = 400  # read by one task
_DAY = "s3.lifecycle_day"
_KINDS = frozenset((lifecycle_configurations.KIND, intelligent_tiering.KIND))


class LifecycleRun(Record):
    """The last day, counted from 1970, on which a bucket's objects were looked at."""

    bucket: str
    day: int


LIFECYCLE_RUNS = Table(LifecycleRun, name="s3.lifecycle_runs", key="bucket", scope=GLOBAL)


@reconciler(every_s=LOOK_S)
async def begin_lifecycle_runs(ctx: Context) -> None:
    """Begin the day's run of every bucket that has not had one."""
    day = int(ctx.now() // DAY_S)
    if ctx.runtime.memory.get(_DAY) == day:
        return

    def begin(ctx: Context) -> None:
        for bucket in BUCKETS.range(ctx):
            if _KINDS.isdisjoint(bucket.configured):
                continue
            last = LIFECYCLE_RUNS.peek(ctx, bucket.name)
            if last is None or last.day < day:
                LIFECYCLE_RUNS.put(ctx, LifecycleRun(bucket.name, day))
                ctx.later(run_lifecycle, {"bucket": bucket.name, "begin": ""})

    await ctx.transact(begin)
    ctx.runtime.memory[_DAY] = day


class _Wanted:
    """What a bucket's configurations want of its objects."""

    __slots__ = ("minimum", "rules", "tierings")

    def __init__(self, ctx: Context, bucket: Bucket) -> None:
        document = configurations.find(ctx, bucket, lifecycle_configurations.KIND) or {}
        self.rules: list[Rule] = lifecycle_rules.rules_of(document)
        self.minimum: str = document.get(lifecycle_configurations.MINIMUM, "")
        self.tierings = [
            (Rule({"Filter": each.get("Filter")}), {tier["AccessTier"]: tier["Days"] for tier in each["Tierings"]})
            for _, each in configurations.all_of(ctx, bucket, intelligent_tiering.KIND)
            if each.get("Status") == "Enabled"
        ]


@task
def run_lifecycle(ctx: Context, payload: dict[str, Any]) -> None:
    """Deal with some keys of a bucket, and go on behind them."""
    bucket = BUCKETS.peek(ctx, payload["bucket"])
    if bucket is None:
        return
    wanted = _Wanted(ctx, bucket)
    if not payload["begin"]:
        _abort_uploads(ctx, bucket, wanted.rules)
    begin = bytes.fromhex(payload["begin"]) or listing_pages.begin_of(b"")
    rows = rows_of(ctx, bucket, b"")(begin, ROWS)
    keys = list(dict.fromkeys([listing_pages.unpacked(row[1 : listing_pages.key_end(row)]) for row, _ in rows]))
    for key in keys:
        current = CURRENT.peek(ctx, bucket.name, key)
        there = [] if current is None else [current]
        if bucket.versioning:
            there += NONCURRENT.range(ctx, bucket.name, key)
        _apply(ctx, bucket, wanted, there)
    if len(rows) == ROWS:
        following = listing_pages.behind_key(listing_pages.packed(keys[-1]))
        ctx.later(run_lifecycle, {"bucket": bucket.name, "begin": following.hex()})


def _abort_uploads(ctx: Context, bucket: Bucket, rules: list[Rule]) -> None:
    if all(rule.abort_days is None for rule in rules):
        return
    for upload in open_uploads.UPLOADS.range(ctx, bucket.name):
        found = lifecycle_rules.upload_abort(rules, upload.key, upload.started / 1e9)
        if found is not None and found[0] <= ctx.now():
            open_uploads.drop(ctx, upload)


def _apply(ctx: Context, bucket: Bucket, wanted: _Wanted, there: list[ObjectVersion]) -> None:
    """Deal with all versions of a key, the newest first."""
    now, rules = ctx.now(), wanted.rules
    left = len(there)
    for newer, version in enumerate(there[1:]):
        since = there[newer].sequence / 1e9  # it is noncurrent since the one before it came
        about = (version.key, version.size, version.tags, since, newer)
        if lifecycle_rules.noncurrent_expires(rules, *about, now=now):
            left -= _expire_version(ctx, bucket, version)
        elif not version.delete_marker:
            target = lifecycle_rules.noncurrent_transition(
                rules, *about, now=now, storage_class=version.storage_class, minimum=wanted.minimum
            )
            _move(ctx, bucket, version, target)
    newest = there[0]
    if not newest.delete_marker:
        _apply_to_current(ctx, bucket, wanted, newest)
    elif left == 1 and lifecycle_rules.marker_goes(rules, newest.key, newest.sequence / 1e9, now=now):
        _expire_version(ctx, bucket, newest)


def _apply_to_current(ctx: Context, bucket: Bucket, wanted: _Wanted, version: ObjectVersion) -> None:
    now = ctx.now()
    about = (version.key, version.size, version.tags, version.modified_at)
    expires = lifecycle_rules.expiration(wanted.rules, *about)
    if expires is not None and expires[0] <= now:
        removal = versions.remove(ctx, bucket, version.key)
        event = "DeleteMarkerCreated" if removal.delete_marker else "Delete"
        _tell(ctx, bucket, f"LifecycleExpiration:{event}", version, removal.version_id)
        return
    target = lifecycle_rules.transition(
        wanted.rules, *about, now=now, storage_class=version.storage_class, minimum=wanted.minimum
    )
    if target:
        _move(ctx, bucket, version, target)
    elif version.storage_class == archives.TIERING:
        _tier(ctx, bucket, wanted, version)


def _expire_version(ctx: Context, bucket: Bucket, version: ObjectVersion) -> int:
    """Delete a version for good, unless Object Lock keeps it; how many that were."""
    if object_locks.protected(version, ctx.now()):
        return 0
    versions.remove(ctx, bucket, version.key, version.version_id)
    _tell(ctx, bucket, "LifecycleExpiration:Delete", version, version.version_id)
    return 1


def _tell(ctx: Context, bucket: Bucket, event: str, version: ObjectVersion, version_id: str) -> None:
    gone = ObjectVersion(bucket.name, version.key, versions.next_sequence(ctx), version_id, ctx.now())
    notifications.notify(ctx, bucket, event, gone)


def _move(ctx: Context, bucket: Bucket, version: ObjectVersion, target: str) -> None:
    if not target:
        return
    storage_times.note_end(ctx, version)
    version.storage_class, version.class_since, version.archive_tier = target, ctx.now(), ""
    versions.update(ctx, version)
    data = {"lifecycleEventData": {"transitionEventData": {"destinationStorageClass": target}}}
    notifications.notify(ctx, bucket, "LifecycleTransition", version, **data)


def _tier(ctx: Context, bucket: Bucket, wanted: _Wanted, version: ObjectVersion) -> None:
    """Archive what nobody has asked for in as many days as the bucket says; such objects have 128 KB at least."""
    if version.size < lifecycle_rules.SMALL_BYTES or archives.is_going(version, ctx.now()):
        return
    idle_s = ctx.now() - max(version.modified_at, version.class_since, version.accessed_at)
    for rule, days in wanted.tierings:
        if not rule.matches(version.key, version.size, version.tags):
            continue
        for tier in (archives.DEEP_ARCHIVE, archives.ARCHIVE):
            if tier in days and idle_s >= days[tier] * DAY_S:
                if version.archive_tier not in (tier, archives.DEEP_ARCHIVE):
                    version.archive_tier = tier
                    versions.update(ctx, version)
                    data = {"intelligentTieringEventData": {"destinationAccessTier": tier}}
                    notifications.notify(ctx, bucket, "IntelligentTiering", version, **data)
                return
