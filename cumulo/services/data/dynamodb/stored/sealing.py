"""Items of tables with a KMS key of their owner's at rest: sealed under the table's data key.

The data key is made under the KMS key when the table gets it, and kept sealed with the table. A principal who reads or
writes items needs kms:Decrypt, through DynamoDB (kms:ViaService); the opened key is remembered for five minutes, for
each principal, so a change of the key's policy or state is felt that late. What DynamoDB does by itself (expiry,
backfills, backups) it does as dynamodb.amazonaws.com. A sealed item names the key it is under, so items of a table
whose key was changed are opened with the key that they were sealed with.
Source: AWS KMS Developer Guide, "How Amazon DynamoDB uses AWS KMS"; its encryption context.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core import change_streams, encryption
from cumulo.core.encryption import DataKey
from cumulo.core.errors import Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.tables.tables import TableRecord

REMEMBERED_S = 300.0
_MOST = 10_000


def bound_to(table: TableRecord) -> dict[str, str]:
    """The encryption context of a table's data keys."""
    return change_streams.bound_to(table.name, table.account)


def new_key(ctx: Context, table: TableRecord) -> bytes:
    """A data key for the table under its KMS key, sealed; KMS answers for the caller."""
    return encryption.data_key(ctx, table.sse_key, bound_to(table), account=table.account, region=table.region).sealed


def seal(ctx: Context, table: TableRecord, plaintext: bytes) -> bytes:
    """Seal bytes of a table that has a key."""
    key = _opened(ctx, table, table.sealed_key)
    return encryption.seal(ctx, "", plaintext, bound_to(table), under=key)


def unseal(ctx: Context, table: TableRecord, blob: bytes) -> bytes:
    """Bytes that were sealed under this or an earlier key of the table."""
    key = _opened(ctx, table, encryption.sealed_key(blob))
    return encryption.open(ctx, blob, bound_to(table), under=key)


def _opened(ctx: Context, table: TableRecord, sealed: bytes) -> DataKey:
    """The data key in plaintext, as this caller was given it not longer than five minutes ago."""
    memory: dict[tuple[bytes, str, str], tuple[float, DataKey]] = ctx.runtime.memory.setdefault(
        "dynamodb.table_keys", {}
    )
    principal = ctx.principal
    place = (sealed, principal.arn, principal.access_key_id)
    now = ctx.now()
    found = memory.get(place)
    if found is not None and found[0] <= now < found[0] + REMEMBERED_S:
        return found[1]
    service, source = ("dynamodb", table.arn) if ctx.internal else ("", "")
    from cumulo.services.data.dynamodb.stored.encryption_settings import worded  # which needs this module

    try:
        key = encryption.opened_key(
            ctx, sealed, bound_to(table), service=service, source_arn=source, account=table.account, region=table.region
        )
    except Fault as fault:
        raise worded(ctx, fault) from None
    ctx.txn.on_commit(lambda: _remember(memory, place, (now, key)))
    return key


def _remember(
    memory: dict[tuple[bytes, str, str], tuple[float, DataKey]],
    place: tuple[bytes, str, str],
    entry: tuple[float, DataKey],
) -> None:
    if len(memory) >= _MOST:
        memory.clear()
    memory[place] = entry
