"""Exports and imports use S3 in the name of who asked for them, also after the answer: their principal is kept.

Source: Amazon DynamoDB Developer Guide, "Requesting a table export in DynamoDB": the caller needs the permissions on
the bucket and the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.policy.principals import Principal

if TYPE_CHECKING:
    from cumulo.core.context import Context

# What S3 and KMS answer, as FailureCode of a job. Source: answers of AWS to DescribeExport and DescribeImport.
_CODES = {
    "NoSuchBucket": "S3NoSuchBucket",
    "NoSuchKey": "S3NoSuchKey",
    "AccessDenied": "S3AccessDenied",
    "KMS.NotFoundException": "KmsNotFoundException",
}


def keep(ctx: Context) -> bytes:
    """The caller, for the job's record."""
    return msgspec.msgpack.encode(ctx.principal)


def again(ctx: Context, kept: bytes, operation: str, account: str, region: str) -> Context:
    """The context in which a job works in the caller's name."""
    inner = ctx.runtime.internal_context("dynamodb", operation, account, region)
    inner.principal = msgspec.msgpack.decode(kept, type=Principal)
    return inner


def failure_of(fault: Fault) -> tuple[str, str]:
    """FailureCode and FailureMessage for what S3 answered."""
    text = f"{fault.message} (Service: Amazon S3; Error Code: {fault.code})"
    return _CODES.get(fault.code, fault.code), text
