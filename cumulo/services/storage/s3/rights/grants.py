"""ACLs as policy statements, so that one engine decides over all; and what a public access block leaves of them. Pure.

Sources: S3 User Guide, "Access control list (ACL) overview", "Mapping of ACL permissions and access policy
permissions"; "Blocking public access to your Amazon S3 storage", IgnorePublicAcls; "How Amazon S3 authorizes a
request for an object operation": a bucket's policy allows nothing on an object that somebody else owns, but denies.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.s3.access import account_of_canonical_user
from cumulo.services.storage.s3.rights.acls import ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY, PUBLIC

if TYPE_CHECKING:
    from cumulo.core.s3.buckets import Grants

_OF_BUCKETS = {
    "READ": ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"],
    "WRITE": ["s3:PutObject", "s3:DeleteObject"],
    "READ_ACP": ["s3:GetBucketAcl"],
    "WRITE_ACP": ["s3:PutBucketAcl"],
}
_OF_OBJECTS = {
    "READ": ["s3:GetObject", "s3:GetObjectVersion"],
    "WRITE": [],
    "READ_ACP": ["s3:GetObjectAcl", "s3:GetObjectVersionAcl"],
    "WRITE_ACP": ["s3:PutObjectAcl", "s3:PutObjectVersionAcl"],
}


def combined(
    policy: str, grants: Grants | None, *, of_object: bool, known_caller: bool, ignore_public: bool, allows: bool
) -> str:
    """One policy of a bucket's policy and an ACL; "" where both say nothing.

    `known_caller` counts as an authenticated user. `ignore_public` leaves grants to groups of users out. Without
    `allows` only what the policy denies counts.
    """
    if not grants and allows:
        return policy
    wanted = tuple(
        (grantee, permission)
        for grantee, permission in grants or ()
        if not (grantee in PUBLIC and ignore_public) and (grantee != AUTHENTICATED_USERS or known_caller)
    )
    return _combined(policy, wanted, of_object, allows)


@lru_cache(maxsize=1024)
def _combined(policy: str, grants: tuple[tuple[str, str], ...], of_object: bool, allows: bool) -> str:
    document: dict[str, Any] = msgspec.json.decode(policy) if policy else {"Version": "2012-10-17"}
    statements = document.get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    if not allows:
        statements = [statement for statement in statements if statement.get("Effect") == "Deny"]
    permissions = _OF_OBJECTS if of_object else _OF_BUCKETS
    for grantee, permission in grants:
        principal = _principal(grantee)
        found = [each for name, each in permissions.items() if permission in (name, "FULL_CONTROL")]
        actions = [action for each in found for action in each]
        if principal is not None and actions:
            statements = [
                *statements,
                {"Effect": "Allow", "Principal": principal, "Action": actions, "Resource": "*"},
            ]
    return msgspec.json.encode({**document, "Statement": statements}).decode() if statements else ""


def _principal(grantee: str) -> Any:
    if grantee in (ALL_USERS, AUTHENTICATED_USERS):
        return "*"
    if grantee == LOG_DELIVERY:
        return {"Service": "logging.s3.amazonaws.com"}
    account = account_of_canonical_user(grantee)
    return {"AWS": account} if account else None
