"""The calls of DAX: from their arguments to a request of DynamoDB's API, and from its answer to theirs.

A call is two numbers, the service's (1) and the method's, and as many CBOR items as the method has arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cumulo.wire.dax import answers
from cumulo.wire.dax.answers import NumberOf
from cumulo.wire.dax.attribute_values import Schema, read_compound, read_key, read_number, read_values
from cumulo.wire.dax.expressions import Path, Writer
from cumulo.wire.dax.items import MalformedItem

TABLES_LIMIT = 100  # of one call: a BatchGetItem has no more keys, a transaction no more actions
PREAMBLE_ITEMS = 5  # the magic word, layering, session, the client's properties, types
SERVICE = 1

AUTHORIZE, ENDPOINTS = 1489122155, 455855874
DEFINE_LIST, DEFINE_LIST_NUMBER, DEFINE_KEY_SCHEMA = 670678385, -1230579644, -742646399

# Parameters, by their numbers.
PROJECTION, CONSISTENT, CAPACITY, CONDITION = 0, 2, 3, 4
METRICS, RETURN, UPDATE, START, FILTER, INDEX, LIMIT, FORWARD, SELECT, SEGMENT, SEGMENTS, TOKEN = (
    6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 19,
)  # fmt: skip
_CAPACITIES = {0: "NONE", 1: "TOTAL", 2: "INDEXES"}
_METRICS = {0: "NONE", 1: "SIZE"}
_SELECTS = {1: "ALL_ATTRIBUTES", 2: "ALL_PROJECTED_ATTRIBUTES", 3: "COUNT", 4: "SPECIFIC_ATTRIBUTES"}
_RETURNS = {1: "NONE", 2: "ALL_OLD", 3: "UPDATED_OLD", 4: "ALL_NEW", 5: "UPDATED_NEW"}
_PUT, _DELETE, _UPDATE, _CHECK = 2, 7, 9, 12

Names = Callable[[int], Sequence[str]]  # the list of names that has this number
Schemas = Mapping[str, Schema]
Answer = Callable[[Mapping[str, Any], NumberOf], bytes]


class Call(NamedTuple):
    """What to ask DynamoDB's API, and how its answer is written."""

    operation: str
    request: dict[str, Any]
    answer: Answer


class Method(NamedTuple):
    """One of DAX's methods: its operation, its number of arguments, and which of them name tables and lists."""

    operation: str
    arguments: int
    tables: Callable[[list[Any]], Iterable[Any]] = lambda arguments: ()
    values: Callable[[list[Any]], Iterable[Any]] = lambda arguments: ()
    read: Callable[[list[Any], Schemas, Names], Call] | None = None


def tables_of(method: Method, arguments: list[Any]) -> set[str]:
    """The tables whose keys have to be known to read the call. Raises MalformedItem."""
    try:
        found = {table_name(each) for each in method.tables(arguments)}
    except (TypeError, AttributeError, ValueError):
        raise MalformedItem("no table") from None
    if len(found) > TABLES_LIMIT:
        raise MalformedItem("too many tables")
    return found


def lists_of(method: Method, arguments: list[Any]) -> set[int]:
    """The lists of names that have to be known to read the call."""
    try:
        return {read_number(each) for each in method.values(arguments) if each is not None}
    except (TypeError, AttributeError):
        raise MalformedItem("no values") from None


def read(method: Method, arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    """The call in DynamoDB's terms. Raises MalformedItem."""
    assert method.read is not None
    try:
        return method.read(arguments, schemas, names)
    except (TypeError, AttributeError, ValueError, KeyError, IndexError) as error:
        raise MalformedItem(f"the arguments of {method.operation} have no such form") from error


def table_name(value: Any) -> str:
    """The name of a table or an index, which travels as bytes or as text."""
    if type(value) is not str and type(value) is not bytes:
        raise TypeError("a name is bytes or text")
    return value.decode() if isinstance(value, bytes) else value


# --- parameters ---------------------------------------------------------------------------------------------


def _parameters(given: dict[int, Any] | None, schema: Schema | None) -> tuple[dict[str, Any], list[Path] | None]:
    """The request's members for a map of parameters, and the paths of its projection."""
    found: dict[str, Any] = {}
    given = given or {}
    writer = Writer()
    paths: list[Path] | None = None
    for number, value in given.items():
        if number == PROJECTION:
            found["ProjectionExpression"], paths = writer.projection(value)
        elif number == CONDITION:
            found["ConditionExpression"] = writer.condition(value)
        elif number == FILTER:
            found["FilterExpression"] = writer.condition(value)
        elif number == UPDATE:
            found["UpdateExpression"] = writer.update(value)
        elif number == START:
            assert schema is not None
            found["ExclusiveStartKey"] = read_compound(value) if INDEX in given else read_key(value, schema)
        else:
            _simple(found, number, value)
    found.update(writer.placed())
    return found, paths


def _simple(found: dict[str, Any], number: int, value: Any) -> None:
    if number == CONSISTENT:
        found["ConsistentRead"] = bool(value)
    elif number == CAPACITY:
        found["ReturnConsumedCapacity"] = _CAPACITIES[value]
    elif number == METRICS:
        found["ReturnItemCollectionMetrics"] = _METRICS[value]
    elif number == RETURN:
        found["ReturnValues"] = _RETURNS[value]
    elif number == INDEX:
        found["IndexName"] = table_name(value)
    elif number == LIMIT:
        found["Limit"] = int(value)
    elif number == FORWARD:
        found["ScanIndexForward"] = bool(value)
    elif number == SELECT:
        found["Select"] = _SELECTS[value]
    elif number == SEGMENT:
        found["Segment"] = int(value)
    elif number == SEGMENTS:
        found["TotalSegments"] = int(value)
    elif number == TOKEN:
        found["ClientRequestToken"] = str(value)
    elif number not in (1, 5):  # the placeholders: what they stood for is in the expressions
        raise MalformedItem("an unknown parameter")


# --- single items -------------------------------------------------------------------------------------------


def _get_item(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    table, schema, key = _named(arguments, schemas)
    members, paths = _parameters(arguments[2], schema)
    if paths is not None:  # the answer tells by position what was asked for: it is cut from the whole item here
        members.pop("ProjectionExpression")
        members.pop("ExpressionAttributeNames", None)
    request = {"TableName": table, "Key": key, **members}
    return Call("GetItem", request, lambda answer, number_of: answers.item(answer, schema, paths, number_of))


def _put_item(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    table, schema, key = _named(arguments, schemas)
    members, _ = _parameters(arguments[3], schema)
    request = {"TableName": table, "Item": {**key, **_attributes(arguments[2], names)}, **members}
    return Call("PutItem", request, lambda answer, number_of: answers.written(answer, request, schema, number_of))


def _changing(operation: str) -> Callable[[list[Any], Schemas, Names], Call]:
    def change(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
        table, schema, key = _named(arguments, schemas)
        members, _ = _parameters(arguments[2], schema)
        request = {"TableName": table, "Key": key, **members}
        return Call(operation, request, lambda answer, number_of: answers.written(answer, request, schema, number_of))

    return change


def _named(arguments: list[Any], schemas: Schemas) -> tuple[str, Schema, dict[str, Any]]:
    table = table_name(arguments[0])
    schema = schemas[table]
    return table, schema, read_key(arguments[1], schema)


def _attributes(data: bytes, names: Names) -> dict[str, Any]:
    number, values = read_values(data)
    return dict(zip(names(number), values, strict=True))


# --- many items -----------------------------------------------------------------------------------------------


def _query(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    given = dict(arguments[2] or {})
    request, paths = _read_pages(arguments[0], given, schemas, arguments[1])
    schema = schemas[request["TableName"]]
    return Call("Query", request, lambda answer, number_of: answers.page(answer, request, schema, paths, number_of))


def _scan(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    request, paths = _read_pages(arguments[0], dict(arguments[1] or {}), schemas, None)
    schema = schemas[request["TableName"]]
    return Call("Scan", request, lambda answer, number_of: answers.page(answer, request, schema, paths, number_of))


def _read_pages(
    table: Any, given: dict[int, Any], schemas: Schemas, key_condition: bytes | None
) -> tuple[dict[str, Any], list[Path] | None]:
    name = table_name(table)
    members, paths = _parameters(given, schemas[name])
    writer = Writer()
    writer.names = members.pop("ExpressionAttributeNames", {})
    writer.values = members.pop("ExpressionAttributeValues", {})
    if key_condition is not None:
        members["KeyConditionExpression"] = writer.condition(key_condition)
    return {"TableName": name, **members, **writer.placed()}, paths


def _batch_get(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    wanted: dict[str, Any] = {}
    paths: dict[str, list[Path]] = {}
    for table, (consistent, projection, keys) in arguments[0].items():
        wanted[table] = {"Keys": [read_key(key, schemas[table]) for key in keys], "ConsistentRead": bool(consistent)}
        if projection is not None:
            paths[table] = Writer().projection(projection)[1]
    members, _ = _parameters(arguments[1], None)
    request = {"RequestItems": wanted, **members}
    return Call("BatchGetItem", request, lambda answer, number_of: answers.batch(answer, schemas, paths, number_of))


def _batch_write(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    wanted: dict[str, list[Any]] = {}
    for table, pairs in arguments[0].items():
        requests: list[Any] = []
        for key_bytes, values in zip(pairs[::2], pairs[1::2], strict=True):
            key = read_key(key_bytes, schemas[table])
            if values is None:
                requests.append({"DeleteRequest": {"Key": key}})
            else:
                requests.append({"PutRequest": {"Item": {**key, **_attributes(values, names)}}})
        wanted[table] = requests
    members, _ = _parameters(arguments[1], None)
    request = {"RequestItems": wanted, **members}
    return Call("BatchWriteItem", request, lambda answer, number_of: answers.batch_written(answer, schemas, number_of))


# --- transactions -----------------------------------------------------------------------------------------------


def _transact_get(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    tables = list(map(table_name, arguments[0]))
    items: list[Any] = []
    paths: list[list[Path] | None] = []
    projections = arguments[2] or [None] * len(tables)
    for table, key, projection in zip(tables, arguments[1], projections, strict=True):
        items.append({"Get": {"TableName": table, "Key": read_key(key, schemas[table])}})
        paths.append(None if projection is None else Writer().projection(projection)[1])
    members, _ = _parameters(arguments[3], None)
    request = {"TransactItems": items, **members}
    of = [schemas[table] for table in tables]
    return Call("TransactGetItems", request, lambda answer, number_of: answers.taken(answer, of, paths, number_of))


def _transact_write(arguments: list[Any], schemas: Schemas, names: Names) -> Call:
    kinds, tables, keys, values, _, returns, conditions, updates, given = arguments
    count = len(kinds)
    empty: list[Any] = [None] * count
    items = [
        _transact_item(*each, schemas=schemas, names=names)
        for each in zip(
            kinds, tables, keys, values or empty, returns or empty, conditions or empty, updates or empty, strict=True
        )
    ]
    members, _ = _parameters(given, None)
    request = {"TransactItems": items, **members}
    return Call("TransactWriteItems", request, lambda answer, number_of: answers.transacted(answer, schemas))


def _transact_item(
    kind: int, table: Any, key: bytes, values: Any, returns: Any, condition: Any, update: Any, *, schemas: Schemas,
    names: Names,
) -> dict[str, Any]:  # fmt: skip
    name = table_name(table)
    found = read_key(key, schemas[name])
    wanted: dict[str, Any] = {"TableName": name}
    writer = Writer()
    if kind == _PUT:
        wanted["Item"] = {**found, **_attributes(values, names)}
    else:
        wanted["Key"] = found
    if condition is not None:
        wanted["ConditionExpression"] = writer.condition(condition)
    if update is not None:
        wanted["UpdateExpression"] = writer.update(update)
    if returns == 2:
        wanted["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    wanted.update(writer.placed())
    return {{_PUT: "Put", _DELETE: "Delete", _UPDATE: "Update", _CHECK: "ConditionCheck"}[kind]: wanted}


METHODS: dict[int, Method] = {
    AUTHORIZE: Method("AuthorizeConnection", 5),
    ENDPOINTS: Method("Endpoints", 0),
    DEFINE_LIST: Method("DefineAttributeList", 1),
    DEFINE_LIST_NUMBER: Method("DefineAttributeListId", 1),
    DEFINE_KEY_SCHEMA: Method("DefineKeySchema", 1, tables=lambda found: found[:1]),
    263244906: Method("GetItem", 3, lambda found: found[:1], read=_get_item),
    -2106490455: Method("PutItem", 4, lambda found: found[:1], lambda found: found[2:3], _put_item),
    1425579023: Method("UpdateItem", 3, lambda found: found[:1], read=_changing("UpdateItem")),
    1013539361: Method("DeleteItem", 3, lambda found: found[:1], read=_changing("DeleteItem")),
    -931250863: Method("Query", 3, lambda found: found[:1], read=_query),
    -1875390620: Method("Scan", 2, lambda found: found[:1], read=_scan),
    -697851100: Method("BatchGetItem", 2, lambda found: found[0], read=_batch_get),
    116217951: Method(
        "BatchWriteItem", 2, lambda found: found[0],
        lambda found: [values for pairs in found[0].values() for values in pairs[1::2]], _batch_write,
    ),
    1866287579: Method("TransactGetItems", 4, lambda found: found[0], read=_transact_get),
    -1160037738: Method(
        "TransactWriteItems", 9, lambda found: found[1], lambda found: found[3] or (), _transact_write
    ),
}  # fmt: skip
