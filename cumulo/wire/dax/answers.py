"""DAX's answers, from those of DynamoDB's API, and its errors.

An answer begins with an empty array; an error with the numbers of what went wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cumulo.wire.dax import items
from cumulo.wire.dax.attribute_values import (
    Item,
    Schema,
    Value,
    names_beside_key,
    write,
    write_compound,
    write_key,
    write_values,
)
from cumulo.wire.dax.expressions import Path

NumberOf = Callable[[tuple[str, ...]], int]  # the number of a list of names

OK = items.array(())

# Parameters of answers, by their numbers.
_ITEM, _CAPACITY, _ATTRIBUTES, _METRICS, _ITEMS, _COUNT, _LAST_KEY, _SCANNED = 0, 1, 2, 3, 7, 8, 9, 10

# Numbers of errors. The first says whose the mistake is: 4 the caller's.
_IN_DYNAMODB = (4, 37, 38, 39)
ERRORS = {
    "ProvisionedThroughputExceededException": (*_IN_DYNAMODB, 40),
    "ResourceNotFoundException": (*_IN_DYNAMODB, 41),
    "AccessDeniedException": (4, 37, 38, 42),
    "ConditionalCheckFailedException": (*_IN_DYNAMODB, 43),
    "NotImplemented": (4, 37, 38, 44),
    "ResourceInUseException": (*_IN_DYNAMODB, 45),
    "ValidationException": (*_IN_DYNAMODB, 46),
    "InternalServerError": (*_IN_DYNAMODB, 47),
    "ItemCollectionSizeLimitExceededException": (*_IN_DYNAMODB, 48),
    "LimitExceededException": (*_IN_DYNAMODB, 49),
    "ThrottlingException": (*_IN_DYNAMODB, 50),
    "TransactionCanceledException": (*_IN_DYNAMODB, 58),
    "RequestLimitExceeded": (*_IN_DYNAMODB, 61),
}
UNAUTHENTICATED = (4, 23, 31, 33)
_OTHER = (4, 0)  # a client then goes by the code's name


def failure(
    code: str,
    message: str,
    status: int,
    request_id: str,
    numbers: Sequence[int] = (),
    reasons: Sequence[Mapping[str, Any]] | None = None,
) -> bytes:
    """An error; `reasons` are those for which a transaction was cancelled."""
    found = [items.text(request_id), items.text(code), items.integer(status)]
    if reasons is not None:
        told = ((reason.get("Code") or "None", reason.get("Message")) for reason in reasons)
        found.append(
            items.array(
                items.array((items.text(name), items.NULL if text is None else items.text(text))) for name, text in told
            )
        )
    numbers = numbers or ERRORS.get(code, _OTHER)
    return items.array(map(items.integer, numbers)) + items.text(message) + items.array(found)


# --- items ----------------------------------------------------------------------------------------------------


def _values(found: Item, schema: Schema, number_of: NumberOf) -> bytes:
    names = names_beside_key(found, schema)
    return items.binary(write_values(found, names, number_of(names)))


def _projected(found: Item, paths: Sequence[Path], whole: bool) -> bytes:
    """The values at the paths of a projection, by the paths' positions."""
    pairs = []
    for position, path in enumerate(paths):
        value = _at({"M": found}, path if whole else _closed_up(path, paths))
        if value is not None:
            pairs.append((items.integer(position), write(value)))
    return items.mapping(pairs)


def _at(value: Value | dict[str, Any] | None, path: Path) -> Value | None:
    for step in path:
        if value is None:
            return None
        content = value.get("L" if isinstance(step, int) else "M")
        if content is None:
            return None
        if isinstance(step, int):
            value = content[step] if step < len(content) else None
        else:
            value = content.get(step)
    return value


def _closed_up(path: Path, paths: Sequence[Path]) -> Path:
    """Where a path leads in a projected item, in whose lists only what was asked for is left."""
    found: Path = []
    for place, step in enumerate(path):
        if isinstance(step, int):
            asked = {
                other[place]
                for other in paths
                if len(other) > place and other[:place] == path[:place] and isinstance(other[place], int)
            }
            found.append(sum(1 for each in asked if int(each) < step))
        else:
            found.append(step)
    return found


def item(answer: Mapping[str, Any], schema: Schema, paths: Sequence[Path] | None, number_of: NumberOf) -> bytes:
    """GetItem's answer."""
    pairs = []
    found = answer.get("Item")
    if found is not None:
        written = _values(found, schema, number_of) if paths is None else _projected(found, paths, whole=True)
        pairs.append((items.integer(_ITEM), written))
    return OK + items.mapping([*pairs, *_capacity_pair(answer)])


def written(answer: Mapping[str, Any], request: Mapping[str, Any], schema: Schema, number_of: NumberOf) -> bytes:
    """The answer of PutItem, UpdateItem and DeleteItem."""
    pairs = []
    found = answer.get("Attributes")
    if found:
        if request.get("ReturnValues", "NONE").startswith("UPDATED"):
            names = tuple(sorted(found))
            by_position = items.mapping((items.integer(at), write(found[name])) for at, name in enumerate(names))
            data = items.binary(items.integer(number_of(names)) + by_position)
        else:
            data = _values(found, schema, number_of)
        pairs.append((items.integer(_ATTRIBUTES), data))
    if answer.get("ItemCollectionMetrics"):
        pairs.append((items.integer(_METRICS), _metrics(answer["ItemCollectionMetrics"])))
    return OK + items.mapping([*pairs, *_capacity_pair(answer)])


def page(
    answer: Mapping[str, Any],
    request: Mapping[str, Any],
    schema: Schema,
    paths: Sequence[Path] | None,
    number_of: NumberOf,
) -> bytes:
    """The answer of Query and Scan."""
    pairs = []
    if "Items" in answer:
        if paths is None:
            found = [
                items.array((items.binary(write_key(each, schema)), _values(each, schema, number_of)))
                for each in answer["Items"]
            ]
        else:
            found = [_projected(each, paths, whole=False) for each in answer["Items"]]
        pairs.append((items.integer(_ITEMS), items.array(found)))
    pairs.append((items.integer(_COUNT), items.integer(answer["Count"])))
    pairs.append((items.integer(_SCANNED), items.integer(answer["ScannedCount"])))
    last = answer.get("LastEvaluatedKey")
    if last:
        data = write_compound(last) if "IndexName" in request else write_key(last, schema)
        pairs.append((items.integer(_LAST_KEY), items.binary(data)))
    return OK + items.mapping([*pairs, *_capacity_pair(answer)])


# --- batches ----------------------------------------------------------------------------------------------------


def batch(
    answer: Mapping[str, Any],
    schemas: Mapping[str, Schema],
    paths: Mapping[str, Sequence[Path]],
    number_of: NumberOf,
) -> bytes:
    """BatchGetItem's answer."""
    tables = []
    for table, found in answer.get("Responses", {}).items():
        if table in paths:
            written = items.array(_projected(each, paths[table], whole=True) for each in found)
        else:
            schema = schemas[table]
            written = items.array(
                piece
                for each in found
                for piece in (items.binary(write_key(each, schema)), _values(each, schema, number_of))
            )
        tables.append((items.text(table), written))
    left = [
        (items.text(table), items.array(items.binary(write_key(key, schemas[table])) for key in keys["Keys"]))
        for table, keys in answer.get("UnprocessedKeys", {}).items()
    ]
    return OK + items.array((items.mapping(tables), items.mapping(left))) + _capacities(answer)


def batch_written(answer: Mapping[str, Any], schemas: Mapping[str, Schema], number_of: NumberOf) -> bytes:
    """BatchWriteItem's answer."""
    tables = []
    for table, requests in answer.get("UnprocessedItems", {}).items():
        schema = schemas[table]
        pieces = []
        for request in requests:
            if "PutRequest" in request:
                found = request["PutRequest"]["Item"]
                pieces += [items.binary(write_key(found, schema)), _values(found, schema, number_of)]
            else:
                pieces += [items.binary(write_key(request["DeleteRequest"]["Key"], schema)), items.NULL]
        tables.append((items.text(table), items.array(pieces)))
    return OK + items.mapping(tables) + _capacities(answer) + _metrics_by_table(answer)


# --- transactions ---------------------------------------------------------------------------------------------------


def taken(
    answer: Mapping[str, Any], schemas: Sequence[Schema], paths: Sequence[Sequence[Path] | None], number_of: NumberOf
) -> bytes:
    """TransactGetItems's answer."""
    found = []
    for response, schema, projection in zip(answer["Responses"], schemas, paths, strict=True):
        one = response.get("Item")
        if one is None:
            found.append(items.NULL)
        elif projection is None:
            found.append(_values(one, schema, number_of))
        else:
            found.append(_projected(one, projection, whole=True))
    return OK + items.head(4, 2) + items.array(found) + _numbered_capacities(answer)


def transacted(answer: Mapping[str, Any], schemas: Mapping[str, Schema]) -> bytes:
    """TransactWriteItems's answer."""
    return OK + items.head(4, 3) + items.NULL + _numbered_capacities(answer) + _metrics_by_table(answer)


# --- what it consumed -----------------------------------------------------------------------------------------------


def _capacity_pair(answer: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    found = answer.get("ConsumedCapacity")
    return [] if found is None else [(items.integer(_CAPACITY), _capacity(found))]


def _capacity(found: Mapping[str, Any]) -> bytes:
    table = found.get("Table")
    data = items.text(found["TableName"]) + items.floating(found["CapacityUnits"])
    data += items.NULL if table is None else items.floating(table["CapacityUnits"])
    for name in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        by_index = found.get(name)
        if by_index is None:
            data += items.NULL
        else:
            data += items.mapping(
                (items.text(index), items.floating(units["CapacityUnits"])) for index, units in by_index.items()
            )
    return items.binary(data)


def _capacities(answer: Mapping[str, Any]) -> bytes:
    return items.array(map(_capacity, answer.get("ConsumedCapacity", ())))


_UNITS = {"CapacityUnits": 1, "ReadCapacityUnits": 2, "WriteCapacityUnits": 3}
_TABLE_NAME, _TABLE, _GLOBAL, _LOCAL = 4, 5, 6, 7


def _numbered_capacities(answer: Mapping[str, Any]) -> bytes:
    return items.array(map(_numbered, answer.get("ConsumedCapacity", ())))


def _numbered(found: Mapping[str, Any]) -> bytes:
    pairs = [
        (items.integer(number), items.floating(found[name])) for name, number in _UNITS.items() if name in found
    ]  # fmt: skip
    if "TableName" in found:
        pairs.append((items.integer(_TABLE_NAME), items.text(found["TableName"])))
    if "Table" in found:
        pairs.append((items.integer(_TABLE), _numbered(found["Table"])))
    for number, name in ((_GLOBAL, "GlobalSecondaryIndexes"), (_LOCAL, "LocalSecondaryIndexes")):
        if name in found:
            by_index = ((items.text(index), _numbered(units)) for index, units in found[name].items())
            pairs.append((items.integer(number), items.mapping(by_index)))
    return items.mapping(pairs)


def _metrics(found: Mapping[str, Any]) -> bytes:
    (key,) = found["ItemCollectionKey"].values()
    low, high = found["SizeEstimateRangeGB"]
    return items.binary(write(key) + items.floating(low) + items.floating(high))


def _metrics_by_table(answer: Mapping[str, Any]) -> bytes:
    return items.mapping(
        (items.text(table), items.array(map(_metrics, found)))
        for table, found in answer.get("ItemCollectionMetrics", {}).items()
    )
