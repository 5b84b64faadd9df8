"""A transaction: what `work` reads and writes through."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any

from cumulo.store.ended import ENDED


class Transaction(ABC):
    """Serializable reads and buffered writes over ordered binary keys.

    It sees its own writes; nobody else does until it is committed. It lives as long as the `work`
    it was made for, and on a distributed store `work` may run several times, each with a new one.
    """

    __slots__ = ("callbacks", "signals", "writes")

    def __init__(self) -> None:
        self.writes: Any = {}  # Writes, or ENDED: mypyc would look past what that says if this were a dict
        self.signals: list[bytes] = []
        self.callbacks: list[Callable[[], None]] = []

    @abstractmethod
    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None when there is none."""

    @abstractmethod
    def range(
        self, begin: bytes, end: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        """Keys and values, begin <= key < end, in the order of the keys or from the last on; at most `limit`."""

    @abstractmethod
    def count(self, begin: bytes, end: bytes) -> int:
        """How many keys there are, begin <= key < end."""

    def put(self, key: bytes, value: bytes) -> None:
        """Write a value."""
        self.writes[key] = value

    def delete(self, key: bytes) -> None:
        """Remove a key; one that is not there is no error."""
        self.writes[key] = None

    def signal(self, name: bytes) -> None:
        """Announce a name to every node once this is committed. Repeats are announced once. Not b""."""
        self.signals.append(name)

    def on_commit(self, callback: Callable[[], None]) -> None:
        """Call back on the loop of this node once this is durable, in the order of the calls."""
        self.callbacks.append(callback)

    def savepoint(self) -> "Savepoint":
        """`with transaction.savepoint():` an exception that leaves it takes its writes, signals and callbacks back."""
        return Savepoint(self)

    @property
    def failed(self) -> bool:
        """Whether the store has given this attempt up: whatever `work` still does is in vain, and it will run again."""
        return False

    @property
    def settled(self) -> bool:
        """Whether all that was read is durable and stays as it is until this node itself writes to it again."""
        return False

    def end(self) -> None:
        """Refuse every further use: what is written after the commit would be lost in silence."""
        self.writes = ENDED


class Savepoint:
    """The state to return to when the block fails. They nest."""

    __slots__ = ("_callbacks", "_signals", "_transaction", "_writes")

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def __enter__(self) -> Transaction:
        transaction = self._transaction
        self._writes = transaction.writes.copy()
        self._signals = len(transaction.signals)
        self._callbacks = len(transaction.callbacks)
        return transaction

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            transaction = self._transaction
            transaction.writes = self._writes
            del transaction.signals[self._signals :]
            del transaction.callbacks[self._callbacks :]
