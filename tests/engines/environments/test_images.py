"""Environments whose root is an image."""

import json
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments.builds import Build
from cumulo.engines.images.store import Images
from tests.engines.environments.conftest import Bench
from tests.engines.images.building import Entry, Layout, bash, file, folder, layer


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("images")
    for each in (folder, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(0o755)
    return Images(folder)


def image_of(images: Images, tmp_path: Path, *entries: Entry) -> Path:
    """The root of an image with bash and these."""
    layout = Layout()
    layout.image([bash(), layer(entries)], "test:1")
    ((_, digest),) = images.load(layout.write(tmp_path / "layout"))
    return images.root(digest)


def build(bench: Bench, root: Path, **changes: Any) -> Build:
    return bench.build(code=root, runtime="", handler="", image=root, entry_point=("/bootstrap",), **changes)


def said(bench: Bench, made: Build, *commands: str) -> list[str]:
    outcomes = bench.invoke(made, *(json.dumps(command).encode() for command in commands))
    assert not [outcome.payload for outcome in outcomes if outcome.error], bench.text
    return [json.loads(outcome.payload) for outcome in outcomes]


def test_an_image_is_the_root(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path, folder("app"), file("app/greeting", "hello"))
    made = build(bench, root, working_directory="/app", command=("one", "two words"))
    assert said(bench, made, "read -r x < greeting; echo $x", "echo $PWD ${arguments[1]} $#", "echo /*") == [
        "hello",
        "/app two words 2",
        "/app /bin /bootstrap /dev /etc /lib /lib64 /opt /proc /tmp /var",
    ]
