"""Several folders merged into one, where the kernel lays none over another for us."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path


def merge(layers: Sequence[str], into: Path) -> None:
    """Make a folder of the layers, later ones over earlier ones; files are linked, not copied, where they can be.

    It appears complete or not at all. Takes as long as there are files: call it in a thread.
    """
    if into.exists():
        return
    made = into.with_name(f"{into.name}.new")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    for layer in reversed(layers):
        for folder, folders, files in os.walk(layer):
            target = made / Path(folder).relative_to(layer)
            if target.is_symlink() or not target.is_dir():
                folders.clear()  # a file of a later layer is in its place
                continue
            for name in list(folders):
                if (Path(folder) / name).is_symlink():
                    folders.remove(name)
                    files.append(name)
                elif not os.path.lexists(target / name):
                    (target / name).mkdir()
            for name in files:
                if not os.path.lexists(target / name):
                    _link(Path(folder) / name, target / name)
    made.rename(into)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
