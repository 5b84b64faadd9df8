"""What an expression is checked against: the request's names, the types of its values; and what it used of them."""

from collections.abc import Callable, Mapping

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.values.attribute_values import Value

Binding = Callable[[Mapping[str, Value]], None]


class Scope:
    """One expression's surroundings; `parameter` names the request's member in errors."""

    __slots__ = ("attributes", "bindings", "names", "parameter", "types", "used_names", "used_values")

    def __init__(self, parameter: str, names: Mapping[str, str], types: Mapping[str, str]) -> None:
        self.parameter = parameter
        self.names = names
        self.types = types
        self.used_names: set[str] = set()
        self.used_values: set[str] = set()
        self.attributes: set[str] = set()
        self.bindings: list[Binding] = []  # checks that depend on the values themselves: done for every request

    def fail(self, reason: str) -> Fault:
        """The error of this expression."""
        return VALIDATION(f"Invalid {self.parameter}: {reason}")

    def wrong_type(self, operator: str, kind: str) -> Fault:
        """The error of an operand whose type an operator or function does not take."""
        return self.fail(
            f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
        )

    def name(self, placeholder: str) -> str:
        """The attribute name of `#placeholder`. Raises ValidationException when it is not defined."""
        found = self.names.get(placeholder)
        if found is None:
            raise self.fail(
                "An expression attribute name used in the document path is not defined; "
                f"attribute name: {placeholder}"
            )  # fmt: skip
        self.used_names.add(placeholder)
        return found

    def type_of_value(self, placeholder: str) -> str:
        """The type of `:placeholder`'s value. Raises ValidationException when it is not defined."""
        found = self.types.get(placeholder)
        if found is None:
            raise self.fail(
                f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )
        self.used_values.add(placeholder)
        return found
