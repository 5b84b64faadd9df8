"""Ranges over layers of writes against a sorted dictionary."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.store import Transaction
from cumulo.store.overlay import Batch
from tests.store.conftest import Stand

letters = st.binary(min_size=0, max_size=2).map(lambda data: bytes(97 + byte % 6 for byte in data))
changes = st.dictionaries(letters, st.none() | st.binary(max_size=3), max_size=12)
queries = st.lists(
    st.tuples(letters, letters | st.just(b"\xff"), st.none() | st.integers(0, 6), st.booleans()), min_size=1, max_size=6
)
careful = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
fewer = settings(careful, max_examples=40)


def apply(changes: dict[bytes, bytes | None]) -> Any:
    def work(transaction: Transaction) -> None:
        for key, value in changes.items():
            if value is None:
                transaction.delete(key)
            else:
                transaction.put(key, value)

    return work


def expected(model: dict[bytes, bytes | None], begin: bytes, end: bytes, limit: int | None, reverse: bool) -> Any:
    rows = [(key, value) for key, value in model.items() if begin <= key < end and value is not None]
    return sorted(rows, reverse=reverse)[:limit]


def check(queries: Any, model: dict[bytes, bytes | None], own: dict[bytes, bytes | None]) -> Any:
    """A transaction that asks, writes, and asks again."""

    def work(transaction: Transaction) -> None:
        for state in (model, model | own):
            for begin, end, limit, reverse in queries:
                found = transaction.range(begin, end, limit=limit, reverse=reverse)
                assert found == expected(state, begin, end, limit, reverse)
                assert transaction.count(begin, end) == len(expected(state, begin, end, None, False))
            for key in state:
                assert transaction.get(key) == state[key]
            apply(own)(transaction)

    return work


def empty(transaction: Transaction) -> None:
    for key, _ in transaction.range(b"", b"\xff"):
        transaction.delete(key)


@fewer
@given(stored=changes, own=changes, queries=queries)
def test_own_writes_over_stored_ones(stand: Stand, stored: Any, own: Any, queries: Any) -> None:
    stand.one(empty)
    stand.one(apply(stored))
    stand.one(check(queries, stored, own))
    assert stand.everything() == {key: value for key, value in (stored | own).items() if value is not None}


@pytest.mark.interpreted
@pytest.mark.parametrize("visible", ["before", "after"])
@careful
@given(stored=changes, frozen=changes, active=st.lists(changes, max_size=3), own=changes, queries=queries)
def test_batches_under_way(
    sqlite: Stand, visible: str, stored: Any, frozen: Any, active: Any, own: Any, queries: Any
) -> None:
    """With a batch in the writer's hands, committed in the database already or not, and further ones upon it."""
    store: Any = sqlite.store
    sqlite.one(empty)
    sqlite.one(apply(stored))
    held: list[Batch] = []
    writer, store._writer = store._writer, type("Held", (), {"submit": staticmethod(held.append)})()
    done: list[Any] = []

    def transact(work: Any) -> None:
        store.transact(work, lambda result, failure: done.append(failure))

    try:
        transact(apply(frozen))
        if visible == "after" and frozen:
            store._flush()
            store._flush()
            sqlite.loop.call_soon(sqlite.loop.stop)
            sqlite.loop.run_forever()
            writer._appliance.apply(held[0])
        model = stored | frozen
        for layer in active:
            transact(check(queries, model, layer))
            model = model | layer
        transact(check(queries, model, own))
    finally:
        store._writer = writer
        for batch in held:
            writer.submit(batch)
    final = {key: value for key, value in (model | own).items() if value is not None}
    sqlite.one(lambda t: t.put(b"z", b"flush"))
    assert sqlite.everything() == final | {b"z": b"flush"}
    assert [failure for failure in done if failure is not None] == []


@fewer
@given(
    stored=changes,
    steps=st.lists(st.tuples(st.integers(1, 3), changes, st.booleans()), max_size=8),
    ends=st.lists(letters | st.just(b"\xff"), min_size=8, max_size=8),
)
def test_pages_go_on_behind_each_other_whatever_is_committed_between(
    stand: Stand, stored: Any, steps: Any, ends: Any
) -> None:
    """Each page begins behind the last row of the page before, as a queue's receivers do: rows are read ahead."""
    stand.one(empty)
    stand.one(apply(stored))
    model = dict(stored)
    begin = b""
    for (limit, written, again), end in zip(steps, ends, strict=False):
        page = stand.one(lambda txn, begin=begin, end=end, limit=limit: txn.range(begin, end, limit=limit))
        assert page == expected(model, begin, end, limit, False)
        if page and not again:
            begin = page[-1][0] + b"\x00"
        stand.one(apply(written))
        model |= written
