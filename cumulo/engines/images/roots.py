"""Root file systems: the layers of an image, the later over the earlier, as one folder of links to their files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

from cumulo.engines.images import layers
from cumulo.engines.images.failures import BadImage
from cumulo.engines.images.layers import Layer

FOLDERS = ("proc", "dev", "tmp", "etc", "etc/cumulo", "var", "var/tmp")
"""What a program finds in every root: sandboxes mount over the first ones."""
FILES = ("etc/hosts", "etc/resolv.conf")


def build(unpacked: Sequence[Path], into: Path) -> None:
    """Fill a new folder with these layers, unpacked by `layers.unpack`. Raises BadImage."""
    into.mkdir(parents=True)
    for folder in unpacked:
        _apply(into, folder, layers.notes(folder))
    into.chmod(0o755)
    for name in FOLDERS:
        _make_folder(into / name)
    for name in FILES:
        file = into / name
        if not _is_file(file):
            _remove(file)
            file.touch(0o644)


def files_in(root: Path, name: str) -> list[str]:
    """The files in a folder of a root, by name. No link leads anywhere."""
    folder = root
    for part in name.split("/"):
        folder /= part
        if not _is_folder(folder):
            return []
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_file())


def remove(folder: Path) -> None:
    """Remove a root or a layer. Raises OSError when it cannot be."""
    shutil.rmtree(folder)


def _apply(root: Path, folder: Path, layer: Layer) -> None:
    for name in layer.opaque:
        hidden = _find(root, name)
        if hidden is not None and _is_folder(hidden):
            for child in list(hidden.iterdir()):
                _remove(child)
    for name in layer.gone:
        hidden = _find(root, name)
        if hidden is not None:
            _remove(hidden)
    tree = str(folder / layers.TREE)
    _lay(tree, str(root), {f"{tree}/{name}" for name in layer.implied})
    for name, target in layer.links.items():
        source, place = _find(root, target), _find(root, name)
        if source is None or place is None or not os.path.lexists(source) or _is_folder(source):
            raise BadImage(f"{name!r} is a hard link to {target!r}, which is not there")
        _remove(place)
        _link(str(source), str(place))


def _lay(above: str, beneath: str, implied: set[str]) -> None:
    """Lay a folder over another; of `implied` ones the mode is only for those that were not there."""
    with os.scandir(above) as entries:
        for entry in entries:
            place = f"{beneath}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                was_there = _is_folder(Path(place))
                if not was_there:
                    _remove(Path(place))
                    os.mkdir(place)
                if not was_there or entry.path not in implied:
                    os.chmod(place, stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode))
                _lay(entry.path, place, implied)
            else:
                _remove(Path(place))
                _link(entry.path, place)


def _link(source: str, place: str) -> None:
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:  # too many links to one file, or a file system that has none
        shutil.copy2(source, place, follow_symlinks=False)


def _find(root: Path, name: str) -> Path | None:
    """Where a name is in a root; None when a folder on the way is missing, or is a link."""
    place = root
    parts = [part for part in name.split("/") if part]
    for part in parts[:-1]:
        place /= part
        if not _is_folder(place):
            return None
    return place / parts[-1] if parts else root


def _make_folder(folder: Path) -> None:
    if not _is_folder(folder):
        _remove(folder)
        folder.mkdir()
        folder.chmod(0o755)


def _remove(place: Path) -> None:
    if _is_folder(place):
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


def _is_folder(place: Path) -> bool:
    try:
        return stat.S_ISDIR(place.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _is_file(place: Path) -> bool:
    try:
        return stat.S_ISREG(place.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
