"""ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them its expressions used.

Texts: observed in AWS's answers. Limits: Developer Guide, "Quotas": 255 bytes for a placeholder, 2 MB for all of them.
"""

import re
from collections.abc import Mapping

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.values.attribute_values import (
    MAX_NAME_BYTES,
    Item,
    Value,
    check_value,
    type_of,
)

MAX_PLACEHOLDER_BYTES = 255
MAX_TOTAL_BYTES = 2 * 1024 * 1024

_WORD = re.compile(r"[A-Za-z0-9_]+\Z")

NO_NAMES: Mapping[str, str] = {}
NO_VALUES: Mapping[str, Value] = {}


class Placeholders:
    """One per request (or per part of a transaction), given to the parse functions of all its expressions.

    placeholders = Placeholders(request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues"))
    condition = conditions.parse(text, placeholders)
    placeholders.check_used()
    """

    __slots__ = ("names", "names_given", "size", "types", "used_names", "used_values", "values")

    def __init__(self, names: Mapping[str, str] | None, values: Item | None) -> None:
        """Check names and values (the values' numbers are normalized in place). Raises ValidationException."""
        self.names: Mapping[str, str] = NO_NAMES if names is None else names
        self.values: Mapping[str, Value] = NO_VALUES if values is None else values
        if names is not None:
            _check_names(names)
        types: tuple[tuple[str, str], ...] = ()
        self.size = 0  # of the values and their placeholders, in bytes
        if values is not None:
            types, self.size = _check_values(values)
        self.types = types  # with the names: what a parsed expression depends on, beside its text
        self.names_given: tuple[tuple[str, str], ...] = tuple(names.items()) if names else ()
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()

    def check_used(self) -> None:
        """Raises ValidationException for names or values that no expression of the request used."""
        if len(self.used_names) != len(self.names):
            raise _unused("ExpressionAttributeNames", self.names, self.used_names)
        if len(self.used_values) != len(self.values):
            raise _unused("ExpressionAttributeValues", self.values, self.used_values)


def _unused(parameter: str, given: Mapping[str, object], used: set[str]) -> Fault:
    keys = ", ".join([key for key in given if key not in used])
    return VALIDATION(f"Value provided in {parameter} unused in expressions: keys: {{{keys}}}")


def _check_names(names: Mapping[str, str]) -> None:
    if not names:
        raise VALIDATION("ExpressionAttributeNames must not be empty")
    total = 0
    for key, name in names.items():
        total += _check_key("ExpressionAttributeNames", "#", key) + len(name)
        if not name:
            raise VALIDATION(
                f'ExpressionAttributeNames contains invalid value: Empty attribute name; key: "{key}"'
            )  # fmt: skip
        if len(name) > MAX_NAME_BYTES // 4 and len(name.encode()) > MAX_NAME_BYTES:
            raise VALIDATION(f"Attribute name is too large, must be less than {MAX_NAME_BYTES + 1} bytes")
    _check_total("ExpressionAttributeNames", total)


def _check_values(values: Item) -> tuple[tuple[tuple[str, str], ...], int]:
    if not values:
        raise VALIDATION("ExpressionAttributeValues must not be empty")
    types = []
    total = 0
    for key, value in values.items():
        total += _check_key("ExpressionAttributeValues", ":", key)
        if len(value) != 1:
            try:
                check_value(value)
            except Fault as fault:
                raise VALIDATION(
                    f"ExpressionAttributeValues contains invalid value: {fault.message} for key {key}"
                ) from None
        total += check_value(value)
        types.append((key, type_of(value)))
    _check_total("ExpressionAttributeValues", total)
    return tuple(types), total


def _check_key(parameter: str, mark: str, key: str) -> int:
    size = len(key) if key.isascii() else len(key.encode())
    if size > MAX_PLACEHOLDER_BYTES:
        raise VALIDATION(
            f"{parameter} contains invalid key: The expression attribute map contains a key that is too long"
        )
    if key[:1] != mark or not _WORD.match(key, 1):
        raise VALIDATION(f'{parameter} contains invalid key: Syntax error; key: "{key}"')
    return size


def _check_total(parameter: str, total: int) -> None:
    if total > MAX_TOTAL_BYTES:
        raise VALIDATION(f"{parameter} exceeds max size")
