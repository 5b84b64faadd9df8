"""Credentials for what is granted: GetDataAccess, and what the caller is granted at all.

The credentials are a session of the location's role, held down to the grant by a session policy.

Source: S3 User Guide, "Request access to Amazon S3 data through S3 Access Grants"; S3 API Reference, GetDataAccess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.storage.s3control import access_grants_instances, pages
from cumulo.services.storage.s3control.access_grants_records import GRANTS, LOCATIONS, Grant, Instance
from cumulo.services.storage.s3control.errors import (
    INVALID_REQUEST,
    NO_SUCH_LOCATION,
    NOT_GRANTED,
    STS_DENIED,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t

SERVICE = "access-grants.s3"
HOUR_S = 3600
SHORTEST_S, LONGEST_S = 900, 43_200
_PERMISSIONS = frozenset(("READ", "WRITE", "READWRITE"))
_READING = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:GetObjectVersionAcl"]
_WRITING = [
    "s3:PutObject",
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
]


def _of_caller(ctx: Context, instance: Instance) -> list[Grant]:
    names = {ctx.principal.arn, ctx.principal.policy_arn}
    return [grant for grant in GRANTS.range(ctx, account=instance.account) if grant.grantee in names]


def covers(scope: str, target: str) -> bool:
    """Whether a grant's scope has all of the target in it."""
    if scope.endswith("*"):
        return target.startswith(scope[:-1])
    return target == scope or target.startswith(scope if scope.endswith("/") else f"{scope}/")


@operation(unsupported=("AuditContext",))
def get_data_access(ctx: Context, request: t.GetDataAccessRequest) -> t.GetDataAccessResult:
    """Temporary credentials for what the caller was granted closest to the target."""
    instance = access_grants_instances.of_account(ctx, request["AccountId"])
    target, permission = request["Target"], request["Permission"]
    lasts_s = request.get("DurationSeconds", HOUR_S)
    if permission not in _PERMISSIONS or not SHORTEST_S <= lasts_s <= LONGEST_S:
        raise INVALID_REQUEST("The request is not valid")
    if request.get("InstanceScope", "SELF") not in ("SELF", "ALL"):  # nothing can be shared: ALL is SELF
        raise INVALID_REQUEST("The request is not valid")
    fitting = [
        grant
        for grant in _of_caller(ctx, instance)
        if covers(grant.scope, target) and permission in (grant.permission, *_parts(grant.permission))
    ]
    if not fitting:
        raise NOT_GRANTED(permission=permission, target=target)
    grant = max(fitting, key=lambda each: len(each.scope))
    scope = target if request.get("Privilege") == "Minimal" else grant.scope
    if request.get("TargetType") == "Object" and scope.endswith("*") and request.get("Privilege") == "Minimal":
        raise INVALID_REQUEST("The request is not valid")
    return {
        "Credentials": _credentials(ctx, instance, grant, scope, lasts_s, permission),  # type: ignore[typeddict-item]
        "MatchedGrantTarget": scope,
        "Grantee": {"GranteeType": "IAM", "GranteeIdentifier": grant.grantee},
        "MatchedInstanceArn": instance.arn,
    }


def _parts(permission: str) -> tuple[str, ...]:
    return ("READ", "WRITE") if permission == "READWRITE" else ()


def _credentials(
    ctx: Context, instance: Instance, grant: Grant, scope: str, lasts_s: int, permission: str
) -> dict[str, Any]:
    location = LOCATIONS.peek(ctx, grant.location, account=instance.account)
    if location is None:
        raise NO_SUCH_LOCATION()
    wish = {
        "RoleArn": location.role_arn,
        "RoleSessionName": f"access-grants-{ctx.uuid()}",
        "DurationSeconds": lasts_s,
        "Policy": _session_policy(ctx, scope, permission),
        "SourceIdentity": ctx.principal.user_id.partition(":")[0] or ctx.account,
    }
    try:
        answer = ctx.call("sts", "AssumeRole", wish, service=SERVICE, source_arn=instance.arn, account=instance.account)
    except Fault as fault:
        raise STS_DENIED(f"{STS_DENIED.text}: {fault.message}") from None
    found: dict[str, Any] = answer["Credentials"]
    return found


def _session_policy(ctx: Context, scope: str, permission: str) -> str:
    """What a session may do: the scope's objects, and to list them."""
    bucket, _, prefix = scope[len("s3://") :].partition("/")
    arn = f"arn:{ctx.partition}:s3:::{bucket.rstrip('*')}"
    objects = f"{arn}/{prefix}" if prefix else f"{arn}/*"
    actions = [*(_READING if "READ" in permission else ()), *(_WRITING if "WRITE" in permission else ())]
    statements: list[dict[str, Any]] = [{"Effect": "Allow", "Action": actions, "Resource": [objects]}]
    if "READ" in permission:
        listing: dict[str, Any] = {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [arn]}
        if prefix.rstrip("*"):
            listing["Condition"] = {"StringLike": {"s3:prefix": [prefix if prefix.endswith("*") else f"{prefix}*"]}}
        statements.append(listing)
    statements.append({"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey"], "Resource": ["*"]})
    return msgspec.json.encode({"Version": "2012-10-17", "Statement": statements}).decode()


@operation(unsupported=("AllowedByApplication",))
def list_caller_access_grants(ctx: Context, request: t.ListCallerAccessGrantsRequest) -> t.ListCallerAccessGrantsResult:
    """What the caller is granted, the scopes that begin with the one asked for."""
    instance = access_grants_instances.of_account(ctx, request["AccountId"])
    if request.get("InstanceScope", "SELF") not in ("SELF", "ALL"):
        raise INVALID_REQUEST("The request is not valid")
    begin = pages.begin(ctx, request)
    after = str(begin[0]) if begin is not None else ""
    wanted = request.get("GrantScope", "")
    listed = [grant for grant in _of_caller(ctx, instance) if grant.scope.startswith(wanted) and grant.id > after]

    def shown(grant: Grant) -> dict[str, Any]:
        return {
            "Permission": grant.permission,
            "GrantScope": grant.scope,
            "ApplicationArn": "ALL",
            "AccessGrantsInstanceArn": instance.arn,
        }

    limit = request.get("MaxResults", pages.MOST_LISTED)
    answer = pages.answer(ctx, "CallerAccessGrantsList", listed, limit, shown, lambda grant: grant.id)
    return answer  # type: ignore[return-value]
