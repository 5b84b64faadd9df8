"""What is usual and what is not, without a cloud."""

from __future__ import annotations

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from cumulo.services.operations.logs.detection import baselines, findings
from cumulo.services.operations.logs.detection.baselines import Model

MINUTE_MS = 60_000
WORDS = st.sampled_from(["order", "paid", "by", "card", "42", "7a", "[x]", "GET", "/a/1", "é", ""])
LINES = st.lists(st.tuples(st.integers(0, 20), st.lists(WORDS, max_size=6).map(" ".join)), max_size=60)


def of_minutes(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    return sorted([(minute * MINUTE_MS, text) for minute, text in lines])


@given(LINES)
@example([(0, "order order order order order "), (0, "order order order order  order")])
def test_what_was_trained_on_is_no_new_pattern(lines: list[tuple[int, str]]) -> None:
    model = Model(MINUTE_MS)
    findings.train(model, of_minutes(lines))
    model.until = 21
    again = [(time + 21 * MINUTE_MS, text) for time, text in of_minutes(lines)]
    found = findings.evaluate(model, again, 42, lambda subject, count: False)
    assert [each for each in found if each.subject.endswith(" new")] == []


@given(LINES)
def test_every_line_has_one_pattern_that_fits(lines: list[tuple[int, str]]) -> None:
    model = Model(MINUTE_MS)
    seen = baselines.Reader(model, training=True).window(0, of_minutes(lines))
    assert sum(each.lines for each in seen.values()) == sum(1 for _, text in lines if text)
    for each in seen.values():
        for _, message in each.samples:
            words = baselines.clustering.words_of(message)
            assert len(words) == len(each.pattern.words)
            assert all(mine in (None, theirs) for mine, theirs in zip(each.pattern.words, words, strict=True))


@given(LINES)
def test_a_model_is_the_same_after_it_was_kept(lines: list[tuple[int, str]]) -> None:
    model = Model(MINUTE_MS)
    findings.train(model, of_minutes(lines))
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(model), type=Model)
    assert kept == model


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_the_mean_of_windows_is_what_it_would_be(counts: list[int]) -> None:
    model = Model(MINUTE_MS)
    lines = [(index * MINUTE_MS, "the same line") for index, count in enumerate(counts) for _ in range(count)]
    findings.train(model, lines)
    if not lines:
        assert model.patterns == []
        return
    [pattern] = model.patterns
    usual = baselines.usual(model, pattern, len(counts))
    since = counts[next(index for index, count in enumerate(counts) if count) :]
    mean = sum(since) / len(since)
    assert abs(usual.mean - mean) <= 0.01 * max(mean, 1.0)
    deviation = (sum((count - mean) ** 2 for count in since) / len(since)) ** 0.5
    assert abs(usual.deviation - deviation) <= 0.05 * max(deviation, 1.0)
    assert pattern.peak == max(since)


def test_so_many_patterns_are_kept_and_no_more() -> None:
    model = Model(MINUTE_MS)
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [f"{one}{two}{three}" for one in letters for two in letters for three in letters[:2]]
    findings.train(model, [(index, name) for index, name in enumerate(names)])
    assert len(model.patterns) == baselines.PATTERNS_MOST
    assert max(pattern.last_ms for pattern in model.patterns) == len(names) - 1


def test_a_token_with_many_values_takes_any() -> None:
    model = Model(MINUTE_MS)
    findings.train(model, [(index * 100, f"user {index % 90} came back again") for index in range(2000)])
    [pattern] = model.patterns
    assert (pattern.tokens, pattern.free) == ({}, [2])
