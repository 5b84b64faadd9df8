"""Functions in Java: the sources of the folder `java`, compiled once."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.programs import JAVA_RUNTIME

SOURCES = Path(__file__).parent / "java"
OLDER = ("java8.al2", "java11")
"""The sources use records, which these do not know."""
HERE = [each for each in runtimes.here() if each.family == "java" and each.identifier not in OLDER]
RUNTIMES = [each.identifier for each in HERE] or [""]
RUNTIME = RUNTIMES[0]
"""The oldest one: what is compiled for it runs on all."""
MISSING = "" if HERE and shutil.which("javac") else "needs a JDK: apt install openjdk-17-jdk-headless"


@cache
def compiled() -> dict[str, bytes]:
    """The classes by their paths."""
    release = RUNTIME.removeprefix("java").removesuffix(".al2")
    with tempfile.TemporaryDirectory() as made:
        files = [str(path) for path in sorted(SOURCES.rglob("*.java"))]
        options = ["--release", release, "-nowarn", "-encoding", "UTF-8", "-g", "-cp", str(JAVA_RUNTIME), "-d", made]
        subprocess.run(["javac", *options, *files], check=True, timeout=120)
        return {str(path.relative_to(made)): path.read_bytes() for path in Path(made).rglob("*.class")}


def write(folder: Path, *, under: str = "") -> Path:
    """The classes in a folder."""
    for name, content in compiled().items():
        file = folder / under / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return folder
