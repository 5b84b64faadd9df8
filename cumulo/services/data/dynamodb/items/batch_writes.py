"""BatchWriteItem: up to 25 items put or deleted in several tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.items import planned_writes
from cumulo.services.data.dynamodb.metering import throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage
from cumulo.services.data.dynamodb.stored import item_collections
from cumulo.services.data.dynamodb.stored.item_writes import find, write
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import common_facts, layout_for, leading_keys
from cumulo.services.data.dynamodb.values import older_values

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.items.planned_writes import Plan
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.tables.table_access import Facts
    from cumulo.stubs import dynamodb as t

LIMIT_REQUESTS = 25


@operation
def batch_write_item(ctx: Context, request: t.BatchWriteItemInput) -> t.BatchWriteItemOutput:
    """Put and delete items, each as if alone, without conditions."""
    items: Any = request["RequestItems"]
    if sum(len(requests) for requests in items.values()) > LIMIT_REQUESTS:
        raise VALIDATION("Too many items requested for the BatchWriteItem call")
    plans = {name: [_plan(each) for each in requests] for name, requests in items.items()}
    layouts = {name: _layout(ctx, name, part) for name, part in plans.items()}
    keys: dict[str, list[bytes]] = {}
    for name, part in plans.items():
        for plan in part:
            item_keys.check_types(layouts[name], plan.given)
        keys[name] = [plan.key(layouts[name]) for plan in part]
        if len(set(keys[name])) < len(part):
            raise VALIDATION("Provided list of item keys contains duplicates")
    used: dict[str, Usage] = {}
    metrics: dict[str, list[Any]] = {}
    measured = request.get("ReturnItemCollectionMetrics") == "SIZE"
    unprocessed: dict[str, list[Any]] = {}
    refusal: Fault | None = None
    for name, part in plans.items():
        layout = layouts[name]
        used[name] = usage = Usage()
        for number, (plan, key) in enumerate(zip(part, keys[name], strict=True)):
            if not ctx.runtime.throttling:
                _write(ctx, layout, plan, key, usage)
                continue
            try:
                _write_admitted(ctx, layout, plan, key, usage)
            except Fault as fault:
                if not throttling.refused(fault):
                    raise
                refusal = fault
                unprocessed.setdefault(name, []).append(items[name][number])
        if measured and layout.locals:
            metrics[name] = [
                item_collections.metrics(ctx, layout, plan.given, item_keys.hash_bytes(layout, plan.given))
                for plan in part
            ]
    if refusal is not None and not any(usage.table for usage in used.values()):
        raise refusal  # nothing at all was written
    answer: Any = {"UnprocessedItems": unprocessed}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [usage.answer(name, mode) for name, usage in used.items()]
    if metrics:
        answer["ItemCollectionMetrics"] = metrics
    return answer  # type: ignore[no-any-return]


def _write(ctx: Context, layout: Layout, plan: Plan, key: bytes, usage: Usage) -> None:
    before = find(ctx, layout, key)
    item, size = plan.outcome(layout, before)
    write(ctx, layout, key, before, item, size, usage)


def _write_admitted(ctx: Context, layout: Layout, plan: Plan, key: bytes, usage: Usage) -> None:
    """One of the batch's writes, taken back where the table's throughput does not admit it."""
    took = Usage()
    with ctx.txn.savepoint():
        _write(ctx, layout, plan, key, took)
        throttling.charge_key(ctx, layout, took, plan.given)
    usage.merge(took)


def _layout(ctx: Context, name: str, plans: list[Plan]) -> Layout:
    def facts(layout: Layout | None) -> Facts:
        found = common_facts(ctx, {})
        found["dynamodb:LeadingKeys"] = leading_keys(layout, [plan.given for plan in plans])
        found["dynamodb:Attributes"] = list({attribute: None for plan in plans for attribute in plan.given})
        return found

    return layout_for(ctx, name, facts)


def _plan(request: dict[str, Any]) -> Plan:
    put, delete = request.get("PutRequest"), request.get("DeleteRequest")
    if put is not None and delete is not None:
        raise VALIDATION(
            "Supplied WriteRequest has both PutRequest and DeleteRequest, must contain exactly one of them"
        )
    try:
        if put is not None:
            return planned_writes.put(put)
        if delete is not None:
            return planned_writes.delete(delete)
    except Fault as fault:
        raise older_values.reworded(put["Item"] if put is not None else delete["Key"], fault) from None  # type: ignore[index]
    raise VALIDATION("Supplied WriteRequest is empty, must contain exactly one of PutRequest or DeleteRequest")
