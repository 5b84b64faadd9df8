"""Access control lists: what requests say of them, and what answers show.

Sources: S3 User Guide, "Access control list (ACL) overview" (grantees, permissions, canned ACLs); the texts of errors
were observed in AWS's answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cumulo.core.s3.access import account_of_canonical_user, canonical_user_id
from cumulo.core.s3.buckets import BUCKET_OWNER_ENFORCED
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    ACLS_NOT_SUPPORTED,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    MALFORMED_ACL,
    MISSING_SECURITY_HEADER,
    UNEXPECTED_CONTENT,
    UNRESOLVABLE_GRANT,
)

if TYPE_CHECKING:
    from cumulo.core.s3.buckets import Bucket, Grants

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = frozenset((ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY))
PUBLIC = frozenset((ALL_USERS, AUTHENTICATED_USERS))
FULL_CONTROL = "FULL_CONTROL"
MOST_GRANTS = 100
# EC2's image copies read as this canonical user. Source: "Canned ACL", aws-exec-read.
_EC2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
ANONYMOUS_USER = "65a011a29cdf8ec533ec3d1ccaae921c"  # owns what nobody signed for. Observed in AWS's answers.

_HEADERS = {
    "GrantFullControl": ("x-amz-grant-full-control", FULL_CONTROL),
    "GrantRead": ("x-amz-grant-read", "READ"),
    "GrantWrite": ("x-amz-grant-write", "WRITE"),
    "GrantReadACP": ("x-amz-grant-read-acp", "READ_ACP"),
    "GrantWriteACP": ("x-amz-grant-write-acp", "WRITE_ACP"),
}
_OF_HEADS: Final = ("ACL", *_HEADERS)
_PERMISSIONS = frozenset(permission for _, permission in _HEADERS.values())
_OF_BUCKETS = frozenset(
    ("private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "log-delivery-write")
)
_OF_OBJECTS = frozenset(
    (
        "private", "public-read", "public-read-write", "aws-exec-read", "authenticated-read", "bucket-owner-read",
        "bucket-owner-full-control",
    )
)  # fmt: skip
# "If you specify this canned ACL when creating a bucket, Amazon S3 ignores it." S3 User Guide, "Canned ACL".
_IGNORED = frozenset(("bucket-owner-read", "bucket-owner-full-control"))
_GRANT = re.compile(r'\s*(\w+)\s*=\s*"?([^",]*)"?\s*')


def given(request: Mapping[str, Any]) -> bool:
    """Whether the request's head says something of an ACL."""
    return any(name in request for name in _OF_HEADS)


def owner_id(owner: str) -> str:
    """The canonical user id of an owner; "" is the anonymous one."""
    return canonical_user_id(owner) if owner else ANONYMOUS_USER


def of_head(request: Mapping[str, Any], *, owner: str, bucket_owner: str, of_object: bool) -> Grants | None:
    """The grants that the head of a request asks for; None where it asks for none, or just for the usual ones."""
    canned = request.get("ACL")
    headers = [member for member in _HEADERS if member in request]
    if canned is not None:
        if headers:
            raise INVALID_REQUEST("Specifying both Canned ACLs and Header Grants is not allowed")
        return _canned(canned, owner, bucket_owner, of_object)
    if not headers:
        return None
    grants = [grant for member in headers for grant in _of_header(*_HEADERS[member], request[member])]
    return _checked(grants)


def of_request(request: Mapping[str, Any], *, owner: str, bucket_owner: str, of_object: bool) -> Grants | None:
    """The grants that PutBucketAcl or PutObjectAcl bring, in the head or in the body."""
    body = request.get("AccessControlPolicy")
    if given(request):
        if body:
            raise UNEXPECTED_CONTENT()
        return of_head(request, owner=owner, bucket_owner=bucket_owner, of_object=of_object)
    if body is None:
        raise MISSING_SECURITY_HEADER(members={"MissingHeaderName": "x-amz-acl"})
    return _of_body(body, owner)


def _canned(name: str, owner: str, bucket_owner: str, of_object: bool) -> Grants | None:
    if name in _IGNORED and not of_object:
        return None
    if name not in (_OF_OBJECTS if of_object else _OF_BUCKETS):
        raise INVALID_ARGUMENT("", members={"ArgumentName": "x-amz-acl", "ArgumentValue": name})
    mine = (owner_id(owner), FULL_CONTROL)
    theirs = owner_id(bucket_owner)
    more: dict[str, Grants] = {
        "public-read": [(ALL_USERS, "READ")],
        "public-read-write": [(ALL_USERS, "READ"), (ALL_USERS, "WRITE")],
        "authenticated-read": [(AUTHENTICATED_USERS, "READ")],
        "aws-exec-read": [(_EC2, "READ")],
        "log-delivery-write": [(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")],
        "bucket-owner-read": [(theirs, "READ")] if bucket_owner != owner else [],
        "bucket-owner-full-control": [(theirs, FULL_CONTROL)] if bucket_owner != owner else [],
    }
    found = more.get(name)
    return [mine, *found] if found else None


def _of_header(header: str, permission: str, text: str) -> Grants:
    grants: Grants = []
    for each in text.split(","):
        match = _GRANT.fullmatch(each)
        if match is None or match[1] not in ("id", "uri", "emailAddress"):
            members = {"ArgumentName": header, "ArgumentValue": text}
            raise INVALID_ARGUMENT("Argument format not recognized", members=members)
        grants.append((_grantee(match[1], match[2], "id", "uri"), permission))
    return grants


def _grantee(kind: str, value: str, id_name: str, uri_name: str) -> str:
    if kind == "uri":
        if value not in GROUPS:
            raise INVALID_ARGUMENT("Invalid group uri", members={"ArgumentName": uri_name, "ArgumentValue": value})
        return value
    if kind == "emailAddress":
        # An account has no address here that anybody could look up.
        raise UNRESOLVABLE_GRANT()
    _check_id(value, id_name)
    return value


def _check_id(value: str, name: str) -> None:
    if value not in (_EC2, ANONYMOUS_USER) and not account_of_canonical_user(value):
        raise INVALID_ARGUMENT("Invalid id", members={"ArgumentName": name, "ArgumentValue": value})


def _of_body(body: Mapping[str, Any], owner: str) -> Grants:
    named = (body.get("Owner") or {}).get("ID")
    written = body.get("Grants")
    if named is None or written is None:
        raise MALFORMED_ACL()
    _check_id(named, "CanonicalUser/ID")
    grants = _of_list(written)
    if named != owner_id(owner):
        raise ACCESS_DENIED()
    return _checked(grants)


def of_target_grants(written: Iterable[Mapping[str, Any]]) -> Grants:
    """The grants that access logs are written with (PutBucketLogging)."""
    return _checked(_of_list(written))


def _of_list(written: Iterable[Mapping[str, Any]]) -> Grants:
    grants: Grants = []
    for grant in written:
        grantee, permission = grant.get("Grantee") or {}, grant.get("Permission")
        kind = {"CanonicalUser": "ID", "Group": "URI", "AmazonCustomerByEmail": "EmailAddress"}.get(
            grantee.get("Type", "")
        )
        if permission not in _PERMISSIONS or kind is None or kind not in grantee:
            raise MALFORMED_ACL()
        name = {"ID": "id", "URI": "uri", "EmailAddress": "emailAddress"}[kind]
        grants.append((_grantee(name, grantee[kind], "CanonicalUser/ID", "Group/URI"), permission))
    return grants


def _checked(grants: Grants) -> Grants:
    if len(grants) > MOST_GRANTS:
        raise INVALID_REQUEST("The ACL contains more grants than the maximum allowed")
    return list(dict.fromkeys(grants))


def is_public(grants: Grants | None) -> bool:
    """Whether an ACL lets in everybody, or everybody with an AWS account."""
    return grants is not None and any(grantee in PUBLIC for grantee, _ in grants)


def only_bucket_owner(grants: Grants | None, bucket: Bucket) -> bool:
    """Whether an ACL says no more than that the bucket's owner has full control."""
    return grants is None or grants == [(canonical_user_id(bucket.account), FULL_CONTROL)]


def check_enabled(bucket: Bucket, request: Mapping[str, Any], grants: Grants | None) -> None:
    """AccessControlListNotSupported where the bucket has no ACLs and the request brings another than the usual one.

    Source: S3 User Guide, "Controlling ownership of objects and disabling ACLs for your bucket".
    """
    if bucket.ownership != BUCKET_OWNER_ENFORCED:
        return
    if request.get("ACL") not in (None, "bucket-owner-full-control") or not only_bucket_owner(grants, bucket):
        raise ACLS_NOT_SUPPORTED()


def shown(grants: Grants | None, owner: str) -> dict[str, Any]:
    """An ACL as Get operations answer it."""
    listed = grants if grants is not None else [(owner_id(owner), FULL_CONTROL)]
    return {
        "Owner": {"ID": owner_id(owner)},
        "Grants": [{"Grantee": _shown_grantee(grantee), "Permission": permission} for grantee, permission in listed],
    }


def _shown_grantee(grantee: str) -> dict[str, str]:
    if grantee in GROUPS:
        return {"Type": "Group", "URI": grantee}
    return {"Type": "CanonicalUser", "ID": grantee}
