"""Data sources: what a group's events come from, which its tags say.

AWS tells those of its own services by itself; of other logs two tags of the group do. Source: CloudWatch Logs User
Guide, "Custom sources" (names cannot start with "aws" or "amazon").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cumulo.services.operations.logs.groups.groups import Group

NAME_TAG, TYPE_TAG = "cw:datasource:name", "cw:datasource:type"
_RESERVED = ("aws", "amazon")


class DataSource(NamedTuple):
    """A data source."""

    name: str
    type: str


def of_group(group: Group) -> DataSource | None:
    """The data source of a group; None where its tags name none."""
    name, kind = group.tags.get(NAME_TAG, ""), group.tags.get(TYPE_TAG, "")
    if not name or not kind or name.startswith(_RESERVED):
        return None
    return DataSource(name, kind)


def is_among(group: Group, filters: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether a group's source is one of those that filters name (and, where they say so, of their type)."""
    if not filters:
        return True
    source = of_group(group)
    return source is not None and any(
        each["name"] == source.name and each.get("type", source.type) == source.type for each in filters
    )
