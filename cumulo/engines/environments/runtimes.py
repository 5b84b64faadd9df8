"""Which of Lambda's runtimes this machine can run, and what installs the others.

Source of the identifiers: AWS Lambda Developer Guide, "Lambda runtimes".
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from cumulo.engines.environments.builds import RuntimeMissing

PYTHON, NODE, PROVIDED, JAVA, RUBY, IMAGE = "python", "nodejs", "provided", "java", "ruby", "image"
_IDENTIFIER = re.compile(r"(python|nodejs|java|ruby|provided|dotnet)\.?([0-9]+(?:\.[0-9]+)?)?(?:\.(?:x|al[0-9]+))?$")
_TOO_OLD = frozenset(("2.7", "3.6", "3.7", "3.8"))  # for what runs before a function's own code
PLACES = (  # where versions of one interpreter are kept side by side; variables are those of version managers
    "~/.pyenv/versions/*/bin", "$PYENV_ROOT/versions/*/bin", "/root/.pyenv/versions/*/bin",
    "~/.local/share/uv/python/*/bin", "$UV_PYTHON_INSTALL_DIR/*/bin", "/opt/python/*/bin",
    "~/.local/share/mise/installs/*/*/bin", "$MISE_DATA_DIR/installs/*/*/bin",
    "~/.asdf/installs/*/*/bin", "$ASDF_DATA_DIR/installs/*/*/bin",
    "~/.nvm/versions/node/*/bin", "$NVM_DIR/versions/node/*/bin", "/usr/local/n/versions/node/*/bin",
    "~/.volta/tools/image/node/*/bin", "$VOLTA_HOME/tools/image/node/*/bin", "~/.nodenv/versions/*/bin",
    "~/.fnm/node-versions/*/installation/bin", "~/.local/share/fnm/node-versions/*/installation/bin",
    "$FNM_DIR/node-versions/*/installation/bin",
    "/usr/lib/jvm/*/bin", "~/.sdkman/candidates/java/*/bin", "$SDKMAN_DIR/candidates/java/*/bin", "~/.jdks/*/bin",
    "~/.gradle/jdks/*/bin", "/opt/java/*/bin", "/Library/Java/JavaVirtualMachines/*/Contents/Home/bin",
    "~/.rbenv/versions/*/bin", "$RBENV_ROOT/versions/*/bin", "~/.rubies/*/bin", "/opt/rubies/*/bin",
    "~/.rvm/rubies/*/bin", "/opt/homebrew/opt/*/bin", "/opt/homebrew/bin", "/usr/local/bin", "/usr/bin",
)  # fmt: skip
SHIMS = ("/shims/", "/.volta/bin/", "/.jenv/")
"""Programs that only choose a version, by files that sandboxes do not show."""


class Runtime(Struct, frozen=True):
    """A runtime that is here."""

    identifier: str
    family: str
    """"python", "nodejs", "provided", "java", "ruby" or "image"."""
    program: str
    """The interpreter's path; "" for `provided` and images."""
    version: str
    """What the interpreter says: "3.12.1"."""
    stands_in: bool = False
    """It is another version than the identifier's: somebody chose it, see `configure`."""

    @property
    def banner(self) -> str:
        """The version as INIT_START tells it: "python:3.12.v1"; of one that stands in also what it really is."""
        name = re.match("[a-z]+", self.identifier)
        rest = self.identifier[name.end() :].lstrip(".").removesuffix(".x") if name else ""
        if not rest:
            return ""
        return f"{name.group() if name else self.identifier}:{rest}.v1" + (
            f" (in its place: {self.family} {self.version})" if self.stands_in else ""
        )

    @property
    def label(self) -> str:
        """For people: "java17", "ruby3.2 (3.1.7 stands in)"."""
        return f"{self.identifier} ({self.version} stands in)" if self.stands_in else self.identifier


KNOWN = (
    "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "nodejs20.x", "nodejs22.x", "nodejs24.x",
    "java8.al2", "java11", "java17", "java21", "java25", "ruby3.2", "ruby3.3", "ruby3.4",
    "provided.al2", "provided.al2023",
)  # fmt: skip
_stand_ins: dict[str, str] = {}


def configure(chosen: Mapping[str, str]) -> None:
    """Name the programs that run certain runtimes on this machine, whatever their version is: by identifier."""
    if chosen != _stand_ins:
        _stand_ins.clear()
        _stand_ins.update(chosen)
        _find.cache_clear()


def here() -> list[Runtime]:
    """The runtimes that this machine has. Asks every interpreter for its version: some 10 ms each."""
    found = (_find(identifier) for identifier in KNOWN)
    return [each for each in found if isinstance(each, Runtime)]


def find(identifier: str) -> Runtime:
    """The runtime on this machine. Raises RuntimeMissing, whose text holds the command that installs it."""
    found = _find(identifier)
    if isinstance(found, str):
        raise RuntimeMissing(found)
    return found


@lru_cache(maxsize=64)
def _find(identifier: str) -> Runtime | str:
    if not identifier:
        return Runtime("", IMAGE, "", "")
    if identifier in ("provided", "provided.al2", "provided.al2023"):
        return Runtime(identifier, PROVIDED, "", "")
    match = _IDENTIFIER.match(identifier)
    family, wanted = (match[1], match[2] or "") if match else ("", "")
    if family == PYTHON and wanted in _TOO_OLD:
        return f"cumulo runs Python from 3.9, and AWS has deprecated {identifier}"
    chosen = _stand_ins.get(identifier)
    if family in _VERSIONS:
        return _chosen(identifier, family, wanted, chosen) if chosen else _searched(identifier, family, wanted)
    if family == PROVIDED:
        return f"there is no runtime {identifier}"
    return (
        f"cumulo cannot run {identifier}: bring its runtime as the `bootstrap` of a custom runtime"
        ' (provided.al2023), as AWS Lambda Developer Guide, "Building a custom runtime", describes'
    )


def _searched(identifier: str, family: str, wanted: str) -> Runtime | str:
    if family == PYTHON and wanted == f"{sys.version_info[0]}.{sys.version_info[1]}":
        if os.access(base_python(), os.X_OK):
            return Runtime(identifier, PYTHON, base_python(), sys.version.split()[0])
    name = {PYTHON: f"python{wanted}", NODE: "node"}.get(family, family)
    for program in _programs(name):
        version = _VERSIONS[family](program)
        if _is(version, wanted):
            return Runtime(identifier, family, program, version)
    return f"the runtime {identifier} needs {_MISSING[family].format(wanted=wanted)} brings it"


def _chosen(identifier: str, family: str, wanted: str, program: str) -> Runtime | str:
    version = _VERSIONS[family](program)
    if not version:
        return f"the setting runtimes names {program} for {identifier}, which does not tell its version"
    return Runtime(identifier, family, program, version, not _is(version, wanted))


def _is(version: str, wanted: str) -> bool:
    return version == wanted or version.startswith(wanted + ".")


def _python_version(program: str) -> str:
    return _said([program, "-I", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"])


def _node_version(program: str) -> str:
    return _said([program, "--version"]).lstrip("v")


def _ruby_version(program: str) -> str:
    return _said([program, "--disable-gems", "-e", "print RUBY_VERSION"])


def _java_version(program: str) -> str:
    """ "17.0.15"; "8.0_392" for what calls itself 1.8.0_392. Installations say it in a file, else the program does."""
    said = ""
    with contextlib.suppress(OSError):
        said = (Path(program).resolve().parents[1] / "release").read_text("utf-8", "replace")
    found = re.search(r'^JAVA_VERSION="([^"]+)"', said, re.MULTILINE)
    found = found or re.search(r'version "([^"]+)"', _said([program, "-version"]))
    return found[1].removeprefix("1.") if found else ""


_VERSIONS: dict[str, Callable[[str], str]] = {
    PYTHON: _python_version,
    NODE: _node_version,
    RUBY: _ruby_version,
    JAVA: _java_version,
}
_MISSING = {
    PYTHON: "Python {wanted}, which is not on this machine:"
    " `uv python install {wanted}` (or apt install python{wanted})",
    NODE: "Node.js {wanted}, which is not on this machine:"
    " `nvm install {wanted}` (or `fnm install {wanted}`, or https://nodejs.org)",
    RUBY: "Ruby {wanted}, which is not on this machine:"
    " `rbenv install {wanted}` (or `mise install ruby@{wanted}`, or apt install ruby{wanted})",
    JAVA: "Java {wanted}, which is not on this machine:"
    " `apt install openjdk-{wanted}-jre-headless` (or `mise install java@{wanted}`, or https://adoptium.net)",
}


def base_python() -> str:
    """This interpreter itself, not the virtual environment that it runs in."""
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    return str(Path(base).resolve())


def _programs(name: str) -> list[str]:
    """Where a program of this name is."""
    found = []
    if name == JAVA:
        own = os.path.expandvars("$JAVA_HOME/bin/java")
        found += [own] if os.access(own, os.X_OK) else []
    on_path = shutil.which(name)
    if on_path and not any(shim in on_path for shim in SHIMS):
        found.append(on_path)
    for place in PLACES:
        root, star, rest = os.path.expandvars(str(Path(place).expanduser())).partition("*")
        folders = [*Path(root).glob(star + rest)] if star else [Path(root)]
        found += [str(folder / name) for folder in sorted(folders, reverse=True) if os.access(folder / name, os.X_OK)]
    return list(dict.fromkeys(found))


def _said(command: list[str]) -> str:
    """What a program prints, "" when it cannot."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else ""
