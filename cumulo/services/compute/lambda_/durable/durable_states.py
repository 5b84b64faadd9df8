"""Operations as functions see them: in an invocation's payload (times in ms) and in answers (times in seconds)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.compute.lambda_.durable import durable_records as records
from cumulo.services.compute.lambda_.durable.durable_records import ROOT, DurableExecution, DurableOperation

if TYPE_CHECKING:
    from cumulo.core.context import Context

ENDED = frozenset(("SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"))


def in_milliseconds(seconds: float) -> int:
    """A time as the payload of an invocation has it."""
    return int(seconds * 1000)


def in_seconds(seconds: float) -> float:
    """A time as answers have it."""
    return seconds


def shown(
    execution: DurableExecution, operation: DurableOperation, time: Callable[[float], Any] = in_seconds
) -> dict[str, Any]:
    """An operation as AWS shows it."""
    out: dict[str, Any] = {
        "Id": execution.id if operation.id == ROOT else operation.id,  # as AWS's SDKs look for it
        "Type": operation.kind,
        "StartTimestamp": time(operation.started_at),
        "Status": operation.status,
    }
    for member, value in (
        ("ParentId", operation.parent_id),
        ("Name", operation.name),
        ("SubType", operation.sub_type),
    ):
        if value:
            out[member] = value
    if operation.ended_at:
        out["EndTimestamp"] = time(operation.ended_at)
    ended: dict[str, Any] = {}
    if operation.result is not None:
        ended["Result"] = operation.result
    if operation.error is not None:
        ended["Error"] = operation.error
    if operation.id == ROOT:
        out["Status"] = "STARTED" if operation.status == "RUNNING" else operation.status
        out["ExecutionDetails"] = {"InputPayload": operation.input or ""}
    elif operation.kind == "STEP":
        out["StepDetails"] = {"Attempt": operation.attempt, **ended}
        if operation.status == "PENDING":
            out["StepDetails"]["NextAttemptTimestamp"] = time(operation.due_at)
    elif operation.kind == "WAIT":
        out["WaitDetails"] = {"ScheduledEndTimestamp": time(operation.started_at + operation.wait_s)}
    elif operation.kind == "CALLBACK":
        out["CallbackDetails"] = {"CallbackId": callback_id(execution, operation), **ended}
    elif operation.kind == "CHAINED_INVOKE":
        out["ChainedInvokeDetails"] = ended
    elif operation.kind == "CONTEXT":
        out["ContextDetails"] = {"ReplayChildren": operation.replay_children, **ended}
    return out


def replayed(ctx: Context, execution: DurableExecution) -> list[DurableOperation]:
    """The operations that the function needs to find its way again, in order.

    What went on in a context that is over is left out, unless the context asked for it to be replayed.
    """
    hidden: set[str] = set()
    out = []
    for operation in records.operations_of(ctx, execution):
        if operation.parent_id in hidden:
            hidden.add(operation.id)
            continue
        if operation.kind == "CONTEXT" and operation.status in ENDED and not operation.replay_children:
            hidden.add(operation.id)
        out.append(operation)
    return out


def callback_id(execution: DurableExecution, operation: DurableOperation) -> str:
    """The id by which somebody outside answers a callback: it says where the callback is."""
    return b64encode(msgspec.msgpack.encode((execution.arn, operation.id))).decode()


def of_callback(ctx: Context, id: str) -> tuple[str, str] | None:
    """The execution's ARN and the operation's id in a callback id; None for an id that is not one of ours."""
    try:
        return msgspec.msgpack.decode(b64decode(id, validate=True), type=tuple[str, str])
    except (ValueError, msgspec.DecodeError):
        return None


def token(execution: DurableExecution) -> str:
    """The checkpoint token that counts now."""
    return b64encode(f"{execution.id}.{execution.token}".encode()).decode()
