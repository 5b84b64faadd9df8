"""A folder as the archive of a function: what is in it, when it changed."""

import io
import os
import zipfile
from pathlib import Path

from cumulo.cli import Refusal

LEFT_OUT = frozenset(("__pycache__", ".git", ".hg", ".svn", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache"))
MOST_B = 50_000_000  # of an archive that is sent with the call
_EPOCH = (1980, 1, 1, 0, 0, 0)  # of all entries: the same files make the same archive

Seen = dict[str, tuple[int, int]]
"""Files by their paths in the folder: when each was written (nanoseconds), and its size in bytes."""


def seen(folder: Path) -> Seen:
    """What is in the folder now, but for what tools leave there (LEFT_OUT)."""
    found: Seen = {}
    places = [""]
    while places:
        place = places.pop()
        try:
            with os.scandir(folder / place) as entries:
                for entry in entries:
                    path = f"{place}{entry.name}"
                    if entry.is_dir():
                        if entry.name not in LEFT_OUT:
                            places.append(f"{path}/")
                    elif not entry.name.endswith(".pyc"):
                        status = entry.stat()
                        found[path] = (status.st_mtime_ns, status.st_size)
        except FileNotFoundError:
            continue  # gone while we looked
    return found


def packed(folder: Path, files: Seen) -> bytes:
    """The archive of these files. Raises Refusal when it is too large for a call."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            try:
                data = (folder / path).read_bytes()
                mode = (folder / path).stat().st_mode
            except FileNotFoundError:
                continue
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = (mode & 0o777 | 0o444) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    if made.tell() > MOST_B:
        raise Refusal(
            f"{folder} packs to {made.tell() // 1_000_000} MB, and Lambda takes {MOST_B // 1_000_000} MB in a call",
            "put what does not change into a layer",
        )
    return made.getvalue()
