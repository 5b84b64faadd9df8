"""What metric filters and subscription filters have in common: their number, their system fields, their pages.

Source: API reference, PutMetricFilter and PutSubscriptionFilter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from cumulo.services.operations.logs.errors import INVALID_PARAMETER, LIMIT_EXCEEDED
from cumulo.services.operations.logs.events import filtering
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.patterns import criteria
from cumulo.services.operations.logs.patterns.scanning import PatternError

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.table import Table
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.patterns import Pattern

MOST_REGEXES = 5  # patterns with regular expressions, of a group
PAGE = 50
ACCOUNT, REGION, LOG = "@aws.account", "@aws.region", "@source.log"


class Filter(Protocol):
    """A filter of either kind."""

    name: str
    pattern: str
    selection: str


F = TypeVar("F", bound=Filter)


def check(pattern: Pattern, name: str, there: Sequence[F], most: int) -> F | None:
    """Refuse one filter more than a group may have; the filter of this name that is there already."""
    others = [each for each in there if each.name != name]
    if len(others) >= most:
        raise LIMIT_EXCEEDED()
    filtering.check_regexes(pattern, [each.pattern for each in others], MOST_REGEXES)
    return next((each for each in there if each.name == name), None)


def read_selection(text: str | None) -> str:
    """A fieldSelectionCriteria, checked."""
    if not text:
        return ""
    try:
        found = criteria.read(text)
    except PatternError:
        raise INVALID_PARAMETER("Invalid fieldSelectionCriteria") from None
    for comparison in criteria.comparisons(found):
        if comparison.field not in (ACCOUNT, REGION, LOG):
            raise INVALID_PARAMETER(f"Invalid fieldSelectionCriteria: {comparison.field} is not a system field.")
    return text


def check_fields(given: Sequence[str], *allowed: str) -> list[str]:
    """System fields that are emitted."""
    for name in given:
        if name not in allowed:
            raise INVALID_PARAMETER(f"The system field {name} is not one of {', '.join(allowed)}.")
    return list(dict.fromkeys(given))


def fields_of(group: Group) -> dict[str, str]:
    """The system fields of a group's events."""
    return {ACCOUNT: group.account, REGION: group.region, LOG: group.name}


def selects(found: Filter, group: Group) -> bool:
    """Whether a filter's criteria take events of a group."""
    return not found.selection or criteria.read(found.selection).holds(fields_of(group))


def remove(ctx: Context, table: Table[Any], group: Group, name: str, count: str) -> bool:
    """Take a filter from a group, which knows how many it has as `count`; whether there was one of the name."""
    found = table.peek(ctx, group.id, name)
    if found is None:
        return False
    table.delete(ctx, found)
    setattr(group, count, getattr(group, count) - 1)
    groups.keep(ctx, group)
    return True
