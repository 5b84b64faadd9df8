"""Images in containers of every engine, one that has nothing of its own but a program among them."""

import json
import os
from pathlib import Path

import pytest

from cumulo.engines.images.store import Images
from tests.engines.environments.conftest import Bench
from tests.engines.environments.test_images import EXTENSION, build, image_of, said
from tests.engines.images.building import file, folder, symlink


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("images")
    for each in (folder, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(0o755)
    return Images(folder)


def test_an_image_is_the_root(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(
        images,
        tmp_path,
        folder("app"),
        file("app/greeting", "hello"),
        symlink("out", str(tmp_path)),
        file("opt/extensions/watcher", EXTENSION, 0o755),
    )
    made = build(bench, root, working_directory="/app", command=("one", "two words"), image_variables={"A": "image"})
    answers = said(
        bench,
        made,
        "read -r x < greeting; echo $x",
        "echo $PWD ${arguments[1]} $# $A",
        "echo /*",
        "echo x > /x",
        "echo y > /tmp/y && echo /tmp/*",
        "cd /out",
        "read -r a < /etc/hosts; echo $a",
        "echo $UID $PYTHONHOME$LD_LIBRARY_PATH",
    )
    assert answers[0] == "hello"
    assert answers[1] == "/app two words 2 image"
    places = set(answers[2].split()) - {"/sys", "/run", "/root", "/.dockerenv"}
    assert places == {
        "/app",
        "/bin",
        "/bootstrap",
        "/dev",
        "/etc",
        "/lib",
        "/lib64",
        "/opt",
        "/out",
        "/proc",
        "/tmp",
        "/var",
    }
    assert answers[3].endswith("/x: Read-only file system") or answers[3].endswith("/x: Permission denied")
    assert answers[4] == "/tmp/y"
    assert answers[5].endswith("cd: /out: No such file or directory")
    assert answers[6] == "127.0.0.1 localhost sandbox.localdomain sandbox"
    assert answers[7].isdecimal() and (int(answers[7]) > 1_900_000_000) == (os.geteuid() == 0)
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [SHUTDOWN]" in bench.text
    assert "watching" in bench.text and "told" in bench.text


def test_what_cannot_be_executed(bench: Bench, images: Images, tmp_path: Path) -> None:
    made = build(bench, image_of(images, tmp_path), working_directory="/nowhere")
    (outcome,) = bench.invoke(made)
    assert outcome.error_type == "Runtime.InvalidWorkingDir"
    assert json.loads(outcome.payload)["errorMessage"].endswith("chdir /nowhere: no such file or directory")
