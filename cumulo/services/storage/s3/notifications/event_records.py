"""What S3 tells of an event: the records of notifications, as SQS, SNS and Lambda get them.

Source: Amazon S3 User Guide, "Event message structure"; versions and members as they were seen in AWS's messages.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import msgspec

from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.s3.host_ids import host_id
from cumulo.services.storage.s3.dates import iso
from cumulo.services.storage.s3.stored.object_versions import NULL

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.principals import Principal
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

# Kinds of events that say more than 2.1 does, by what follows "s3:".
_VERSIONS = {
    "Replication": "2.2", "LifecycleExpiration": "2.3", "LifecycleTransition": "2.3", "IntelligentTiering": "2.3",
    "ObjectAcl": "2.3", "ObjectTagging": "2.3",
}  # fmt: skip
_WITHOUT_SIZE = frozenset(("ObjectAcl", "ObjectTagging"))  # nor a sequencer: nothing was put or deleted
_BY_S3_ITSELF = ("LifecycleExpiration", "LifecycleTransition", "IntelligentTiering", "ObjectRestore:Completed")


def owner_id(account: str) -> str:
    """How events name an account: an identifier of Amazon's customers, of its own form."""
    return "A" + b32encode(sha256(account.encode()).digest()).decode()[:13]


def principal_id(principal: Principal) -> str:
    """How events name the caller."""
    if principal.kind is PrincipalKind.ROOT:
        return f"AWS:{owner_id(principal.account)}"
    if principal.kind is PrincipalKind.ANONYMOUS:
        return "Anonymous"
    return f"AWS:{principal.user_id}" if principal.user_id else principal.name


def record(
    ctx: Context, bucket: Bucket, event: str, version: ObjectVersion, configuration: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """One record; `event` as "ObjectCreated:Put", `extra` what its kind says beside (glacierEventData, …)."""
    kind = event.partition(":")[0]
    by_s3 = event.startswith(_BY_S3_ITSELF)
    return {
        "eventVersion": "2.3" if event == "ObjectRestore:Delete" else _VERSIONS.get(kind, "2.1"),
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": iso(ctx.now()),
        "eventName": event,
        "userIdentity": {"principalId": "s3.amazonaws.com" if by_s3 else principal_id(ctx.principal)},
        "requestParameters": {"sourceIPAddress": "s3.amazonaws.com" if by_s3 else ctx.source_ip},
        "responseElements": {"x-amz-request-id": ctx.request_id, "x-amz-id-2": host_id(ctx.request_id)},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": owner_id(bucket.account)},
                "arn": bucket.arn,
            },
            "object": _object(kind, event, version),
        },
        **extra,
    }


def _object(kind: str, event: str, version: ObjectVersion) -> dict[str, Any]:
    found: dict[str, Any] = {"key": quote_plus(version.key, safe="/-_.*")}
    gone = event in ("ObjectRemoved:Delete", "LifecycleExpiration:Delete")
    if event.endswith("DeleteMarkerCreated"):
        found["eTag"] = "d41d8cd98f00b204e9800998ecf8427e"
    elif not gone:
        if kind not in _WITHOUT_SIZE:
            found["size"] = version.size
        found["eTag"] = version.etag
    if version.version_id and version.version_id != NULL:
        found["versionId"] = version.version_id
    if kind not in _WITHOUT_SIZE:
        found["sequencer"] = f"{version.sequence:018X}"
    return found


def message(records: list[dict[str, Any]]) -> str:
    """The text that a destination gets."""
    return msgspec.json.encode({"Records": records}).decode()


def test_event(ctx: Context, bucket: str) -> str:
    """What a destination gets when notifications to it are configured."""
    told = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": iso(ctx.now()),
        "Bucket": bucket,
        "RequestId": ctx.request_id,
        "HostId": host_id(ctx.request_id),
    }
    return msgspec.json.encode(told).decode()
