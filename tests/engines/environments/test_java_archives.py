"""The archives of Java's classes: made once for a JVM, those of others swept."""

import asyncio
import logging
from pathlib import Path

import pytest

from cumulo.engines.environments.java_archives import JavaArchives
from cumulo.engines.environments.runtimes import JAVA, Runtime

JVM = """#!/bin/sh
for flag; do case $flag in -XX:ArchiveClassesAtExit=*) echo made >> "${flag#*=}";; esac; done
"""


@pytest.fixture
def jvm(tmp_path: Path) -> str:
    """A program that makes archives and is no JVM."""
    program = tmp_path / "java"
    program.write_text(JVM)
    program.chmod(0o755)
    return str(program)


def prepared(folder: Path, runtime: Runtime) -> str:
    archives = JavaArchives(folder, logging.getLogger("test"))
    asyncio.run(archives.prepare(runtime))
    return archives.of(runtime)


def test_what_older_jvms_left_is_swept(tmp_path: Path, jvm: str) -> None:
    folder = tmp_path / "archives"
    old = prepared(folder, Runtime("java21", JAVA, jvm, "21.0.1"))
    other = prepared(folder, Runtime("java17", JAVA, jvm, "17.0.9"))
    (folder / "0123456789abcdef.jsa").touch()
    (folder / "21-0123456789abcdef.4711").touch()
    new = prepared(folder, Runtime("java21", JAVA, jvm, "21.0.2"))
    assert new != old
    assert {str(each) for each in folder.iterdir()} == {new, other}
    assert prepared(folder, Runtime("java21", JAVA, jvm, "21.0.2")) == new
    assert Path(new).read_text() == "made\n"


def test_a_jvm_that_makes_none(tmp_path: Path) -> None:
    assert prepared(tmp_path / "archives", Runtime("java11", JAVA, "/bin/false", "11.0.2")) == ""
    assert prepared(tmp_path / "archives", Runtime("java21", JAVA, "/bin/false", "21.0.2")) == ""
    assert not list((tmp_path / "archives").iterdir())
