"""The checker of histories finds what it is there to find."""

import itertools
import random
from collections import Counter

import pytest

from tests.crash.item_histories import FAILED, NEVER, OK, UNKNOWN, Operation, anomalies

KEYS = "xyz"
Lists = dict[str, tuple[int, ...]]


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
    assert "no serial order (G2)" in anomalies(history)[0]


def test_a_refused_write_that_was_done() -> None:
    history = [operation(0, 1, {"x": 1}, outcome=FAILED), operation(2, 3, reads={"x": (1,)})]
    assert "refused" in anomalies(history)[0]


def test_half_of_a_transaction() -> None:
    history = [operation(0, 1, {"x": 1, "y": 2}, outcome=UNKNOWN), operation(2, 3, reads={"x": (1,), "y": ()})]
    assert "torn" in anomalies(history)[0]


def test_a_refusal_shows_what_there_was() -> None:
    history = [
        operation(0, 1, {"x": 1}),
        operation(2, 3, {"x": 2}, {"x": ()}, outcome=FAILED),
        operation(4, 5, reads={"x": (1,)}),
    ]
    assert "no serial order (G-single with real time)" in anomalies(history)[0]


def test_a_phantom() -> None:
    """A range read twice within one transaction's time shows one of two new items."""
    history = [
        operation(0, 10, {"x": 1, "y": 2}),
        operation(0, 10, {"z": 3}, {"x": (1,)}),
        operation(0, 10, reads={"x": (), "y": (), "z": (3,)}),
        operation(11, 12, reads={"x": (1,), "y": (2,), "z": (3,)}),
    ]
    assert "no serial order (G-single)" in anomalies(history)[0]


def test_two_orders() -> None:
    history = [
        operation(0, 1, {"x": 1}),
        operation(0, 1, {"x": 2}),
        operation(2, 3, reads={"x": (2, 1)}),
        operation(2, 3, reads={"x": (1,)}),
    ]
    assert "two orders" in anomalies(history)[0]


def explained(operations: list[Operation]) -> bool:
    """Whether any order explains the history, by trying all of them."""
    certain = [each for each in operations if each.outcome != UNKNOWN]
    doubtful = [each for each in operations if each.outcome == UNKNOWN]
    for count in range(len(doubtful) + 1):
        for happened in itertools.combinations(doubtful, count):
            if _ordered([*certain, *happened], dict.fromkeys(KEYS, ())):
                return True
    return False


def _ordered(left: list[Operation], lists: Lists) -> bool:
    if not left:
        return True
    first_answer = min(each.answered_at for each in left)
    for chosen in left:
        if chosen.asked_at > first_answer:
            continue
        if any(lists[key] != numbers for key, numbers in chosen.reads.items()):
            continue
        after = dict(lists)
        if chosen.outcome != FAILED:
            for key, number in chosen.appends.items():
                after[key] += (number,)
        if _ordered([each for each in left if each is not chosen], after):
            return True
    return False


class Store:
    """A store with a fault of its own: when it reads and writes each key of an operation."""

    def __init__(self, chance: random.Random, fault: str) -> None:
        self.chance = chance
        self.fault = fault

    def history(self, count: int) -> list[Operation]:
        """Operations on all keys at about one time, and a last one that reads every list."""
        steps: list[tuple[float, int, str, str]] = []
        made: list[Operation] = []
        numbers = itertools.count(1)
        for place in range(count):
            begin = self.chance.random() * count
            end = begin + self.chance.random() * 2
            reads = self.chance.sample(KEYS, self.chance.randrange(3))
            appends = {key: next(numbers) for key in self.chance.sample(KEYS, self.chance.randrange(3))}
            each = operation(begin, end, appends, outcome=self.chance.choice([OK, OK, OK, OK, UNKNOWN, FAILED]))
            made.append(each)
            steps += [(at, place, kind, key) for at, kind, key in self._times(each, reads)]
            if each.outcome == UNKNOWN:
                each.answered_at = NEVER
        lists = self._run(sorted(steps), made)
        return [*made, operation(100, 101, reads=lists)]

    def _times(self, each: Operation, reads: list[str]) -> list[tuple[float, str, str]]:
        at = self.chance.uniform(each.asked_at, each.answered_at)

        def moment() -> float:
            return self.chance.uniform(each.asked_at, each.answered_at) if self.fault == "torn" else at

        begun = each.asked_at if self.fault in ("snapshots", "overwrites") else at
        if self.fault == "stale":
            begun -= self.chance.random() * 3
        appends = list(each.appends) if each.outcome != FAILED or self.fault == "dirty" else []
        if each.outcome == UNKNOWN and self.chance.random() < 0.5:
            appends = []
        if self.fault == "halves" and self.chance.random() < 0.3:
            appends = appends[1:]
        times = [(moment() if self.fault == "torn" else begun, "read", key) for key in reads]
        return times + [(moment(), "write", key) for key in appends]

    def _run(self, steps: list[tuple[float, int, str, str]], made: list[Operation]) -> Lists:
        lists: Lists = dict.fromkeys(KEYS, ())
        for _, place, kind, key in steps:
            each = made[place]
            if kind == "read":
                each.reads[key] = lists[key]
            else:
                base = each.reads.get(key, lists[key]) if self.fault == "overwrites" else lists[key]
                lists[key] = (*base, each.appends[key])
        for each in made:
            if each.outcome == UNKNOWN:
                each.reads = {}
        return lists


@pytest.mark.parametrize("fault", ["", "torn", "snapshots", "overwrites", "stale", "dirty", "halves"])
def test_it_says_what_trying_all_orders_says(fault: str) -> None:
    """The graph finds an anomaly exactly where no order exists, whatever is wrong with the store."""
    verdicts: Counter[bool] = Counter()
    for seed in range(1_000):
        history = Store(random.Random(f"{fault}{seed}"), fault).history(5)
        expected = explained(history)
        found = anomalies(history)
        assert (not found) is expected, f"seed {seed}: {found or history}"
        verdicts[expected] += 1
    assert verdicts[True] > 100
    assert verdicts[False] == 0 if not fault else verdicts[False] > 40, verdicts


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
