"""`cumulo image`: what is kept for functions, before and while a cloud runs."""

import subprocess
import sys
from pathlib import Path

from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture
from tests.engines.images.building import MACHINE, Layout, file, layer, saved


def test_images_are_loaded_listed_and_removed(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    assert cumulo("image", "list").stdout == "no images: `docker save NAME | cumulo image load -` keeps one\n"
    layout = Layout()
    digest = layout.image([layer([file("a", "1" * 1_000_000)])], "team/app:1")["digest"]
    place = layout.write(tmp_path / "layout")
    loaded = cumulo("image", "load", str(place))
    assert (loaded.returncode, loaded.stdout) == (0, f"team/app:1  1.0 MB  linux/{MACHINE}\n"), loaded.stderr
    assert cumulo("start", "--detach").returncode == 0
    (tmp_path / "app.tar").write_bytes(saved([layer([])], []))
    assert "the image has no name" in cumulo("image", "load", str(tmp_path / "app.tar")).stderr
    assert cumulo("image", "load", "app.tar", "--name", "other").stdout == f"other:latest  0.0 MB  linux/{MACHINE}\n"
    listed = cumulo("image", "list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["other:latest", "team/app:1"]
    assert listed[1].split()[1] == digest.removeprefix("sha256:")[:12]
    assert cumulo("image", "remove", "other", "team/app:1").returncode == 0
    gone = cumulo("image", "remove", "other")
    assert (gone.returncode, "there is no image other:latest" in gone.stderr) == (1, True)


def test_an_image_comes_through_a_pipe(cumulo: Shell) -> None:  # noqa: F811
    command = [sys.executable, "-m", "cumulo", "image", "load", "-"]
    archive = saved([layer([file("a", "1")])], ["app:1"])
    ran = subprocess.run(
        command, input=archive, env=cumulo.environment, cwd=cumulo.folder, capture_output=True, check=False
    )
    assert ran.stdout.startswith(b"app:1  "), ran.stderr


def test_what_cannot_be_loaded(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / "text").write_text("no archive" * 1000)
    for arguments, code, text in (
        (("load", "nowhere"), 2, "there is no nowhere"),
        (("load", "text"), 1, "this is no archive of an image, or a damaged one"),
        (("load", str(tmp_path)), 1, "is no OCI image layout"),
        (("load", "text", "--name", "A B"), 1, "'A B' is not the name of an image"),
        ((), 2, "required: COMMAND"),
    ):
        ran = cumulo("image", *arguments)
        assert (ran.returncode, text in ran.stderr) == (code, True), ran.stderr
