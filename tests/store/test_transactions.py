"""What every store promises: one suite for all of them."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.store import Transaction
from cumulo.store.failures import StoreClosed
from tests.store.conftest import Stand

quickly = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Refused(Exception):
    pass


def put(**values: str) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        for key, value in values.items():
            transaction.put(key.encode(), value.encode())

    return work


def test_values_come_back(stand: Stand) -> None:
    def work(transaction: Transaction) -> str:
        transaction.put(b"a", b"1")
        transaction.put(b"b", b"")
        transaction.put(b"c", b"\x00\xff" * 5000)
        assert transaction.get(b"a") == b"1"
        transaction.delete(b"never there")
        return "result"

    assert stand.one(work) == "result"
    assert stand.one(lambda t: [t.get(b"a"), t.get(b"b"), t.get(b"c"), t.get(b"d")]) == [
        b"1",
        b"",
        b"\x00\xff" * 5000,
        None,
    ]
    stand.one(lambda t: (t.delete(b"a"), t.put(b"b", b"2")))
    assert stand.everything() == {b"b": b"2", b"c": b"\x00\xff" * 5000}


def test_a_transaction_that_raises_leaves_nothing(stand: Stand) -> None:
    happened: list[str] = []

    def work(transaction: Transaction) -> None:
        transaction.put(b"a", b"1")
        transaction.signal(b"s")
        transaction.on_commit(lambda: happened.append("committed"))
        raise Refused

    stand.store.on_signal(lambda name: happened.append("signal"))
    with pytest.raises(Refused):
        stand.one(work)
    stand.one(put(b="2"))
    assert stand.everything() == {b"b": b"2"}
    assert happened == []


def test_savepoints_nest(stand: Stand) -> None:
    happened: list[str] = []

    def entry(transaction: Transaction, key: bytes, fail: bool) -> None:
        transaction.put(key, b"new")
        transaction.delete(b"old")
        transaction.signal(key)
        transaction.on_commit(lambda: happened.append(f"commit {key.decode()}"))
        if fail:
            raise Refused

    def work(transaction: Transaction) -> None:
        entry(transaction, b"a", False)
        transaction.put(b"old", b"back")
        with pytest.raises(Refused), transaction.savepoint():
            entry(transaction, b"b", False)
            with transaction.savepoint():
                entry(transaction, b"c", False)
            with pytest.raises(Refused), transaction.savepoint():
                entry(transaction, b"d", True)
            assert transaction.get(b"c") == b"new"
            assert transaction.get(b"d") is None
            raise Refused
        assert transaction.get(b"b") is None
        assert transaction.get(b"old") == b"back"
        with transaction.savepoint() as same:
            entry(same, b"e", False)

    stand.store.on_signal(lambda name: happened.append(f"signal {name.decode()}"))
    stand.one(work)
    assert stand.everything() == {b"a": b"new", b"e": b"new"}
    assert happened == ["commit a", "commit e", "signal a", "signal e"]


def test_callbacks_and_signals_come_in_order_and_before_done(stand: Stand) -> None:
    happened: list[object] = []
    stand.store.on_signal(happened.append)

    def work(transaction: Transaction) -> None:
        transaction.put(b"a", b"1")
        transaction.signal(b"x")
        transaction.on_commit(lambda: happened.append(1))
        transaction.signal(b"x")
        transaction.on_commit(lambda: happened.append(2))

    waiting = stand.loop.create_future()
    stand.store.transact(work, lambda result, failure: (happened.append("done"), waiting.set_result(None)))
    stand.wait(waiting)
    assert happened == [1, 2, b"x", "done"]


def test_a_signal_needs_no_writes(stand: Stand) -> None:
    heard: list[bytes] = []
    stand.store.on_signal(heard.append)
    stand.one(lambda t: t.signal(b"hello"))
    assert heard == [b"hello"]


def test_a_callback_that_raises_harms_nobody(stand: Stand) -> None:
    reported: list[Any] = []
    stand.loop.set_exception_handler(lambda loop, context: reported.append(context["exception"]))

    def work(transaction: Transaction) -> str:
        transaction.put(b"a", b"1")
        transaction.on_commit(lambda: 1 / 0)  # type: ignore[arg-type,return-value]
        return "fine"

    assert stand.one(work) == "fine"
    assert [type(error) for error in reported] == [ZeroDivisionError]


def test_a_transaction_ends_with_its_work(stand: Stand) -> None:
    kept: list[Transaction] = []
    stand.one(kept.append)
    for use in (lambda t: t.put(b"a", b""), lambda t: t.get(b"a"), lambda t: t.range(b"", b"z")):
        with pytest.raises(RuntimeError, match="has ended"):
            use(kept[0])


def test_a_closed_store_refuses(stand: Stand) -> None:
    stand.one(put(a="1"))
    stand.wait(stand.store.close())
    with pytest.raises(StoreClosed):
        stand.one(put(b="1"))


def test_a_node_is_alive(stand: Stand) -> None:
    assert stand.store.live_nodes() == {stand.store.node_id}


def test_large_batches(stand: Stand) -> None:
    """Keys and values too large for the packed form, and more rows than one would send."""
    values = {b"%05d" % number: bytes(number % 50) for number in range(3000)} | {b"k" * 2000: b"v" * 3_000_000}

    def work(transaction: Transaction) -> None:
        for key, value in values.items():
            transaction.put(key, value)

    stand.one(work)
    assert stand.everything() == values


def test_increments_are_not_lost(stand: Stand) -> None:
    def increment(transaction: Transaction) -> None:
        value = int(transaction.get(b"counter") or b"0")
        if stand.store.name == "postgres":
            time.sleep(0.002)
        transaction.put(b"counter", b"%d" % (value + 1))

    stand.run(*[increment] * 60)
    assert stand.everything() == {b"counter": b"60"}


def test_no_write_skew(stand: Stand) -> None:
    """Each of two may go if the other stays: under snapshot isolation both would."""
    for turn in range(10):
        here = [b"%d/%s" % (turn, name) for name in (b"alice", b"bob")]
        stand.one(lambda t, here=here: [t.put(name, b"on call") for name in here])

        def leave(transaction: Transaction, me: bytes, turn: int = turn) -> None:
            others = transaction.range(b"%d/" % turn, b"%d0" % turn)
            if stand.store.name == "postgres":
                time.sleep(0.005)
            if len(others) > 1:
                transaction.delete(me)

        stand.run(*[lambda t, me=me: leave(t, me) for me in here])
        assert len(stand.one(lambda t, turn=turn: t.range(b"%d/" % turn, b"%d0" % turn))) == 1


programs = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["read", "append", "scan"]), st.sampled_from([b"x", b"y", b"z"])),
        min_size=1,
        max_size=4,
    ),
    min_size=2,
    max_size=8,
)
rounds = iter(range(10**9))


@quickly
@given(programs=programs)
def test_histories_are_serializable(stand: Stand, programs: list[list[tuple[str, bytes]]]) -> None:
    """Lists that transactions read and append to: from what each saw, an order of all of them must follow."""
    prefix = b"%d/" % next(rounds)

    def program(number: int) -> Callable[[Transaction], list[tuple[bytes, list[int]]]]:
        def work(transaction: Transaction) -> list[tuple[bytes, list[int]]]:
            seen = []
            for action, key in programs[number]:
                if action == "scan":
                    found = dict(transaction.range(prefix, prefix + b"\xff"))
                    seen += [(name, list(found.get(prefix + name, b""))) for name in (b"x", b"y", b"z")]
                else:
                    value = transaction.get(prefix + key) or b""
                    seen.append((key, list(value)))
                    if action == "append" and number not in value:
                        transaction.put(prefix + key, value + bytes([number]))
                if stand.store.name == "postgres":
                    time.sleep(0.0005)
            return seen

        return work

    seen = stand.run(*[program(number) for number in range(len(programs))])
    final = {key[-1:]: list(value) for key, value in stand.one(lambda t: t.range(prefix, prefix + b"\xff"))}
    after: dict[int, set[int]] = {number: set() for number in range(len(programs))}
    for versions in final.values():
        for number, earlier in zip(versions[1:], versions, strict=False):
            after[earlier].add(number)
    for number, reads in enumerate(seen):
        for key, value in reads:
            versions = final.get(key, [])
            others = [writer for writer in value if writer != number]
            assert versions[: len(others)] == others, "a read saw what never was"
            if others:
                after[others[-1]].add(number)
            following = versions[len(others)] if len(versions) > len(others) else number
            if following != number:
                after[number].add(following)
    while after:  # an order exists when there is always one that nothing left must precede
        first = next((n for n in after if not any(n in later for m, later in after.items() if m != n)), None)
        assert first is not None, "no serial order explains what the transactions saw"
        del after[first]
