"""What the files of a folder say about the function that they are: its handler, its runtime."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from cumulo.cli.folders import Seen

_NAMES = "(?:lambda_|lambda)?[hH]andler|main"
_HANDLERS = {  # by the file's ending: how a function that may be the handler begins in its language
    ".py": re.compile(rf"^(?:async )?def ({_NAMES})\(|^({_NAMES}) ?= ", re.MULTILINE),
    ".mjs": re.compile(rf"^export (?:const|async function|function) ({_NAMES})\b", re.MULTILINE),
    ".js": re.compile(
        rf"^(?:module\.)?exports\.({_NAMES}) ?=|^export (?:const|async function|function) ({_NAMES})\b", re.MULTILINE
    ),
    ".rb": re.compile(rf"^def ({_NAMES})\b", re.MULTILINE),
}  # fmt: skip
_FAMILIES = {".py": "python", ".mjs": "nodejs", ".js": "nodejs", ".cjs": "nodejs", ".rb": "ruby"}
_ELSE = {"nodejs": "nodejs22.x", "ruby": "ruby3.4", "java": "java21"}  # for the refusal that says what installs it
_MOST_B = 1_000_000


def likely(folder: Path, files: Seen) -> str:
    """What may be meant as the handler, such as "app.handler"; "" when nothing looks like one."""
    for path in sorted(files, key=lambda name: (name.count("/"), name)):
        pattern = _HANDLERS.get(Path(path).suffix)
        if pattern is None or "/" in path or files[path][1] > _MOST_B:
            continue
        found = pattern.search((folder / path).read_text("utf-8", "replace"))
        if found is not None:
            return f"{Path(path).stem}.{next(filter(None, found.groups()))}"
    return "bootstrap" if "bootstrap" in files else ""


def runtime(handler: str, files: Iterable[str], here: Iterable[str]) -> str:
    """The identifier of the runtime for a handler of this archive; the newest one of its language that is `here`."""
    files = set(files)
    module = handler.rpartition(".")[0] or handler
    family = next((_FAMILIES[ending] for ending in _FAMILIES if f"{module}{ending}" in files), "")
    if not family and "bootstrap" in files:
        return "provided.al2023"
    if not family and any(name.endswith((".class", ".jar")) for name in files):
        family = "java"
    if family in ("", "python"):
        return f"python3.{sys.version_info[1]}"
    fitting = [identifier for identifier in here if identifier.startswith(family)]
    return fitting[-1] if fitting else _ELSE[family]
