"""Key schemas and attribute definitions: what CreateTable and UpdateTable accept, in AWS's order and words.

Source: Amazon DynamoDB Developer Guide, "Naming rules and data types", "Multi-attribute keys"; answers of AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from cumulo.services.data.dynamodb.errors import VALIDATION

INVALID = "One or more parameter values were invalid: "
MOST_KEYS_OF_A_KIND = 4  # in a global index


class Keys(NamedTuple):
    """The names of hash and of range attributes, in order."""

    hash: list[str]
    range: list[str]

    @property
    def names(self) -> list[str]:
        """All of them, the hash attributes first."""
        return [*self.hash, *self.range]


def types_of(definitions: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The types of attributes by name; no name twice."""
    types: dict[str, str] = {}
    for definition in definitions:
        name = definition["AttributeName"]
        if name in types:
            raise VALIDATION(f"Attribute Name is duplicated: {name}")
        types[name] = definition["AttributeType"]
    return types


def listed(names: Iterable[str]) -> str:
    """Names as Java prints a list."""
    return f"[{', '.join(names)}]"


def of_table(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> Keys:
    """The keys of a table: a hash attribute and maybe a range attribute, both defined."""
    if len(schema) > 2:
        _refuse_length(schema, 2)
    keys = _two(schema, types)
    _check_defined(keys, types)
    return keys


def of_local_index(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> Keys:
    """The keys of a local index, as far as its own schema goes."""
    return of_table(schema, types)


def of_global_index(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> Keys:
    """The keys of a global index: one to four hash attributes, then up to four range attributes."""
    if len(schema) <= 2 and [element["KeyType"] for element in schema] != ["HASH", "HASH"]:
        keys = _two(schema, types)
    else:
        keys = _many(schema)
    _check_defined(keys, types)
    return keys


def _refuse_length(schema: Sequence[Mapping[str, str]], longest: int) -> None:
    shown = listed(
        f"KeySchemaElement(attributeName={each['AttributeName']}, keyType={each['KeyType']})" for each in schema
    )
    raise VALIDATION(
        f"1 validation error detected: Value '{shown}' at 'keySchema' failed to satisfy constraint: "
        f"Member must have length less than or equal to {longest}"
    )


def _two(schema: Sequence[Mapping[str, str]], types: Mapping[str, str]) -> Keys:
    if len(schema) > len(types):
        raise VALIDATION("Invalid KeySchema: Some index key attribute have no definition")
    if schema[0]["KeyType"] != "HASH":
        raise VALIDATION("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if len(schema) == 1:
        return Keys([schema[0]["AttributeName"]], [])
    if schema[1]["KeyType"] != "RANGE":
        raise VALIDATION("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    first, second = schema[0]["AttributeName"], schema[1]["AttributeName"]
    if first == second:
        raise VALIDATION("Both the Hash Key and the Range Key element in the KeySchema have the same name")
    return Keys([first], [second])


def _many(schema: Sequence[Mapping[str, str]]) -> Keys:
    if schema[0]["KeyType"] != "HASH":
        raise VALIDATION("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    kinds = [element["KeyType"] for element in schema]
    names = [element["AttributeName"] for element in schema]
    for kind in ("HASH", "RANGE"):
        if kinds.count(kind) > MOST_KEYS_OF_A_KIND:
            raise VALIDATION(f"{INVALID}The KeySchema exceeds the maximum allowed number of {kind} key attributes")
    if kinds != sorted(kinds):  # HASH sorts before RANGE
        raise VALIDATION(f"{INVALID}All HASH key attributes must precede RANGE key attributes in the KeySchema")
    if len(set(names)) < len(names):
        raise VALIDATION("The KeySchema contains multiple key attributes with the same name")
    split = kinds.count("HASH")
    return Keys(names[:split], names[split:])


def _check_defined(keys: Keys, types: Mapping[str, str]) -> None:
    missing = [name for name in keys.names if name not in types]
    if missing:
        raise VALIDATION(
            f"{INVALID}Some index key attributes are not defined in AttributeDefinitions. "
            f"Keys: {listed(missing)}, AttributeDefinitions: {listed(types)}"
        )


def check_all_used(types: Mapping[str, str], table: Keys, indexes: Iterable[Keys], *, has_indexes: bool) -> None:
    """Every defined attribute must be part of a key."""
    used = dict.fromkeys(table.names)
    for keys in indexes:
        used.update(dict.fromkeys(keys.names))
    if len(used) == len(types):
        return
    if not has_indexes:
        raise VALIDATION(
            f"{INVALID}Number of attributes in KeySchema does not exactly match number of attributes defined in "
            "AttributeDefinitions"
        )
    raise VALIDATION(
        f"{INVALID}Some AttributeDefinitions are not used. AttributeDefinitions: {listed(types)}, "
        f"keys used: {listed(used)}"
    )


def described(hash_keys: Sequence[str], range_keys: Sequence[str]) -> list[dict[str, Any]]:
    """A KeySchema as DescribeTable shows it."""
    return [
        *({"AttributeName": name, "KeyType": "HASH"} for name in hash_keys),
        *({"AttributeName": name, "KeyType": "RANGE"} for name in range_keys),
    ]
