"""How long a version is kept from deletion: PutObjectRetention, GetObjectRetention.

Source: S3 API Reference, PutObjectRetention; S3 User Guide, "Retention modes": compliance mode is never shortened or
lifted, governance mode by those alone who may bypass it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.storage.s3 import (
    access,
    object_locks,
    replications,
    versions,
)
from cumulo.services.storage.s3.errors import MALFORMED_XML, NO_OBJECT_LOCK, OBJECT_LOCKED
from cumulo.services.storage.s3.object_locks import COMPLIANCE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t


@operation
def put_object_retention(ctx: Context, request: t.PutObjectRetentionRequest) -> t.PutObjectRetentionOutput:
    """Set, extend, or (with the right to) shorten and lift a version's retention."""
    bucket, version = object_locks.locked_version(ctx, request, "PUT")
    retention: dict[str, Any] = dict(request.get("Retention") or {})
    mode, until = retention.get("Mode"), retention.get("RetainUntilDate")
    if (mode is None) != (until is None) or (mode is None and not request.get("BypassGovernanceRetention")):
        raise MALFORMED_XML()
    if until is not None:
        object_locks.check_future(ctx, until, "RetainUntilDate")
    if _weakens(version, object_locks.retained(version, ctx.now()), mode, until) and (
        version.lock_mode == COMPLIANCE or not object_locks.may_bypass(ctx, bucket, request, version)
    ):
        raise OBJECT_LOCKED()
    version.lock_mode, version.retain_until = mode or "", until or 0
    versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}


def _weakens(version: ObjectVersion, mode: str, new_mode: str | None, until: float | None) -> bool:
    """Whether a retention that is in force would be altered other than to last longer."""
    return bool(mode) and (new_mode != mode or until is None or until < version.retain_until)


@operation
def get_object_retention(ctx: Context, request: t.GetObjectRetentionRequest) -> t.GetObjectRetentionOutput:
    """A version's retention, be it over."""
    _, version = object_locks.locked_version(ctx, request, "GET")
    if not version.lock_mode:
        raise NO_OBJECT_LOCK()
    return {"Retention": {"Mode": version.lock_mode, "RetainUntilDate": version.retain_until}}
