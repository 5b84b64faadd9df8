"""GetRandomPassword, and the pure choice of characters."""

import random
import string
from collections.abc import Callable
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from cumulo.services.identity.secretsmanager.random_passwords import PUNCTUATION, below, kinds_of_characters, password


@given(
    seed=st.integers(0, 2**32),
    length=st.integers(1, 300),
    excluded=st.text(string.printable, max_size=20),
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    each=st.booleans(),
)
def test_passwords_hold_what_was_asked_for(
    seed: int, length: int, excluded: str, flags: tuple[bool, ...], each: bool
) -> None:
    names = ("numbers", "punctuation", "uppercase", "lowercase", "space")
    kinds = kinds_of_characters(excluded=excluded, **dict(zip(names, flags, strict=True)))
    assume(kinds and (not each or length >= len(kinds)))
    made = password(kinds, length, random.Random(seed).randbytes, each_kind=each)
    assert len(made) == length
    assert not set(made) & set(excluded)
    assert set(made) <= set("".join(kinds))
    if each:
        assert all(set(made) & set(kind) for kind in kinds)


def test_numbers_are_fair() -> None:
    chance = random.Random(1).randbytes
    counts = [0] * 94
    for _ in range(94 * 200):
        counts[below(94, chance)] += 1
    assert min(counts) > 130 and max(counts) < 270


def test_options(client: Any, refused: Callable[..., Any]) -> None:
    made = client.get_random_password()["RandomPassword"]
    assert len(made) == 32 and " " not in made
    for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits, PUNCTUATION):
        assert set(made) & set(kind)
    made = client.get_random_password(
        PasswordLength=100, ExcludeNumbers=True, ExcludePunctuation=True, ExcludeUppercase=True, ExcludeCharacters="abc"
    )["RandomPassword"]
    assert set(made) <= set(string.ascii_lowercase) - set("abc") and len(made) == 100
    error = refused(client.get_random_password, PasswordLength=3)
    assert error.code == "InvalidParameterException"
    assert len(client.get_random_password(PasswordLength=3, RequireEachIncludedType=False)["RandomPassword"]) == 3
    error = refused(
        client.get_random_password,
        ExcludeNumbers=True, ExcludePunctuation=True, ExcludeUppercase=True, ExcludeLowercase=True,
    )  # fmt: skip
    assert error.code == "InvalidRequestException"
    assert refused(client.get_random_password, PasswordLength=4097).status == 400
