"""LIKE of S3 Select: what it means, and that no pattern takes long."""

import time

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.storage.s3.select.likes import like

CONNECTION = duckdb.connect()


def is_like(value: str, pattern: str, escape: str | None = None) -> bool:
    sql = like("v", "p", "e" if escape is not None else None)
    found = CONNECTION.execute(f"SELECT {sql} FROM (SELECT ? AS v, ? AS p, ? AS e)", [value, pattern, escape or ""])
    [(answer,)] = found.fetchall()
    assert isinstance(answer, bool)
    return answer


def plainly(value: str, pattern: str, escape: str | None) -> bool:
    """What LIKE means, step by step: `_` is any character, `%` any text, what follows the escape itself."""
    tokens, at = [], 0
    while at < len(pattern):
        if pattern[at] == escape and at + 1 < len(pattern):
            tokens.append((pattern[at + 1], True))
            at += 2
        else:
            tokens.append((pattern[at], False))
            at += 1
    places = {0}
    for token, literal in tokens:
        if token == "%" and not literal:
            places = set(range(min(places), len(value) + 1)) if places else places
        else:
            wanted = None if token == "_" and not literal else token
            places = {place + 1 for place in places if place < len(value) and wanted in (None, value[place])}
    return len(value) in places


LETTERS = r"ab%_!\^]-[.*(){}|?+$" + "é\n"


@given(st.text(LETTERS, max_size=6), st.text(LETTERS, max_size=6), st.sampled_from([None, *"!\\^]-[%_a."]))
def test_what_like_means(value: str, pattern: str, escape: str | None) -> None:
    assert is_like(value, pattern, escape) is plainly(value, pattern, escape)


@given(st.lists(st.sampled_from(["%", "_", "a", "b", "é"]), max_size=6).map("".join), st.text("abé", max_size=6))
def test_it_is_what_duckdb_means(pattern: str, value: str) -> None:
    [(answer,)] = CONNECTION.execute("SELECT ? LIKE ?", [value, pattern]).fetchall()
    assert is_like(value, pattern) is answer


@pytest.mark.parametrize("pattern", ["%a_%a_%a_%b", "%a" * 20 + "%b", "%_a" * 15 + "%b", "%" * 50 + "b"])
def test_hostile_patterns_take_no_time(pattern: str) -> None:
    for escape in (None, "!"):
        begun = time.thread_time()
        assert not is_like("a" * 24_000, pattern, escape)
        assert time.thread_time() - begun < 0.2
