"""Packages whose links lead out of them: the server, which looks at them before a function does, does not follow."""

import os
from pathlib import Path

import pytest

from cumulo.engines.environments import extensions, installations, package_paths, programs
from cumulo.engines.environments.builds import Build
from cumulo.engines.sandboxes.sandboxes import remove
from tests.engines.environments.conftest import Bench

SDK = {"boto3": "/nowhere/boto3"}


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "index.py").write_text("import boto3")
    (folder / "libprivate.so").write_text("")
    return folder


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    folder.mkdir()
    return folder


def build(code: Path, handler: str = "index.handler", layers: tuple[Path, ...] = ()) -> Build:
    return Build("k", "python3.12", handler, code, "f", "$LATEST", "arn:aws:lambda:us-east-1:1:function:f", layers)


def test_a_handler_that_is_a_device_without_end_is_not_read(code: Path) -> None:
    (code / "index.py").symlink_to("/dev/zero")
    assert not programs._uses_sdk(build(code), SDK)
    assert package_paths.beginning(code, "index.py", 10) == b""


def test_a_pipe_is_not_waited_for(code: Path) -> None:
    os.mkfifo(code / "index.py")
    assert not programs._uses_sdk(build(code), SDK)


@pytest.mark.parametrize("way", ["/{outside}/index", "../outside/index", "away/index", "deep/up/index"])
def test_handlers_outside_of_the_package_are_not_looked_at(code: Path, outside: Path, way: str) -> None:
    (code / "away").symlink_to(outside)
    (code / "deep").mkdir()
    (code / "deep/up").symlink_to("../../outside")
    handler = way.format(outside=outside) + ".handler"
    assert not programs._uses_sdk(build(code, handler), SDK)


def test_links_within_the_package_are_followed(code: Path) -> None:
    (code / "src").mkdir()
    (code / "src/real.py").write_text("import boto3")
    (code / "index.py").symlink_to("src/../src/./real.py")
    assert programs._uses_sdk(build(code), SDK)
    (code / "src/real.py").unlink()
    (code / "src/real.py").symlink_to("../index.py")  # a circle
    assert not programs._uses_sdk(build(code), SDK)


def test_names_of_folders_outside_are_no_extensions(tmp_path: Path, code: Path, outside: Path) -> None:
    """They would be told in the function's log."""
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "extensions").symlink_to(outside)
    assert extensions.names(build(code, layers=(layer,))) == []
    (layer / "extensions").unlink()
    (layer / "extensions").mkdir()
    (layer / "tools").mkdir()
    (layer / "tools/agent").write_text("#!/bin/sh")
    (layer / "extensions/agent").symlink_to("../tools/agent")
    (layer / "extensions/elsewhere").symlink_to("/opt/tools/agent")  # in the function's root it leads there
    (layer / "extensions/tools").symlink_to("../tools")
    assert extensions.names(build(code, layers=(layer,))) == ["agent", "elsewhere"]


def test_libraries_outside_are_not_looked_for(code: Path, outside: Path) -> None:
    (code / "lib").symlink_to(outside)
    assert not programs._brings_libraries(build(code))
    (code / "lib").unlink()
    (code / "lib").mkdir()
    (code / "lib/libown.so").write_text("")
    assert programs._brings_libraries(build(code))


def test_a_bootstrap_that_is_a_link_leads_where_the_function_sees(code: Path, tmp_path: Path) -> None:
    (code / "bootstrap").symlink_to("/opt/bootstrap")
    assert programs._provided(build(code)).argv == ("/var/task/bootstrap",)
    (code / "bootstrap").unlink()
    assert programs._provided(build(code)).failure


def test_a_link_in_the_package_shows_nothing_of_the_host(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    secret.chmod(0o644)
    code = bench.code(index="def handler(event, context):\n    return open('/var/task/link').read()")
    (code / "link").symlink_to(secret)
    (outcome,) = bench.invoke(bench.build(code=code))
    assert b"FileNotFoundError" in outcome.payload


def test_an_interpreter_in_a_home_shows_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~/bin/node` is no reason to show `~`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for prefix in (tmp_path, tmp_path / ".local", tmp_path.parent):
        (prefix / "bin").mkdir(parents=True, exist_ok=True)
        program = str(prefix / "bin/node")
        assert installations.shown(str(prefix), ["/usr/bin/python3", program]) == [program]
    (tmp_path / "lib").mkdir()
    assert installations.shown(str(tmp_path), []) == [str(tmp_path / "lib")]
    own = str(tmp_path / ".nvm/versions/node/v22")
    assert installations.shown(own, [f"{own}/bin/node"]) == [own]
    assert installations.shown("", ["/usr/bin/node"]) == []


def test_a_header_of_a_layer_is_no_larger_than_it_can_mean_something(tmp_path: Path) -> None:
    """Two kilobytes of a layer took hundreds of megabytes."""
    import gzip
    import tarfile

    from cumulo.engines.images import layers
    from cumulo.engines.images.failures import BadImage

    for number, kind in enumerate((tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME)):
        entry = tarfile.TarInfo("x")
        entry.type, entry.size = kind, 2 << 20
        blob = tmp_path / f"blob{number}"
        blob.write_bytes(gzip.compress(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(3 << 20)))
        with pytest.raises(BadImage, match="a header of 2097152 bytes"):
            layers.unpack(blob, "sha256:x", "sha256:y", tmp_path / f"tree{number}", 1 << 30)


def test_whatever_a_function_leaves_is_removed(tmp_path: Path) -> None:
    """Folders that are closed, or deeper than a path may be long."""
    folder = tmp_path / "left"
    (folder / "closed/in").mkdir(parents=True)
    (folder / "closed/in").chmod(0)
    (folder / "closed").chmod(0)
    outside = tmp_path / "outside"
    outside.write_text("kept")
    outside.chmod(0o400)
    (folder / "link").symlink_to(outside)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(1500):
            os.mkdir("deeper")  # noqa: PTH102, its path would be too long
            os.chdir("deeper")
    finally:
        os.chdir(before)
    remove(folder)
    assert not folder.exists()
    assert (outside.read_text(), outside.stat().st_mode & 0o777) == ("kept", 0o400)
