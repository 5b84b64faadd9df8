"""Locations of S3 Access Grants: parts of S3, each with the role that may read and write there.

Source: S3 API Reference, CreateAccessGrantsLocation and its like.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3control import access_grants_instances, accounts, pages, tags
from cumulo.services.storage.s3control.access_grants_records import DEFAULT, GRANTS, LOCATIONS, Location
from cumulo.services.storage.s3control.errors import (
    INVALID_LOCATION,
    INVALID_ROLE,
    LOCATION_EXISTS,
    LOCATION_NOT_EMPTY,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

_SCOPE = re.compile(r"[sS]3://([a-z0-9.-]*)(/[^*]*\*?)?")


def shown(ctx: Context, location: Location) -> dict[str, Any]:
    """The location as answers show it."""
    return {
        "CreatedAt": location.created_at,
        "AccessGrantsLocationId": location.id,
        "AccessGrantsLocationArn": LOCATIONS.arn(ctx, location.id),
        "LocationScope": location.scope,
        "IAMRoleArn": location.role_arn,
    }


def _check_role(ctx: Context, arn: str, location_arn: str) -> None:
    if ctx.pass_role(arn, "access-grants.s3.amazonaws.com", resource_arn=location_arn) is None:
        raise INVALID_ROLE()


@operation
def create_access_grants_location(
    ctx: Context, request: t.CreateAccessGrantsLocationRequest
) -> t.CreateAccessGrantsLocationResult:
    """Register a location: all of S3 (s3://), a bucket of this region, or a prefix in one."""
    accounts.check(ctx, request)
    ctx.authorize(LOCATIONS.arn(ctx, "*"))
    access_grants_instances.check(ctx)
    scope = request["LocationScope"]
    match = _SCOPE.fullmatch(scope)
    if match is None or (not match[1] and scope.lower() != "s3://"):
        raise INVALID_LOCATION()
    if match[1]:
        bucket = BUCKETS.peek(ctx, match[1])
        if bucket is None or bucket.region != ctx.region:
            raise INVALID_LOCATION()
    if any(location.scope == scope for location in LOCATIONS.range(ctx)):
        raise LOCATION_EXISTS()
    id = ctx.uuid() if match[1] else DEFAULT
    _check_role(ctx, request["IAMRoleArn"], LOCATIONS.arn(ctx, id))
    location = Location(
        ctx.account,
        ctx.region,
        id,
        scope,
        request["IAMRoleArn"],
        ctx.now(),
        tags.checked(request.get("Tags", [])),
    )
    LOCATIONS.put(ctx, location)
    return shown(ctx, location)  # type: ignore[return-value]


@operation
def get_access_grants_location(
    ctx: Context, request: t.GetAccessGrantsLocationRequest
) -> t.GetAccessGrantsLocationResult:
    """A location by its id."""
    accounts.check(ctx, request)
    return shown(ctx, LOCATIONS.get(ctx, request["AccessGrantsLocationId"]))  # type: ignore[return-value]


@operation
def update_access_grants_location(
    ctx: Context, request: t.UpdateAccessGrantsLocationRequest
) -> t.UpdateAccessGrantsLocationResult:
    """Another role for a location."""
    accounts.check(ctx, request)
    location = LOCATIONS.get(ctx, request["AccessGrantsLocationId"])
    _check_role(ctx, request["IAMRoleArn"], LOCATIONS.arn(ctx, location.id))
    location.role_arn = request["IAMRoleArn"]
    LOCATIONS.put(ctx, location)
    return shown(ctx, location)  # type: ignore[return-value]


@operation
def list_access_grants_locations(
    ctx: Context, request: t.ListAccessGrantsLocationsRequest
) -> t.ListAccessGrantsLocationsResult:
    """The locations of this region, of one scope if it is named."""
    accounts.check(ctx, request)
    ctx.authorize(access_grants_instances.check(ctx).arn)
    wanted = request.get("LocationScope")
    there = LOCATIONS.range(ctx, after=pages.begin(ctx, request))
    listed = [each for each in there if wanted is None or each.scope == wanted]
    limit = request.get("MaxResults", pages.MOST_LISTED)
    answer = pages.answer(ctx, "AccessGrantsLocationsList", listed, limit, partial(shown, ctx), lambda each: each.id)
    return answer  # type: ignore[return-value]


@operation
def delete_access_grants_location(ctx: Context, request: t.DeleteAccessGrantsLocationRequest) -> None:
    """Remove a location that has no grants any more."""
    accounts.check(ctx, request)
    location = LOCATIONS.get(ctx, request["AccessGrantsLocationId"])
    if any(grant.location == location.id for grant in GRANTS.range(ctx)):
        raise LOCATION_NOT_EMPTY()
    LOCATIONS.delete(ctx, location)
