"""The protocol test cases of botocore's source distribution, fetched once with pip for the installed version."""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import botocore

from cumulo.wire import cuts
from cumulo.wire.models import Service

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
REASONS = Path(__file__).with_name("exceptions.json")
_INSIDE = "/tests/unit/protocols/"


class Unavailable(Exception):
    """The source distribution cannot be had."""


def folder() -> Path:
    """The folder of the cases, with `input` and `output` in it. Raises Unavailable."""
    name = f"botocore-{botocore.__version__}"
    there = CACHE / f"{name}-protocols"
    if not there.is_dir():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
            _unpack(_download(Path(temporary)), Path(temporary) / "cases")
            try:
                (Path(temporary) / "cases").replace(there)
            except OSError:
                if not there.is_dir():  # another test process was quicker
                    raise
    return there


def _download(into: Path) -> Path:
    requirement = f"botocore=={botocore.__version__}"
    arguments = ["download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", str(into), requirement]
    clients = [[sys.executable, "-m", "pip"]]
    clients += [[found] for found in (shutil.which("pip"),) if found]
    clients += [[found, "tool", "run", "pip"] for found in (shutil.which("uv"),) if found]
    said = ""
    for client in clients:
        done = subprocess.run([*client, *arguments], capture_output=True, text=True, timeout=300, check=False)
        archives = list(into.glob("*.tar.gz"))
        if done.returncode == 0 and archives:
            return archives[0]
        said = done.stderr.strip()[-500:]
    raise Unavailable(f"The source distribution of {requirement} holds the protocol cases; pip cannot fetch it: {said}")


def _unpack(archive: Path, into: Path) -> None:
    with tarfile.open(archive) as tar:
        for entry in tar:
            if _INSIDE in entry.name and entry.name.endswith(".json") and entry.isfile():
                path = into / entry.name.partition(_INSIDE)[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                source = tar.extractfile(entry)
                assert source is not None
                path.write_bytes(source.read())


class Case:
    """One case: its suite's model cut as ours are, and what the case says."""

    def __init__(self, direction: str, file: str, index: int, suite: dict[str, Any], case: dict[str, Any]) -> None:
        self.id = f"{direction}/{file}/{case.get('id', case.get('description', ''))}"
        self.suite = suite
        self.case = case
        self.name = case["given"].get("name", "OperationName")
        self.index = index

    def service(self) -> Service:
        """A service of this one operation, from the same cut that real models go through."""
        operation = {**self.case["given"], "name": self.name}
        model = {
            "metadata": self.suite["metadata"],
            "shapes": self.suite["shapes"],
            "operations": {self.name: operation},
        }
        return Service("case", cuts.read_stored(cuts.cut_model(json.loads(json.dumps(model)), {}, {})))


def load() -> tuple[list[Case], str]:
    """All cases, and what is wrong when there are none."""
    try:
        there = folder()
    except (Unavailable, OSError, subprocess.SubprocessError) as error:
        return [], str(error)
    found = []
    for direction in ("input", "output"):
        for path in sorted((there / direction).glob("*.json")):
            for index, suite in enumerate(json.loads(path.read_text())):
                found += [Case(direction, path.stem, index, suite, case) for case in suite["cases"]]
    seen: dict[str, int] = {}
    for case in found:
        seen[case.id] = seen.get(case.id, 0) + 1
        if seen[case.id] > 1:
            case.id += f"#{seen[case.id]}"
    return found, ""


CASES, TROUBLE = load()


def exceptions() -> dict[str, str]:
    """The cases that do not hold for us, each with its reason."""
    reasons: dict[str, str] = json.loads(REASONS.read_text())
    return reasons
