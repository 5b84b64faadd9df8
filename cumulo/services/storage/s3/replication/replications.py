"""Replication at work: what is stored under a rule is copied to its destinations, version by version.

`consider` and `consider_marker` run in the transaction that stores; the copy is a task of its own, one after the other
for each key, with the rights of the configuration's role. The source then says COMPLETED or FAILED, the copy REPLICA.

Source: S3 User Guide, "What does Amazon S3 replicate?", "Getting replication status information", "Setting up
permissions for live replication", "Changing the replica owner", "Replicating encrypted objects".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from cumulo.core.callers import role_sessions
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3.dates import iso
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.encryption.object_encryption import CUSTOMER, KMS, Plan
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.replication import annotation_replicas, replication_rules
from cumulo.services.storage.s3.replication.replication_configurations import KIND, destination_of
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations, contents, receiving, versions
from cumulo.services.storage.s3.stored.checksums import Announced
from cumulo.services.storage.s3.stored.object_versions import PARTS, ObjectVersion, Part, PartList

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.replication.replication_rules import Rule

PENDING, COMPLETED, FAILED, REPLICA = "PENDING", "COMPLETED", "FAILED", "REPLICA"
SESSION = "s3-replication"
EMPTY: dict[str, Any] = {}
_NOTHING_SAID = Announced("", "", "", "")


def consider(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """A version that is about to be stored: under a rule it is PENDING, and will be copied."""
    if version.replication_status == REPLICA or bucket.versioning != "Enabled":
        return
    document = configurations.find(ctx, bucket, KIND)
    rules = replication_rules.applying(document, version.key, version.tags) if document is not None else iter(())
    if any(_takes(rule, version) for rule in rules):
        version.replication_status = PENDING
        _later(ctx, bucket, version)


def consider_marker(ctx: Context, bucket: Bucket, marker: ObjectVersion) -> None:
    """A delete marker that was laid."""
    document = configurations.find(ctx, bucket, KIND)
    if document is not None and any(replication_rules.applying(document, marker.key, EMPTY, marker=True)):
        _later(ctx, bucket, marker)


def changed(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    """Tags, grants or locks of a replicated version have changed: its copies follow, or what it is a copy of.

    Source: S3 User Guide, "Replicating metadata changes with replica modification sync".
    """
    if version.replication_status in (PENDING, COMPLETED, FAILED):
        _later(ctx, bucket, version)
    elif version.replication_status == REPLICA and KIND in bucket.configured:
        document = configurations.find(ctx, bucket, KIND)
        if document is not None and _rules(document, version, existing=False):
            _later(ctx, bucket, version)


def _takes(rule: Rule, version: ObjectVersion) -> bool:
    if version.encryption.startswith(KMS):
        criteria = rule.get("SourceSelectionCriteria") or {}
        return bool((criteria.get("SseKmsEncryptedObjects") or {}).get("Status") == "Enabled")
    return True


def _later(ctx: Context, bucket: Bucket, version: ObjectVersion) -> None:
    payload = {"bucket": bucket.name, "key": version.key, "version": version.version_id}
    ctx.later(replicate, payload, lane=f"s3.replicate {bucket.name}/{version.key}")


def takes(document: dict[str, Any], version: ObjectVersion) -> bool:
    """Whether a rule of the configuration wants this version."""
    return bool(_rules(document, version, existing=True))


class Copy(NamedTuple):
    """One copy to be made. `pieces` are the bytes (as they lie there where `raw`), None when they are there already."""

    rule: Rule
    destination: Bucket
    pieces: Iterator[bytes] | None
    plan: Plan
    raw: bool


class NotReplicated(Exception):
    """A version could not be copied; `reason` as in S3 User Guide, "Amazon S3 replication failure reasons"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# Of KMS's faults, about the key of the destination. All others have the reason of a copy that was refused.
_REASONS = {"NotFoundException": "DstKmsKeyNotFound", "KMSInvalidStateException": "DstKmsKeyInvalidState"}
_REFUSED = "DstPutObjNotPermitted"


@task(attempts=5, backoff_s=5)
async def replicate(ctx: Context, payload: dict[str, Any]) -> None:
    """Copy one version to all destinations."""
    await copy_now(ctx, payload)


async def copy_now(ctx: Context, payload: dict[str, Any]) -> str:
    """Copy one version to all destinations; why that failed for one of them, "" when it went well."""
    destinations = await ctx.transact(lambda ctx: _destinations(ctx, payload))
    wrong = ""
    for arn in destinations:
        try:
            await _to(ctx, payload, arn)
        except (Fault, NotReplicated) as failure:
            wrong = reason = failure.reason if isinstance(failure, NotReplicated) else _reason(failure)
            ctx.logger.warning("%s/%s was not replicated to %s: %s", payload["bucket"], payload["key"], arn, failure)
            await ctx.transact(lambda ctx, arn=arn, reason=reason: _tell_failure(ctx, payload, arn, reason))  # type: ignore[misc]
    if destinations:
        await ctx.transact(lambda ctx: _note(ctx, payload, FAILED if wrong else COMPLETED))
    return wrong


def _reason(fault: Fault) -> str:
    return _REASONS.get(fault.code, _REFUSED)


def _source(ctx: Context, payload: dict[str, Any]) -> tuple[Bucket, ObjectVersion, dict[str, Any]] | None:
    bucket = BUCKETS.peek(ctx, payload["bucket"])
    version = versions.find(ctx, payload["bucket"], payload["key"], payload["version"])
    document = configurations.find(ctx, bucket, KIND) if bucket is not None else None
    return None if bucket is None or version is None or document is None else (bucket, version, document)


def _rules(document: dict[str, Any], version: ObjectVersion, existing: bool) -> list[Rule]:
    """The rules that want a version; a replica only what changes in it, unless it is an `existing` one for a job."""
    rules = replication_rules.applying(document, version.key, version.tags, marker=version.delete_marker)
    replica = version.replication_status == REPLICA and not existing
    return [rule for rule in rules if _takes(rule, version) and (not replica or replication_rules.syncs_replicas(rule))]


def _destinations(ctx: Context, payload: dict[str, Any]) -> list[str]:
    found = _source(ctx, payload)
    if found is None:
        return []
    _, version, document = found
    return [rule["Destination"]["Bucket"] for rule in _rules(document, version, "existing" in payload)]


async def _to(ctx: Context, payload: dict[str, Any], arn: str) -> None:
    copy = await ctx.transact(lambda ctx: _begin(ctx, payload, arn))
    if copy is None:
        return
    received = None
    if copy.pieces is not None:
        body = _Pieces(ctx, copy.pieces)
        seal = None if copy.raw else object_encryption.sealer(ctx, copy.plan.key)
        received = await receiving.receive(ctx, body, _NOTHING_SAID, seal=seal, in_blob=True)
    try:
        await ctx.transact(lambda ctx: _finish(ctx, payload, copy, received.blob if received else "", received))
    except BaseException:
        if received is not None:
            await receiving.discard(ctx, received)
        raise
    place = (payload["bucket"], payload["key"], payload["version"], copy.destination.name)
    await annotation_replicas.follow(ctx, annotation_replicas.Pair(*place))


class _Pieces:
    """Bytes that a thread reads, as `receiving` takes a body."""

    def __init__(self, ctx: Context, pieces: Iterator[bytes]) -> None:
        self.length: int | None = None
        self.trailers: dict[str, str] = {}
        self._ctx = ctx
        self._pieces = pieces

    async def read(self) -> list[bytes]:
        piece = await self._ctx.in_thread(lambda: next(self._pieces, b""))
        return [piece] if piece else []

    def take_apart(self, pieces: list[bytes]) -> list[bytes]:
        return pieces

    def finish(self) -> None:
        return None


def _begin(ctx: Context, payload: dict[str, Any], arn: str) -> Copy | None:
    """What is to be copied, allowed by everybody; None when there is nothing (any more)."""
    found = _source(ctx, payload)
    if found is None:
        return None
    bucket, version, document = found
    rules = _rules(document, version, "existing" in payload)
    rule = next((each for each in rules if each["Destination"]["Bucket"] == arn), None)
    destination = destination_of(ctx, arn)
    if rule is None:
        return None
    if destination is None or destination.versioning != "Enabled":
        raise NotReplicated("DstBucketNotFound" if destination is None else "DstBucketUnversioned")
    try:
        principal = role_sessions.assume(ctx, document["Role"], "s3", SESSION, source_arn=bucket.arn)
    except Fault:
        raise NotReplicated("AssumeRoleNotPermitted") from None
    acting = role_sessions.context(ctx, principal, "s3", "PutObject", region=destination.region)
    request = {"Bucket": bucket.name, "Key": version.key}
    target = {"Bucket": destination.name, "Key": version.key}
    account = rule["Destination"].get("Account")
    if account is not None and account != destination.account:
        raise NotReplicated(_REFUSED)
    if version.delete_marker:
        _allow(acting, destination, target, "s3:ReplicateDelete", "DstDelObjNotPermitted")
        return Copy(rule, destination, None, Plan(), False)
    _allow(acting, bucket, request, "s3:GetObjectVersionForReplication", "SrcGetObjectNotPermitted", version)
    _allow(acting, destination, target, "s3:ReplicateObject", _REFUSED)
    if version.tags:
        _allow(acting, destination, target, "s3:ReplicateTags", "DstPutTaggingNotPermitted")
    if "AccessControlTranslation" in rule["Destination"]:
        _allow(acting, destination, target, "s3:ObjectOwnerOverrideToBucketOwner", _REFUSED)
    if versions.find(ctx, destination.name, version.key, version.version_id) is not None:
        return Copy(rule, destination, None, Plan(), False)
    if version.replication_status == REPLICA and "existing" not in payload:
        return None  # a replica goes nowhere by itself
    return _copy(acting, rule, bucket, destination, version)


def _allow(
    acting: Context,
    bucket: Bucket,
    request: dict[str, str],
    action: str,
    reason: str,
    version: ObjectVersion | None = None,
) -> None:
    try:
        access.allow_object(acting, bucket, request, version, action=action)
    except Fault:
        raise NotReplicated(reason) from None


def _copy(acting: Context, rule: Rule, bucket: Bucket, destination: Bucket, version: ObjectVersion) -> Copy:
    if version.encryption == CUSTOMER:  # its key is not ours: the sealed bytes go as they lie there
        plan = Plan(CUSTOMER, sealed_key=version.sealed_key, customer_key_md5=version.customer_key_md5)
        return Copy(rule, destination, contents.read(acting, version, 0, version.stored), plan, True)
    key = object_encryption.content_key(acting, bucket, version.key, version, EMPTY) if version.sealed_key else b""
    wanted: dict[str, Any] = {}
    if version.encryption.startswith(KMS):
        replica_key = rule["Destination"]["EncryptionConfiguration"]["ReplicaKmsKeyID"]
        wanted = {"ServerSideEncryption": version.encryption, "SSEKMSKeyId": replica_key}
    plan = object_encryption.plan(acting, destination, wanted, version.key)
    return Copy(rule, destination, contents.read(acting, version, 0, version.size, key), plan, False)


def _finish(ctx: Context, payload: dict[str, Any], copy: Copy, blob: str, received: Any) -> None:
    found = _source(ctx, payload)
    if found is None:
        raise Fault("NoSuchKey", "The specified key does not exist.", status=404)
    _, version, _ = found
    destination = BUCKETS.peek(ctx, copy.destination.name) or copy.destination
    there = versions.find(ctx, destination.name, version.key, version.version_id)
    if version.delete_marker:
        if there is None:
            versions.lay_marker(ctx, destination, replace(version, bucket=destination.name, owner=destination.account))
        return
    override = "AccessControlTranslation" in copy.rule["Destination"]
    shared = {
        "tags": version.tags,
        "acl": None if override else version.acl,
        "lock_mode": version.lock_mode if destination.object_lock else "",
        "retain_until": version.retain_until if destination.object_lock else 0,
        "legal_hold": version.legal_hold and destination.object_lock,
        "event_hold": version.event_hold if destination.object_lock else None,
    }
    if there is not None:
        versions.update(ctx, replace(there, **shared))
        return
    replica = replace(
        version,
        bucket=destination.name,
        owner=destination.account if override or destination.ownership == "BucketOwnerEnforced" else version.owner,
        storage_class=copy.rule["Destination"].get("StorageClass") or version.storage_class,
        content=blob,
        data=b"",
        stored=received.stored,
        replication_status=REPLICA,
        annotations=0,  # which follow
        **shared,
    )
    copy.plan.describe(replica)
    contents.keep(ctx, blob)
    _keep_parts(ctx, version, replica)
    versions.store(ctx, destination, replica)
    notifications.notify(ctx, destination, "ObjectCreated:Put", replica)


def _keep_parts(ctx: Context, version: ObjectVersion, replica: ObjectVersion) -> None:
    """The copy's bytes are one blob; its parts are still told apart."""
    parts = PARTS.peek(ctx, version.bucket, version.key, version.sequence) if version.parts_count else None
    if parts is not None:
        kept = [Part(part.number, part.size, part.etag, part.checksum) for part in parts.parts]
        PARTS.put(ctx, PartList(replica.bucket, replica.key, replica.sequence, kept))


def _note(ctx: Context, payload: dict[str, Any], status: str) -> None:
    version = versions.find(ctx, payload["bucket"], payload["key"], payload["version"])
    if version is None or version.delete_marker or version.replication_status == REPLICA:
        return
    if version.replication_status != status:
        versions.update(ctx, replace(version, replication_status=status))


def _tell_failure(ctx: Context, payload: dict[str, Any], arn: str, reason: str) -> None:
    """The event of a failed replication, which S3 tells where the rule has metrics."""
    found = _source(ctx, payload)
    if found is None:
        return
    bucket, version, document = found
    for rule in _rules(document, version, "existing" in payload):
        if rule["Destination"]["Bucket"] == arn and "Metrics" in rule["Destination"]:
            told = {
                "replicationRuleId": rule["ID"],
                "destinationBucket": arn,
                "s3Operation": "OBJECT_PUT",
                "requestTime": iso(version.modified_at),
                "failureReason": reason,
            }
            event = "Replication:OperationFailedReplication"
            notifications.notify(ctx, bucket, event, version, replicationEventData=told)
