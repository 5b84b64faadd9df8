"""Messages of topics with KmsMasterKeyId at rest: their body sealed under data keys of the topic's KMS key.

Source: Amazon SNS Developer Guide, "Securing Amazon SNS data with server-side encryption" and "Managing Amazon SNS
encryption keys and costs". The body alone is sealed: subject, attributes, ids and times are not. A publisher needs
kms:GenerateDataKey, and kms:Decrypt, with which SNS verifies a new data key; a data key is used for five minutes. A
delivery asks nobody for permission again, as the publisher's was asked, but the key must be usable then. A message
stays as it was published, whatever becomes of its topic's attributes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import data_keys, encryption
from cumulo.core.arns import partition_of
from cumulo.core.errors import Fault
from cumulo.services.messaging.sns.errors import KMS_ERRORS

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.encryption import DataKey
    from cumulo.services.messaging.sns.messages import Message
    from cumulo.services.messaging.sns.topics import Topic

REUSE_S = 300.0
ATTRIBUTE = "KmsMasterKeyId"

_encode = msgspec.msgpack.encode
_decode: Any = msgspec.msgpack.Decoder(tuple[str, dict[str, str] | None]).decode


def data_key(ctx: Context, topic: Topic) -> DataKey | None:
    """The data key with which the caller seals what it publishes; None for a topic without KMS key. KMS may refuse."""
    name = topic.attributes.get(ATTRIBUTE)
    if not name:
        return None
    region = topic.arn.split(":", 4)[3]
    arn = data_keys.key_arn(name, partition_of(region), region, topic.account)
    context = _context(topic.arn)

    def ask() -> DataKey:
        key = encryption.data_key(ctx, arn, context, source_arn=ctx.source_arn)
        return encryption.opened_key(ctx, key.sealed, context, source_arn=ctx.source_arn)

    try:
        return data_keys.remembered(ctx, ("seal", topic.id, arn), REUSE_S, ask)
    except Fault as fault:
        raise data_keys.worded(ctx, fault, KMS_ERRORS) from None


def sealed(ctx: Context, message: Message, key: DataKey) -> Message:
    """The message as it is kept: its texts in `sealed`."""
    kept = {name: value for name, value in message.items() if name not in ("text", "texts")}
    contents = _encode((message["text"], message.get("texts")))
    kept["sealed"] = encryption.seal(ctx, "", contents, _context(message["topic"]), under=key)
    return kept


def opened(ctx: Context, message: Message) -> Message:
    """The message with its texts. KMS's faults in SNS's words: the key may be disabled or gone by now."""
    blob = message.get("sealed")
    if blob is None:
        return message
    context = _context(message["topic"])
    wrapped = encryption.sealed_key(blob)

    def ask() -> DataKey:
        return encryption.opened_key(ctx, wrapped, context, asked=True)

    try:
        key = data_keys.remembered(ctx, ("open", wrapped), REUSE_S, ask)
        text, texts = _decode(encryption.open(ctx, blob, context, under=key))
    except Fault as fault:
        raise data_keys.worded(ctx, fault, KMS_ERRORS) from None
    message = {**message, "text": text}
    if texts is not None:
        message["texts"] = texts
    return message


def _context(arn: str) -> dict[str, str]:
    return {"aws:sns:topicArn": arn}
