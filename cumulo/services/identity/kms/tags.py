"""Tags of keys. KMS writes them TagKey and TagValue, and lists them in the order in which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.tags import TAG_LIMIT, without
from cumulo.services.identity.kms import pages, permissions
from cumulo.services.identity.kms.conditions import of_tags
from cumulo.services.identity.kms.errors import TAG
from cumulo.services.identity.kms.keys import check_not_deleted, keep

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t

MAXIMUM_PAGE = 50


def given(tags: list[Any] | None) -> dict[str, str]:
    """The tags of a request as they stand there, for conditions; of repeated keys the last."""
    return {tag["TagKey"]: tag["TagValue"] for tag in tags or ()}


def checked(tags: list[Any] | None) -> dict[str, str]:
    """The tags of a request, or TagException; texts as AWS was seen to answer."""
    found = given(tags)
    if len(found) != len(tags or ()):
        raise TAG("Duplicate tag keys")
    if any(key.lower().startswith("aws:") for key in found):
        raise TAG("Tags beginning with aws: are reserved")
    if len(found) > TAG_LIMIT:
        raise TAG("Too many tags")
    return found


@operation
def tag_resource(ctx: Context, request: t.TagResourceRequest) -> None:
    """Add tags, or change the values of those that are there."""
    key = permissions.get(ctx, request["KeyId"], more=of_tags(given(request["Tags"])))
    check_not_deleted(key)
    key.tags = {**key.tags, **checked(request["Tags"])}
    if len(key.tags) > TAG_LIMIT:
        raise TAG("Too many tags")
    keep(ctx, key)


@operation
def untag_resource(ctx: Context, request: t.UntagResourceRequest) -> None:
    """Remove tags; keys that are not there are no error."""
    names = request["TagKeys"]
    key = permissions.get(ctx, request["KeyId"], more={"aws:TagKeys": list(names)})
    check_not_deleted(key)
    key.tags = without(key.tags, names)
    keep(ctx, key)


@operation
def list_resource_tags(ctx: Context, request: t.ListResourceTagsRequest) -> t.ListResourceTagsResponse:
    """A page of a key's tags."""
    key = permissions.get(ctx, request["KeyId"])
    found, more = pages.page_of(ctx, request, list(key.tags.items()), default=MAXIMUM_PAGE, most=MAXIMUM_PAGE)
    tags: list[Any] = [{"TagKey": name, "TagValue": value} for name, value in found]
    return {"Tags": tags, **more}  # type: ignore[typeddict-item]
