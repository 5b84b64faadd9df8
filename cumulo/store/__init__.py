"""Ordered keys and values in serializable transactions."""

from pathlib import Path
from typing import TYPE_CHECKING

from cumulo.store.failures import StoreFailure
from cumulo.store.store import Store
from cumulo.store.transaction import Transaction

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["Store", "Transaction", "open_store"]


def open_store(url: str, data_dir: Path, loop: "AbstractEventLoop") -> Store:
    """Open the store that a URL names, creating it where there is none.

    "" is SQLite in `data_dir`, "memory:" keeps nothing, "postgresql://…" is shared by several nodes.
    Raises a StoreFailure whose message says what to do.
    """
    if url == "":
        from cumulo.store.sqlite import open_sqlite

        return open_sqlite(data_dir, loop)
    if url == "memory:":
        from cumulo.store.sqlite import open_memory

        return open_memory(loop)
    if url.startswith(("postgresql://", "postgres://")):
        from cumulo.store.postgres import open_postgres

        return open_postgres(url, loop)
    raise StoreFailure(f'unknown store "{url}": give postgresql://user@host/database, memory: or nothing for SQLite')
