"""Filter patterns: what FilterLogEvents, metric and subscription filters and Live Tail choose events by.

    pattern = patterns.read('{ $.status >= 500 && $.path = "/orders*" }')
    pattern.matches('{"status": 502, "path": "/orders/1"}')

A pure language: it knows nothing of groups and streams. Source: CloudWatch Logs User Guide, "Filter pattern syntax for
metric filters, subscription filters, filter log events, and Live Tail".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from cumulo.services.operations.logs.patterns.fields import read_fields
from cumulo.services.operations.logs.patterns.json_conditions import read_json
from cumulo.services.operations.logs.patterns.scanning import PatternError as PatternError
from cumulo.services.operations.logs.patterns.terms import Everything, read_terms


class Pattern(Protocol):
    """A filter pattern that was read."""

    @property
    def texts(self) -> Sequence[str]:
        """Texts that a message holds if it matches: for whoever can search for those quickly."""

    @property
    def regexes(self) -> int:
        """How many regular expressions are in it."""

    @property
    def names(self) -> Sequence[str] | None:
        """The names of the fields of a space-delimited pattern; None for other patterns."""

    @property
    def structured(self) -> bool:
        """Whether it names fields (space-delimited or JSON), which dimensions of metrics need."""

    def matches(self, message: str) -> bool:
        """Whether the message of an event is chosen."""

    def extracted(self, message: str) -> dict[str, str]:
        """What a space-delimited pattern finds in a message that matches, by "$name" or "$number"; else nothing."""


@lru_cache(maxsize=1024)
def read(text: str) -> Pattern:
    """The pattern in a text. Raises PatternError."""
    stripped = text.strip()
    if not stripped:
        return Everything()
    if stripped[0] == "{":
        return read_json(stripped)
    if stripped[0] == "[":
        return read_fields(stripped)
    return read_terms(stripped)
