"""Messages of queues with KmsMasterKeyId at rest: body and attributes sealed under data keys of the queue's KMS key.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key management". A sender needs
kms:GenerateDataKey, and kms:Decrypt, with which SQS verifies a new data key; a receiver needs kms:Decrypt. A data key
is used again for the queue's KmsDataKeyReusePeriodSeconds, for one requester (core/data_keys.py). A message stays as it
was sent, whatever becomes of its queue's attributes, and in a dead-letter queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core import data_keys, encryption
from cumulo.core.arns import partition_of
from cumulo.core.encryption import DataKey
from cumulo.core.errors import Error, Fault
from cumulo.services.messaging.sqs.digests import Attribute
from cumulo.services.messaging.sqs.errors import (
    KMS_ACCESS_DENIED,
    KMS_DISABLED,
    KMS_INVALID_KEY_USAGE,
    KMS_INVALID_STATE,
    KMS_NOT_FOUND,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.messaging.sqs.messages import Message
    from cumulo.services.messaging.sqs.queues import Queue

_ERRORS: dict[str, Error] = {
    "AccessDeniedException": KMS_ACCESS_DENIED,
    "DisabledException": KMS_DISABLED,
    "InvalidArnException": KMS_NOT_FOUND,
    "InvalidKeyUsageException": KMS_INVALID_KEY_USAGE,
    "KMSInvalidStateException": KMS_INVALID_STATE,
    "NotFoundException": KMS_NOT_FOUND,
}


class _Contents(NamedTuple):
    """What is sealed of a message."""

    body: str
    attributes: dict[str, Attribute] | None


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(tuple[str, dict[str, tuple[str, Any]] | None]).decode


def seal_message(
    ctx: Context, queue: Queue, message: Message, key: DataKey | None = None, *, asked: bool = False
) -> None:
    """Take body and attributes out of the message and put them in sealed, for the caller; KMS may refuse.

    With `asked` nobody's rights count: they were asked for when the task began that goes on here.
    """
    contents = _encode(_Contents(message.body, message.attributes))
    under = key or data_key(ctx, queue, asked=asked)
    message.sealed = encryption.seal(ctx, "", contents, _context(queue.arn), under=under)
    message.sealed_for = queue.arn
    message.body, message.attributes = "", None


def open_messages(ctx: Context, queue: Queue, messages: Sequence[Message], *, asked: bool = False) -> None:
    """Give messages that were taken their bodies and attributes back, for the caller; KMS may refuse."""
    keys: dict[bytes, DataKey] = {}
    for message in messages:
        context = _context(message.sealed_for)
        sealed = encryption.sealed_key(message.sealed)
        key = keys.get(sealed)
        if key is None:
            key = keys[sealed] = _opened(ctx, queue, sealed, context, asked)
        message.body, message.attributes = _decode(encryption.open(ctx, message.sealed, context, under=key))


def _opened(ctx: Context, queue: Queue, sealed: bytes, context: dict[str, str], asked: bool) -> DataKey:
    def ask() -> DataKey:
        return encryption.opened_key(ctx, sealed, context, source_arn=ctx.source_arn, asked=asked)

    return _remembered(ctx, queue, ("open", sealed), ask)


def data_key(ctx: Context, queue: Queue, *, asked: bool = False) -> DataKey:
    """The data key with which the caller seals what it sends to the queue."""
    context = _context(queue.arn)

    def ask() -> DataKey:
        arn = data_keys.key_arn(queue.kms_key, partition_of(queue.region), queue.region, queue.account)
        key = encryption.data_key(ctx, arn, context, source_arn=ctx.source_arn, asked=asked)
        return encryption.opened_key(ctx, key.sealed, context, source_arn=ctx.source_arn, asked=asked)

    return _remembered(ctx, queue, ("seal", queue.id, queue.kms_key), ask)


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}


def _remembered(ctx: Context, queue: Queue, what: tuple[Any, ...], ask: Any) -> DataKey:
    try:
        return data_keys.remembered(ctx, what, queue.kms_reuse_s, ask)
    except Fault as fault:
        raise data_keys.worded(ctx, fault, _ERRORS) from None
