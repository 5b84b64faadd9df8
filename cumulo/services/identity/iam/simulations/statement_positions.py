"""Where the statements of a policy document stand in its text, as the policy simulator tells it. No AWS calls here.

Lines and columns count from 1. What the simulator calls a statement's start is where its reader stands after the token
before the statement: behind the bracket of a list, behind the end of the statement before, and for a statement without
a list behind its own brace. Its end is behind its closing brace.
Source: the outputs in "simulate-custom-policy" and "simulate-principal-policy" (AWS CLI Command Reference), which these
rules reproduce.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


class Span(msgspec.Struct, frozen=True):
    """From (line, column) to (line, column)."""

    start: tuple[int, int]
    end: tuple[int, int]


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """(place, mark) of every bracket, and of every string as (place, its text with the quotes)."""
    place = 0
    while place < len(text):
        letter = text[place]
        if letter == '"':
            end = place + 1
            while end < len(text) and text[end] != '"':
                end += 2 if text[end] == "\\" else 1
            yield place, text[place : end + 1]
            place = end
        elif letter in "{}[]:":
            yield place, letter
        place += 1


def _behind(text: str, place: int) -> tuple[int, int]:
    """Line and column behind the letter at this place."""
    line_start = text.rfind("\n", 0, place) + 1
    return text.count("\n", 0, place) + 1, place - line_start + 2


def statement_spans(text: str) -> list[Span]:
    """The spans of all statements of a well-formed document, in order."""
    spans: list[Span] = []
    depth = 0
    outer = 0  # the depth inside which statements stand, 0 while the Statement element has not begun
    name = ""
    start: tuple[int, int] | None = None
    for place, mark in _marks(text):
        if mark in "{[":
            depth += 1
            if not outer and depth == 2 and name == '"Statement"':
                outer = depth if mark == "[" else depth - 1
                start = _behind(text, place)
        elif mark in "}]":
            if outer and depth == outer + 1 and mark == "}" and start is not None:
                end = _behind(text, place)
                spans.append(Span(start, end))
                start = end
            elif outer and depth == outer:
                return spans
            depth -= 1
        elif mark != ":" and depth == 1:
            name = mark
    return spans
