"""GetLogFields: the fields of what a data source sends, with their types.

Source: API reference, GetLogFields and LogFieldType. AWS's names of types are not documented: here they are string,
long, double, boolean, array (with its `element`) and struct (with its `fields`).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.services.operations.logs.errors import DATA_SOURCE_NOT_FOUND
from cumulo.services.operations.logs.groups import data_sources, groups
from cumulo.services.operations.logs.groups.data_sources import DataSource
from cumulo.services.operations.logs.groups.groups import GROUPS
from cumulo.services.operations.logs.query import flattening
from cumulo.services.operations.logs.query.discovery import LAMBDA_GROUP
from cumulo.services.operations.logs.stored import reading
from cumulo.services.operations.logs.stored.reading import Reading

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.lines import Line
    from cumulo.stubs import logs as t

SAMPLE = 10_000  # events that are looked at, the latest of each group
_NAME_LENGTH = 256
_STRING: dict[str, Any] = {"type": "string"}


@operation
def get_log_fields(ctx: Context, request: t.GetLogFieldsRequest) -> t.GetLogFieldsResponse:
    """The fields of the latest events of a data source."""
    wanted = DataSource(request["dataSourceName"], request["dataSourceType"])
    ctx.authorize("*")
    found = [group for group in GROUPS.range(ctx) if data_sources.of_group(group) == wanted]
    if not found:
        raise DATA_SOURCE_NOT_FOUND(name=wanted.name, type=wanted.type)
    raise Wait(partial(_fields, found=found))


async def _fields(ctx: Context, found: list[Group]) -> t.GetLogFieldsResponse:
    merged: Any = None
    for group in found:
        current = await ctx.transact(partial(_current, group=group))
        if current is not None:
            most = 64 * 1024 * 1024
            wanted = Reading(current, None, limit=SAMPLE // len(found) + 1, reverse=True, most_bytes=most)
            lines = await reading.read(ctx, wanted)
            merged = await ctx.in_thread(partial(_seen, group.name, lines, merged))
    return {"logFields": [] if merged is None else merged["fields"]}


def _current(ctx: Context, group: Group) -> Group | None:
    return groups.by_id(ctx, group.id)


def _seen(group: str, lines: list[Line], so_far: Any) -> Any:
    for line in lines:
        document = flattening.embedded(line.message, group.startswith(LAMBDA_GROUP))
        if not isinstance(document, dict):
            document = flattening.discovered(line.message, group)
        if document:
            so_far = merged(so_far, type_of(document))
    return so_far


def type_of(value: Any) -> dict[str, Any] | None:
    """A JSON value's type; None of null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return {"type": "boolean"}
    if isinstance(value, int):
        return {"type": "long"}
    if isinstance(value, float):
        return {"type": "double"}
    if isinstance(value, list):
        element: dict[str, Any] | None = None
        for each in value:
            element = merged(element, type_of(each))
        return {"type": "array", **({"element": element} if element is not None else {})}
    if isinstance(value, dict):
        fields = []
        for name, inner in value.items():
            kind = type_of(inner)
            if kind is not None and 0 < len(name) <= _NAME_LENGTH:
                fields.append({"logFieldName": name, "logFieldType": kind})
        return {"type": "struct", "fields": fields}
    return _STRING


def merged(one: dict[str, Any] | None, other: dict[str, Any] | None) -> dict[str, Any] | None:
    """The type of values of both types: numbers are doubles together, and what is not alike is a string."""
    if one is None or other is None or one == other:
        return other if one is None else one
    kinds = {one["type"], other["type"]}
    if kinds == {"long", "double"}:
        return {"type": "double"}
    if len(kinds) > 1:
        return _STRING
    if kinds == {"array"}:
        element = merged(one.get("element"), other.get("element"))
        return {"type": "array", **({"element": element} if element is not None else {})}
    names = {each["logFieldName"]: each["logFieldType"] for each in one["fields"]}
    for each in other["fields"]:
        names[each["logFieldName"]] = merged(names.get(each["logFieldName"]), each["logFieldType"])
    return {"type": "struct", "fields": [{"logFieldName": key, "logFieldType": kind} for key, kind in names.items()]}
