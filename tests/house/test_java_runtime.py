"""The compiled Java runtime in the repository is that of its sources."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts.build_java_runtime import FOLDER, build


def test_the_classes_are_those_of_the_sources(tmp_path: Path) -> None:
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("needs a JDK: apt install openjdk-17-jdk-headless")
    if not subprocess.run([javac, "--version"], capture_output=True, text=True, check=True).stdout.startswith(
        "javac 17."
    ):
        pytest.skip("javac of another version than 17 writes other bytes")
    build(javac, tmp_path / "runtime.jar")
    with zipfile.ZipFile(tmp_path / "runtime.jar") as made, zipfile.ZipFile(FOLDER / "runtime.jar") as kept:
        assert made.namelist() == kept.namelist()
        stale = [name for name in made.namelist() if made.read(name) != kept.read(name)]
    assert not stale, "python scripts/build_java_runtime.py compiles them"
