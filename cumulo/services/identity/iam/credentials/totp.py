"""Time-based one-time passwords. No AWS calls here.

Source: RFC 6238 (TOTP) over RFC 4226 (HOTP): HMAC-SHA-1, steps of 30 seconds, 6 digits.
"""

from __future__ import annotations

from hmac import compare_digest, digest

STEP_S = 30
DIGITS = 6


def step_at(now: float) -> int:
    """The number of the step that a moment falls into."""
    return int(now // STEP_S)


def code(seed: bytes, step: int) -> str:
    """The code of one step."""
    mac = digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = mac[-1] & 0x0F
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def find(seed: bytes, given: str, first: int, last: int) -> int | None:
    """The step from `first` to `last` (inclusive) whose code was given; None when none has it."""
    found = None
    for step in range(first, last + 1):  # all of them: how long it takes must not tell which was near
        if compare_digest(code(seed, step), given) and found is None:
            found = step
    return found


def find_pair(seed: bytes, one: str, two: str, first: int, last: int) -> int | None:
    """The step of the second of two consecutive codes, of which the first lies from `first` to `last`."""
    for step in range(first, last + 1):
        if compare_digest(code(seed, step), one) and compare_digest(code(seed, step + 1), two):
            return step + 1
    return None
