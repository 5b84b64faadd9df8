"""Durable executions and their operations, as they are kept.

An execution is a function that may wait for a year: it is run again and again, each time with the operations that are
done already, until it ends. Source: Lambda Developer Guide, "Lambda durable functions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_.errors import DURABLE_EXECUTION_NOT_FOUND
from cumulo.services.compute.lambda_.stored.functions import arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context

RUNNING, PAUSING, PAUSED = "RUNNING", "PAUSING", "PAUSED"
SUCCEEDED, FAILED, TIMED_OUT, STOPPED = "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED"
LIVE = frozenset((RUNNING, PAUSING, PAUSED))
ROOT = "execution"  # the id of the operation that stands for the execution itself

_ARN = re.compile(r"arn:[^:]+:lambda:([^:]+):(\d{12}):function:([^:]+):([^/]+)/durable-execution/([^/]+)/([^/]+)")


class DurableExecution(Record):
    """One execution. Times are cloud time in seconds since 1970. Its input and its result are in its root operation."""

    account: str
    region: str
    function: str
    version: str
    name: str
    id: str
    invoked_arn: str
    started_at: float
    timeout_s: int
    retention_days: int
    status: str = RUNNING
    ended_at: float = 0.0
    trace_header: str = ""
    invoking: bool = False  # an invocation of the function is running, or about to
    turn: int = 0  # rises with each invocation
    token: int = 0  # rises with each checkpoint: the number of the token that counts
    changes: int = 0  # rises with each change of an operation
    seen: int = 0  # the changes that the function knows of
    next_sequence: int = 1
    next_event: int = 1
    failures: int = 0  # invocations that failed in a row
    client_token: str = ""  # of the last checkpoint
    client_token_at: float = 0.0
    seen_before: int = 0  # the changes that were known before the last checkpoint
    paused_at: float = 0.0  # when the pause was asked for
    pause_reason: str = ""
    timeout_paused: bool = True
    interrupted: bool = False  # the pause cut an invocation short
    told: dict[str, float] = {}  # when which pauses and resumptions were asked for, by their client tokens
    paused_s: float = 0.0  # how long it was paused with its timeout paused, all together
    parent_execution: str = ""  # the ARN of the execution whose chained invocation this is
    parent_operation: str = ""

    @property
    def arn(self) -> str:
        """The execution's ARN."""
        return (
            f"{arn_of(self.account, self.region, self.function, self.version)}/durable-execution/{self.name}/{self.id}"
        )

    @property
    def signal(self) -> str:
        """What is announced when it has ended."""
        return f"lambda durable {self.id}"


class DurableOperation(Record):
    """A step, wait, callback, chained invocation or child context of an execution; or (ROOT) the execution itself."""

    execution: str
    id: str
    sequence: int
    kind: str  # "STEP", "WAIT" …
    status: str
    started_at: float
    changed: int
    parent_id: str = ""
    name: str = ""
    sub_type: str = ""
    ended_at: float = 0.0
    input: str | None = None
    result: str | None = None
    error: dict[str, Any] | None = None
    attempt: int = 0
    due_at: float = 0.0  # the end of a wait, the next attempt of a step
    wait_s: int = 0
    replay_children: bool = False
    timeout_s: int = 0  # of callbacks; 0 for none
    heartbeat_s: int = 0
    heard_at: float = 0.0
    function: str = ""  # of chained invocations
    tenant_id: str = ""


class DurableEvent(Record):
    """One line of an execution's history."""

    execution: str
    id: int
    at: float
    kind: str
    operation: str = ""
    parent_id: str = ""
    name: str = ""
    sub_type: str = ""
    details: dict[str, Any] = {}


EXECUTIONS = Table(
    DurableExecution,
    name="lambda.durable_executions",
    key="id",
    scope=REGION,
    indexes={"function": ("function",), "name": ("function", "version", "name")},
)
OPERATIONS = Table(
    DurableOperation,
    name="lambda.durable_operations",
    key=("execution", "id"),
    scope=REGION,
    indexes={"order": ("execution", "sequence")},
)
EVENTS = Table(DurableEvent, name="lambda.durable_events", key=("execution", "id"), scope=REGION)


def keep(ctx: Context, execution: DurableExecution) -> None:
    """Write an execution back to where it lives."""
    EXECUTIONS.put(ctx, execution, account=execution.account, region=execution.region)


def keep_operation(ctx: Context, execution: DurableExecution, operation: DurableOperation) -> None:
    """Write an operation back as changed; the execution must be kept too."""
    execution.changes += 1
    operation.changed = execution.changes
    OPERATIONS.put(ctx, operation, account=execution.account, region=execution.region)


def operation_of(ctx: Context, execution: DurableExecution, id: str) -> DurableOperation | None:
    """An operation of an execution."""
    return OPERATIONS.peek(ctx, execution.id, id, account=execution.account, region=execution.region)


def operations_of(ctx: Context, execution: DurableExecution) -> list[DurableOperation]:
    """All operations of an execution in the order in which they were started."""
    return OPERATIONS.range(ctx, execution.id, index="order", account=execution.account, region=execution.region)


def peek(ctx: Context, arn: str) -> DurableExecution | None:
    """The execution of an ARN; nobody is asked."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return None
    region, account, function, version, name, id = found.groups()
    execution = EXECUTIONS.peek(ctx, id, account=account, region=region)
    if execution is None or (execution.function, execution.version, execution.name) != (function, version, name):
        return None
    return execution


def find(ctx: Context, arn: str, *, missing: Any = DURABLE_EXECUTION_NOT_FOUND) -> DurableExecution:
    """The execution of an ARN, found and authorized."""
    execution = peek(ctx, arn)
    account = arn.split(":")[4]
    if not ctx.trusted(account):
        ctx.authorize(arn)
    if execution is None:
        raise missing(arn=arn)
    return execution


def note(
    ctx: Context,
    execution: DurableExecution,
    kind: str,
    details: dict[str, Any],
    operation: DurableOperation | None = None,
) -> None:
    """Write a line of the history; the execution must be kept too."""
    event = DurableEvent(execution.id, execution.next_event, ctx.now(), kind, details=details)
    if operation is not None:
        event.operation, event.parent_id = operation.id, operation.parent_id
        event.name, event.sub_type = operation.name, operation.sub_type
    execution.next_event += 1
    EVENTS.put(ctx, event, account=execution.account, region=execution.region)
