"""Zip archives are unpacked as they are, and never beside their folder."""

import errno
import io
import stat
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.services.compute.lambda_.packages.archives import BadArchive, remove, unpack, unpacked_size

LIMIT = 1 << 20


def _zip(path: Path, entries: list[tuple[str, bytes, int]]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, content)
    return path


def test_modes_and_links_are_those_of_the_archive(tmp_path: Path) -> None:
    entries = [
        ("bin/", b"", stat.S_IFDIR | 0o755),
        ("bin/tool", b"#!/bin/sh\n", stat.S_IFREG | 0o755),
        ("lib/libx.so.1", b"elf", stat.S_IFREG | 0o644),
        ("lib/libx.so", b"libx.so.1", stat.S_IFLNK | 0o777),
        ("plain.txt", b"text", 0),
    ]
    path = _zip(tmp_path / "a.zip", entries)
    assert unpacked_size(path) == 10 + 3 + 9 + 4
    unpack(path, tmp_path / "out", LIMIT)
    assert (tmp_path / "out/bin/tool").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "out/plain.txt").read_bytes() == b"text"
    assert (tmp_path / "out/lib/libx.so").is_symlink()
    assert (tmp_path / "out/lib/libx.so").read_bytes() == b"elf"


@pytest.mark.parametrize(
    "entries",
    [
        [("../outside", b"", 0o644)],
        [("/absolute", b"", 0o644)],
        [("a/../../outside", b"", 0o644)],
        [("link", b"/", stat.S_IFLNK | 0o777), ("link/inside", b"x", 0o644)],
        [("a", b"file", 0o644), ("a/b", b"below a file", 0o644)],
    ],
)
def test_nothing_is_written_elsewhere(tmp_path: Path, entries: list[tuple[str, bytes, int]]) -> None:
    path = _zip(tmp_path / "a.zip", entries)
    with pytest.raises(BadArchive):
        unpack(path, tmp_path / "in" / "out", LIMIT)
    assert not (tmp_path / "in" / "outside").exists()
    assert not (tmp_path / "outside").exists()


def test_an_archive_that_holds_more_than_the_limit(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", [("zeros", bytes(LIMIT + 1), 0o644)])
    with pytest.raises(BadArchive):
        unpack(path, tmp_path / "out", LIMIT)
    remove(tmp_path / "out")
    assert not (tmp_path / "out").exists()


@settings(max_examples=50)
@given(st.binary(max_size=200), st.integers(0, 400))
def test_broken_archives_are_said_to_be_broken(noise: bytes, place: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.py", "x = 1\n" * 20)
        data = bytearray(buffer.getvalue())
        data[place : place + len(noise)] = noise
        path = Path(folder, "a.zip")
        path.write_bytes(data)
        try:
            unpacked_size(path)
            unpack(path, Path(folder, "out"), LIMIT)
        except BadArchive:
            pass
        assert {each.name for each in Path(folder).iterdir()} <= {"a.zip", "out"}


def test_a_disk_without_space_is_no_fault_of_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _zip(tmp_path / "a.zip", [("a.py", b"x = 1", 0o644)])

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(OSError, match="no space left"):
        unpack(path, tmp_path / "out", LIMIT)
