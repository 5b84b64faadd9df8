"""Legal holds, which keep a version until they are lifted: PutObjectLegalHold, GetObjectLegalHold.

Source: S3 API Reference, PutObjectLegalHold; S3 User Guide, "Legal holds".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import MALFORMED_XML, NO_OBJECT_LOCK
from cumulo.services.storage.s3.locks import object_locks
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import versions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t


@operation
def put_object_legal_hold(ctx: Context, request: t.PutObjectLegalHoldRequest) -> t.PutObjectLegalHoldOutput:
    """Lay a hold on a version, or lift it."""
    bucket, version = object_locks.locked_version(ctx, request, "PUT")
    status = (request.get("LegalHold") or {}).get("Status")
    if status is None:
        raise MALFORMED_XML()
    version.legal_hold = status == "ON"
    version.legal_hold_lifted = status == "OFF"
    versions.update(ctx, version)
    replications.changed(ctx, bucket, version)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}


@operation
def get_object_legal_hold(ctx: Context, request: t.GetObjectLegalHoldRequest) -> t.GetObjectLegalHoldOutput:
    """Whether a hold lies on a version; NoSuchObjectLockConfiguration where there was none ever."""
    _, version = object_locks.locked_version(ctx, request, "GET")
    if not version.legal_hold and not version.legal_hold_lifted:
        raise NO_OBJECT_LOCK()
    return {"LegalHold": {"Status": "ON" if version.legal_hold else "OFF"}}
