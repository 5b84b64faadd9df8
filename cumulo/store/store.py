"""The interface of every store."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from cumulo.store.failures import again
from cumulo.store.transaction import Transaction

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")
Work = Callable[[Transaction], T]
Done = Callable[[T | None, BaseException | None], None]


class Store(ABC):
    """Ordered binary keys and byte values, in serializable transactions, on one asyncio loop.

    Everything here is called on the loop's thread. `node_id` names this process among those
    that share the store.
    """

    name: ClassVar[str]

    def __init__(self, loop: "AbstractEventLoop") -> None:
        self.loop = loop
        self.node_id = os.urandom(8).hex()
        self._listeners: list[Callable[[bytes], None]] = []

    @abstractmethod
    def transact(self, work: Work[T], done: Done[T]) -> None:
        """Run `work` as one atomic transaction and call `done(result, None)` on the loop once it is durable.

        `done(None, exception)` when work raised (nothing is written then) or the store failed
        (a StoreFailure). Not to be called from inside `work`.
        """

    @abstractmethod
    async def close(self) -> None:
        """Wait for what is under way, then release everything. Transactions after this get StoreClosed."""

    @abstractmethod
    def live_nodes(self) -> frozenset[str]:
        """The node ids that were alive a few seconds ago, ours among them while we reach the store."""

    async def run(self, work: Work[T]) -> T:
        """`transact` to await: the result of `work`, or its exception."""
        future = self.loop.create_future()

        def done(result: T | None, failure: BaseException | None) -> None:
            if future.done():
                return
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)

        self.transact(work, done)
        answer: T = await future
        return answer

    def on_signal(self, callback: Callable[[bytes], None]) -> None:
        """Call back, on the loop, for each signal that a commit announced here or on another node.

        b"" means that signals may have been missed (the connection to the other nodes was lost): take
        it for all of them.
        """
        self._listeners.append(callback)

    def _announce(self, signals: Any) -> None:
        for name in signals:
            for listener in self._listeners:
                self._call(listener, name)

    def _call(self, callback: Callable[..., None], *arguments: Any) -> None:
        """A callback that raises must not take the others' answers with it."""
        try:
            callback(*arguments)
        except Exception as error:
            self.loop.call_exception_handler({"message": f"{callback!r} of a transaction failed", "exception": error})

    def _fail(self, done: Callable[[Any, BaseException | None], None], failure: BaseException) -> None:
        self._call(done, None, again(failure))
