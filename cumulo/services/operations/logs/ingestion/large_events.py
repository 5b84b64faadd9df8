"""Events beyond 1 MB: the largest of their texts are cut, and what is cut off is kept as objects of their own.

Source: API reference, GetLogObject: "CloudWatch Logs automatically processes up to 10 fields, starting with the largest
fields. Each field is truncated as needed to keep the total event size as close to 1MB as possible. The excess portions
are stored as Large Log Objects … and LLO reference system fields (in the format @ptr.$[path.to.field]) are added."
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

FIELDS_MOST = 10
_WORD = 128  # characters in which a space is looked for
_PATH = re.compile(r"""\$?(?:\[['"]([^'"]+)['"]\]|\[(\d+)\]|\.?([^.\[\],\s]+))""")

Path = tuple[str | int, ...]


class TooLarge(ValueError):
    """An event that stays too large."""


class Excess(NamedTuple):
    """What was cut off a field."""

    pointer: str
    text: str


def size_of(message: str) -> int:
    """The bytes of a text."""
    return len(message) if message.isascii() else len(message.encode(errors="surrogatepass"))


def written(document: Any) -> str:
    """A document as the text of an event."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def reference(path: Path) -> str:
    """The name of the field that refers to what was cut off: @ptr.$['input']['message']."""
    return "@ptr.$" + "".join(f"[{part}]" if isinstance(part, int) else f"['{part}']" for part in path)


def paths(header: str) -> list[Path]:
    """The fields that a client lets be cut (x-aws-truncatable-fields), separated by commas."""
    found = []
    for each in header.split(","):
        parts = tuple(
            int(at) if at else key or plain
            for key, at, plain in _PATH.findall(each.strip())
            if key or at or plain != "$"
        )
        if parts:
            found.append(parts)
    return found


def cut(
    document: dict[str, Any], most: int, new_pointer: Callable[[], str], fields: Sequence[Path] = ()
) -> tuple[str, list[Excess]]:
    """The event's text, in at most so many bytes, and what was cut off. Raises TooLarge.

    With `fields` only those and what is in them are cut.
    """
    message = written(document)
    size = size_of(message)
    if size <= most:
        return message, []
    texts = sorted(_texts(document, fields), key=lambda found: -found[0])
    excess: list[Excess] = []
    for _, path in texts[:FIELDS_MOST]:
        text = _at(document, path)
        pointer = new_pointer()
        name = reference(path)
        added = size_of(written({name: pointer})) - 1  # a comma in place of two braces
        over = size + added - most
        kept = _shortened(text, over)
        if size_of(written(text)) - size_of(written(kept)) <= added:
            break  # to cut it would not help
        _replace(document, path, kept)
        document[name] = pointer
        excess.append(Excess(pointer, text[len(kept) :]))
        message = written(document)
        size = size_of(message)
        if size <= most:
            return message, excess
    raise TooLarge(size)


def _texts(document: dict[str, Any], fields: Sequence[Path]) -> Iterator[tuple[int, Path]]:
    """The sizes and the places of texts in a document."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            if not fields or any(path[: len(each)] == each for each in fields):
                yield size_of(written(value)), path
        elif isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]


def _shortened(text: str, over: int) -> str:
    """The beginning of a text that takes so many bytes less in JSON; empty where it has not so many.

    It ends between words where there is a space nearby: what a data protection policy masks is not found in halves.
    """
    most = size_of(written(text)) - over
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if size_of(written(text[:middle])) <= most:
            low = middle
        else:
            high = middle - 1
    space = text.rfind(" ", max(low - _WORD, 0), low)
    return text[: low if space < 0 else space]


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def _replace(document: Any, path: Path, text: str) -> None:
    for part in path[:-1]:
        document = document[part]
    document[path[-1]] = text
