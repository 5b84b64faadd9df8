"""Which of Lambda's runtimes this machine can run, and what installs the others.

Source of the identifiers: AWS Lambda Developer Guide, "Lambda runtimes".
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from cumulo.engines.environments.builds import RuntimeMissing

PYTHON, NODE, PROVIDED, JAVA, RUBY, IMAGE = "python", "nodejs", "provided", "java", "ruby", "image"
_IDENTIFIER = re.compile(r"(python|nodejs|java|ruby|provided|dotnet)\.?([0-9a-z.]*?)(?:\.x)?$")
PLACES = (  # where versions of one interpreter are kept side by side
    "~/.pyenv/versions/*/bin", "/root/.pyenv/versions/*/bin", "~/.local/share/uv/python/*/bin",
    "~/.local/share/mise/installs/python/*/bin", "~/.asdf/installs/python/*/bin", "/opt/python/*/bin",
    "~/.nvm/versions/node/*/bin", "~/.local/share/mise/installs/node/*/bin", "~/.asdf/installs/nodejs/*/bin",
    "~/.volta/tools/image/node/*/bin", "~/.fnm/node-versions/*/installation/bin", "/usr/lib/jvm/*/bin",
    "~/.rbenv/versions/*/bin", "~/.local/share/mise/installs/ruby/*/bin", "/opt/homebrew/bin", "/usr/local/bin",
)  # fmt: skip


class Runtime(Struct, frozen=True):
    """A runtime that is here."""

    identifier: str
    family: str
    """"python", "nodejs", "provided", "java", "ruby" or "image"."""
    program: str
    """The interpreter's path; "" for `provided` and images."""
    version: str
    """What the interpreter says: "3.12.1"."""

    @property
    def banner(self) -> str:
        """The version as INIT_START tells it: "python:3.12.v1"."""
        name = re.match("[a-z]+", self.identifier)
        rest = self.identifier[name.end() :].lstrip(".").removesuffix(".x") if name else ""
        return f"{name.group() if name else self.identifier}:{rest}.v1" if rest else ""


KNOWN = (
    "python3.10", "python3.11", "python3.12", "python3.13", "python3.14", "nodejs20.x", "nodejs22.x", "nodejs24.x",
    "provided.al2", "provided.al2023",
)  # fmt: skip


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
    family, wanted = (match[1], match[2]) if match else ("", "")
    if family == PYTHON:
        return _python(identifier, wanted)
    if family == NODE:
        return _node(identifier, wanted)
    if family == PROVIDED:
        return f"there is no runtime {identifier}"
    return (
        f"cumulo cannot run {identifier}: bring its runtime as the `bootstrap` of a custom runtime"
        ' (provided.al2023), as AWS Lambda Developer Guide, "Building a custom runtime", describes'
    )


def _python(identifier: str, wanted: str) -> Runtime | str:
    if sys.version_info[:2] == tuple(int(part) for part in wanted.split(".")) and os.access(base_python(), os.X_OK):
        return Runtime(identifier, PYTHON, base_python(), sys.version.split()[0])
    for program in _programs(f"python{wanted}"):
        said = _said([program, "-I", "-c", "import sys; print('.'.join(map(str, sys.version_info[:3])))"])
        if said.startswith(wanted + "."):
            return Runtime(identifier, PYTHON, program, said)
    return (
        f"the runtime {identifier} needs Python {wanted}, which is not on this machine:"
        f" `uv python install {wanted}` (or apt install python{wanted}) brings it"
    )


def _node(identifier: str, wanted: str) -> Runtime | str:
    for program in _programs("node"):
        said = _said([program, "--version"]).lstrip("v")
        if said.partition(".")[0] == wanted:
            return Runtime(identifier, NODE, program, said)
    return (
        f"the runtime {identifier} needs Node.js {wanted}, which is not on this machine:"
        f" `nvm install {wanted}` (or `fnm install {wanted}`, or https://nodejs.org) brings it"
    )


def base_python() -> str:
    """This interpreter itself, not the virtual environment that it runs in."""
    base = getattr(sys, "_base_executable", sys.executable) or sys.executable
    return str(Path(base).resolve())


def _programs(name: str) -> list[str]:
    """Where a program of this name is."""
    found = []
    on_path = shutil.which(name)
    if on_path and "shims" not in on_path:
        found.append(on_path)
    for place in PLACES:
        root, star, rest = str(Path(place).expanduser()).partition("*")
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
