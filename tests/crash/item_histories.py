"""Histories of operations on lists in items, and whether any serial order in real time explains them.

Every append adds a number of its own to a list, so whoever reads a list tells which appends came before, in which order
(Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental Observations", list-append). An operation
must come after the one whose list it extends or reads, before the one that extends the list it read, and after whatever
was answered before it was asked: a cycle of these is an anomaly. Operations without an answer may have happened or not;
those that were refused have changed nothing, but what a refusal shows was read as by any other.

It takes time and memory in proportion to the numbers read, so lists are kept short: whoever makes a long history goes
on to new lists. Every list must be read once at the end.
"""

import bisect
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

OK, FAILED, UNKNOWN = "ok", "failed", "unknown"
NEVER = float("inf")


class Operation:
    """What was asked in one go: appends (one number a key) and reads (the whole list of a key, before its append)."""

    def __init__(self, label: str, appends: dict[str, int] | None = None) -> None:
        self.label = label
        self.appends = appends or {}
        self.reads: dict[str, tuple[int, ...]] = {}
        self.asked_at = 0.0
        self.answered_at = NEVER
        self.outcome = UNKNOWN

    def __repr__(self) -> str:
        return f"{self.label}(appends={self.appends}, reads={ {k: v[-3:] for k, v in self.reads.items()} })"


class History:
    """Operations of all threads."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.numbers = 0  # appended so far
        self._lock = threading.Lock()

    def number(self) -> int:
        """A number that nobody has appended yet."""
        with self._lock:
            self.numbers += 1
            return self.numbers

    @contextmanager
    def asking(self, operation: Operation) -> Iterator[Operation]:
        """Note when it is asked, and, unless its outcome stays unknown, when it is answered."""
        operation.asked_at = time.monotonic()
        with self._lock:
            self.operations.append(operation)
        yield operation
        if operation.outcome != UNKNOWN:
            operation.answered_at = time.monotonic()


def anomalies(operations: list[Operation]) -> list[str]:
    """What no serial order explains; empty when all is well."""
    found: list[str] = []
    writers: dict[int, Operation] = {}
    for operation in operations:
        for number in operation.appends.values():
            writers[number] = operation
    orders = _orders(operations, writers, found)
    if found:
        return found
    seen = {number for order in orders.values() for number in order}
    for operation in operations:
        here = [number in seen for number in operation.appends.values()]
        if operation.outcome == OK and not all(here):
            found.append(f"lost: {operation}")
        if operation.outcome == FAILED and any(here):
            found.append(f"refused, and yet done: {operation}")
        if any(here) and not all(here):
            found.append(f"torn: {operation}")
        if any(number in operation.reads.get(key, ()) for key, number in operation.appends.items()):
            found.append(f"read what it had yet to append: {operation}")
    happened = [
        each
        for each in operations
        if each.outcome != UNKNOWN or any(number in seen for number in each.appends.values())
    ]
    return found or _cycle(happened, orders, writers)


def _orders(operations: list[Operation], writers: dict[int, Operation], found: list[str]) -> dict[str, tuple[int, ...]]:
    """The longest list that was read of each key; every other must be a beginning of it."""
    longest: dict[str, tuple[int, ...]] = {}
    for operation in operations:
        for key, numbers in operation.reads.items():
            if len(numbers) > len(longest.get(key, ())):
                longest[key] = numbers
    for key, numbers in longest.items():
        if len(set(numbers)) < len(numbers):
            found.append(f"{key} has numbers twice: {numbers}")
        found += [f"{key} has {number}, which nobody appended" for number in numbers if number not in writers]
    for operation in operations:
        for key, numbers in operation.reads.items():
            if longest.get(key, ())[: len(numbers)] != numbers:
                found.append(f"two orders of {key}: {operation} and {longest[key]}")
    return longest


Edge = tuple[object, str, str]
"""Where it goes, of which kind it is, and why."""
Graph = dict[object, list[Edge]]
WRITES, READS, OVERTAKES, WAITS = "writes", "reads", "is written after it read", "asked later"


def _cycle(happened: list[Operation], orders: dict[str, tuple[int, ...]], writers: dict[int, Operation]) -> list[str]:
    graph: Graph = defaultdict(list)
    for key, order in orders.items():
        for before, after in itertools.pairwise(order):
            graph[writers[before]].append((writers[after], WRITES, f"{key}: {before} then {after}"))
    for operation in happened:
        for key, numbers in operation.reads.items():
            if numbers:
                graph[writers[numbers[-1]]].append((operation, READS, f"{key}: read {numbers[-1]}"))
            order = orders.get(key, ())
            if len(order) > len(numbers):
                late = order[len(numbers)]
                graph[operation].append((writers[late], OVERTAKES, f"{key}: did not read {late}"))
    _real_time(happened, graph)
    return _find_cycle(graph)


def _real_time(happened: list[Operation], graph: Graph) -> None:
    """Edges from what was answered to what was asked after it, through a chain of moments."""
    answered = sorted((each for each in happened if each.answered_at < NEVER), key=lambda each: each.answered_at)
    moments = [each.answered_at for each in answered]
    for at, operation in enumerate(answered):
        graph[operation].append((at, WAITS, "answered"))
        graph[at].append((at + 1, WAITS, "then"))
    for operation in happened:
        at = bisect.bisect_left(moments, operation.asked_at)
        if at:
            graph[at - 1].append((operation, WAITS, "asked"))


def _find_cycle(graph: Graph) -> list[str]:
    """One cycle in words, if there is any."""
    incoming: dict[object, int] = defaultdict(int)
    nodes: set[object] = set(graph)
    for source, edges in graph.items():
        for target, _, _ in edges:
            nodes.add(target)
            if target is not source:
                incoming[target] += 1
    ready = [node for node in nodes if not incoming[node]]
    while ready:
        node = ready.pop()
        nodes.discard(node)
        for target, _, _ in graph.get(node, ()):
            if target is not node:
                incoming[target] -= 1
                if not incoming[target]:
                    ready.append(target)
    if not nodes:
        return []
    # What is left lies on cycles or behind them: going backwards always leads into one.
    backwards: dict[object, Edge] = {}
    for source in nodes:
        for target, kind, why in graph.get(source, ()):
            if target in nodes and target is not source:
                backwards[target] = (source, kind, why)
    node = next(iter(nodes))
    path: dict[object, None] = {}
    while node not in path:
        path[node] = None
        node = backwards[node][0]
    walked = list(path)
    loop = [*walked[walked.index(node) :], node][::-1]
    kinds = [backwards[step][1] for step in loop[1:]]
    steps = [f"{step}  --[{backwards[step][2]}]" for step in loop[1:] if isinstance(step, Operation)]
    return [f"no serial order ({_name_of(kinds)}): " + "\n  ".join(steps)]


def _name_of(kinds: list[str]) -> str:
    """What a cycle of these edges is called (Adya, "Weak Consistency", 1999; Elle)."""
    later = " with real time" if WAITS in kinds else ""
    overtaken = kinds.count(OVERTAKES)
    if overtaken:
        return f"{'G-single' if overtaken == 1 else 'G2'}{later}"
    return f"{'G1c' if READS in kinds else 'G0'}{later}"
