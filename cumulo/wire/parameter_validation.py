"""Validation in CloudWatch's words: "The parameter MetricData.member.1.MetricName is required."

Places are named as the query protocol names them, and every fault of a request gets a line. Observed in AWS's answers
to PutMetricData, GetMetricStatistics and GetMetricData, in whichever protocol they are asked.
"""

from collections.abc import Callable
from typing import Any

from cumulo.wire.faults import Fault
from cumulo.wire.models import Operation
from cumulo.wire.shapes import Shape

_SPEAKS = frozenset({"InvalidParameterValueException", "MissingRequiredParameterException"})
_LIMIT = 10


def validator(operation: Operation, quick: Callable[[Any], bool] | None) -> Callable[[dict[str, Any]], None] | None:
    """The closure that refuses a request in these words; None where the operation does not speak so."""
    shape = operation.input
    old = not _SPEAKS.isdisjoint(error.shape for error in operation.cut.errors)
    if shape is None or not (old or operation.name == "GetMetricData"):
        return None
    if quick is None:
        return lambda request: None

    def validate(request: dict[str, Any]) -> None:
        if quick(request):
            return
        missing: list[str] = []
        invalid: list[str] = []
        _walk(shape, request, "", missing, invalid)
        if old and missing:
            raise Fault("MissingParameter", "\n".join(missing[:_LIMIT]))
        if old and invalid:
            raise Fault("InvalidParameterValue", "\n".join(invalid[:_LIMIT]))
        raise Fault("ValidationError", "".join(f"{line}\n" for line in (missing + invalid)[:_LIMIT]))

    return validate


def _walk(shape: Shape, value: Any, path: str, missing: list[str], invalid: list[str]) -> None:
    if value is None:
        return
    if shape.type == "structure":
        for name, member in shape.members.items():
            inner = f"{path}.{name}" if path else name
            if name in value:
                _walk(member.shape, value[name], inner, missing, invalid)
            elif name in shape.required:
                missing.append(f"The parameter {inner} is required.")
    elif shape.type == "list":
        if shape.max is not None and len(value) > shape.max:
            invalid.append(f"The collection {path} must not have a size greater than {shape.max}.")
        elif shape.min is not None and len(value) < shape.min:
            invalid.append(f"The collection {path} must not have a size less than {shape.min}.")
        else:
            for number, item in enumerate(value, 1):
                _walk(shape.member.shape, item, f"{path}.member.{number}", missing, invalid)
    elif shape.type == "string":
        _text(shape, value, path, invalid)
    elif shape.type in ("integer", "long", "double", "float"):
        if shape.min is not None and value < shape.min:
            invalid.append(f"The parameter {path} must be greater than or equal to {shape.min}.")
        elif shape.max is not None and value > shape.max:
            invalid.append(f"The parameter {path} must be less than or equal to {shape.max}.")


def _text(shape: Shape, value: str, path: str, invalid: list[str]) -> None:
    if shape.enum and value not in shape.enum:
        invalid.append(f"The parameter {path} must be a value in the set [ {', '.join(shape.enum)} ].")
    if shape.max is not None and len(value) > shape.max:
        invalid.append(f"The parameter {path} must be shorter than {int(shape.max) + 1} characters.")
    if shape.min is not None and len(value) < shape.min:
        invalid.append(f"The parameter {path} must be longer than {int(shape.min) - 1} characters.")
    elif shape.pattern and value.startswith(":"):  # the one pattern of these operations: [^:].*
        invalid.append(f"The value {value} for parameter {path} is invalid.")
