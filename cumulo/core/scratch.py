"""Folders for work that is gone when it is done: nothing in them outlives the process that made it."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context

_SWEPT = "scratch.swept"
_sweeping = threading.Lock()  # whoever comes meanwhile, in another thread, must not have a folder in what is removed


def new_folder(ctx: Context) -> Path:
    """A new, empty folder on the cloud's disk. What an earlier process left behind goes with the first."""
    root = ctx.data_dir / "scratch"
    with _sweeping:
        if _SWEPT not in ctx.runtime.memory:
            shutil.rmtree(root, ignore_errors=True)
            ctx.runtime.memory[_SWEPT] = True
    folder = root / ctx.new_id("")
    folder.mkdir(parents=True)
    return folder


def drop(folder: Path) -> None:
    """Remove a folder with all that is in it. Blocks: call it in a thread."""
    shutil.rmtree(folder, ignore_errors=True)
