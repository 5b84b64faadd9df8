"""Storage Lens groups: objects put together by prefix, suffix, tag, age or size.

Source: S3 API Reference, CreateStorageLensGroup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.storage.s3control import accounts, pages, tags
from cumulo.services.storage.s3control.errors import INVALID_REQUEST, MALFORMED_XML
from cumulo.services.storage.s3control.storage_lens_records import GROUPS, Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

MOST = 50
_NAME = re.compile(r"[a-zA-Z0-9\-_]{1,64}", re.ASCII)
_CRITERIA = ("MatchAnyPrefix", "MatchAnySuffix", "MatchAnyTag", "MatchObjectAge", "MatchObjectSize")


def _check(given: Mapping[str, Any]) -> None:
    if not _NAME.fullmatch(given["Name"]):
        raise INVALID_REQUEST("Invalid Storage Lens group name")
    criteria = given["Filter"]
    joined = [name for name in ("And", "Or") if name in criteria]
    if len(joined) + sum(name in criteria for name in _CRITERIA) != 1:
        raise MALFORMED_XML()  # one criterion, or several joined
    for name in joined:
        if sum(each in criteria[name] for each in _CRITERIA) < 2:
            raise MALFORMED_XML()


@operation
def create_storage_lens_group(ctx: Context, request: t.CreateStorageLensGroupRequest) -> None:
    """A new group."""
    accounts.check(ctx, request)
    given = request["StorageLensGroup"]
    _check(given)
    if GROUPS.peek(ctx, given["Name"]) is not None:
        raise INVALID_REQUEST("A Storage Lens group with this name already exists")
    if len(GROUPS.range(ctx, limit=MOST)) >= MOST:
        raise INVALID_REQUEST(f"An account may have at most {MOST} Storage Lens groups.")
    group = Group(ctx.account, ctx.region, given["Name"], b"", tags.checked(request.get("Tags", [])))
    _keep(ctx, group, given)


def _keep(ctx: Context, group: Group, given: Mapping[str, Any]) -> None:
    group.document = msgspec.msgpack.encode({**given, "StorageLensGroupArn": group.arn})
    GROUPS.put(ctx, group)


@operation
def get_storage_lens_group(ctx: Context, request: t.GetStorageLensGroupRequest) -> t.GetStorageLensGroupResult:
    """The group of a name."""
    accounts.check(ctx, request)
    return {"StorageLensGroup": msgspec.msgpack.decode(GROUPS.get(ctx, request["Name"]).document)}


@operation
def list_storage_lens_groups(ctx: Context, request: t.ListStorageLensGroupsRequest) -> t.ListStorageLensGroupsResult:
    """The groups of this region, by name."""
    accounts.check(ctx, request)
    listed = GROUPS.range(ctx, after=pages.begin(ctx, request), limit=pages.MOST_LISTED + 1)
    answer = pages.answer(ctx, "StorageLensGroupList", listed, pages.MOST_LISTED, _listed, lambda group: group.name)
    return answer  # type: ignore[return-value]


def _listed(group: Group) -> dict[str, Any]:
    return {"Name": group.name, "StorageLensGroupArn": group.arn, "HomeRegion": group.region}


@operation
def update_storage_lens_group(ctx: Context, request: t.UpdateStorageLensGroupRequest) -> None:
    """Another filter for the group of a name."""
    accounts.check(ctx, request)
    group = GROUPS.get(ctx, request["Name"])
    given = request["StorageLensGroup"]
    if given["Name"] != group.name:
        raise INVALID_REQUEST("The name of a Storage Lens group cannot be changed")
    _check(given)
    _keep(ctx, group, given)


@operation
def delete_storage_lens_group(ctx: Context, request: t.DeleteStorageLensGroupRequest) -> None:
    """Remove the group of a name."""
    accounts.check(ctx, request)
    GROUPS.delete(ctx, GROUPS.get(ctx, request["Name"]))
