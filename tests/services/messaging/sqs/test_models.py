"""Standard and FIFO queues against simple models of them, with random sends, receives, deletions and time."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from cumulo.services.messaging.sqs import counts, receipt_handles, shelves
from cumulo.services.messaging.sqs.messages import SECOND_US, Message
from cumulo.services.messaging.sqs.queues import Queue
from cumulo.store.transaction import Transaction
from cumulo.wire.faults import Fault

pytestmark = pytest.mark.interpreted


class MemoryTransaction(Transaction):
    """One endless transaction over a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.kept.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        self.kept[key] = value

    def delete(self, key: bytes) -> None:
        self.kept.pop(key, None)

    def range(
        self, begin: bytes, end: bytes, *, limit: int | None = None, reverse: bool = False
    ) -> list[tuple[bytes, bytes]]:
        found = sorted(pair for pair in self.kept.items() if begin <= pair[0] < end)
        return (found[::-1] if reverse else found)[:limit]

    def count(self, begin: bytes, end: bytes) -> int:
        return len(self.range(begin, end))


class TestContext:
    """As much of a Context as messages need."""

    __test__: ClassVar[bool] = False

    def __init__(self) -> None:
        self.txn = MemoryTransaction()
        self.time = 1_700_000_000.0
        self.made = 0

    def now(self) -> float:
        return self.time

    def random_bytes(self, count: int) -> bytes:
        self.made += 1
        return self.made.to_bytes(count, "big")

    def signal(self, name: str) -> None:
        pass


class Kept:
    """What the model knows of a message."""

    def __init__(self, body: str, visible_at: float, expires_at: float) -> None:
        self.body = body
        self.visible_at = visible_at
        self.expires_at = expires_at
        self.received = 0
        self.places: dict[int, float] = {}  # by delivery, the time until which it was hidden
        self.moved = False  # and older handles find it too


class QueueMachine(RuleBasedStateMachine):
    """What standard and FIFO queues have in common."""

    fifo = False
    retention_s = 4000
    handles: Bundle[tuple[str, str, int]] = Bundle("handles")

    @initialize()
    def begin(self) -> None:
        self.ctx: Any = TestContext()
        name = "q.fifo" if self.fifo else "q"
        queue_id = id(self).to_bytes(8, "big")
        self.queue = Queue(
            "1" * 12, "us-east-1", name, queue_id, 0.0, 0.0, fifo=self.fifo, retention_s=self.retention_s
        )
        self.shelf = shelves.of(self.queue)
        self.groups: dict[str, list[Kept]] = {}
        self.sent = 0

    @property
    def now_us(self) -> int:
        return int(self.ctx.time * SECOND_US)

    def alive(self) -> list[Kept]:
        return [kept for group in self.groups.values() for kept in group if kept.expires_at > self.ctx.time]

    def find(self, body: str) -> Kept | None:
        return next((kept for kept in self.alive() if kept.body == body), None)

    @rule(
        group=st.sampled_from(["a", "a!"]),
        delay=st.sampled_from([0, 0, 0, 5]),
        size=st.sampled_from([0, 0, 3000]),
        times=st.integers(1, 4),
    )
    def send(self, group: str, delay: int, size: int, times: int) -> None:
        for _ in range(times):
            self.sent += 1
            body = f"{self.sent} " + "x" * size
            message = Message(str(self.sent), body, "", self.now_us // 1000, "", group=group if self.fifo else "")
            self.shelf.put(self.ctx, self.queue, message, self.now_us, delay * SECOND_US)
            kept = Kept(body, self.ctx.time + delay, self.ctx.time + self.retention_s)
            self.groups.setdefault(group, []).append(kept)

    @rule(seconds=st.sampled_from([0.5, 3, 5, 40, 40, 1000]))
    def wait(self, seconds: float) -> None:
        self.ctx.time += seconds

    @rule(target=handles, limit=st.integers(1, 10), timeout=st.sampled_from([0, 2, 30, 30, 3000]))
    def receive(self, limit: int, timeout: int) -> Any:
        taken = self.shelf.take(self.ctx, self.queue, limit, timeout * SECOND_US, self.now_us)
        self.check_taken([message.body for message, _, _ in taken], limit)
        found: list[tuple[str, str, int]] = []
        for message, _, handle in taken:
            kept = self.find(message.body)
            assert kept is not None
            assert kept.visible_at <= self.ctx.time
            kept.received += 1
            kept.moved = kept.moved or (timeout > 0 and kept.received > 1)
            assert message.receive_count == kept.received
            kept.visible_at = kept.places[kept.received] = self.ctx.time + timeout
            found.append((message.body, handle, kept.received))
        return multiple(*found)

    def check_taken(self, bodies: list[str], limit: int) -> None:
        raise NotImplementedError

    def may_use(self, kept: Kept | None, count: int) -> bool:
        raise NotImplementedError

    @rule(handle=consumes(handles), again=st.booleans())
    def delete(self, handle: tuple[str, str, int], again: bool) -> None:
        body, text, count = handle
        kept = self.find(body)
        for _ in range(2 if again else 1):
            read = receipt_handles.read(text, self.queue.id)
            try:
                self.shelf.delete(self.ctx, self.queue, read, text, self.now_us)
            except Fault:
                assert self.fifo
                assert not (kept and self.may_use(kept, count))
                return
        if kept is not None and self.may_use(kept, count):
            for group in self.groups.values():
                if kept in group:
                    group.remove(kept)

    @rule(handle=handles, timeout=st.sampled_from([0, 1, 100]))
    def change(self, handle: tuple[str, str, int], timeout: int) -> None:
        body, text, count = handle
        kept = self.find(body)
        read = receipt_handles.read(text, self.queue.id)
        hidden = self.shelf.hidden(self.ctx, self.queue, read, self.now_us)
        if kept is None:
            return  # gone, or expired and not yet dropped
        assert (hidden is not None) == (self.may_use(kept, count) and kept.visible_at > self.ctx.time)
        if hidden is not None:
            self.shelf.hide(self.ctx, self.queue, read, self.now_us + timeout * SECOND_US)
            kept.visible_at = self.ctx.time + timeout
            kept.moved = True

    @rule()
    def drop_expired(self) -> None:
        place: bytes | None = b""
        while place is not None:
            place = self.shelf.drop_expired(self.ctx, self.queue, self.now_us, place, 3)

    @invariant()
    def the_counts_are_exact(self) -> None:
        if not hasattr(self, "ctx"):
            return
        found = counts.of(self.ctx, self.queue)
        alive = self.alive()
        assert found.visible == sum(kept.visible_at <= self.ctx.time for kept in alive)
        hidden = [kept for kept in alive if kept.visible_at > self.ctx.time]
        if len(alive) == sum(map(len, self.groups.values())):  # a hidden message past its time is still in flight
            assert found.in_flight == sum(kept.received > 0 for kept in hidden)
            assert found.delayed == sum(kept.received == 0 for kept in hidden)

    def teardown(self) -> None:
        """When all is received and deleted, nothing is left behind."""
        if not hasattr(self, "ctx"):
            return
        self.ctx.time += 3600
        while taken := self.shelf.take(self.ctx, self.queue, 10, 30 * SECOND_US, self.now_us):
            for _, _, text in taken:
                read = receipt_handles.read(text, self.queue.id)
                self.shelf.delete(self.ctx, self.queue, read, text, self.now_us)
        self.ctx.time += 50_000
        self.drop_expired()
        assert self.ctx.txn.kept == {}


class StandardMachine(QueueMachine):
    """A standard queue gives out what is visible, the longest visible first; handles delete, old ones too."""

    def check_taken(self, bodies: list[str], limit: int) -> None:
        visible = [kept for kept in self.alive() if kept.visible_at <= self.ctx.time]
        assert len(bodies) == min(limit, len(visible))
        assert len(set(bodies)) == len(bodies)
        times = [kept.visible_at for kept in (self.find(body) for body in bodies) if kept is not None]
        assert times == sorted(times)
        left = [kept.visible_at for kept in visible if kept.body not in bodies]
        assert not left or not times or times[-1] <= min(left) + 1e-6

    def may_use(self, kept: Kept | None, count: int) -> bool:
        return kept is not None and (kept.moved or kept.places[count] == kept.visible_at)


class FifoMachine(QueueMachine):
    """A FIFO queue gives out each group in order up to the first hidden message; the last handle deletes, in time."""

    fifo = True

    def check_taken(self, bodies: list[str], limit: int) -> None:
        least = most = 0
        for group in self.groups.values():
            ready: list[str] = []
            perhaps = 0  # of those, behind a message that expired in flight: it blocks until it is dropped
            for kept in group:
                dead = kept.expires_at <= self.ctx.time
                if kept.visible_at > self.ctx.time:
                    if not dead:
                        break
                    perhaps = perhaps or len(ready) + 1
                elif not dead:
                    ready.append(kept.body)
            mine = [body for body in bodies if any(kept.body == body for kept in group)]
            assert mine == ready[: len(mine)]
            least += perhaps - 1 if perhaps else len(ready)
            most += len(ready)
        assert min(limit, least) <= len(bodies) <= min(limit, most)

    def may_use(self, kept: Kept | None, count: int) -> bool:
        return kept is not None and kept.received == count and kept.visible_at > self.ctx.time


for machine in (StandardMachine, FifoMachine):
    machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

TestStandard = pytest.mark.filterwarnings("default")(StandardMachine.TestCase)
TestFifo = pytest.mark.filterwarnings("default")(FifoMachine.TestCase)
