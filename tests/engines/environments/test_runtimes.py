"""Which interpreter runs which runtime: where it is looked for, and what is said when it is not there."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import RuntimeMissing
from cumulo.engines.sandboxes.probe import abilities
from tests.engines.environments import node_programs
from tests.engines.environments.conftest import Bench


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Nothing that was found before counts, nor after."""
    runtimes._find.cache_clear()
    yield
    runtimes._find.cache_clear()


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own runtimes are not found, whichever it has."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(runtimes, "PLACES", tuple(place for place in runtimes.PLACES if place[0] in "~$"))
    monkeypatch.setattr(runtimes, "base_python", lambda: "/nowhere/python")


@pytest.mark.parametrize(
    ("identifier", "file", "says", "version"),
    [
        ("nodejs24.x", ".nvm/versions/node/v24.1.0/bin/node", "echo v24.1.0", "24.1.0"),
        ("nodejs24.x", ".volta/tools/image/node/24.2.0/bin/node", "echo v24.2.0", "24.2.0"),
        ("nodejs24.x", ".local/share/fnm/node-versions/v24.3.0/installation/bin/node", "echo v24.3.0", "24.3.0"),
        ("nodejs24.x", ".asdf/installs/nodejs/24.4.0/bin/node", "echo v24.4.0", "24.4.0"),
        ("python3.14", ".pyenv/versions/3.14.0/bin/python3.14", "echo 3.14.0", "3.14.0"),
        ("python3.14", ".local/share/uv/python/cpython-3.14/bin/python3.14", "echo 3.14.1", "3.14.1"),
        ("java21", ".sdkman/candidates/java/21.0.2-tem/bin/java", "echo 'openjdk version \"21.0.2\"' >&2", "21.0.2"),
        ("java8.al2", ".jdks/corretto/bin/java", "echo 'openjdk version \"1.8.0_392\"' >&2", "8.0_392"),
        ("ruby3.4", ".rbenv/versions/3.4.1/bin/ruby", "printf 3.4.1", "3.4.1"),
        ("ruby3.3", ".local/share/mise/installs/ruby/3.3.0/bin/ruby", "printf 3.3.0", "3.3.0"),
    ],
)
def test_version_managers(
    identifier: str, file: str, says: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    nothing_of_the_machine(monkeypatch)
    made = program(tmp_path / file, says)
    program(tmp_path / file.replace("/bin/", "-old/bin/"), "echo 1.0.0")
    found = runtimes.find(identifier)
    assert (found.program, found.version, found.stands_in) == (str(made), version, False)


def test_where_their_variables_lead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_of_the_machine(monkeypatch)
    monkeypatch.setenv("NVM_DIR", str(tmp_path / "nvm"))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
    node = program(tmp_path / "nvm/versions/node/v24.0.0/bin/node", "echo v24.0.0")
    java = program(tmp_path / "jdk/bin/java", "exit 1")
    (tmp_path / "jdk/release").write_text('IMPLEMENTOR="x"\nJAVA_VERSION="11.0.9"\n')
    assert runtimes.find("nodejs24.x").program == str(node)
    assert (runtimes.find("java11").program, runtimes.find("java11").version) == (str(java), "11.0.9")


def test_programs_that_only_choose_a_version_are_passed_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "shims/ruby", "printf 3.4.1")
    monkeypatch.setenv("PATH", str(tmp_path / "shims") + ":" + os.environ["PATH"])
    assert str(tmp_path) not in str(runtimes._programs("ruby"))


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("python3.14", "needs Python 3.14, which is not on this machine: `uv python install 3.14`"),
        ("python3.8", "cumulo runs Python from 3.9"),
        ("nodejs24.x", "needs Node.js 24, which is not on this machine: `nvm install 24`"),
        ("java21", "needs Java 21, which is not on this machine: `apt install openjdk-21-jre-headless`"),
        ("java8.al2", "needs Java 8, which is not on this machine: `apt install openjdk-8-jre-headless`"),
        ("ruby3.4", "needs Ruby 3.4, which is not on this machine: `rbenv install 3.4`"),
        ("dotnet8", "cumulo cannot run dotnet8: bring its runtime as the `bootstrap` of a custom runtime"),
    ],
)
def test_what_is_not_here(identifier: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing_of_the_machine(monkeypatch)
    monkeypatch.setattr(runtimes, "_programs", lambda name: [])
    with pytest.raises(RuntimeMissing, match=text):
        runtimes.find(identifier)


def test_another_node_than_the_systems_runs_functions(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the place where nvm puts it."""
    target = node_programs.program(22)
    monkeypatch.setenv("HOME", str(node_programs.home(22)))
    found = runtimes.find("nodejs22.x")
    assert found.program == str(target)
    source = "export const handler = async () => [process.version, process.env.AWS_EXECUTION_ENV, process.execPath]"
    (outcome,) = bench.invoke(bench.build(code=bench.code(**{"index.mjs": source}), runtime="nodejs22.x"))
    version, name, path = json.loads(outcome.payload)
    assert version.startswith("v22.") and name == "AWS_Lambda_nodejs22.x" and path == str(target)


@pytest.mark.skipif(not abilities().own_root, reason="functions see the machine's own folders here")
@pytest.mark.parametrize("place", ["/tmp", "/opt"])
def test_a_runtime_where_functions_have_folders_of_their_own(bench: Bench, place: str) -> None:
    """/tmp is each environment's own, and /opt holds the layers: neither hides what runs the function."""
    if not os.access(place, os.W_OK):
        pytest.skip(f"{place} cannot be written to")
    layer = bench.code(**{"note.txt": "layered"})
    source = """
    const { readFileSync, readdirSync } = require('fs')
    exports.handler = async () => [process.execPath, readFileSync('/opt/note.txt', 'utf8'), readdirSync('/tmp')]"""
    with tempfile.TemporaryDirectory(dir=place, prefix="node") as made:
        Path(made).chmod(0o755)
        (Path(made) / "bin").mkdir()
        program = shutil.copy(node_programs.program(22), Path(made) / "bin" / "node")
        runtimes.configure({"nodejs22.x": str(program)})
        try:
            code = bench.code(**{"index.js": source})
            (outcome,) = bench.invoke(bench.build(code=code, runtime="nodejs22.x", layers=(layer,)))
        finally:
            runtimes.configure({})
    shown = [Path(made).name] if place == "/tmp" else []
    assert json.loads(outcome.payload) == [str(program), "layered", shown]
