"""SecureStrings at rest: encrypted through KMS for the caller, bound to the parameter's ARN.

A standard parameter is encrypted by KMS itself, an advanced one under a data key.
Source: Systems Manager User Guide, "AWS KMS encryption for AWS Systems Manager Parameter Store SecureString
parameters".
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from cumulo.core import encryption
from cumulo.core.arns import Arn
from cumulo.core.errors import Fault
from cumulo.services.operations.ssm.errors import DENIED_BY_KEY, INVALID_KEY_ID

if TYPE_CHECKING:
    from cumulo.core.context import Context


def _refusal(fault: Fault, key_id: str) -> Fault:
    """KMS's refusal in Parameter Store's words."""
    if fault.code in ("AccessDeniedException", "AccessDenied"):
        return DENIED_BY_KEY(reason=fault.message)
    return INVALID_KEY_ID(fault.message or f"Invalid keyId {key_id}")


def seal(ctx: Context, arn: str, key_id: str, value: str, *, advanced: bool) -> str:
    """The value as it is kept, and shown without decryption. InvalidKeyId, or the key's own refusal."""
    bound = {"PARAMETER_ARN": arn}
    account = Arn.parse(arn).account
    try:
        if advanced:
            sealed = encryption.seal(ctx, key_id, value.encode(), bound, account=account)
        else:
            request = {"KeyId": key_id, "Plaintext": value.encode(), "EncryptionContext": bound}
            sealed = ctx.call("kms", "Encrypt", request, account=account)["CiphertextBlob"]
    except Fault as fault:
        raise _refusal(fault, key_id) from None
    return base64.b64encode(sealed).decode()


def unseal(ctx: Context, arn: str, key_id: str, sealed: str, *, advanced: bool) -> str:
    """The value again. InvalidKeyId, or the key's own refusal."""
    bound = {"PARAMETER_ARN": arn}
    account = Arn.parse(arn).account
    blob = base64.b64decode(sealed)
    try:
        if advanced:
            return encryption.open(ctx, blob, bound, account=account).decode()
        request = {"CiphertextBlob": blob, "EncryptionContext": bound}
        plaintext: bytes = ctx.call("kms", "Decrypt", request, account=account)["Plaintext"]
    except Fault as fault:
        raise _refusal(fault, key_id) from None
    return plaintext.decode()
