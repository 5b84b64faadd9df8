"""Messages of queues with KmsMasterKeyId at rest: body and attributes sealed under data keys of the queue's KMS key.

Source: Amazon SQS Developer Guide, "Encryption at rest in Amazon SQS" and "Amazon SQS Key management". A sender needs
kms:GenerateDataKey, and kms:Decrypt, with which SQS verifies a new data key; a receiver needs kms:Decrypt. A data key
is used again for the queue's KmsDataKeyReusePeriodSeconds, for one requester: sessions of one role that differ in
their name alone are one, other session policies make another. So a change of the key's policy or state is felt when
that time is over. A message stays as it was sent, whatever becomes of its queue's attributes, and in a dead-letter
queue.

Data keys are in plaintext only in this process's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from cumulo.core import encryption
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

_REMEMBERED = 10_000
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


class _Remembered(NamedTuple):
    """A data key in memory, and since when."""

    key: DataKey
    since: float


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(tuple[str, dict[str, tuple[str, Any]] | None]).decode


def seal_message(ctx: Context, queue: Queue, message: Message, key: DataKey | None = None) -> None:
    """Take body and attributes out of the message and put them in sealed, for the caller; KMS may refuse."""
    contents = _encode(_Contents(message.body, message.attributes))
    under = key or data_key(ctx, queue)
    message.sealed = encryption.seal(ctx, "", contents, _context(queue.arn), under=under)
    message.sealed_for = queue.arn
    message.body, message.attributes = "", None


def open_messages(ctx: Context, queue: Queue, messages: Sequence[Message]) -> None:
    """Give messages that were taken their bodies and attributes back, for the caller; KMS may refuse."""
    keys: dict[bytes, DataKey] = {}
    for message in messages:
        context = _context(message.sealed_for)
        sealed = encryption.sealed_key(message.sealed)
        key = keys.get(sealed)
        if key is None:
            key = keys[sealed] = _opened(ctx, queue, sealed, context)
        message.body, message.attributes = _decode(encryption.open(ctx, message.sealed, context, under=key))


def _opened(ctx: Context, queue: Queue, sealed: bytes, context: dict[str, str]) -> DataKey:
    def ask() -> DataKey:
        return encryption.opened_key(ctx, sealed, context, source_arn=ctx.source_arn)

    return _remembered(ctx, queue, ("open", sealed), ask)


def data_key(ctx: Context, queue: Queue) -> DataKey:
    """The data key with which the caller seals what it sends to the queue."""
    context = _context(queue.arn)

    def ask() -> DataKey:
        key = encryption.data_key(ctx, _key_arn(queue), context, source_arn=ctx.source_arn)
        return encryption.opened_key(ctx, key.sealed, context, source_arn=ctx.source_arn)

    return _remembered(ctx, queue, ("seal", queue.id, queue.kms_key), ask)


def _context(arn: str) -> dict[str, str]:
    return {"aws:sqs:arn": arn}


def _key_arn(queue: Queue) -> str:
    """The queue's key by an ARN: an id or alias means one of the queue's account, whoever calls."""
    key = queue.kms_key
    if key.startswith("arn:"):
        return key
    name = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{partition_of(queue.region)}:kms:{queue.region}:{queue.account}:{name}"


def _remembered(ctx: Context, queue: Queue, what: tuple[Any, ...], ask: Callable[[], DataKey]) -> DataKey:
    """The data key that this requester was given not longer ago than the queue's reuse period, or a new one."""
    memory: dict[tuple[Any, ...], _Remembered] = ctx.runtime.memory.setdefault("sqs.data_keys", {})
    place = (*what, *_requester(ctx))
    now = ctx.now()
    found = memory.get(place)
    if found is not None and found.since <= now < found.since + queue.kms_reuse_s:
        return found.key
    try:
        key = ask()
    except Fault as fault:
        raise _worded(ctx, fault) from None
    # Only once this transaction is kept: an AWS managed key may have been made in it.
    ctx.txn.on_commit(lambda: _remember(memory, place, _Remembered(key, now)))
    return key


def _remember(memory: dict[tuple[Any, ...], _Remembered], place: tuple[Any, ...], entry: _Remembered) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[place] = entry


def _requester(ctx: Context) -> tuple[Any, ...]:
    caller = ctx.principal
    tags = tuple(sorted(caller.tags.items())) if caller.tags else ()
    mfa = caller.mfa_at is not None
    return caller.policy_arn, caller.session_policies, tags, mfa, ctx.source_arn


def _worded(ctx: Context, fault: Fault) -> Fault:
    """KMS's fault as SQS passes it on; its text as AWS gave it in opensearch-project/data-prepper#2422."""
    error = _ERRORS.get(fault.code)
    if error is None:
        return fault
    return error(
        f"{fault.message} (Service: AWSKMS; Status Code: {fault.status or 400}; Error Code: {fault.code}; "
        f"Request ID: {ctx.uuid()}; Proxy: null)"
    )
