"""DuckDB: queries over files, in this process. It comes with the extra `analytics` and is loaded with the first query.

All of it blocks and frees the interpreter: call it in a thread. Source: DuckDB documentation, "Python API",
"Securing DuckDB".
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

INSTALL = "pip install 'cumulo[analytics]'"
MEMORY = "512MB"
THREADS = 2

CONVERSION, INPUT, OVERFLOW, OTHER = "conversion", "input", "overflow", "other"


class QueryFailed(Exception):
    """DuckDB refused: `kind` is CONVERSION, INPUT (the data is not what it should be), OVERFLOW or OTHER."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def is_here() -> bool:
    """Whether DuckDB is installed."""
    return find_spec("duckdb") is not None


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


class Session:
    """One connection to a database in memory that may use the files of one folder, and those `also`, nothing else.

    Not `ordered`, rows that no ORDER BY orders come in any order, which lets more of the work be done in parallel.
    """

    def __init__(self, folder: Path, also: Sequence[Path] = (), *, ordered: bool = True) -> None:
        import duckdb

        self._errors: Any = duckdb
        self._connection: Any = duckdb.connect(
            ":memory:",
            config={
                "threads": THREADS,
                "memory_limit": MEMORY,
                "temp_directory": str(folder),
                "preserve_insertion_order": ordered,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        allowed = ", ".join([quoted(str(path)) for path in (folder, *also)])
        self._connection.execute(f"SET allowed_directories = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def execute(self, sql: str) -> None:
        """Begin a query; `fetch` gives its rows. Raises QueryFailed."""
        try:
            self._connection.execute(sql)
        except self._errors.Error as error:
            raise self._failed(error) from None

    def columns(self, sql: str) -> list[tuple[str, str]]:
        """Names and types of the columns that a query has. Raises QueryFailed."""
        self.execute(f"DESCRIBE {sql}")
        return [(row[0], row[1]) for row in self.fetch(10_000)]

    def fetch(self, most: int) -> list[tuple[Any, ...]]:
        """The next rows; none at the end. Raises QueryFailed."""
        try:
            return self._connection.fetchmany(most)  # type: ignore[no-any-return]
        except self._errors.Error as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """End the query and let go of everything."""
        self._connection.close()

    def interrupt(self) -> None:
        """End a query that another thread runs."""
        self._connection.interrupt()

    def _failed(self, error: Exception) -> QueryFailed:
        known = self._errors
        kind = OTHER
        if isinstance(error, known.ConversionException):
            kind = CONVERSION
        elif isinstance(error, known.OutOfRangeException):
            kind = OVERFLOW
        elif isinstance(error, known.InvalidInputException | known.IOException | known.SerializationException):
            kind = INPUT
        return QueryFailed(kind, str(error))
