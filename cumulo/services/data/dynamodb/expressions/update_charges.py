"""What an UpdateExpression is charged of the 400 KB that an item may have, beside what the item itself takes.

A request is refused where the attributes that it writes come to more, with a few bytes for each clause, function and
name, whatever they make of the item. Nothing documents this; the figures were found in AWS's answers byte by byte
(dynamodb-conformance, 2026-08-18 and 2026-10-09: 22 of 32 regions; transactions too in the three newest).
"""

from collections.abc import Mapping

from cumulo.services.data.dynamodb.expressions.operands import Operand, PathOperand, ValueOperand
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.update_operands import IfNotExists, ListAppend, Sum
from cumulo.services.data.dynamodb.values.attribute_values import Value, size_of

_UPDATE = 3
_WRITTEN = 19  # each SET and ADD
_TAKEN = 1  # each REMOVE and DELETE
_PLUS, _MINUS, _LIST_APPEND, _IF_NOT_EXISTS = 34, 37, 37, 39
_READ, _READ_ELEMENT, _ELEMENT = 1, 14, 4


class Charge:
    """Of one update: `fixed` bytes, and those of values: how often each stands in it, at most `most` times."""

    __slots__ = ("fixed", "most", "uses")

    def __init__(self) -> None:
        self.fixed = _UPDATE
        self.uses: dict[str, int] = {}
        self.most = 0

    def add(self, section: str, path: Path, operand: Operand | None) -> None:
        """Charge a clause."""
        self.fixed += len(str(path[0]).encode()) + sum([_ELEMENT + len(str(part).encode()) for part in path[1:]])
        if section == "REMOVE" or section == "DELETE" or operand is None:
            self.fixed += _TAKEN
            return
        self.fixed += _WRITTEN
        self._add_operand(operand)

    def _add_operand(self, operand: Operand) -> None:
        if isinstance(operand, ValueOperand):
            count = self.uses[operand.placeholder] = self.uses.get(operand.placeholder, 0) + 1
            self.most = max(self.most, count)
        elif isinstance(operand, PathOperand):
            self.fixed += _READ + sum([_READ_ELEMENT + len(str(part).encode()) for part in operand.path])
        elif isinstance(operand, Sum):
            self.fixed += _PLUS if operand.operator == "+" else _MINUS
            self._add_operand(operand.left)
            self._add_operand(operand.right)
        elif isinstance(operand, ListAppend):
            self.fixed += _LIST_APPEND
            self._add_operand(operand.left)
            self._add_operand(operand.right)
        elif isinstance(operand, IfNotExists):
            self.fixed += _IF_NOT_EXISTS
            self._add_operand(operand.path)
            self._add_operand(operand.otherwise)

    def of(self, values: Mapping[str, Value]) -> int:
        """The bytes, with these values."""
        return self.fixed + sum([count * size_of(values[name]) for name, count in self.uses.items()])
