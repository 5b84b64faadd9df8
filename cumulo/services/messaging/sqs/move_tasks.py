"""Message move tasks: dead letters go back to where they came from, or to another queue.

Sources: API reference, StartMessageMoveTask, CancelMessageMoveTask and ListMessageMoveTasks; Amazon SQS Developer
Guide, "Configuring a dead-letter queue redrive": moved messages are new ones, with a new id and a new age. Who starts
the task needs kms:Decrypt for what is moved, and kms:GenerateDataKey for where it goes. StartMessageMoveTask has no
error for KMS's refusal, so the task fails, for that reason.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.arns import Arn
from cumulo.core.errors import Error, Fault
from cumulo.core.operation import operation, task
from cumulo.core.table import REGION, Record, Table
from cumulo.services.messaging.sqs import counts, sealing, shelves
from cumulo.services.messaging.sqs.errors import (
    INVALID_PARAMETER,
    QUEUE_DOES_NOT_EXIST,
    RESOURCE_NOT_FOUND,
    UNSUPPORTED_OPERATION,
)
from cumulo.services.messaging.sqs.messages import SECOND_US, Message, a_message
from cumulo.services.messaging.sqs.queues import QUEUES, Queue, check_owner
from cumulo.services.messaging.sqs.receipt_handles import read as read_handle

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sqs as t

RUNNING, COMPLETED, CANCELLING, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"
MAXIMUM_RATE = 500
MAXIMUM_KEPT = 10
CHUNK = 100
HIDDEN_US = 30 * SECOND_US

TASK_DOES_NOT_EXIST = Error("ResourceNotFoundException", "Task does not exist.")
NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
NO_SOURCE = "CouldNotDetermineMessageSource"


class MoveTask(Record):
    """A message move task of the queue `source`; `rate` is messages per second, 0 for as fast as can be."""

    source: str
    started_us: int
    id: str
    destination_arn: str
    rate: int
    to_move: int
    moved: int = 0
    status: str = RUNNING
    failure: str = ""


MOVE_TASKS = Table(MoveTask, name="sqs.move_tasks", key=("source", "started_us"), scope=REGION)


class _Unmovable(Exception):
    """A message has nowhere to go; the text is AWS's FailureReason."""


@operation
def start_message_move_task(ctx: Context, request: t.StartMessageMoveTaskRequest) -> t.StartMessageMoveTaskResult:
    """Begin to move the messages of a dead-letter queue."""
    source_arn, destination_arn = request["SourceArn"], request.get("DestinationArn") or ""
    source = _queue(ctx, source_arn, "SourceArn")
    check_owner(ctx, source)
    rate = request.get("MaxNumberOfMessagesPerSecond")
    if rate is not None and not 1 <= rate <= MAXIMUM_RATE:
        reason = f"You must enter a value between 1 and {MAXIMUM_RATE}."
        raise INVALID_PARAMETER(value=rate, name="MaxNumberOfMessagesPerSecond", reason=reason)
    if not QUEUES.range(ctx, source.name, index="dead_letter_sources", limit=1):
        raise INVALID_PARAMETER("Source queue must be configured as a Dead Letter Queue.")
    if destination_arn:
        if destination_arn == source_arn:
            raise INVALID_PARAMETER("Source and destination of a message move task must be different queues.")
        destination = _queue(ctx, destination_arn, "DestinationArn", action="sqs:SendMessage")
        if destination.fifo != source.fifo:
            raise INVALID_PARAMETER("Source and destination of a message move task must be queues of the same type.")
    tasks = MOVE_TASKS.range(ctx, source.name)
    if any(one.status in (RUNNING, CANCELLING) for one in tasks):
        raise INVALID_PARAMETER(
            "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
        )
    for old in tasks[: 1 - MAXIMUM_KEPT]:
        MOVE_TASKS.delete(ctx, old)
    started_us = max(int(ctx.now() * SECOND_US), tasks[-1].started_us + 1 if tasks else 0)
    visible = counts.of(ctx, source).visible
    started = MoveTask(source.name, started_us, ctx.uuid(), destination_arn, rate or 0, visible)
    started.failure = _kms_refusal(ctx, source, destination_arn)
    if started.failure:
        started.status = FAILED
        MOVE_TASKS.put(ctx, started)
        return {"TaskHandle": _handle(source.arn, started)}
    MOVE_TASKS.put(ctx, started)
    ctx.later(move_messages, {"source": source.name, "started_us": started_us})
    return {"TaskHandle": _handle(source.arn, started)}


def _queue(ctx: Context, text: str, parameter: str, action: str | None = None) -> Queue:
    """The queue of an ARN in a request, found and authorized."""
    try:
        arn = Arn.parse(text)
    except ValueError:
        raise INVALID_PARAMETER(
            f"You must use this format to specify the {parameter}: "
            "arn:<partition>:<service>:<region>:<account-id>:<resource-id>"
        ) from None
    missing = RESOURCE_NOT_FOUND(f"The resource that you specified for the {parameter} parameter doesn't exist.")
    if arn.service != "sqs" or arn.region != ctx.region:
        raise missing
    if action is not None:
        queue = QUEUES.peek(ctx, arn.resource, account=arn.account)
        ctx.authorize(text, policy=queue.policy or None if queue else None, action=action)
        if queue is None:
            raise missing
        return queue
    try:
        return QUEUES.get(ctx, arn.resource, account=arn.account)
    except Fault as fault:
        if fault.code == QUEUE_DOES_NOT_EXIST.code:
            raise missing from None
        raise


def _kms_refusal(ctx: Context, source: Queue, destination_arn: str) -> str:
    """Why KMS does not let the caller move messages: its code in SQS's words. "" when it does, or is not needed."""
    if destination_arn:
        targets = [QUEUES.peek(ctx, Arn.parse(destination_arn).resource, account=Arn.parse(destination_arn).account)]
    else:
        targets = [*QUEUES.range(ctx, source.name, index="dead_letter_sources")]
    try:
        for target in targets:
            if target is not None and target.kms_key:
                sealing.data_key(ctx, target)
        message = a_message(ctx.txn, source.place, source.fifo)
        if message is not None and message.sealed_for:
            sealing.open_messages(ctx, source, [message])
    except Fault as fault:
        return _reason(fault)
    return ""


def _reason(refused: Fault) -> str:
    """KMS's refusal (`KmsDisabled`) as a failure reason, in the query wire's code like the others."""
    return f"KMS.{refused.code.removeprefix('Kms')}Exception"


def _handle(source_arn: str, move_task: MoveTask) -> str:
    return base64.b64encode(msgspec.json.encode({"taskId": move_task.id, "sourceArn": source_arn})).decode()


@operation
def cancel_message_move_task(ctx: Context, request: t.CancelMessageMoveTaskRequest) -> t.CancelMessageMoveTaskResult:
    """Stop a move task; what it has moved stays moved."""
    try:
        named: dict[str, Any] = msgspec.json.decode(base64.b64decode(request["TaskHandle"]))
        task_id, source_arn = str(named["taskId"]), str(named["sourceArn"])
    except (ValueError, msgspec.DecodeError, KeyError, TypeError):
        ctx.authorize("*")
        raise INVALID_PARAMETER("You must use a valid TaskHandle.") from None
    source = _queue(ctx, source_arn, "SourceArn")
    check_owner(ctx, source)
    for move_task in MOVE_TASKS.range(ctx, source.name):
        if move_task.id == task_id:
            break
    else:
        raise TASK_DOES_NOT_EXIST()
    if move_task.status != RUNNING:
        raise UNSUPPORTED_OPERATION("Only active tasks can be cancelled.")
    move_task.status = CANCELLING
    MOVE_TASKS.put(ctx, move_task)
    return {"ApproximateNumberOfMessagesMoved": move_task.moved}


@operation
def list_message_move_tasks(ctx: Context, request: t.ListMessageMoveTasksRequest) -> t.ListMessageMoveTasksResult:
    """The last move tasks of a queue, the newest first."""
    source = _queue(ctx, request["SourceArn"], "SourceArn")
    check_owner(ctx, source)
    limit = request.get("MaxResults")
    if limit is None:
        limit = 1
    elif not 1 <= limit <= MAXIMUM_KEPT:
        reason = f"Value must be an integer between 1 and {MAXIMUM_KEPT}."
        raise INVALID_PARAMETER(value=limit, name="MaxResults", reason=reason)
    tasks = MOVE_TASKS.range(ctx, source.name, limit=limit, reverse=True)
    return {"Results": [_entry(source.arn, move_task) for move_task in tasks]}


def _entry(source_arn: str, move_task: MoveTask) -> Any:
    entry: dict[str, Any] = {
        "Status": move_task.status,
        "SourceArn": source_arn,
        "ApproximateNumberOfMessagesMoved": move_task.moved,
        "ApproximateNumberOfMessagesToMove": move_task.to_move,
        "StartedTimestamp": move_task.started_us // 1000,
    }
    if move_task.status == RUNNING:
        entry["TaskHandle"] = _handle(source_arn, move_task)
    if move_task.destination_arn:
        entry["DestinationArn"] = move_task.destination_arn
    if move_task.rate:
        entry["MaxNumberOfMessagesPerSecond"] = move_task.rate
    if move_task.failure:
        entry["FailureReason"] = move_task.failure
    return entry


@task
def move_messages(ctx: Context, payload: dict[str, Any]) -> None:
    """Move a second's worth of messages, or a chunk of them when there is no rate, and come again."""
    move_task = MOVE_TASKS.peek(ctx, payload["source"], payload["started_us"])
    if move_task is None or move_task.status not in (RUNNING, CANCELLING):
        return
    if move_task.status == CANCELLING:
        move_task.status = CANCELLED
        MOVE_TASKS.put(ctx, move_task)
        return
    source = QUEUES.peek(ctx, move_task.source)
    try:
        if source is None:
            raise _Unmovable(NO_QUEUE)
        for _ in range(move_task.rate or CHUNK):
            if not _move_one(ctx, source, move_task.destination_arn):
                move_task.status = COMPLETED
                break
            move_task.moved += 1
    except _Unmovable as why:
        move_task.status, move_task.failure = FAILED, str(why)
    except Fault as refused:  # KMS's, of a key that was disabled meanwhile
        move_task.status, move_task.failure = FAILED, _reason(refused)
    MOVE_TASKS.put(ctx, move_task)
    if move_task.status == RUNNING:
        ctx.later(move_messages, payload, at=ctx.now() + 1.0 if move_task.rate else None)


def _move_one(ctx: Context, source: Queue, destination_arn: str) -> bool:
    """Move the next visible message; False when there is none."""
    now_us = int(ctx.now() * SECOND_US)
    shelf = shelves.of(source)
    with ctx.txn.savepoint():  # a message that cannot go stays as it was
        taken = shelf.take(ctx, source, 1, HIDDEN_US, now_us)
        if not taken:
            return False
        message, _, handle = taken[0]
        target = _destination(ctx, source, destination_arn or message.dead_letter_source)
        shelf.delete(ctx, source, read_handle(handle, source.id), handle, now_us)
        if message.sealed_for:
            sealing.open_messages(ctx, source, [message], asked=True)
        moved = Message(
            ctx.uuid(),
            message.body,
            message.md5,
            now_us // 1000,
            message.sender,
            message.attributes,
            group=message.group,
            deduplication_id=message.deduplication_id,
            trace_header=message.trace_header,
        )
        if target.kms_key:
            sealing.seal_message(ctx, target, moved, asked=True)
        shelves.of(target).put(ctx, target, moved, now_us, 0)
        ctx.signal(target.signal)
        return True


def _destination(ctx: Context, source: Queue, arn_text: str) -> Queue:
    if not arn_text:
        raise _Unmovable(NO_SOURCE)
    arn = Arn.parse(arn_text)
    target = QUEUES.peek(ctx, arn.resource, account=arn.account, region=arn.region)
    if target is None or target.fifo != source.fifo:
        raise _Unmovable(NO_QUEUE)
    return target
