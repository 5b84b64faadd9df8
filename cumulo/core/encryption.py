"""Encryption at rest for services, through KMS: the one way in which a queue, a topic or a bucket uses a key.

`seal` asks KMS for a data key, in the caller's name or in the service's own, and encrypts with it here; `open` has KMS
open the data key again. Both are calls like any other, inside the caller's transaction: the key's policy, its grants
and its state decide, `kms:ViaService` and the encryption context are there to be asked for, the journal has them.

    blob = encryption.seal(ctx, "alias/aws/sqs", body, {"aws:sqs:arn": queue.arn})
    body = encryption.open(ctx, blob, {"aws:sqs:arn": queue.arn})

Without `service` the caller's own rights count, passed on by the calling service (kms:ViaService names it). With
`service="sns"` the principal is sns.amazonaws.com, acting for `source_arn`. KMS's faults come through as they are
(AccessDeniedException, DisabledException, KMSInvalidStateException, NotFoundException, InvalidCiphertextException):
each service words them in its own way. A data key may serve many seals with the same key and context: `data_key`.

Source: AWS KMS Developer Guide, "How AWS services use AWS KMS" (envelope encryption).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.errors import Error

if TYPE_CHECKING:
    from cumulo.core.context import Context

MAGIC = b"CUE1"
NONCE_BYTES = 12
INVALID_CIPHERTEXT = Error("InvalidCiphertextException")


class DataKey(NamedTuple):
    """A data key for AES-256: in plaintext, and as KMS gave it sealed. Keep the plaintext in memory only.

    `key_arn` is the KMS key that seals it.
    """

    plaintext: bytes
    sealed: bytes
    key_arn: str = ""


def data_key(
    ctx: Context,
    key_id: str,
    context: Mapping[str, str],
    *,
    service: str = "",
    source_arn: str = "",
    account: str = "",
    region: str = "",
    asked: bool = False,
) -> DataKey:
    """A new data key under a KMS key (id, ARN or alias), bound to the encryption context.

    `account` and `region` say where an id or an alias is looked for, if not where the call is. With `asked` nobody is
    asked for permission, only the key's state counts: for a task that goes on with what somebody was let do.
    """
    request = {"KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": dict(context)}
    answer = ctx.call(
        "kms",
        "GenerateDataKey",
        request,
        service=service,
        source_arn=source_arn,
        account=account,
        region=region,
        internal=asked,
    )
    return DataKey(answer["Plaintext"], answer["CiphertextBlob"], answer["KeyId"])


def seal(
    ctx: Context,
    key_id: str,
    plaintext: bytes,
    context: Mapping[str, str],
    *,
    service: str = "",
    source_arn: str = "",
    account: str = "",
    region: str = "",
    under: DataKey | None = None,
) -> bytes:
    """The plaintext, for the state; with `under` a data key of the same key and context is used again."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = under or data_key(
        ctx, key_id, context, service=service, source_arn=source_arn, account=account, region=region
    )
    head = MAGIC + len(key.sealed).to_bytes(2, "big") + key.sealed
    nonce = ctx.random_bytes(NONCE_BYTES)
    return head + nonce + bytes(AESGCM(key.plaintext).encrypt(nonce, plaintext, head))


def open(
    ctx: Context,
    blob: bytes,
    context: Mapping[str, str],
    *,
    service: str = "",
    source_arn: str = "",
    account: str = "",
    region: str = "",
    under: DataKey | None = None,
) -> bytes:
    """What was sealed. InvalidCiphertextException for foreign or changed bytes, or another encryption context.

    With `under`, its data key opened before (`sealed_key`, `opened_key`), KMS is not asked.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = sealed_key(blob)
    key = under or opened_key(
        ctx, sealed, context, service=service, source_arn=source_arn, account=account, region=region
    )
    end = 6 + len(sealed)
    try:
        nonce = blob[end : end + NONCE_BYTES]
        return bytes(AESGCM(key.plaintext).decrypt(nonce, blob[end + NONCE_BYTES :], blob[:end]))
    except InvalidTag:
        raise INVALID_CIPHERTEXT() from None


def sealed_key(blob: bytes) -> bytes:
    """The data key, sealed by KMS, of what was sealed: all that was sealed under one data key has it in common."""
    end = 6 + int.from_bytes(blob[4:6], "big")
    if blob[:4] != MAGIC or len(blob) < end + NONCE_BYTES + 16:
        raise INVALID_CIPHERTEXT()
    return blob[6:end]


def opened_key(
    ctx: Context,
    sealed: bytes,
    context: Mapping[str, str],
    *,
    service: str = "",
    source_arn: str = "",
    account: str = "",
    region: str = "",
    asked: bool = False,
) -> DataKey:
    """A data key that KMS opens again; `asked` as for `data_key`."""
    request = {"CiphertextBlob": sealed, "EncryptionContext": dict(context)}
    answer = ctx.call(
        "kms",
        "Decrypt",
        request,
        service=service,
        source_arn=source_arn,
        account=account,
        region=region,
        internal=asked,
    )
    return DataKey(answer["Plaintext"], sealed, answer["KeyId"])
