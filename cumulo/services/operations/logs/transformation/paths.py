"""Places in a document, as processors name them: "store.book", of which each part is a key, or an index of a list."""

from __future__ import annotations

from typing import Any

MISSING: Any = object()
DEPTH = 3

Document = dict[str, Any]


def get(document: Document, path: str) -> Any:
    """What is there, MISSING for nothing. A key that is the whole path comes first."""
    if path in document:
        return document[path]
    found: Any = document
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return MISSING
    return found


def put(document: Document, path: str, value: Any, *, overwrite: bool = True) -> None:
    """Set what is there, making what leads there; a value that is there stays unless `overwrite`."""
    *parents, last = path.split(".")
    place: Any = document
    for part in parents:
        inner = place.get(part)
        if isinstance(inner, list) and part == parents[-1] and last.isdigit() and int(last) < len(inner):
            if overwrite:
                inner[int(last)] = value
            return
        if not isinstance(inner, dict):
            if inner is not None and not overwrite:
                return
            inner = place[part] = {}
        place = inner
    if overwrite or last not in place:
        place[last] = value


def drop(document: Document, path: str) -> None:
    """Remove what is there."""
    if path in document:
        del document[path]
        return
    *parents, last = path.split(".")
    place = get(document, ".".join(parents)) if parents else document
    if isinstance(place, dict):
        place.pop(last, None)


def merge(document: Document, destination: str | None, found: Document, *, overwrite: bool = True) -> None:
    """Put what a parser found under its destination, or into the root."""
    if destination is None:
        for key, value in found.items():
            if overwrite or key not in document:
                document[key] = value
        return
    there = get(document, destination)
    if isinstance(there, dict):
        merge(there, None, found, overwrite=overwrite)
    else:
        put(document, destination, found, overwrite=overwrite)
