"""Patterns with `*` and `?`, as actions, resources, strings and ARNs in policies use them.

A pattern is a list of tokens: literal text, ANY (`*`) and ONE (`?`). Values that come from policy
variables are literal text, so an asterisk in a user's name never becomes a wildcard.

No matcher here backtracks without bound: a policy is a stranger's input.

Sources: IAM User Guide, "IAM JSON policy elements: Resource" (wildcards in resource ARNs),
"IAM JSON policy elements: Condition operators" (StringLike, ArnLike).
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Final

Matcher = Callable[[str], bool]


class Wildcard(Enum):
    """What a `*` or a `?` may stand for."""

    ANY = "*"  # any text
    ONE = "?"  # any one character
    ANY_IN_SEGMENT = "*:"  # any text without a colon
    ONE_IN_SEGMENT = "?:"  # any one character but a colon


Token = str | Wildcard
ANY: Final = Wildcard.ANY
ONE: Final = Wildcard.ONE

_ARN_SEGMENTS = 6


def tokens(pattern: str) -> list[Token]:
    """The tokens of a pattern in which every `*` and `?` is a wildcard."""
    found: list[Token] = []
    for part in re.split(r"([*?])", pattern):
        if part == "*":
            found.append(ANY)
        elif part == "?":
            found.append(ONE)
        elif part:
            found.append(part)
    return found


def matcher(pattern: Sequence[Token]) -> Matcher:
    """A function that tells whether a whole value matches, wildcards standing for any characters."""
    pattern = _merged(pattern)
    if not pattern:
        return "".__eq__
    if len(pattern) == 1:
        only = pattern[0]
        if only is ANY:
            return _everything
        if isinstance(only, str):
            return only.__eq__
    if Wildcard.ANY_IN_SEGMENT in pattern:
        return _automaton(pattern)
    if any(token in (ONE, Wildcard.ONE_IN_SEGMENT) for token in pattern):
        return _expression(pattern)
    return _pieces(pattern)


def like(pattern: str) -> Matcher:
    """The matcher of a plain pattern: StringLike, actions."""
    return matcher(tokens(pattern))


def resource_matcher(pattern: Sequence[Token]) -> Matcher:
    """The matcher of a Resource pattern.

    AWS: wildcards stand for characters within an ARN segment, and a `*` that ends a segment
    "can expand to match beyond the colon boundaries". The sixth segment, the resource itself,
    may hold colons, so there wildcards match everything.
    Source: IAM User Guide, "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs".
    """
    bounded: list[Token] = []
    colons = 0
    pattern = _merged(pattern)
    for position, token in enumerate(pattern):
        if isinstance(token, str):
            colons += token.count(":")
            bounded.append(token)
        elif colons >= _ARN_SEGMENTS - 1:
            bounded.append(token)
        elif token is ONE:
            bounded.append(Wildcard.ONE_IN_SEGMENT)
        else:
            following = pattern[position + 1] if position + 1 < len(pattern) else ":"
            ends_segment = isinstance(following, str) and following.startswith(":")
            bounded.append(ANY if ends_segment else Wildcard.ANY_IN_SEGMENT)
    return matcher(bounded)


def arn_matcher(pattern: Sequence[Token]) -> Matcher:
    """The matcher of ArnLike and ArnEquals: each of the six segments is matched on its own.

    A pattern that is not an ARN matches nothing, except a lone `*`, which matches any value.
    Source: IAM User Guide, "Condition operators", "Amazon Resource Name (ARN) condition operators".
    """
    if _merged(pattern) == [ANY]:
        return _everything
    segments: list[list[Token]] = [[]]
    for token in pattern:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        pieces = token.split(":", _ARN_SEGMENTS - len(segments))
        segments[-1].append(pieces[0])
        segments.extend([piece] for piece in pieces[1:])
    if len(segments) != _ARN_SEGMENTS:
        return _nothing
    matchers = [matcher([token for token in segment if token != ""]) for segment in segments]
    order = sorted(range(_ARN_SEGMENTS), key=lambda index: -index)  # the resource differs most often

    def match(value: str) -> bool:
        parts = value.split(":", _ARN_SEGMENTS - 1)
        if len(parts) != _ARN_SEGMENTS:
            return False
        return all(matchers[index](parts[index]) for index in order)

    return match


def _everything(value: str) -> bool:
    return True


def _nothing(value: str) -> bool:
    return False


def _merged(pattern: Sequence[Token]) -> list[Token]:
    """Neighbouring texts joined, runs of `*` made one (the freest of them)."""
    merged: list[Token] = []
    stars = (ANY, Wildcard.ANY_IN_SEGMENT)
    for token in pattern:
        last = merged[-1] if merged else None
        if isinstance(token, str):
            if not token:
                continue
            if isinstance(last, str):
                merged[-1] = last + token
                continue
        elif token in stars and last in stars:
            if token is ANY:
                merged[-1] = ANY
            continue
        merged.append(token)
    return merged


def _pieces(pattern: list[Token]) -> Matcher:
    """A matcher for texts and `*` alone: a start, an end, and pieces found in order between them."""
    texts = [token for token in pattern if isinstance(token, str)]
    start = texts.pop(0) if isinstance(pattern[0], str) else ""
    end = texts.pop() if isinstance(pattern[-1], str) else ""
    begin = len(start)
    least = begin + len(end)
    if not texts:
        if not end:
            return lambda value: value.startswith(start)
        return lambda value: len(value) >= least and value.startswith(start) and value.endswith(end)
    length_of_end = len(end)

    def match(value: str) -> bool:
        if len(value) < least or not value.startswith(start) or not value.endswith(end):
            return False
        limit = len(value) - length_of_end
        position = begin
        for text in texts:
            position = value.find(text, position, limit)
            if position < 0:
                return False
            position += len(text)
        return True

    return match


def _expression(pattern: list[Token]) -> Matcher:
    """A matcher with `?`: the leftmost place of every piece is the best one, so the groups are atomic."""
    written: list[str] = []
    piece = ""
    after_star = False

    def flush(last: bool) -> None:
        nonlocal piece
        if not after_star:
            written.append(piece)
        elif last:
            written.append(f".*{piece}")
        else:
            written.append(f"(?>.*?{piece})")
        piece = ""

    for token in pattern:
        if token is ANY:
            flush(last=False)
            after_star = True
        elif isinstance(token, str):
            piece += re.escape(token)
        else:
            piece += "." if token is ONE else "[^:]"
    flush(last=True)
    full = re.compile("".join(written), re.DOTALL).fullmatch
    return lambda value: full(value) is not None


def _automaton(pattern: list[Token]) -> Matcher:
    """A matcher for stars that stop at colons: all states of the automaton as bits of one number."""
    letters: dict[str, int] = {}
    free = bound = free_star = bound_star = 0
    length = 0
    for token in pattern:
        if isinstance(token, str):
            for letter in token:
                letters[letter] = letters.get(letter, 0) | 1 << length
                length += 1
            continue
        bit = 1 << length
        length += 1
        if token is ANY:
            free_star |= bit
        elif token is Wildcard.ANY_IN_SEGMENT:
            bound_star |= bit
        elif token is ONE:
            free |= bit
        else:
            bound |= bit
    stars = free_star | bound_star
    accepting = 1 << length

    def match(value: str) -> bool:
        states = 1 | (1 & stars) << 1
        for letter in value:
            step = letters.get(letter, 0) | free
            stay = free_star
            if letter != ":":
                step |= bound
                stay |= bound_star
            states = (states & step) << 1 | states & stay
            if not states:
                return False
            states |= (states & stars) << 1
        return states & accepting != 0

    return match
