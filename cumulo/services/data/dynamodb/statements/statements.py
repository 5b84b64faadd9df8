"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction.

Sources: API Reference, of each; Developer Guide, "PartiQL for DynamoDB". What is answered beyond that, and the texts,
were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.data.dynamodb.errors import DUPLICATE_ITEM, VALIDATION
from cumulo.services.data.dynamodb.items import client_tokens, conflicts
from cumulo.services.data.dynamodb.items.transactions import (
    FACTOR,
    Step,
    carry_out,
    read_again,
    read_together,
    repeated,
)
from cumulo.services.data.dynamodb.metering.capacity import Usage
from cumulo.services.data.dynamodb.partiql import literals, parser
from cumulo.services.data.dynamodb.partiql.syntax import Delete, Exists, Insert, Select, Update
from cumulo.services.data.dynamodb.statements import statement_reads, statement_writes
from cumulo.services.data.dynamodb.stored.item_writes import find
from cumulo.services.data.dynamodb.tables import item_keys
from cumulo.services.data.dynamodb.tables.table_access import check_transactional

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.data.dynamodb.partiql.syntax import Statement
    from cumulo.services.data.dynamodb.tables.layouts import Layout
    from cumulo.services.data.dynamodb.values.attribute_values import Item
    from cumulo.stubs import dynamodb as t

# BatchStatementErrorCodeEnum leaves out the end of the errors' names, and calls three otherwise.
_BATCH_CODES = {
    "ValidationException": "ValidationError",
    "ThrottlingException": "ThrottlingError",
    "InternalServerError": "InternalServerError",
}


@operation
def execute_statement(ctx: Context, request: t.ExecuteStatementInput) -> t.ExecuteStatementOutput:
    """Carry one statement out."""
    statement = _parsed(request)
    if isinstance(statement, Select):
        return statement_reads.select(ctx, statement, request)  # type: ignore[return-value]
    if isinstance(statement, Exists):
        raise VALIDATION("EXISTS() is only supported in ExecuteTransaction")
    usage = Usage()
    layout = statement_writes.find_layout(ctx, statement, request)
    item = statement_writes.carry_out(ctx, statement, layout, request, usage)
    answer: Any = {"Items": [item] if item is not None else []}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = usage.answer(statement.table, mode)
    return answer  # type: ignore[no-any-return]


def _parsed(entry: Any) -> Statement:
    return parser.parse(entry["Statement"], entry.get("Parameters"))


# --- BatchExecuteStatement ----------------------------------------------------------------------


@operation
def batch_execute_statement(ctx: Context, request: t.BatchExecuteStatementInput) -> t.BatchExecuteStatementOutput:
    """Carry up to 25 statements out, each for itself."""
    mode = request.get("ReturnConsumedCapacity")
    responses: list[Any] = []
    consumed: list[Any] = []
    statements: list[Statement | Fault] = []
    for entry in request["Statements"]:
        try:
            statements.append(_parsed(entry))
        except Fault as fault:
            statements.append(fault)
    reads = {isinstance(statement, Select) for statement in statements if not isinstance(statement, Fault)}
    if len(reads) > 1:
        raise VALIDATION("A batch must consist of either read statements or write statements; both cannot be mixed")
    for entry, statement in zip(request["Statements"], statements, strict=True):
        usage = Usage(reads=isinstance(statement, Select))
        responses.append(_one_of_batch(ctx, entry, statement, usage))
        if mode is not None and mode != "NONE" and not isinstance(statement, Fault):
            consumed.append(usage.answer(statement.table, mode))
    answer: Any = {"Responses": responses}
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = consumed
    return answer  # type: ignore[no-any-return]


def _one_of_batch(ctx: Context, entry: Any, statement: Statement | Fault, usage: Usage) -> dict[str, Any]:
    """The response to one statement. Only one that ran names its table, done or failed."""
    if isinstance(statement, Exists):
        statement = VALIDATION("EXISTS() is only supported in ExecuteTransaction")
    if isinstance(statement, Fault):
        ctx.authorized = True  # it is about no table: there is nothing to be allowed
        return {"Error": _error_of(statement)}
    response: dict[str, Any] = {"TableName": statement.table}
    try:
        if isinstance(statement, Select):
            item = _read_of_batch(ctx, statement, entry, usage)
        else:
            wanted = {name: value for name, value in entry.items() if name != "ReturnValuesOnConditionCheckFailure"}
            layout = statement_writes.find_layout(ctx, statement, wanted)
            with ctx.txn.savepoint():
                item = statement_writes.carry_out(ctx, statement, layout, wanted, usage)
    except Fault as fault:
        error = _error_of(fault)
        return {"Error": error} if error["Code"] == "ValidationError" else {"Error": error, **response}
    if item is not None:
        response["Item"] = item
    return response


def _read_of_batch(ctx: Context, statement: Select, entry: Any, usage: Usage) -> Any:
    layout = statement_reads.find_layout(ctx, statement, entry)
    statement_reads.check_index(layout, statement, False)
    key = statement_reads.key_of(layout, statement)
    if key is None:
        raise VALIDATION(
            "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
        )
    return statement_reads.get(ctx, layout, statement, key, entry.get("ConsistentRead", False), usage)


def _error_of(fault: Fault) -> dict[str, str]:
    code = _BATCH_CODES.get(fault.code) or fault.code.removesuffix("Exception")
    return {"Code": code, "Message": fault.message}


# --- ExecuteTransaction -------------------------------------------------------------------------


@operation
def execute_transaction(ctx: Context, request: t.ExecuteTransactionInput) -> t.ExecuteTransactionOutput:
    """Carry up to 100 statements out, all or none: reads, or writes with what must hold for them."""
    entries: list[Any] = list(request["TransactStatements"])
    statements = [_parsed_in_transaction(at, entry) for at, entry in enumerate(entries)]
    reads = [isinstance(statement, Select) for statement in statements]
    if all(reads):
        return _read_all(ctx, request, statements)  # type: ignore[no-any-return]
    if any(reads):
        raise VALIDATION(
            "A transaction must consist of either read statements or write statements; both cannot be mixed"
        )
    token = request.get("ClientRequestToken")
    if token is None:
        return _write_all(ctx, request, entries, statements, "")  # type: ignore[no-any-return]
    with conflicts.Running(ctx, token):
        return _write_all(ctx, request, entries, statements, token)  # type: ignore[no-any-return]


def _write_all(
    ctx: Context, request: t.ExecuteTransactionInput, entries: list[Any], statements: list[Statement], token: str
) -> Any:
    digest = client_tokens.digest_of(entries) if token else b""
    steps = _located(ctx, entries, statements)
    mode = request.get("ReturnConsumedCapacity")
    if token:
        done = client_tokens.seen(ctx, token, digest)
        if done is not None:
            return {"Responses": [], **repeated(request, done.usage)}
    for statement, step in zip(statements, steps, strict=True):
        if isinstance(statement, Insert) and find(ctx, step.layout, step.key).stored is not None:
            step.before = find(ctx, step.layout, step.key)
            step.reason = {"Code": "DuplicateItem", "Message": DUPLICATE_ITEM.text}
        else:
            step.prepare(ctx)
    used = carry_out(ctx, steps)
    if token:
        client_tokens.remember(ctx, token, digest, read_again(steps))
    answer: dict[str, Any] = {"Responses": []}
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [usage.answer(name, mode) for name, usage in used.items()]
    return answer


def _failed(at: int, reason: str) -> Fault:
    return VALIDATION(f"Validation failed in TransactStatements[{at}]: {reason}")


def _parsed_in_transaction(at: int, entry: Any) -> Statement:
    literals.check_parameters(entry.get("Parameters") or [])  # what is wrong with these is told without a place
    try:
        statement = _parsed(entry)
    except Fault as fault:
        raise _failed(at, fault.message) from None
    if isinstance(statement, Update | Delete) and statement.returning:
        raise _failed(at, "RETURNING clause is not supported in ExecuteTransaction.")
    if isinstance(statement, Select) and statement.index is not None:
        raise _failed(at, "Reads on indices are not supported within transactions.")
    return statement


def _located(ctx: Context, entries: list[Any], statements: list[Statement]) -> list[Step]:
    """The writes with their tables and keys; no two may be about one item."""
    steps: list[Step] = []
    places: set[bytes] = set()
    for at, (entry, statement) in enumerate(zip(entries, statements, strict=True)):
        layout = check_transactional(statement_writes.find_layout(ctx, statement, entry))
        try:
            plan = statement_writes.plan_of(statement, layout, entry)
        except Fault as fault:
            raise _failed(at, fault.message) if isinstance(statement, Exists) else fault from None
        step = Step(plan)
        step.layout = layout
        step.key = plan.key(layout)
        place = layout.place + step.key
        if place in places:
            raise VALIDATION("Transaction request cannot include multiple operations on one item")
        places.add(place)
        steps.append(step)
    return steps


def _read_all(ctx: Context, request: t.ExecuteTransactionInput, statements: list[Statement]) -> Any:
    used: dict[str, Usage] = {}
    responses: list[Any] = []
    reads: list[tuple[Select, Layout, Item]] = []
    for at, statement in enumerate(statements):
        assert isinstance(statement, Select)
        layout = check_transactional(statement_reads.find_layout(ctx, statement, request))
        key = statement_reads.key_of(layout, statement)
        if key is None:
            raise _failed(
                at, "Select statements within ExecuteTransaction must specify the primary key in the where clause."
            )
        reads.append((statement, layout, key))
    if ctx.tries > 1:
        read_together(ctx, [(layout, item_keys.of_key(layout, key)) for _, layout, key in reads])
    for select, layout, key in reads:
        usage = used.setdefault(select.table, Usage(reads=True, factor=FACTOR))
        item = statement_reads.get(ctx, layout, select, key, True, usage)
        responses.append({"Item": item} if item is not None else {})
    answer: dict[str, Any] = {"Responses": responses}
    mode = request.get("ReturnConsumedCapacity")
    if mode is not None and mode != "NONE":
        answer["ConsumedCapacity"] = [usage.answer(name, mode) for name, usage in used.items()]
    return answer
