"""Secret values at rest: encrypted through KMS, bound to the secret and the version.

Source: Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import encryption
from cumulo.core.errors import Fault
from cumulo.services.identity.secretsmanager.errors import DECRYPTION_FAILURE, ENCRYPTION_FAILURE, KMS_DENIED
from cumulo.services.identity.secretsmanager.secret_records import DEFAULT_KEY, refused

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret


def _bound_to(secret: Secret, version_id: str) -> dict[str, str]:
    """The encryption context, as AWS forms it."""
    return {"SecretARN": secret.arn, "SecretVersionId": version_id}


def seal(ctx: Context, secret: Secret, version_id: str, plaintext: bytes) -> bytes:
    """The value as it is kept. Raises EncryptionFailure, or AccessDeniedException when the key denies."""
    key_id = secret.kms_key_id or DEFAULT_KEY
    bound = _bound_to(secret, version_id)
    try:
        return encryption.seal(ctx, key_id, plaintext, bound, account=secret.account, region=secret.region)
    except Fault as fault:
        raise (KMS_DENIED if refused(fault) else ENCRYPTION_FAILURE)() from None


def unseal(ctx: Context, secret: Secret, version_id: str, sealed: bytes) -> bytes:
    """The value again. Raises DecryptionFailure, or AccessDeniedException when the key denies."""
    bound = _bound_to(secret, version_id)
    try:
        return encryption.open(ctx, sealed, bound, account=secret.account, region=secret.region)
    except Fault as fault:
        raise (KMS_DENIED if refused(fault) else DECRYPTION_FAILURE)() from None
