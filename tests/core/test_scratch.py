"""Folders for work that is gone when it is done."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cumulo.core import scratch


def test_what_is_swept_is_what_was_there_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads ask for folders while the first of them still removes what an earlier process left."""
    (tmp_path / "scratch" / "left").mkdir(parents=True)
    numbers = count()
    ctx: Any = SimpleNamespace(
        data_dir=tmp_path, runtime=SimpleNamespace(memory={}), new_id=lambda prefix: f"{prefix}{next(numbers)}"
    )
    removing, go_on = threading.Event(), threading.Event()
    remove = shutil.rmtree

    def slowly(folder: Path, **options: Any) -> None:
        removing.set()
        assert go_on.wait(60)
        remove(folder, **options)

    monkeypatch.setattr(shutil, "rmtree", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(scratch.new_folder, ctx)
        assert removing.wait(60)
        second = pool.submit(scratch.new_folder, ctx)
        with pytest.raises(TimeoutError):
            second.result(0.2)
        go_on.set()
        folders = {first.result(60), second.result(60)}
    assert set((tmp_path / "scratch").iterdir()) == folders
