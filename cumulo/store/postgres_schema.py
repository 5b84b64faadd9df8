"""The tables in PostgreSQL, how a connection to them is made, and what its errors mean."""

from typing import LiteralString

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from cumulo.store.failures import StoreCorrupt, StoreFailure, StoreFull, StoreNewer, StoreReadOnly, StoreUnavailable

FORMAT = 1
Connection = psycopg.Connection[TupleRow]

_CREATION_LOCK = 0x63756D75  # nodes that start together create the tables once
_CONNECT_TIMEOUT_S = 5
_TABLES: tuple[LiteralString, ...] = (
    "CREATE TABLE cumulo_format (version integer NOT NULL)",
    "CREATE TABLE cumulo_kv (key bytea PRIMARY KEY, value bytea NOT NULL)",
    # A row a commit, written with it: when the connection is lost in a COMMIT, it tells what became of it.
    "CREATE TABLE cumulo_commits (node text NOT NULL, number bigint NOT NULL, PRIMARY KEY (node, number))",
    "CREATE TABLE cumulo_nodes (node text PRIMARY KEY, heartbeat timestamptz NOT NULL)",
)
_SETTINGS: tuple[LiteralString, ...] = (
    # A sequential scan takes a predicate lock on the whole table, and then every writer conflicts with every reader.
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET synchronous_commit = on",
    "SET client_min_messages = warning",
    # A node that falls asleep in a transaction must not hold its locks until it wakes up.
    "SET idle_in_transaction_session_timeout = '60s'",
)
# How soon a connection is given up that a sleep or a change of networks has cut: TCP alone takes a quarter of an hour.
_NETWORK = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}
_GONE = ("57P", "08", "25P03")  # the server shut down, is starting, or hung up on us


def connect(url: str) -> Connection:
    """A connection with the settings that the store relies on. Raises psycopg.Error."""
    options = conninfo_to_dict(url)
    options.setdefault("connect_timeout", _CONNECT_TIMEOUT_S)
    options.setdefault("application_name", "cumulo")
    for option, value in _NETWORK.items():
        options.setdefault(option, value)
    options.setdefault("target_session_attrs", "read-write")  # after a failover: the new primary among the hosts
    connection = psycopg.connect(make_conninfo("", **options), autocommit=True)
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


def is_gone(error: psycopg.Error, connection: Connection) -> bool:
    """Whether the connection was lost, as opposed to a statement that was refused."""
    return connection.closed or (error.sqlstate or "").startswith(_GONE)


def postgres_failure(error: psycopg.Error) -> StoreFailure:
    """The store's failure for one of PostgreSQL's."""
    state = error.sqlstate or ""
    text = str(error).strip()
    if state == "53100":
        failure: StoreFailure = StoreFull(f"No space is left on the PostgreSQL server ({text}). Free some space there.")
    elif state == "25006" or state == "42501":
        failure = StoreReadOnly(f"The PostgreSQL database cannot be written ({text}). Give cumulo the primary's URL.")
    elif state.startswith("XX"):
        failure = StoreCorrupt(f"The PostgreSQL database is damaged ({text}). Restore it from a backup.")
    elif isinstance(error, psycopg.OperationalError):
        failure = StoreUnavailable(f"The PostgreSQL server cannot be reached ({text}). Check --store and the server.")
    else:
        failure = StoreFailure(f"PostgreSQL: {text}")
    failure.__cause__ = error
    return failure


def prepare(connection: Connection) -> None:
    """See that the database is cumulo's, making the tables where there are none. Raises StoreCorrupt, StoreNewer."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_CREATION_LOCK,))
        tables = connection.execute("SELECT to_regclass('cumulo_kv'), to_regclass('cumulo_format')").fetchone()
        if tables == (None, None):
            for table in _TABLES:
                connection.execute(table)
            connection.execute("INSERT INTO cumulo_format VALUES (%s)", (FORMAT,))
            return
        if tables is None or None in tables:
            raise StoreCorrupt(
                "The PostgreSQL database has only a part of cumulo's tables: restore it, or give another."
            )
        versions = connection.execute("SELECT version FROM cumulo_format").fetchall()
    if len(versions) != 1:
        raise StoreCorrupt("The PostgreSQL table cumulo_format does not hold one version: restore it, or give another.")
    if versions[0][0] > FORMAT:
        raise StoreNewer(
            f"A newer cumulo wrote the PostgreSQL database (format {versions[0][0]}; this one knows {FORMAT}). "
            "Upgrade cumulo, or give another database."
        )
