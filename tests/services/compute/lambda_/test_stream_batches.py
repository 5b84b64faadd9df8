"""Batches of a stream, whatever fails: every change ends once, in order, and only what fails is given up."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.services.compute.lambda_.event_sources import batch_responses
from cumulo.services.compute.lambda_.event_sources.shard_progress import ShardProgress
from cumulo.services.compute.lambda_.event_sources.source_calls import Invoked
from cumulo.services.compute.lambda_.event_sources.stream_batches import StreamBatches
from cumulo.services.compute.lambda_.event_sources.stream_events import Change, Discarded


class Run:
    """One run over changes 1 … count, of which some always fail, and some a number of times."""

    def __init__(self, count: int, bad: set[int], flaky: dict[int, int], **mapping: Any) -> None:
        self.count, self.bad, self.flaky = count, bad, dict(flaky)
        self.ended: list[int] = []
        self.given_up: list[Discarded] = []
        self.events: list[list[int]] = []
        self.mapping = SimpleNamespace(
            **{
                "response_types": [],
                "bisect": False,
                "maximum_retries": 2,
                "maximum_age_s": -1,
                "metrics": None,
                "function_arn": "f",
                "source_arn": "s",
                **mapping,
            }
        )
        self.runtime = SimpleNamespace(clock=SimpleNamespace(now=lambda: 0.0), ids=SimpleNamespace(uuid=lambda: "id"))
        self.asked = False

    async def pause(self, seconds: float) -> None:
        """No time passes here."""

    async def invoke(self, payload: bytes) -> Invoked:
        numbers = json.loads(payload)
        self.events.append(numbers)
        failed = [number for number in numbers if number in self.bad or self.flaky.get(number, 0)]
        for number in failed[:1]:
            if number in self.flaky:
                self.flaky[number] -= 1
        if not failed:
            return Invoked("r", 200, "", "$LATEST", b"null")
        if self.mapping.response_types:
            answer = {"batchItemFailures": [{"itemIdentifier": str(failed[0])}]}
            return Invoked("r", 200, "", "$LATEST", json.dumps(answer).encode())
        return Invoked("r", 200, "Unhandled", "$LATEST", b"{}")

    async def finish(self, changes: list[Change], discarded: Discarded | None) -> None:
        self.ended += [each.order for each in changes]
        if discarded is not None:
            self.given_up.append(discarded)

    async def report(self, text: str) -> None:
        """What LastProcessingResult would say."""

    def run(self) -> None:
        changes = [Change(str(n), n, 0.0, {}, str(n).encode()) for n in range(1, self.count + 1)]
        engine: Any = self
        batches = StreamBatches(engine, engine, "shard", self.finish, self.report)
        payload = lambda changes: json.dumps([each.order for each in changes]).encode()  # noqa: E731
        assert asyncio.run(batches.run(changes, payload))

    @property
    def lost(self) -> set[int]:
        return {each.order for discarded in self.given_up for each in discarded.changes}


COUNTS = st.integers(1, 9)
SOME = st.sets(st.integers(1, 9), max_size=4)
FLAKY = st.dictionaries(st.integers(1, 9), st.integers(1, 2), max_size=3)


@settings(max_examples=150)
@given(count=COUNTS, bad=SOME, flaky=FLAKY, bisect=st.booleans(), partial=st.booleans())
def test_every_change_ends_once_and_in_order(
    count: int, bad: set[int], flaky: dict[int, int], bisect: bool, partial: bool
) -> None:
    types = ["ReportBatchItemFailures"] if partial else []
    run = Run(count, bad, flaky, bisect=bisect, response_types=types, maximum_retries=6)
    run.run()
    assert run.ended == list(range(1, count + 1))
    assert run.lost >= {number for number in bad if number <= count}
    for discarded in run.given_up:
        assert discarded.condition == "RetryAttemptsExhausted"
        assert discarded.calls == 7


@settings(max_examples=100)
@given(count=COUNTS, bad=SOME)
def test_cut_in_two_only_what_fails_is_given_up(count: int, bad: set[int]) -> None:
    run = Run(count, bad, {}, bisect=True, maximum_retries=0)
    run.run()
    assert run.lost == {number for number in bad if number <= count}


@given(count=COUNTS, bad=SOME)
def test_without_retries_a_batch_is_called_once(count: int, bad: set[int]) -> None:
    run = Run(count, bad, {}, maximum_retries=0)
    run.run()
    assert run.events == [list(range(1, count + 1))]
    assert bool(run.given_up) == any(number <= count for number in bad)


@given(st.permutations(range(1, 12)), st.lists(st.integers(1, 4), max_size=11))
def test_progress_is_what_has_nothing_undone_before_it(order: list[int], sizes: list[int]) -> None:
    progress = ShardProgress()
    for number in range(1, 12):
        progress.read(number, str(number))
    done: set[int] = set()
    waiting = list(order)
    for size in [*sizes, 11]:
        batch, waiting = waiting[:size], waiting[size:]
        done |= set(batch)
        progress.done(batch)
        reached = next((number for number in range(12) if number + 1 not in done), 11)
        assert progress.after == (str(reached) if reached else "")
        assert len(progress) == 11 - reached


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))
def test_what_a_function_names_has_failed(named: list[str]) -> None:
    answer = json.dumps({"batchItemFailures": [{"itemIdentifier": each} for each in named]}).encode()
    assert batch_responses.failures(answer, {"a", "b", "c"}) == named
    assert batch_responses.failures(answer, {"a", "b"}) == (None if "c" in named else named)
