"""Policy documents as IAM takes and answers them: checked on the way in, percent-encoded on the way out."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from cumulo.core.policy import documents
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.statements import compile_policy
from cumulo.services.identity.iam.errors import LIMIT_EXCEEDED

# Source: IAM User Guide, "IAM and AWS STS quotas"; white space does not count.
INLINE_LIMITS: Final = {
    "user": documents.USER_INLINE_LIMIT,
    "group": documents.GROUP_INLINE_LIMIT,
    "role": documents.ROLE_INLINE_LIMIT,
}


def encoded(text: str) -> str:
    """The document as answers carry it. Source: GetRole, "Policies returned by this operation are URL-encoded
    compliant with RFC 3986"."""
    return quote(text, safe="")


def check_trust(text: str) -> list[str]:
    """The ARNs of users and roles that a trust policy names. Raises MalformedPolicyDocument, LimitExceeded."""
    compiled = compile_policy(text, Kind.TRUST).compiled
    if documents.size(text) > documents.TRUST_LIMIT:
        raise LIMIT_EXCEEDED(quota="ACLSizePerRole", limit=documents.TRUST_LIMIT)
    return [
        named
        for statement in compiled.document.statements
        for kind, named in (statement.principal.members if statement.principal is not None else ())
        if kind == "AWS" and re.match(r"arn:[^:]+:iam::\d{12}:(user|role)/", named)
    ]


def check_managed(text: str) -> str:
    """A managed policy's document. Raises MalformedPolicyDocument, LimitExceeded."""
    compile_policy(text, Kind.MANAGED)
    if documents.size(text) > documents.MANAGED_LIMIT:
        raise LIMIT_EXCEEDED(quota="PolicySize", limit=documents.MANAGED_LIMIT)
    return text


def check_inline(text: str, kind: str, name: str, others: dict[str, str]) -> str:
    """An inline policy of a user, group or role beside its others: all of them share one quota."""
    compile_policy(text, Kind.INLINE)
    limit = INLINE_LIMITS[kind]
    if documents.size(text) + sum(documents.size(other) for other in others.values()) > limit:
        raise LIMIT_EXCEEDED(f"Maximum policy size of {limit} bytes exceeded for {kind} {name}")
    return text
