"""Grants of S3 Access Grants: who may read or write where.

Source: S3 API Reference, CreateAccessGrant and its like; S3 User Guide, "Working with grants in S3 Access Grants".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.storage.s3control import access_grants_instances, accounts, pages, tags
from cumulo.services.storage.s3control.access_grants_records import DEFAULT, GRANTS, LOCATIONS, Grant
from cumulo.services.storage.s3control.errors import (
    GRANT_EXISTS,
    INVALID_GRANT,
    NO_SUCH_LOCATION,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


def shown(ctx: Context, grant: Grant) -> dict[str, Any]:
    """The grant as answers show it."""
    found: dict[str, Any] = {
        "CreatedAt": grant.created_at,
        "AccessGrantId": grant.id,
        "AccessGrantArn": GRANTS.arn(ctx, grant.id),
        "Grantee": {"GranteeType": "IAM", "GranteeIdentifier": grant.grantee},
        "AccessGrantsLocationId": grant.location,
        "Permission": grant.permission,
        "GrantScope": grant.scope,
    }
    if grant.prefix:
        found["AccessGrantsLocationConfiguration"] = {"S3SubPrefix": grant.prefix}
    return found


def _grantee(request: Mapping[str, Any]) -> str:
    given = request["Grantee"]
    kind = given.get("GranteeType")
    if kind != "IAM":
        raise not_implemented("s3control", "CreateAccessGrant", f"Grantee.GranteeType {kind}")
    identifier = str(given.get("GranteeIdentifier", ""))
    if not identifier.startswith("arn:") or ":iam::" not in identifier:
        raise INVALID_GRANT()
    return identifier


@operation(unsupported=("ApplicationArn",))
def create_access_grant(ctx: Context, request: t.CreateAccessGrantRequest) -> t.CreateAccessGrantResult:
    """Grant a user or a role access to a location, or to a part of it."""
    accounts.check(ctx, request)
    ctx.authorize(GRANTS.arn(ctx, "*"))
    access_grants_instances.check(ctx)
    location = LOCATIONS.peek(ctx, request["AccessGrantsLocationId"])
    if location is None:
        raise NO_SUCH_LOCATION()
    grantee = _grantee(request)
    prefix = request.get("AccessGrantsLocationConfiguration", {}).get("S3SubPrefix", "")
    if location.id == DEFAULT and not prefix.strip("/*"):
        raise INVALID_GRANT()  # all of S3 is granted to nobody
    scope = scope_of(location.scope, prefix)
    of_object = request.get("S3PrefixType") == "Object"
    if of_object and scope.endswith("*"):
        raise INVALID_GRANT()
    permission = request["Permission"]
    for grant in GRANTS.range(ctx):
        if (grant.scope, grant.grantee, grant.permission) == (scope, grantee, permission):
            raise GRANT_EXISTS()
    grant = Grant(
        ctx.account,
        ctx.region,
        ctx.uuid(),
        location.id,
        prefix,
        scope,
        grantee,
        permission,
        ctx.now(),
        of_object,
        tags.checked(request.get("Tags", [])),
    )
    GRANTS.put(ctx, grant)
    return shown(ctx, grant)  # type: ignore[return-value]


def scope_of(location: str, prefix: str) -> str:
    """What a prefix makes of a location: "s3://bucket" and "a*" are "s3://bucket/a*"."""
    base = location.rstrip("*")
    if prefix and base.lower() != "s3://" and not base.endswith("/") and "/" not in base[5:]:
        base += "/"
    return f"{base}{prefix}" if prefix else location


@operation
def get_access_grant(ctx: Context, request: t.GetAccessGrantRequest) -> t.GetAccessGrantResult:
    """A grant by its id."""
    accounts.check(ctx, request)
    return shown(ctx, GRANTS.get(ctx, request["AccessGrantId"]))  # type: ignore[return-value]


@operation(unsupported=("ApplicationArn",))
def list_access_grants(ctx: Context, request: t.ListAccessGrantsRequest) -> t.ListAccessGrantsResult:
    """The grants of this region that meet all that is asked for."""
    accounts.check(ctx, request)
    ctx.authorize(access_grants_instances.check(ctx).arn)
    wanted = [
        (field, request[member])  # type: ignore[literal-required]
        for member, field in (
            ("GranteeIdentifier", "grantee"),
            ("Permission", "permission"),
            ("GrantScope", "scope"),
        )
        if member in request
    ]
    listed = [
        grant
        for grant in GRANTS.range(ctx, after=pages.begin(ctx, request))
        if all(getattr(grant, field) == value for field, value in wanted) and request.get("GranteeType", "IAM") == "IAM"
    ]
    limit = request.get("MaxResults", pages.MOST_LISTED)
    answer = pages.answer(ctx, "AccessGrantsList", listed, limit, partial(shown, ctx), lambda grant: grant.id)
    return answer  # type: ignore[return-value]


@operation
def delete_access_grant(ctx: Context, request: t.DeleteAccessGrantRequest) -> None:
    """Take a grant back; credentials that were given out for it stay good until they end."""
    accounts.check(ctx, request)
    GRANTS.delete(ctx, GRANTS.get(ctx, request["AccessGrantId"]))
