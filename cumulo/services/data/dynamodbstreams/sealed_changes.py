"""Changes of tables with a KMS key of their owner's: sealed under the table's data key, as its items are.

DynamoDB opens them itself, by the grant that it has on the key: readers need no permission on it, but the key must be
usable. An opened key is remembered for five minutes. Source: Amazon DynamoDB Developer Guide, "DynamoDB encryption at
rest": streams are encrypted under the table's key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import encryption
from cumulo.core.arns import partition_of
from cumulo.core.change_streams import Change, Stream, bound_to, decode
from cumulo.core.encryption import MAGIC, DataKey

if TYPE_CHECKING:
    from cumulo.core.context import Context

REMEMBERED_S = 300.0
_MOST = 1000


def read(ctx: Context, stream: Stream, data: bytes) -> Change:
    """A change as it was kept."""
    if not data.startswith(MAGIC):
        return decode(data)
    context = bound_to(stream.table, stream.account)
    key = _opened(ctx, stream, encryption.sealed_key(data), context)
    return decode(encryption.open(ctx, data, context, under=key))


def _opened(ctx: Context, stream: Stream, sealed: bytes, context: dict[str, str]) -> DataKey:
    memory: dict[bytes, tuple[float, DataKey]] = ctx.runtime.memory.setdefault("dynamodbstreams.keys", {})
    now = ctx.now()
    found = memory.get(sealed)
    if found is not None and found[0] <= now < found[0] + REMEMBERED_S:
        return found[1]
    region, account = stream.region, stream.account
    table = f"arn:{partition_of(region)}:dynamodb:{region}:{account}:table/{stream.table}"
    key = encryption.opened_key(
        ctx, sealed, context, service="dynamodb", source_arn=table, account=account, region=region
    )

    def remember() -> None:
        if len(memory) >= _MOST:
            memory.clear()
        memory[sealed] = (now, key)

    ctx.txn.on_commit(remember)
    return key
