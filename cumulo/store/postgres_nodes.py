"""The nodes that share a PostgreSQL store: who is alive, and what they announce to each other."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import LiteralString, TypeVar

import psycopg

from cumulo.store.postgres_schema import Connection, connect

T = TypeVar("T")

_HEARTBEAT_S = 2.0
_DEAD_AFTER_S = 12  # without a heartbeat; by the server's clock
_FORGOTTEN_AFTER_S = 3600  # then nobody asks for this node's commits any more
_PAYLOAD_BYTES = 7000  # PostgreSQL takes 8000
_LISTEN_S = 5.0  # how soon the listening thread notices that the store closes, when the server is gone
_RECONNECT_S = 0.5

# By the server's clock, which may have been set as well: then all heartbeats look old, or are yet to come.
_SEEN: LiteralString = "SELECT node, abs(extract(epoch FROM now() - heartbeat)) < %s FROM cumulo_nodes"

_log = logging.getLogger("cumulo.store")


class Registry:
    """This node among the others: its heartbeat and theirs, its signals and theirs, and its commits' numbers.

    `hear(names, announced)` is called in a thread with the signals of other nodes; b"" when some may have been missed.
    """

    def __init__(self, url: str, node_id: str, hear: Callable[[list[bytes]], None]) -> None:
        self.node_id = node_id
        self.turn = threading.Lock()
        self.live: frozenset[str] = frozenset()
        self._url = url
        self._hear = hear
        self._numbers = threading.Lock()
        self._next = 1
        self._open: set[int] = set()
        self.forgotten = 0  # how often the others have forgotten this node, and its commits' marks with it
        self._known = False
        self._patient_until = 0.0
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(round_,), name=f"cumulo-store-{name}", daemon=True)
            for name, round_ in (("heartbeat", self._heartbeats), ("signals", self._listen))
        ]
        self._listening = threading.Event()

    def start(self, connection: Connection) -> None:
        """Be known to the others, and hear them, when this returns."""
        self.beat(connection)
        for thread in self._threads:
            thread.start()
        self._listening.wait(_DEAD_AFTER_S)

    def stop(self) -> None:
        """Leave: the others need not wait for our heartbeat to fail."""
        self._stopping.set()
        heartbeats, listening = self._threads
        heartbeats.join()
        with contextlib.suppress(psycopg.Error), connect(self._url) as connection:
            connection.execute("SELECT pg_notify('cumulo', %s)", (self.node_id,))  # wakes the listening thread
            connection.execute("DELETE FROM cumulo_nodes WHERE node = %s", (self.node_id,))
            connection.execute("DELETE FROM cumulo_commits WHERE node = %s", (self.node_id,))
        listening.join()

    @contextlib.contextmanager
    def numbered(self) -> Iterator[int]:
        """A number for a commit whose mark must stay while its outcome may be asked for."""
        with self._numbers:
            number = self._next
            self._next += 1
            self._open.add(number)
        try:
            yield number
        finally:
            with self._numbers:
                self._open.discard(number)

    def payloads(self, signals: list[bytes]) -> Iterator[str]:
        """Notifications that carry these signals."""
        payload = self.node_id
        for name in dict.fromkeys(signals):
            text = f":{name.hex()}"
            if len(payload) + len(text) > _PAYLOAD_BYTES:
                yield payload
                payload = self.node_id
            payload += text
        if len(payload) > len(self.node_id):
            yield payload

    def _keep(self, work: Callable[[Connection], None]) -> None:
        """Run `work` on a connection of its own, again and again when that is lost."""
        lost = False
        while not self._stopping.is_set():
            try:
                with connect(self._url) as connection:
                    work(connection)
                lost = False
            except psycopg.Error as error:
                if not lost:
                    _log.warning("The PostgreSQL server was lost; trying again: %s", str(error).strip())
                lost = True
                self._stopping.wait(_RECONNECT_S)

    def _heartbeats(self, connection: Connection) -> None:
        try:
            while not self._stopping.wait(_HEARTBEAT_S):
                self.beat(connection)
        except psycopg.Error:
            self.live = frozenset()  # out of reach, we may be taken for dead: act as if
            raise

    def beat(self, connection: Connection) -> None:
        """Tell the others that we live, and learn which of them do."""
        seen: dict[str, bool] = dict(connection.execute(_SEEN, (_DEAD_AFTER_S,)).fetchall())
        if self._known and not seen.get(self.node_id):
            # We were away: asleep, or cut off. Who shares our machine was asleep as well, and is not dead for that.
            self._patient_until = time.monotonic() + _DEAD_AFTER_S
            if self.node_id not in seen:
                self.forgotten += 1
        self._known = True
        connection.execute(
            "INSERT INTO cumulo_nodes (node, heartbeat) VALUES (%s, now())"
            " ON CONFLICT (node) DO UPDATE SET heartbeat = excluded.heartbeat",
            (self.node_id,),
        )
        with self._numbers:
            lowest = min(self._open, default=self._next)
        connection.execute("DELETE FROM cumulo_commits WHERE node = %s AND number < %s", (self.node_id, lowest))
        if time.monotonic() < self._patient_until:
            self.live = frozenset(seen) | {self.node_id}
            return
        connection.execute(
            "DELETE FROM cumulo_nodes WHERE heartbeat < now() - make_interval(secs => %s)", (_FORGOTTEN_AFTER_S,)
        )
        connection.execute("DELETE FROM cumulo_commits WHERE node NOT IN (SELECT node FROM cumulo_nodes)")
        self.live = frozenset(node for node, lives in seen.items() if lives) | {self.node_id}

    def _listen(self, connection: Connection) -> None:
        connection.execute("LISTEN cumulo")
        if self._listening.is_set():
            self._hear([b""])  # what was announced while we were away is not told again
        self._listening.set()
        while not self._stopping.is_set():
            for notification in connection.notifies(timeout=_LISTEN_S, stop_after=1):
                node, *names = notification.payload.split(":")
                if node != self.node_id:  # our own were announced with the commit
                    self._hear([bytes.fromhex(name) for name in names])
