"""TransactWriteItems and TransactGetItems: all of up to 100 items, or none.

A transaction here is one of the store's: it never meets another half done. conflicts.py says what becomes of those that
want the same items at the same time.

Sources: DynamoDB API Reference, TransactWriteItems, TransactGetItems, "Cancellation Reasons"; DynamoDB Developer Guide,
"Amazon DynamoDB Transactions: How it works".
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import (
    CONDITIONAL_CHECK_FAILED,
    ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED,
    THROTTLING,
    TRANSACTION_CANCELED,
    VALIDATION,
)
from cumulo.services.data.dynamodb.items import client_tokens, conflicts, planned_writes
from cumulo.services.data.dynamodb.items.items import projection_of, read_facts
from cumulo.services.data.dynamodb.items.planned_writes import CHECK, DELETE, PUT, UPDATE
from cumulo.services.data.dynamodb.metering import consumption, key_insights, throttling
from cumulo.services.data.dynamodb.metering.capacity import Usage, read_units
from cumulo.services.data.dynamodb.stored import item_collections
from cumulo.services.data.dynamodb.stored.item_writes import Before, find, write
from cumulo.services.data.dynamodb.stored.stored_items import decode, read, shown, size_of
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import check_transactional, layout_for
from cumulo.services.data.dynamodb.values.attribute_values import check_item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.core.errors import Fault
    from cumulo.services.data.dynamodb.expressions.projections import Projection
    from cumulo.services.data.dynamodb.items.planned_writes import Plan
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.values.attribute_values import Item
    from cumulo.stubs import dynamodb as t

LIMIT_BYTES = 4 << 20
FACTOR = 2  # a transaction reads or writes every item twice: to prepare, and to commit

_PLANNERS = {
    CHECK: planned_writes.check,
    PUT: planned_writes.put,
    DELETE: planned_writes.delete,
    UPDATE: planned_writes.update,
}
_ACTIONS = {
    CHECK: "dynamodb:ConditionCheckItem",
    PUT: "dynamodb:PutItem",
    DELETE: "dynamodb:DeleteItem",
    UPDATE: "dynamodb:UpdateItem",
}
_NONE: dict[str, Any] = {"Code": "None"}


class Step:
    """One item of a transaction, and what became of it so far."""

    __slots__ = ("before", "item", "key", "layout", "name", "plan", "reason", "size")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.name: str = plan.request["TableName"]
        self.reason = _NONE
        self.layout: Layout
        self.key: bytes = b""
        self.before: Before
        self.item: Item | None = None
        self.size = 0

    def prepare(self, ctx: Context) -> None:
        """See whether the item can be written as wanted; else `reason` says why not."""
        plan = self.plan
        before = self.before = find(ctx, self.layout, self.key)
        try:
            if not plan.holds(before):
                self.reason = {"Code": "ConditionalCheckFailed", "Message": CONDITIONAL_CHECK_FAILED.text}
                wanted = plan.request.get("ReturnValuesOnConditionCheckFailure")
                if wanted == "ALL_OLD" and before.item is not None:
                    self.reason["Item"] = before.item
                return
            if plan.kind != CHECK:
                self.item, self.size = plan.outcome(self.layout, before)
        except Exception as fault:
            self.reason = _reason_of(fault)


def _reason_of(error: Exception) -> dict[str, Any]:
    """The cancellation reason that a refusal of one item's write is told as."""
    code = getattr(error, "code", "")
    if code == VALIDATION.code:
        return {"Code": "ValidationError", "Message": str(getattr(error, "message", ""))}
    if code == ITEM_COLLECTION_SIZE_LIMIT_EXCEEDED.code:
        return {"Code": "ItemCollectionSizeLimitExceeded", "Message": str(getattr(error, "message", ""))}
    if throttling.refused(error):
        name = "ThrottlingError" if code == THROTTLING.code else "ProvisionedThroughputExceeded"
        return {"Code": name, "Message": str(getattr(error, "message", ""))}
    raise error


def _reason_of_key(error: Exception) -> dict[str, Any]:
    """A key that is not the table's cancels the transaction; one with an empty value is refused before there is one.

    Observed in AWS's answers (dynamodb-conformance, 2026).
    """
    if str(getattr(error, "message", "")).startswith(item_keys.NOT_VALID):
        raise error
    return _reason_of(error)


def _canceled(reasons: list[dict[str, Any]]) -> Fault:
    codes = ", ".join(reason["Code"] for reason in reasons)
    return TRANSACTION_CANCELED(
        f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
        members={"CancellationReasons": reasons},
    )


@operation
def transact_write_items(ctx: Context, request: t.TransactWriteItemsInput) -> t.TransactWriteItemsOutput:
    """Write all items if every condition holds, or none."""
    token = request.get("ClientRequestToken")
    if token is None:
        return _write_items(ctx, request, "", b"")  # type: ignore[no-any-return]
    digest = client_tokens.digest_of(request["TransactItems"])
    with conflicts.Running(ctx, token):
        return _write_items(ctx, request, token, digest)  # type: ignore[no-any-return]


def _write_items(ctx: Context, request: t.TransactWriteItemsInput, token: str, digest: bytes) -> Any:
    steps = [Step(_plan(each)) for each in request["TransactItems"]]
    locate(ctx, steps)
    if token:
        done = client_tokens.seen(ctx, token, digest)
        if done is not None:
            return repeated(request, done.usage)
    for step in steps:
        if step.reason is _NONE:
            step.prepare(ctx)
    used = carry_out(ctx, steps)
    if token:
        client_tokens.remember(ctx, token, digest, read_again(steps))
    answer: dict[str, Any] = {}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [usage.answer(name, mode) for name, usage in used.items()]
    if request.get("ReturnItemCollectionMetrics") == "SIZE":
        metrics = _metrics(ctx, steps)
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return answer


def _plan(entry: Mapping[str, Any]) -> Plan:
    kinds = [kind for kind in _PLANNERS if kind in entry]
    if len(kinds) != 1:
        raise VALIDATION("TransactItems can only contain one of Check, Put, Update or Delete")
    return _PLANNERS[kinds[0]](entry[kinds[0]])


def locate(ctx: Context, steps: list[Step]) -> None:
    """Find the tables and the keys; no two steps may be about one item."""
    places: set[bytes] = set()
    for step in steps:
        plan = step.plan
        step.layout = layout_for(ctx, step.name, partial(plan.facts, ctx), action=_ACTIONS[plan.kind])
        check_transactional(step.layout)
        try:
            step.key = step.plan.key(step.layout)
        except Exception as fault:
            step.reason = _reason_of_key(fault)
            continue
        place = step.layout.place + step.key
        if place in places:
            raise VALIDATION("Transaction request cannot include multiple operations on one item")
        places.add(place)


def carry_out(ctx: Context, steps: list[Step]) -> dict[str, Usage]:
    """Write everything, unless one of them cannot be; what it took, by table."""
    if ctx.tries > 1 and all(step.reason is _NONE for step in steps):
        for place in conflicts.met(ctx, [step.before.stored for step in steps]):
            steps[place].reason = conflicts.reason()
    if any(step.reason is not _NONE for step in steps):
        raise _canceled([step.reason for step in steps])
    if sum(max(step.size, step.before.size) for step in steps) > LIMIT_BYTES:
        raise VALIDATION("The aggregate size of the items in the transaction cannot exceed 4 MB")
    used: dict[str, Usage] = {}
    for step in steps:
        usage = used.setdefault(step.name, Usage(factor=FACTOR))
        if step.plan.kind == CHECK:
            units = max(1.0, float(-(-step.before.size // 1024)))
            usage.add(units)
            consumption.wrote(ctx, step.layout, units * FACTOR)
            continue
        took = Usage(factor=FACTOR)
        try:
            write(ctx, step.layout, step.key, step.before, step.item, step.size, took)
            if ctx.runtime.throttling:
                throttling.charge_key(ctx, step.layout, took, step.plan.given)
            usage.merge(took)
        except Exception as fault:
            step.reason = _reason_of(fault)
            raise _canceled([each.reason for each in steps]) from None
    return used


def read_again(steps: list[Step]) -> dict[str, float]:
    """The read units that a repeated call is told: those of reading the items."""
    units: dict[str, float] = {}
    for step in steps:
        took = FACTOR * read_units(max(step.size, step.before.size), True)
        units[step.name] = units.get(step.name, 0.0) + took
    return units


def repeated(request: Mapping[str, Any], units: dict[str, float]) -> Any:
    """The answer to a call that was carried out before: only what reading it again takes."""
    mode = request.get("ReturnConsumedCapacity")
    if mode is None or mode == "NONE":
        return {}
    consumed = []
    for name, took in units.items():
        usage = Usage(reads=True, factor=FACTOR)
        usage.table = took
        consumed.append(usage.answer(name, mode))
    return {"ConsumedCapacity": consumed}


def _metrics(ctx: Context, steps: list[Step]) -> dict[str, list[Any]]:
    metrics: dict[str, list[Any]] = {}
    for step in steps:
        if step.layout.locals and step.plan.kind != CHECK:
            given, layout = step.plan.given, step.layout
            found = item_collections.metrics(ctx, layout, given, item_keys.hash_bytes(layout, given))
            metrics.setdefault(step.name, []).append(found)
    return metrics


@operation
def transact_get_items(ctx: Context, request: t.TransactGetItemsInput) -> t.TransactGetItemsOutput:
    """Read items as they all were at one time."""
    gets: list[Any] = [entry["Get"] for entry in request["TransactItems"]]
    for get in gets:
        check_item(get["Key"])
    parts = [projection_of(get) for get in gets]
    layouts = [_read_layout(ctx, get, projection) for get, projection in zip(gets, parts, strict=True)]
    keys = _keys(layouts, gets)
    used: dict[str, Usage] = {}
    responses: list[dict[str, Any]] = []
    total = 0
    items = read_together(ctx, list(zip(layouts, keys, strict=True)))
    for get, projection, layout, stored in zip(gets, parts, layouts, items, strict=True):
        size = size_of(stored) if stored is not None else 0
        total += size
        took = Usage(read_units(size, True), reads=True, factor=FACTOR)
        used.setdefault(get["TableName"], Usage(reads=True, factor=FACTOR)).merge(took)
        consumption.read(ctx, layout, took.table)
        if ctx.runtime.throttling:
            throttling.charge_key(ctx, layout, took, get["Key"])
        if layout.insights:
            key_insights.accessed(ctx, layout, "", get["Key"], took.table)
        if stored is None:
            responses.append({})
        elif projection is None:
            responses.append({"Item": shown(ctx, stored)})
        else:
            responses.append({"Item": projection.apply(decode(stored))})
    if total > LIMIT_BYTES:
        raise VALIDATION("The aggregate size of the items in the transaction cannot exceed 4 MB")
    answer: Any = {"Responses": responses}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [usage.answer(name, mode) for name, usage in used.items()]
    return answer  # type: ignore[no-any-return]


def read_together(ctx: Context, reads: list[tuple[Layout, bytes]]) -> list[bytes | None]:
    """Items of one moment; canceled when others keep changing them.

    On PostgreSQL it may show at any of the reads that this attempt has come to nothing: what was read before it counts.
    """
    items: list[bytes | None] = []
    before = conflicts.follow(ctx, items) if ctx.tries > 1 else []
    for layout, key in reads:
        items.append(read(ctx, layout, key))
    places = conflicts.changed(before, items)
    if places:
        raise _canceled([conflicts.reason() if place in places else _NONE for place in range(len(items))])
    return items


def _read_layout(ctx: Context, get: Mapping[str, Any], projection: Projection | None) -> Layout:
    def facts(layout: Layout | None) -> dict[str, Any]:
        return read_facts(ctx, layout, get, [get["Key"]], projection)

    return check_transactional(layout_for(ctx, get["TableName"], facts, action="dynamodb:GetItem"))


def _keys(layouts: list[Layout], gets: list[Any]) -> list[bytes]:
    """The keys, each checked against its table; no two may be of one item."""
    keys: list[bytes] = []
    reasons: list[dict[str, Any]] = []
    for layout, get in zip(layouts, gets, strict=True):
        try:
            keys.append(item_keys.of_key(layout, get["Key"]))
            reasons.append(_NONE)
        except Exception as fault:
            reasons.append(_reason_of_key(fault))
    if len(keys) < len(gets):
        raise _canceled(reasons)
    if len({layout.place + key for layout, key in zip(layouts, keys, strict=True)}) < len(keys):
        raise VALIDATION("Transaction request cannot include multiple operations on one item")
    return keys
