"""The operators. Where one of two series has no value it counts as 0; what divides by zero is dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError, Series, Value, each

Operator = Callable[[float, float], float | None]


def _divide(left: float, right: float) -> float | None:
    return left / right if right else None


def _power(left: float, right: float) -> float | None:
    try:
        result = left**right
    except (OverflowError, ZeroDivisionError):
        return None
    return result if isinstance(result, float) else None


OPERATORS: dict[str, Operator] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "^": _power,
    "==": lambda left, right: float(left == right),
    "!=": lambda left, right: float(left != right),
    "<=": lambda left, right: float(left <= right),
    ">=": lambda left, right: float(left >= right),
    "<": lambda left, right: float(left < right),
    ">": lambda left, right: float(left > right),
    "AND": lambda left, right: float(left != 0 and right != 0),
    "OR": lambda left, right: float(left != 0 or right != 0),
}


def apply(sign: str, left: Value, right: Value) -> Value:
    """The result of an operator between numbers, series and arrays; not between two arrays."""
    compute = OPERATORS[sign]
    if isinstance(left, float) and isinstance(right, float):
        result = compute(left, right)
        if result is None:
            raise ExpressionError("a number is divided by zero")
        return result
    if isinstance(right, float):
        fixed = right
        return each(left, lambda series: _present((at, compute(v, fixed)) for at, v in series.points.items()), sign)
    if isinstance(left, float):
        start = left
        return each(right, lambda series: _present((at, compute(start, v)) for at, v in series.points.items()), sign)
    if isinstance(left, Series) and isinstance(right, Series):
        return _joined(compute, left, right)
    if isinstance(left, list) and isinstance(right, Series):
        other = right
        return [_joined(compute, series, other) for series in left]
    if isinstance(left, Series) and isinstance(right, list):
        first = left
        return [_joined(compute, first, series, named=series) for series in right]
    raise ExpressionError(f"{sign} cannot be used between these operands")


def negated(value: Value) -> Value:
    """The value with the other sign."""
    return -value if isinstance(value, float) else each(value, _negative, "-")


def _negative(series: Series) -> dict[int, float]:
    return {at: -value for at, value in series.points.items()}


def _joined(compute: Operator, left: Series, right: Series, named: Series | None = None) -> Series:
    times = left.points.keys() | right.points.keys()
    points = _present((at, compute(left.points.get(at, 0.0), right.points.get(at, 0.0))) for at in times)
    of = named or left
    return Series(points, max(left.period, right.period), of.name, properties=of.properties)


def _present(pairs: Iterable[tuple[int, float | None]]) -> dict[int, float]:
    return {at: value for at, value in pairs if value is not None}
