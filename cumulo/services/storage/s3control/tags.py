"""Tags by ARN: of buckets, access points and what else S3 Control has.

Source: S3 API Reference, TagResource; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.access import ACCESS_POINTS, AccessPoint
from cumulo.core.s3.buckets import BUCKETS, Bucket
from cumulo.core.tags import TAG_LIMIT, is_key, is_value, to_list, without
from cumulo.services.storage.s3control import accounts
from cumulo.services.storage.s3control.access_grants_records import (
    GRANTS,
    INSTANCES,
    LOCATIONS,
    Grant,
    Instance,
    Location,
)
from cumulo.services.storage.s3control.errors import INVALID_TAG, NO_SUCH_RESOURCE
from cumulo.services.storage.s3control.storage_lens_records import GROUPS, Group

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

_EXPRESS = "s3express"
_INVALID = (
    "This request contains a tag key or value that isn't valid. Valid characters include the following: "
    "[a-zA-Z+-=._:/]. Tag keys can contain up to 128 characters. Tag values can contain up to 256 characters."
)


def checked(tags: Iterable[Mapping[str, Any]], existing: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tags as they are kept, over those that are there. Raises InvalidTag."""
    new: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key.lower().startswith("aws:"):
            raise INVALID_TAG(
                'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove '
                '"aws:" from your tag keys and try again.'
            )
        if not is_key(key) or not is_value(value):
            raise INVALID_TAG(_INVALID)
        if key in new:
            raise INVALID_TAG(
                "There are duplicate tag keys in your request. Remove the duplicate tag keys and try again."
            )
        new[key] = value
    found = {**(existing or {}), **new}
    if len(found) > TAG_LIMIT:
        raise INVALID_TAG(f"A resource can have up to {TAG_LIMIT} tags.")
    return found


Resource = Bucket | AccessPoint | Group | Instance | Location | Grant


def _resource(ctx: Context, arn: str) -> Resource:
    """What the ARN names, allowed for the operation; NoSuchResource where it is nothing of the caller's."""
    parts = arn.split(":", 5)
    name = parts[5] if len(parts) == 6 and parts[2] in ("s3", _EXPRESS) else ""
    kind, _, rest = name.partition("/")
    found: Resource | None = None
    if name and parts[2] == _EXPRESS:
        found = _of_directory(ctx, arn, kind, rest)
    elif name and not parts[4] and not rest:
        found = BUCKETS.peek(ctx, name)
    elif kind == "accesspoint" and parts[4:5] == [ctx.account]:
        found = ACCESS_POINTS.peek(ctx, rest, region=parts[3])
    elif kind == "storage-lens-group" and parts[4:5] == [ctx.account]:
        found = GROUPS.peek(ctx, rest, region=parts[3])
    elif kind == "access-grants" and parts[4:5] == [ctx.account]:
        found = _of_access_grants(ctx, parts[3], rest)
    account = found.account if found is not None else ctx.account
    action = f"{_EXPRESS}:{ctx.operation}" if parts[2:3] == [_EXPRESS] else None
    ctx.authorize(arn, account=account, tags=found.tags if found is not None else None, action=action)
    if found is None or account != ctx.account:
        raise NO_SUCH_RESOURCE()
    return found


def _of_directory(ctx: Context, arn: str, kind: str, name: str) -> Bucket | AccessPoint | None:
    """A directory bucket, or an access point of one, with just this ARN."""
    found = BUCKETS.peek(ctx, name) if kind == "bucket" else ACCESS_POINTS.peek(ctx, name)
    return found if found is not None and found.arn == arn else None


def _of_access_grants(ctx: Context, region: str, name: str) -> Instance | Location | Grant | None:
    """The instance "default", or its "default/location/…" or "default/grant/…"."""
    _, _, rest = name.partition("/")
    kind, _, id = rest.partition("/")
    if kind == "location":
        return LOCATIONS.peek(ctx, id, region=region)
    if kind == "grant":
        return GRANTS.peek(ctx, id, region=region)
    return INSTANCES.peek(ctx, name, region=region)


def _keep(ctx: Context, resource: Resource) -> None:
    if isinstance(resource, Bucket):
        BUCKETS.put(ctx, resource)
        return
    for record, table in _TABLES.items():
        if isinstance(resource, record):
            table.put(ctx, resource, region=resource.region)


_TABLES: dict[type[Any], Any] = {
    AccessPoint: ACCESS_POINTS,
    Group: GROUPS,
    Instance: INSTANCES,
    Location: LOCATIONS,
    Grant: GRANTS,
}


@operation
def tag_resource(ctx: Context, request: t.TagResourceRequest) -> None:
    """Add tags, in place of those with the same keys."""
    accounts.check(ctx, request)
    resource = _resource(ctx, request["ResourceArn"])
    resource.tags = checked(request["Tags"], resource.tags)
    _keep(ctx, resource)


@operation
def untag_resource(ctx: Context, request: t.UntagResourceRequest) -> None:
    """Remove the tags with these keys."""
    accounts.check(ctx, request)
    resource = _resource(ctx, request["ResourceArn"])
    resource.tags = without(resource.tags, request["TagKeys"])
    _keep(ctx, resource)


@operation
def list_tags_for_resource(ctx: Context, request: t.ListTagsForResourceRequest) -> t.ListTagsForResourceResult:
    """The tags."""
    accounts.check(ctx, request)
    return {"Tags": to_list(_resource(ctx, request["ResourceArn"]).tags)}  # type: ignore[typeddict-item]
