"""IF(condition, then, otherwise)."""

from __future__ import annotations

from cumulo.services.operations.cloudwatch.metric_math.values import ExpressionError, Points, Series, Value


def if_function(arguments: list[Value]) -> Value:
    """A series made of two others, or of numbers, as a third one says at each time.

    Where the condition holds and the series to take has no value, it is 0; where it does not hold and there is none,
    there is none. Source: CloudWatch User Guide, "Using IF expressions".
    """
    condition, then = arguments[0], arguments[1]
    otherwise = arguments[2] if len(arguments) > 2 else None
    for argument in (then, otherwise):
        if argument is not None and not isinstance(argument, float | Series):
            raise ExpressionError("IF takes time series and numbers")
    if isinstance(condition, float):
        return _chosen(condition, then, otherwise)
    if not isinstance(condition, Series):
        raise ExpressionError("the condition of IF is a time series or a number")
    points: Points = {}
    for at, value in condition.points.items():
        if value:
            points[at] = then if isinstance(then, float) else _points(then).get(at, 0.0)
        elif isinstance(otherwise, float):
            points[at] = otherwise
        elif isinstance(otherwise, Series) and at in otherwise.points:
            points[at] = otherwise.points[at]
    of = then if isinstance(then, Series) else condition
    return Series(points, condition.period, of.name, properties=of.properties)


def _chosen(condition: float, then: Value, otherwise: Value | None) -> Value:
    if not isinstance(then, Series) and not isinstance(otherwise, Series):
        if otherwise is None and not condition:
            raise ExpressionError("IF gives nothing")
        return then if condition or otherwise is None else otherwise
    chosen = then if condition else otherwise
    if chosen is not None:
        return chosen
    assert isinstance(then, Series)
    return then.with_points({})


def _points(value: Value) -> Points:
    assert isinstance(value, Series)
    return value.points
