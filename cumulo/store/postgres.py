"""The shared store: PostgreSQL, serving one cloud from several nodes.

`work` runs in a thread of a small pool, as a SERIALIZABLE transaction, again after a conflict; so it must have
no effects but those on its transaction. A commit is one round trip: deletions, upserts, a mark, notifications, COMMIT.
"""

import logging
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.store.failures import StoreClosed, StoreFailure
from cumulo.store.store import Done, Store, Work
from cumulo.store.transaction import Transaction

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from cumulo.store.postgres_nodes import Registry
    from cumulo.store.postgres_session import Session

T = TypeVar("T")

_SESSIONS = 8  # connections of a node; more would only collide more


class PostgresStore(Store):
    """A node's part of the shared store. Transactions beyond the pool wait in order: that is its backpressure."""

    name = "postgres"

    def __init__(self, loop: "AbstractEventLoop") -> None:
        super().__init__(loop)
        self._jobs: SimpleQueue[tuple[Work[Any], Done[Any]] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._registry: Registry
        self._closed = False

    def start(self, registry: "Registry", sessions: "list[Session]") -> None:
        """Begin to serve."""
        self._registry = registry
        for session in sessions:
            thread = threading.Thread(target=self._serve, args=(session,), name="cumulo-store", daemon=True)
            self._threads.append(thread)
            thread.start()

    def transact(self, work: Work[T], done: Done[T]) -> None:
        """Run `work`, perhaps several times, in a thread; `done` follows when its outcome is decided."""
        if self._closed:
            self._fail(done, StoreClosed("The store is closed: the server is stopping."))
            return
        self._jobs.put((work, done))

    def _serve(self, session: "Session") -> None:
        while (job := self._jobs.get()) is not None:
            work, done = job
            transaction: Transaction | None = None
            result: Any = None
            failure: BaseException | None
            try:
                result, failure, transaction = session.run(work)
            except StoreFailure as error:
                failure = error
            except Exception as error:
                failure = StoreFailure(f"PostgreSQL: {error!r}")
                failure.__cause__ = error
            self._post(self._finish, done, result, failure, transaction)
        session.close()

    def _finish(
        self, done: Done[Any], result: Any, failure: BaseException | None, transaction: Transaction | None
    ) -> None:
        if failure is None and transaction is not None:
            for callback in transaction.callbacks:
                self._call(callback)
            self._announce(dict.fromkeys(transaction.signals))
        self._call(done, result, failure)

    def hear(self, names: list[bytes]) -> None:
        """Take the signals of another node; called in a thread."""
        self._post(self._announce, names)

    def _post(self, callback: Any, *arguments: Any) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(callback, *arguments)

    def live_nodes(self) -> frozenset[str]:
        """Of the last heartbeat, at most some seconds ago. Without us when the server is out of our reach."""
        return self._registry.live

    async def close(self) -> None:
        """Decide what is under way, hang up, and leave the other nodes."""
        if self._closed:
            return
        self._closed = True
        await self.loop.run_in_executor(None, self._stop)

    def _stop(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._registry.stop()


def open_postgres(url: str, loop: "AbstractEventLoop") -> PostgresStore:
    """Open the database that the URL names, making the tables if need be. Raises StoreFailure."""
    try:
        import psycopg
    except ImportError as error:
        raise StoreFailure("The PostgreSQL store needs psycopg: pip install 'cumulo[postgres]'") from error
    from cumulo.store.postgres_nodes import Registry
    from cumulo.store.postgres_schema import connect, postgres_failure, prepare
    from cumulo.store.postgres_session import Session

    logging.getLogger("psycopg").setLevel(logging.ERROR)  # a conflict in a commit is no news: it runs again
    store = PostgresStore(loop)
    registry = Registry(url, store.node_id, store.hear)
    try:
        with connect(url) as connection:
            prepare(connection)
            registry.start(connection)
    except psycopg.Error as error:
        raise postgres_failure(error) from error
    store.start(registry, [Session(url, registry) for _ in range(_SESSIONS)])
    return store
