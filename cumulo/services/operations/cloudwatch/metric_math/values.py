"""What expressions work with: numbers, time series, arrays of time series, and texts as arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Points = dict[int, float]  # by time, in seconds


class ExpressionError(Exception):
    """What is wrong with an expression, in words for its author."""


class UnsupportedFunction(Exception):
    """A function of CloudWatch's that is not done here; its name."""


class Series:
    """A time series. `name` is what labels call it, `properties` what `${PROP('…')}` says of it."""

    __slots__ = ("is_metric", "name", "period", "points", "properties")

    def __init__(
        self,
        points: Points,
        period: int,
        name: str = "",
        *,
        is_metric: bool = False,
        properties: dict[str, str] | None = None,
    ) -> None:
        self.points = points
        self.period = period
        self.name = name
        self.is_metric = is_metric
        self.properties = properties or {}

    def with_points(self, points: Points) -> Series:
        """A series computed from this one: it bears its name and is no metric any more."""
        return Series(points, self.period, self.name, properties=self.properties)

    def values(self) -> list[float]:
        """The values in the order of time."""
        return [self.points[at] for at in sorted(self.points)]


class Text(str):
    """A quoted text."""


class Word(str):
    """A word in upper case that is no function here: an option such as REPEAT or DESC."""


Value = float | Series | list[Series] | Text | Word


class Scope(Protocol):
    """Where an expression is evaluated. Times are seconds; `end` is not included."""

    @property
    def start(self) -> int:
        """From when."""

    @property
    def end(self) -> int:
        """Until when."""

    @property
    def period(self) -> int:
        """The length of a period where no series says it."""

    def variable(self, name: str) -> Value:
        """What the query with this Id gives."""

    def metrics(self, part: str) -> list[Series]:
        """The metrics of the request whose Id holds the text."""

    def search(self, text: str, statistic: str, period: int) -> list[Series]:
        """The metrics that a search finds."""

    def rule_metric(self, rule: str, metric: str) -> Series:
        """A metric of a Contributor Insights rule."""


Node = Callable[[Scope], Value]


def grid(scope: Scope, period: int) -> range:
    """The starts of all periods between start and end."""
    return range(scope.start, scope.end, period)


def each(value: Value, change: Callable[[Series], Points], what: str) -> Value:
    """The change made to a series, or to each of an array."""
    if isinstance(value, Series):
        return value.with_points(change(value))
    if isinstance(value, list):
        return [series.with_points(change(series)) for series in value]
    raise ExpressionError(f"{what} takes a time series or an array of time series")


def array(value: Value, what: str) -> list[Series]:
    """An array of time series."""
    if isinstance(value, list):
        return value
    raise ExpressionError(f"{what} takes an array of time series")


def number(value: Value, what: str) -> float:
    """A number."""
    if isinstance(value, float):
        return value
    raise ExpressionError(f"{what} takes a number")
