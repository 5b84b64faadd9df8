"""Whether a bucket policy is public: what BlockPublicPolicy refuses and GetBucketPolicyStatus tells. Pure.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public".
"""

from __future__ import annotations

import re
from functools import lru_cache

from cumulo.core.policy import public_statements
from cumulo.core.policy.documents import Kind, parse

# With a fixed value of one of these a statement lets in only what somebody chose.
_NARROWING = frozenset(
    (
        "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths",
        "aws:principalservicename", "aws:sourceaccount", "aws:sourcearn", "aws:sourceip", "aws:sourceorgid",
        "aws:sourceorgpaths", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourcevpce",
        "aws:vpcsourceip", "aws:userid", "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn", "s3:accesspointnetworkorigin", "s3express:dataaccesspointaccount",
        "s3express:dataaccesspointarn",
    )
)  # fmt: skip
_WIDE_RANGE = re.compile(r"[^/]+/(\d+)")


@lru_cache(maxsize=1024)
def is_public(policy: str) -> bool:
    """Whether the policy (text, "" for none) lets in callers whom nobody chose."""
    return bool(policy) and any(
        public_statements.is_public(statement, _NARROWING, _open)
        for statement in parse(policy, Kind.RESOURCE).statements
    )


def _open(key: str, value: str) -> bool:
    """Whether a value is none that somebody fixed: a wildcard, a variable, a range of nearly all addresses."""
    name = key.lower()
    if "${" in value:
        return True
    if name == "aws:sourceip":
        wide = _WIDE_RANGE.fullmatch(value)
        # "Broad IP ranges": wider than /8, for IPv6 wider than /32.
        return wide is not None and int(wide[1]) < (32 if ":" in value else 8)
    if name == "aws:userid":
        return value.startswith("*")
    if name in ("aws:sourcearn", "aws:principalarn", "s3:dataaccesspointarn", "s3express:dataaccesspointarn"):
        parts = value.split(":", 5)
        # An ARN may have wildcards behind its account, but the account must be fixed (S3's ARNs have none).
        return len(parts) < 6 or any(mark in parts[4] for mark in "*?") or (not parts[4] and parts[5].startswith("*"))
    return any(mark in value for mark in "*?")
