"""The files of the SQLite store: made, recognised, opened; and what their errors mean.

There is no integrity check at the start. A crash cannot damage a WAL database (that is what its
journal is for), reading gigabytes would cost seconds, and bits may rot after a clean stop as well:
SQLite notices a damaged page when it reads it, and the request that needed it gets StoreCorrupt.
"""

import contextlib
import os
import sqlite3
from pathlib import Path

from cumulo.store.directory import os_failure
from cumulo.store.failures import StoreCorrupt, StoreFailure, StoreFull, StoreNewer, StoreReadOnly

FORMAT = 1  # of the tables below; the records in them have versions of their own
_APPLICATION = 0x63756D75  # "cumu", where SQLite keeps the kind of a database file
_HEADER = b"SQLite format 3\x00"
_SCHEMA = "CREATE TABLE kv (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
_BUSY_TIMEOUT_S = 5.0  # only a person's own sqlite3 shell can make us wait
_JOURNAL_LIMIT_BYTES = 64 << 20  # a journal that a huge batch blew up is cut back to this
# A batch whose pages do not fit is written out and read back while it is applied: ten thousand rows of an upload's
# parts then took seconds.
_WRITER_CACHE_KIB = 16 * 1024
_CHECKPOINT_PAGES = 1000  # moved into the database at the commit after so many; 4 MiB of journal


def database_failure(error: sqlite3.Error, path: Path | str) -> StoreFailure:
    """The store's failure for one of SQLite's."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        failure: StoreFailure = StoreFull(f"No space is left for {path}. Free some space; nothing was damaged.")
    elif code == sqlite3.SQLITE_READONLY or code == sqlite3.SQLITE_PERM:
        failure = StoreReadOnly(f"{path} cannot be written ({error}). Make it writable for this user.")
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        failure = _corrupt(Path(path), str(error))
    else:
        failure = StoreFailure(f"{path}: {error}")
    failure.__cause__ = error
    return failure


def _corrupt(path: Path, what: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{path} is damaged or not a cumulo database ({what}). It is left as it is: "
        f"move it away, or put a good copy with its -wal file in its place."
    )


def prepare(path: Path) -> None:
    """See that a cumulo database stands at `path`, making one where there is nothing.

    Raises StoreCorrupt, StoreNewer, StoreReadOnly, StoreFull or StoreFailure, and changes nothing then.
    """
    try:
        try:
            with path.open("rb") as file:
                head = file.read(100)
        except FileNotFoundError:
            if Path(f"{path}-wal").exists():
                raise _corrupt(path, "it is missing, and its journal is not") from None
            _create(path)
            return
    except OSError as error:
        raise os_failure(error, path) from error
    if not head.startswith(_HEADER) or len(head) < 100:
        raise _corrupt(path, "its first bytes are not SQLite's")
    if int.from_bytes(head[68:72], "big") != _APPLICATION:
        raise _corrupt(path, "it belongs to another application")


def _create(path: Path) -> None:
    """Make the database beside its place and move it there whole: a crash leaves it whole or absent."""
    unfinished = Path(f"{path}.new")
    for leftover in (unfinished, Path(f"{unfinished}-journal")):
        leftover.unlink(missing_ok=True)
    try:
        with contextlib.closing(sqlite3.connect(unfinished, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # one fsync below serves for all
            connection.execute("BEGIN")
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise database_failure(error, path) from error
    _sync(unfinished)
    unfinished.replace(path)
    if hasattr(os, "O_DIRECTORY"):  # elsewhere a directory cannot be opened
        _sync(path.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def connect(path: Path, *, writes: bool = False) -> sqlite3.Connection:
    """A connection to a prepared database, usable from any one thread at a time; `writes`: it is the writer's."""
    try:
        connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            _configure(connection, path)
            if writes:
                connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise database_failure(error, path) from error
    return connection


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise StoreFailure(f"{path.parent} lies on a file system without shared memory: choose another --data-dir.")
    connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk when it returns
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT_BYTES}")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise StoreNewer(
            f"{path} was written by a newer cumulo (format {version}; this one knows {FORMAT}). "
            f"Upgrade cumulo, or choose another --data-dir."
        )
    try:
        connection.execute("SELECT key, value FROM kv LIMIT 1").fetchall()
    except sqlite3.OperationalError as error:
        if "no such" not in str(error):
            raise
        raise _corrupt(path, str(error)) from error


def connect_memory() -> sqlite3.Connection:
    """A database that nothing outlives."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute(_SCHEMA)
    return connection
