"""What DuckDB reads of a group for a query: its segments' files, one of the lines that are in none, and masked copies.

What a data protection policy masks is masked before a query sees it, so that no filter finds it either; `unmask` in a
query, by somebody who may logs:Unmask, leaves it as it is. Blocks: for threads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from cumulo.engines.duckdb import Session, quoted
from cumulo.services.operations.logs.lines import Line
from cumulo.services.operations.logs.query.planning import GroupRows
from cumulo.services.operations.logs.stored import segment_files
from cumulo.services.operations.logs.stored.segment_files import RAW

if TYPE_CHECKING:
    from cumulo.services.operations.logs.groups.groups import Group
    from cumulo.services.operations.logs.protection.data_protection import Masks
    from cumulo.services.operations.logs.stored.segments import Sources

_COLUMNS = "ts, ingested, stream, message, seq, sid"
_LINE = "ts, seq, sid, stream, message, ingested"  # as Line has them
_NOTHING = (
    "(SELECT 0::BIGINT AS ts, 0::BIGINT AS ingested, '' AS stream, '' AS message, 0::UBIGINT AS seq, 0::UBIGINT AS sid"
    " WHERE false)"
)
MASKED_LINES = 50_000  # in one file
FEW_LINES = 2_000
FETCH = 500


def rows(folder: Path, blobs: Path, group: Group, sources: Sources, masks: Masks | None) -> GroupRows:
    """The group's lines as SQL. Files that are made for it are in the folder."""
    files = [str(path) for path in sources.files]
    if sources.tail:
        files.append(_written(folder, f"tail-{group.id.hex()}", sources.tail))
    parts = []
    if files:
        condition = sources.where
        if masks is not None:
            masked = " OR ".join(f"(ingested >= {since} AND ingested < {until})" for since, until, _ in masks.periods)
            places = [path for path in (blobs, folder, sources.folder) if path is not None]
            copies = _masked(folder, places, f"{_read(files)} WHERE ({condition}) AND ({masked})", group, masks)
            if copies:
                parts.append(f"SELECT {_COLUMNS} FROM {_read(copies)}")
            condition = f"({condition}) AND NOT ({masked})"
        parts.append(f"SELECT {_COLUMNS} FROM {_read(files)} WHERE {condition}")
    sql = f"({' UNION ALL '.join(parts)})" if parts else _NOTHING
    rest = [file for file in files if file not in {str(path) for path in sources.whole}]
    uncounted = f"(SELECT {_COLUMNS} FROM {_read(rest)} WHERE {sources.where})" if rest else _NOTHING
    counted = list(sources.whole.values())
    return GroupRows(f"{group.account}:{group.name}", group.id.hex(), sql, counted, uncounted if counted else None)


def _read(files: Sequence[str]) -> str:
    """SQL of the rows of files."""
    parts = [f"SELECT {_COLUMNS} FROM ({segment_files.read_raw(file)})" for file in files if file.endswith(RAW)]
    others = [file for file in files if not file.endswith(RAW)]
    if others:
        parts.append(f"SELECT {_COLUMNS} FROM read_parquet([{', '.join(map(quoted, others))}])")
    return f"({' UNION ALL '.join(parts)})"


def _written(folder: Path, name: str, lines: Sequence[Line]) -> str:
    """A file of lines. Few are not worth a connection to DuckDB that makes Parquet of them."""
    place = folder / name
    place.mkdir()
    if len(lines) <= FEW_LINES:
        return str(segment_files.write_raw(place, lines))
    return str(segment_files.rewrite(place, lines))


def _masked(folder: Path, places: Sequence[Path], source: str, group: Group, masks: Masks) -> list[str]:
    """Files with the masked lines of a source."""
    session = Session(folder, places)
    try:
        session.execute(f"SELECT {_LINE} FROM {source}")
        lines = (masks.line(line) for line in _fetched(session))
        copies: list[str] = []
        while some := list(islice(lines, MASKED_LINES)):
            copies.append(_written(folder, f"masked-{group.id.hex()}-{len(copies)}", some))
        return copies
    finally:
        session.close()


def _fetched(session: Session) -> Iterator[Line]:
    while found := session.fetch(FETCH):
        for row in found:
            yield Line(*row)
