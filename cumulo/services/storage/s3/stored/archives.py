"""Versions that lie in an archive: which do, and whether a restored copy can be read now. No state of its own.

A version in GLACIER or DEEP_ARCHIVE stays there; a restore gives it a copy for some days. One that INTELLIGENT_TIERING
archived comes back for good. Source: S3 User Guide, "Understanding archive retrieval options" and "Restoring an
archived object".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.errors import INVALID_OBJECT_STATE

if TYPE_CHECKING:
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion

CLASSES = frozenset(("GLACIER", "DEEP_ARCHIVE"))
TIERING = "INTELLIGENT_TIERING"
ARCHIVE, DEEP_ARCHIVE = "ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"


def is_archived(version: ObjectVersion) -> bool:
    """Whether the bytes lie in an archive, be there a restored copy or not."""
    return version.storage_class in CLASSES or bool(version.archive_tier)


def is_going(version: ObjectVersion, now: float) -> bool:
    """Whether a restore was asked for and is not done."""
    return bool(version.restore_requested_at) and now < version.restored_at


def is_restored(version: ObjectVersion, now: float) -> bool:
    """Whether there is a restored copy."""
    return 0 < version.restored_at <= now < version.restore_expires_at


def check_readable(version: ObjectVersion, now: float) -> None:
    """InvalidObjectState for an archived version that has no restored copy now."""
    if version.storage_class not in CLASSES and not version.archive_tier:
        return
    if not is_restored(version, now):
        raise not_readable(version)


def not_readable(version: ObjectVersion) -> Fault:
    """The refusal to read an archived version."""
    members = {"StorageClass": version.storage_class}
    if version.archive_tier:
        members["AccessTier"] = version.archive_tier
    return INVALID_OBJECT_STATE(members=members)


def status(version: ObjectVersion, now: float) -> dict[str, Any] | None:
    """The RestoreStatus of a version in listings; None where no restore was asked for, or its copy is gone."""
    if is_going(version, now):
        return {"IsRestoreInProgress": True}
    if version.storage_class in CLASSES and is_restored(version, now):
        return {"IsRestoreInProgress": False, "RestoreExpiryDate": version.restore_expires_at}
    return None
