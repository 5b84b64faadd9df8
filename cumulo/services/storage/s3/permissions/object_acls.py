"""The ACLs of objects: GetObjectAcl and PutObjectAcl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED
from cumulo.services.storage.s3.errors import METHOD_NOT_ALLOWED, NO_SUCH_VERSION
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.replication import replications
from cumulo.services.storage.s3.rights import access, acls
from cumulo.services.storage.s3.stored import versions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket
    from cumulo.services.storage.s3.stored.object_versions import ObjectVersion
    from cumulo.stubs import s3 as t


def _found(ctx: Context, bucket: Bucket, request: Mapping[str, Any], method: str) -> ObjectVersion:
    """The version of a request; delete markers have no ACL. The errors were observed in AWS's answers."""
    version_id = request.get("VersionId")
    found = versions.find(ctx, bucket.name, request["Key"], version_id)
    if found is None and version_id is None and method == "PUT":
        found = versions.newest(ctx, bucket.name, request["Key"])
    access.allow_object(ctx, bucket, request, found)
    if found is None and version_id is not None:
        raise NO_SUCH_VERSION(members={"Key": request["Key"], "VersionId": version_id})
    if found is None:
        raise access.no_such_key(ctx, bucket, request)
    if found.delete_marker:
        raise METHOD_NOT_ALLOWED(members={"Method": method, "ResourceType": "DeleteMarker"})
    return found


@operation
def get_object_acl(ctx: Context, request: t.GetObjectAclRequest) -> t.GetObjectAclOutput:
    """The ACL of an object or of one of its versions."""
    bucket = access.located(ctx, request)
    version = _found(ctx, bucket, request, "GET")
    enabled = bucket.ownership != BUCKET_OWNER_ENFORCED
    found = acls.shown(version.acl if enabled else None, version.owner if enabled else bucket.account)
    access.show_charge(ctx, bucket, request, found)
    return found  # type: ignore[return-value]


@operation
def put_object_acl(ctx: Context, request: t.PutObjectAclRequest) -> t.PutObjectAclOutput:
    """Replace the ACL of an object or of one of its versions."""
    bucket = access.located(ctx, request)
    version = _found(ctx, bucket, request, "PUT")
    grants = acls.of_request(request, owner=version.owner, bucket_owner=bucket.account, of_object=True)
    acls.check_enabled(bucket, request, grants)
    if bucket.ownership != BUCKET_OWNER_ENFORCED:
        access.check_public_acl(ctx, bucket, grants, f"{bucket.arn}/{version.key}", "s3:PutObjectAcl")
        version.acl = grants
        versions.update(ctx, version)
        replications.changed(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectAcl:Put", version)
    return {"RequestCharged": "requester"} if access.charged(ctx, bucket, request) else {}
