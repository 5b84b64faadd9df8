"""Events: invocations that nobody waits for. Each is durable once it was accepted and runs at least once.

Events of a function run in lanes, so that a long queue holds no more than so many tasks at a time; one that is to be
tried again waits outside of them. Source: Lambda Developer Guide, "How Lambda handles errors and retries with
asynchronous invocation".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.invocations import event_ends, event_invoke_configs
from cumulo.services.compute.lambda_.invocations.event_ends import End
from cumulo.services.compute.lambda_.running import concurrency, invocation_metrics
from cumulo.services.compute.lambda_.running.invocation_requests import Call
from cumulo.services.compute.lambda_.stored import qualifiers

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.qualifiers import Target

LANES = 64
RETRY_S = (60.0, 120.0)  # after the first and the second failure of the function
DELAY_S = 1.0  # after a throttle or a failure of ours; it doubles
LONGEST_DELAY_S = 300.0

SUCCESS = "Success"
RETRIES_EXHAUSTED = "RetriesExhausted"
AGE_EXCEEDED = "EventAgeExceeded"


class Event(Record):
    """An event that was accepted. Times are cloud time in seconds; `arn` is what was invoked."""

    id: str  # the request's
    arn: str
    payload: bytes
    accepted_at: float
    trace_id: str
    looped: bool = False  # the function calls itself: it is not to run any more
    attempts: int = 0  # how often the function has failed
    delays: int = 0  # how often it could not be run
    code: str = ""  # the last failure, as dead letters tell it
    message: str = ""
    tenant_id: str = ""


EVENTS = Table(Event, name="lambda.events", key="id", scope=REGION)


def accept(ctx: Context, target: Target, call: Call, *, looped: bool) -> None:
    """Queue an event in the running transaction."""
    event = Event(
        id=ctx.request_id,
        arn=target.arn,
        payload=call.payload,
        accepted_at=ctx.now(),
        trace_id=call.trace_id,
        looped=looped,
        tenant_id=call.tenant_id,
    )
    _keep(ctx, event, target.function.account)
    _enter_lane(ctx, event, target.function.account)
    source = invocation_metrics.source_of(target)
    ctx.txn.on_commit(lambda: invocation_metrics.of(ctx.runtime).add(source, "AsyncEventsReceived"))


def _keep(ctx: Context, event: Event, account: str) -> None:
    EVENTS.put(ctx, event, account=account)


def _enter_lane(ctx: Context, event: Event, account: str) -> None:
    lanes: dict[str, list[int]] = ctx.runtime.memory.setdefault("lambda.lanes", {})
    arn = event.arn
    busy = lanes.get(arn)
    if busy is None:
        busy = lanes[arn] = [0] * LANES
    lane = busy.index(min(busy))
    busy[lane] += 1  # an estimate: a transaction that fails leaves it too high until the lane has run dry
    payload = {"id": event.id, "account": account, "turn": event.attempts + event.delays, "arn": arn, "lane": lane}
    ctx.later(run_event, payload, lane=f"lambda {account} {arn} {lane}")


def _leave_lane(ctx: Context, payload: dict[str, Any]) -> None:
    lanes = ctx.runtime.memory.get("lambda.lanes", {})
    busy = lanes.get(payload["arn"])
    if busy is not None:
        busy[payload["lane"]] = max(0, busy[payload["lane"]] - 1)
        if not any(busy):
            del lanes[payload["arn"]]


@task
async def run_event(ctx: Context, payload: dict[str, Any]) -> None:
    """Run the function for one event, once."""
    try:
        turn = await ctx.transact(lambda ctx: _begin(ctx, payload))
        if turn is None:
            return
        end = await _run(ctx, turn)
        if end is not None:
            await event_ends.deliver_objects(ctx, turn.target, turn.config, end)
        await ctx.transact(lambda ctx: _finish(ctx, payload, turn, end))
    finally:
        _leave_lane(ctx, payload)


class _Turn(msgspec.Struct):
    """One attempt: the event, whom it goes to, and what is to become of it."""

    event: Event
    target: Target
    limits: concurrency.Limits
    config: event_invoke_configs.EventInvokeConfig | None
    wait_s: float = 0.0  # until the next attempt, when there is to be one


def _begin(ctx: Context, payload: dict[str, Any]) -> _Turn | None:
    """The event, unless it is over or this attempt was made already; and the function, which may be gone."""
    event = EVENTS.peek(ctx, payload["id"], account=payload["account"])
    if event is None or event.attempts + event.delays != payload["turn"]:
        return None
    try:
        target = qualifiers.resolve(ctx, event.arn, weighted=True)
    except Fault:
        EVENTS.delete(ctx, event, account=payload["account"])  # there is nobody left to run it, or to be told
        return None
    function = target.function
    limits = concurrency.limits_of(ctx, function)
    return _Turn(event, target, limits, event_invoke_configs.applying(ctx, target))


async def _run(ctx: Context, turn: _Turn) -> End | None:
    """The end of the event, None when it is to be tried again."""
    event, target = turn.event, turn.target
    if event.looped:
        event.code, event.message = "400", "Lambda has stopped the function: it calls itself in a loop."
        return End(RETRIES_EXHAUSTED, event)
    if ctx.now() >= event.accepted_at + event_invoke_configs.maximum_age_s(turn.config):
        return End(AGE_EXCEEDED, event)
    age_ms = round((ctx.now() - event.accepted_at) * 1000)
    invocation_metrics.of(ctx.runtime).add(invocation_metrics.source_of(target), "AsyncEventAge", age_ms)
    call = Call(event.payload, trace_id=event.trace_id, tenant_id=event.tenant_id)
    try:
        outcome = await call.run(ctx, target, turn.limits, event.id)
    except Fault as fault:
        return _not_run(ctx, turn, fault)
    if not outcome.error:
        return End(SUCCESS, event, outcome)
    event.attempts += 1
    event.code, event.message = "200", _message(outcome.payload)
    if event.attempts > event_invoke_configs.maximum_retries(turn.config):
        return End(RETRIES_EXHAUSTED, event, outcome)
    turn.wait_s = RETRY_S[min(event.attempts, len(RETRY_S)) - 1]
    return _unless_too_old(ctx, turn, outcome)


def _not_run(ctx: Context, turn: _Turn, fault: Fault) -> End | None:
    """A throttle or a failure of ours: again for as long as the event may live; not for a function that is shut off."""
    event = turn.event
    event.delays += 1
    event.code, event.message = str(fault.status or 500), fault.message
    if turn.target.function.reserved_concurrency == 0:
        return End(RETRIES_EXHAUSTED, event)
    turn.wait_s = min(LONGEST_DELAY_S, DELAY_S * 2 ** min(event.delays - 1, 16))
    return _unless_too_old(ctx, turn, None)


def _unless_too_old(ctx: Context, turn: _Turn, outcome: Any) -> End | None:
    event = turn.event
    if ctx.now() + turn.wait_s > event.accepted_at + event_invoke_configs.maximum_age_s(turn.config):
        return End(AGE_EXCEEDED, event, outcome)
    return None


def _message(payload: bytes) -> str:
    """What a failed function said."""
    try:
        document = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return ""
    return str(document.get("errorMessage") or "") if isinstance(document, dict) else ""


def _finish(ctx: Context, payload: dict[str, Any], turn: _Turn, end: End | None) -> None:
    """Tell the destinations, or come back later; with this the attempt counts as made."""
    account = payload["account"]
    current = EVENTS.peek(ctx, payload["id"], account=account)
    if current is None or current.attempts + current.delays != payload["turn"]:
        return  # the same attempt was finished by another node
    if end is not None:
        if end.failed:
            source = invocation_metrics.source_of(turn.target)
            ctx.txn.on_commit(lambda: invocation_metrics.of(ctx.runtime).add(source, "AsyncEventsDropped"))
        EVENTS.delete(ctx, current, account=account)
        event_ends.deliver(ctx, turn.target, turn.config, end)
        return
    _keep(ctx, turn.event, account)
    again = {"id": turn.event.id, "account": account, "turn": turn.event.attempts + turn.event.delays}
    ctx.later(try_again, again, at=ctx.now() + turn.wait_s)


@task
def try_again(ctx: Context, payload: dict[str, Any]) -> None:
    """The wait of an event is over: it queues up once more."""
    event = EVENTS.peek(ctx, payload["id"], account=payload["account"])
    if event is not None and event.attempts + event.delays == payload["turn"]:
        _enter_lane(ctx, event, payload["account"])
