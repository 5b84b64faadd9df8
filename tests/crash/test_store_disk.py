"""Disks that are full or read-only: refused clearly, nothing half-written, and it goes on when there is space."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulo.store import open_store
from cumulo.store.failures import StoreFull, StoreReadOnly
from tests.store.conftest import Stand


def mount(*arguments: str) -> None:
    """Mount for this test, where we may."""
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("mounting needs root on Linux")
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place))
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill_and_recover(stand: Stand, free: Path) -> None:
    """Write until it is refused, remove something else, and go on."""
    ballast = free / "ballast"
    ballast.write_bytes(bytes(600_000))
    stored = 0
    refused = 0
    for number in range(400):
        try:
            stand.one(lambda t, n=number: [t.put(b"%04d/%d" % (n, row), os.urandom(2000)) for row in range(5)])
            stored += 1
        except StoreFull as failure:
            assert "No space is left" in str(failure)
            refused += 1
            if refused == 3:
                break
    assert refused == 3
    assert len(stand.everything()) == stored * 5  # and reading goes on
    ballast.unlink()
    stand.one(lambda t: [t.put(b"after/%d" % row, os.urandom(2000)) for row in range(5)])
    assert len(stand.everything()) == stored * 5 + 5


def test_a_full_disk(small_disk: Path) -> None:
    stand = Stand("", small_disk / "data")
    fill_and_recover(stand, small_disk)
    content = stand.everything()
    stand.close()
    stand = Stand("", small_disk / "data")
    assert stand.everything() == content
    stand.close()


def test_a_full_disk_at_the_start(small_disk: Path) -> None:
    file = os.open(small_disk / "ballast", os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while True:
            os.write(file, bytes(4096))
    os.close(file)
    loop = asyncio.new_event_loop()
    with pytest.raises(StoreFull, match="No space is left"):
        open_store("", small_disk / "data", loop)
    loop.close()
    (small_disk / "ballast").unlink()
    Stand("", small_disk / "data").close()


def test_a_full_database(tmp_path: Path) -> None:
    """As above where nothing can be mounted: SQLite itself reports that it is full."""
    stand = Stand("", tmp_path)
    connection = stand.store._writer._appliance.connection  # type: ignore[attr-defined]
    connection.execute("PRAGMA max_page_count = 200")
    stored = 0
    with pytest.raises(StoreFull):
        for number in range(400):
            stand.one(lambda t, n=number: [t.put(b"%04d/%d" % (n, row), os.urandom(2000)) for row in range(5)])
            stored += 1
    assert len(stand.everything()) == stored * 5
    connection.execute("PRAGMA max_page_count = 100000")
    stand.one(lambda t: t.put(b"after", b""))
    assert len(stand.everything()) == stored * 5 + 1
    stand.close()


def test_a_read_only_disk(small_disk: Path) -> None:
    stand = Stand("", small_disk / "data")
    stand.one(lambda t: t.put(b"a", b"1"))
    stand.close()
    mount("-o", "remount,ro", str(small_disk))
    loop = asyncio.new_event_loop()
    for data_dir in (small_disk / "data", small_disk / "new"):
        with pytest.raises(StoreReadOnly, match="cannot be written"):
            open_store("", data_dir, loop)
    loop.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    loop = asyncio.new_event_loop()
    with pytest.raises(StoreReadOnly, match="cannot be written"):
        open_store("", tmp_path, loop)
    loop.close()
    tmp_path.chmod(0o700)
