"""Runs queries over events that a test makes, without a cloud."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from cumulo.services.operations.logs.query import grammar
from cumulo.services.operations.logs.query.compiling import Times
from cumulo.services.operations.logs.query.execution import Execution, Outcome, Work
from cumulo.services.operations.logs.query.planning import GroupRows
from cumulo.services.operations.logs.query.tree import AppendColumns, Filter, InQuery, Join, Query
from cumulo.services.operations.logs.query.walks import inside

BASE = 1_700_000_000_000  # 2023-11-14 22:13:20
HOUR = 3_600_000
_COLUMNS = "{ts: 'BIGINT', ingested: 'BIGINT', stream: 'VARCHAR', message: 'VARCHAR', seq: 'UBIGINT', sid: 'UBIGINT'}"


class Event(NamedTuple):
    """An event as a test makes it: when (milliseconds after BASE) and what."""

    at: int
    message: str
    stream: str = "s"


def events(*messages: str | dict[str, object], step: int = 1000) -> list[Event]:
    """Messages a second apart; maps as JSON."""
    return [
        Event(index * step, each if isinstance(each, str) else json.dumps(each)) for index, each in enumerate(messages)
    ]


def outcome(
    text: str,
    given: Sequence[Event],
    *,
    log: str = "/app",
    others: Mapping[str, Sequence[Event]] | None = None,
    tables: Mapping[str, str] | None = None,
    limit: int | None = None,
    start: int = BASE,
    end: int = BASE + HOUR - 1,
) -> Outcome:
    """What a query finds. `others` are further groups, which only queries in it read."""
    folder = Path(tempfile.mkdtemp())
    try:
        groups = {name: _rows(folder, name, found) for name, found in {log: given, **(others or {})}.items()}
        query = grammar.parse(text)
        chosen = {id(query): [groups[log]]}
        for each in _inner(query):
            names = each.source.names if each.source is not None else (log,)
            chosen[id(each)] = [groups[name] for name in names]
        times = Times(BASE + HOUR, start, end)
        return Execution(folder, (), Work(query, times, chosen, tables=tables or {}, limit=limit)).run()
    finally:
        shutil.rmtree(folder)


def rows(text: str, given: Sequence[Event], **more: object) -> list[dict[str, str]]:
    """The rows of a query, without their pointers."""
    found = [dict(row) for row in outcome(text, given, **more).rows]  # type: ignore[arg-type]
    for row in found:
        row.pop("@ptr", None)
    return found


def _inner(query: Query) -> list[Query]:
    found: list[Query] = []
    for command in query.commands:
        if isinstance(command, Join | AppendColumns):
            found.append(command.query)
        elif isinstance(command, Filter):
            found += [each.query for each in inside(command.condition) if isinstance(each, InQuery)]
    return found


def _rows(folder: Path, name: str, given: Sequence[Event]) -> GroupRows:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    with path.open("w") as file:
        for index, event in enumerate(given):
            line = {"ts": BASE + event.at, "ingested": BASE + event.at + 40, "stream": event.stream}
            file.write(json.dumps({**line, "message": event.message, "seq": index, "sid": 1}) + "\n")
    sql = f"read_json('{path}', format='newline_delimited', columns={_COLUMNS}, maximum_object_size=33554432)"
    return GroupRows(f"111122223333:{name}", "00ff", sql)
