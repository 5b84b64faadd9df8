"""Random passwords: which characters may and must be in them, and a fair choice among them.

Source: Secrets Manager API Reference, GetRandomPassword.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager.errors import INVALID_PARAMETER, INVALID_REQUEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import secretsmanager as t

DEFAULT_LENGTH = 32
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

Chance = Callable[[int], bytes]
"""So many random bytes."""


@operation
def get_random_password(ctx: Context, request: t.GetRandomPasswordRequest) -> t.GetRandomPasswordResponse:
    kinds = kinds_of_characters(
        excluded=request.get("ExcludeCharacters", ""),
        numbers=not request.get("ExcludeNumbers", False),
        punctuation=not request.get("ExcludePunctuation", False),
        uppercase=not request.get("ExcludeUppercase", False),
        lowercase=not request.get("ExcludeLowercase", False),
        space=request.get("IncludeSpace", False),
    )
    if not any(kinds):
        raise INVALID_REQUEST("You must leave at least one character for the password to be made of.")
    length = request.get("PasswordLength", DEFAULT_LENGTH)
    each = request.get("RequireEachIncludedType", True)
    if each and length < sum(map(bool, kinds)):
        raise INVALID_PARAMETER("Password length is too short based on the required types.")
    return {"RandomPassword": password(kinds, length, ctx.random_bytes, each_kind=each)}


def kinds_of_characters(
    *,
    excluded: str = "",
    numbers: bool = True,
    punctuation: bool = True,
    uppercase: bool = True,
    lowercase: bool = True,
    space: bool = False,
) -> list[str]:
    """The characters of each included kind that are not excluded."""
    chosen = (
        (lowercase, string.ascii_lowercase),
        (uppercase, string.ascii_uppercase),
        (numbers, string.digits),
        (punctuation, PUNCTUATION),
        (space, " "),
    )
    kinds = ["".join(letter for letter in letters if letter not in excluded) for wanted, letters in chosen if wanted]
    return [kind for kind in kinds if kind]


def below(limit: int, chance: Chance) -> int:
    """A fair whole number in [0, limit), limit at most 256: bytes that would favour the small ones are thrown away."""
    fair = 256 - 256 % limit
    while True:
        for byte in chance(16):
            if byte < fair:
                return byte % limit


def _shuffle(letters: list[str], chance: Chance) -> None:
    for last in range(len(letters) - 1, 0, -1):
        # Two bytes give up to 65,536 places, more than the longest password has.
        span = last + 1
        fair = 65_536 - 65_536 % span
        while (drawn := int.from_bytes(chance(2), "big")) >= fair:
            pass
        other = drawn % span
        letters[last], letters[other] = letters[other], letters[last]


def password(kinds: list[str], length: int, chance: Chance, *, each_kind: bool = True) -> str:
    """A password of this length; with `each_kind` at least one character of every kind, at any place."""
    letters = [kind[below(len(kind), chance)] for kind in kinds] if each_kind else []
    every = "".join(kinds)
    letters += [every[below(len(every), chance)] for _ in range(length - len(letters))]
    _shuffle(letters, chance)
    return "".join(letters)
