"""The checker of histories finds what it is there to find."""

import random

from tests.crash.item_histories import FAILED, OK, UNKNOWN, Operation, anomalies


def operation(
    asked_at: float,
    answered_at: float,
    appends: dict[str, int] | None = None,
    reads: dict[str, tuple[int, ...]] | None = None,
    outcome: str = OK,
) -> Operation:
    made = Operation("op", appends)
    made.reads = reads or {}
    made.asked_at, made.answered_at, made.outcome = asked_at, answered_at, outcome
    return made


def test_a_serial_history_is_fine() -> None:
    history = [
        operation(0, 1, {"x": 1, "y": 2}),
        operation(2, 3, reads={"x": (1,), "y": (2,)}),
        operation(2.5, 3.5, {"x": 3}, {"x": (1,)}),
        operation(4, 5, reads={"x": (1, 3), "y": (2,)}),
    ]
    assert anomalies(history) == []


def test_a_lost_update() -> None:
    history = [operation(0, 1, {"x": 1}), operation(0, 1, {"x": 2}), operation(2, 3, reads={"x": (2,)})]
    assert "lost" in anomalies(history)[0]


def test_a_torn_read() -> None:
    history = [
        operation(0, 10, {"x": 1, "y": 2}),
        operation(0, 10, reads={"x": (1,), "y": ()}),
        operation(11, 12, reads={"x": (1,), "y": (2,)}),
    ]
    assert "no serial order" in anomalies(history)[0]


def test_a_stale_read() -> None:
    history = [
        operation(0, 1, {"x": 1}),
        operation(2, 3, reads={"x": ()}),
        operation(4, 5, reads={"x": (1,)}),
    ]
    assert "no serial order" in anomalies(history)[0]
    history[1].asked_at = 0.5  # at the same time both orders are possible
    assert anomalies(history) == []


def test_write_skew() -> None:
    history = [
        operation(0, 10, {"x": 1}, {"y": ()}),
        operation(0, 10, {"y": 2}, {"x": ()}),
        operation(11, 12, reads={"x": (1,), "y": (2,)}),
    ]
    assert "no serial order" in anomalies(history)[0]


def test_a_refused_write_that_was_done() -> None:
    history = [operation(0, 1, {"x": 1}, outcome=FAILED), operation(2, 3, reads={"x": (1,)})]
    assert "refused" in anomalies(history)[0]


def test_half_of_a_transaction() -> None:
    history = [operation(0, 1, {"x": 1, "y": 2}, outcome=UNKNOWN), operation(2, 3, reads={"x": (1,), "y": ()})]
    assert "torn" in anomalies(history)[0]


def test_two_orders() -> None:
    history = [
        operation(0, 1, {"x": 1}),
        operation(0, 1, {"x": 2}),
        operation(2, 3, reads={"x": (2, 1)}),
        operation(2, 3, reads={"x": (1,)}),
    ]
    assert "two orders" in anomalies(history)[0]


def test_what_a_serial_store_answers_is_fine_whatever_the_order() -> None:
    chance = random.Random(1)
    lists: dict[str, tuple[int, ...]] = dict.fromkeys("abcd", ())
    history = []
    for number in range(2_000):
        keys = chance.sample("abcd", 2)
        asked = number - chance.random() * 20
        if chance.random() < 0.5:
            history.append(operation(asked, number + chance.random() * 20, reads={key: lists[key] for key in keys}))
        else:
            appends = {key: number * 10 + at for at, key in enumerate(keys)}
            reads = {keys[0]: lists[keys[0]]}
            history.append(operation(asked, number + chance.random() * 20, appends, reads))
            for key, each in appends.items():
                lists[key] += (each,)
    history.append(operation(3_000, 3_001, reads=lists))
    assert anomalies(history) == []
    late = next(each for each in history if each.reads and not each.appends and each.asked_at > 1_000)
    late.asked_at, late.answered_at = 2_500, 2_501
    assert anomalies(history)
