"""Names within a package, as the server may look at them: links in it are the function's, and may point anywhere.

A function sees its package in a root of its own; here the same link would lead to a file of this machine, to a device
that never ends, or to a folder whose names are nobody's business.
"""

from __future__ import annotations

from pathlib import Path

MOST_LINKS = 40
"""As the kernel follows. Source: path_resolution(7)."""


def find(folder: Path, name: str) -> Path | None:
    """Where a name leads within a folder; None for one that leaves it, as an absolute link does. No link is followed
    by the kernel but those of the folder's own path. What is found need not be there.
    """
    root, place, links = str(folder), list[str](), 0
    waiting = name.split("/")[::-1]
    while waiting:
        part = waiting.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not place:
                return None
            place.pop()
            continue
        try:
            target = str(Path(root, *place, part).readlink())
        except (OSError, ValueError):  # no link, or not there
            place.append(part)
            continue
        links += 1
        if links > MOST_LINKS or target.startswith("/"):
            return None
        waiting += target.split("/")[::-1]
    return Path(root, *place)


def is_program(folder: Path, name: str) -> bool:
    """Whether there is a file of this name, or a link that means one in the function's own root."""
    found = find(folder, name)
    return (folder / name).is_symlink() if found is None else found.is_file()


def beginning(folder: Path, name: str, most: int) -> bytes:
    """The first bytes of a file; b"" where there is none."""
    found = find(folder, name)
    try:
        if found is None or not found.is_file():
            return b""
        with found.open("rb") as file:
            return file.read(most)
    except (OSError, ValueError):
        return b""
