"""The table that an operation on items names: found, authorized with DynamoDB's own condition keys, and laid out.

Sources: DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control"; Service Authorization
Reference, "Condition keys for Amazon DynamoDB".
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from cumulo.services.data.dynamodb.errors import RESOURCE_NOT_FOUND, VALIDATION
from cumulo.services.data.dynamodb.tables import table_names
from cumulo.services.data.dynamodb.tables.layouts import Layout
from cumulo.services.data.dynamodb.tables.tables import DELETING, STRONG, TABLES, UNSUPPORTED_WHEN_STRONG

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.values.attribute_values import Item

Facts = dict[str, Any]
"""Condition keys with their values."""


def layout_for(
    ctx: Context,
    name_or_arn: str,
    facts: Callable[[Layout | None], Facts],
    *,
    action: str | None = None,
    index: str | None = None,
) -> Layout:
    """The layout of a table that takes items, found and authorized; or ResourceNotFoundException.

    `facts` says what the condition keys are, and is asked only where policies have a say. An index is a resource of
    its own: reading it takes no permission on the table.
    """
    account, name = ctx.account, name_or_arn
    if name_or_arn.startswith("arn:"):
        account, name = table_names.owner_and_name(ctx, name_or_arn)
    data = ctx.txn.get(TABLES.key(ctx, name, account=account))
    if data is None:
        table_names.check(name)
        raise _missing(ctx, account, name, facts, action)
    layout = _layouts.get(data)
    if layout is None:
        layout = _layout_of(data)
    table = layout.record
    if table.status == DELETING or table.filling:
        raise _missing(ctx, account, name, facts, action)
    if table.policy or not ctx.trusted(account):
        arn = f"{table.arn}/index/{index}" if index is not None else table.arn
        ctx.authorize(arn, policy=table.policy or None, tags=table.tags, action=action, context=facts(layout))
    return layout


def check_transactional(layout: Layout) -> Layout:
    """The layout, of a table that transactions can be about: those with multi-region strong consistency refuse them."""
    if layout.record.consistency == STRONG:
        raise VALIDATION(f"A transaction {UNSUPPORTED_WHEN_STRONG}")
    return layout


_REMEMBERED = 1000
_layouts: dict[bytes, Layout] = {}  # by the bytes of the table's record: nothing of another form of it is taken


def _layout_of(data: bytes) -> Layout:
    if len(_layouts) >= _REMEMBERED:
        _layouts.clear()
    layout = _layouts[data] = Layout(TABLES.codec.decode(data))
    return layout


def _missing(
    ctx: Context, account: str, name: str, facts: Callable[[Layout | None], Facts], action: str | None
) -> Exception:
    """That there is no such table, for those who may know."""
    if not ctx.trusted(account):
        ctx.authorize(TABLES.arn(ctx, name, account=account), action=action, context=facts(None))
    return RESOURCE_NOT_FOUND()


def leading_keys(layout: Layout | None, keys: Iterable[Item]) -> list[str]:
    """dynamodb:LeadingKeys: the values of the partition keys, as texts."""
    if layout is None:
        return []
    found: dict[str, None] = {}
    for key in keys:
        value = key.get(layout.hash)
        if value is not None:
            found[text_of(value)] = None
    return list(found)


def text_of(value: Mapping[str, Any]) -> str:
    """A key's value as a policy names it."""
    for content in value.values():
        return b64encode(content).decode() if isinstance(content, bytes) else str(content)
    return ""


def common_facts(ctx: Context, request: Mapping[str, Any]) -> Facts:
    """The condition keys that only repeat the request, and the transaction that it is part of, if any."""
    facts: Facts = {}
    consumed = request.get("ReturnConsumedCapacity") or ctx.request.get("ReturnConsumedCapacity")
    if consumed:
        facts["dynamodb:ReturnConsumedCapacity"] = consumed
    if ctx.operation.startswith("Transact") or ctx.operation == "ExecuteTransaction":
        facts["dynamodb:EnclosingOperation"] = ctx.operation
    return facts
