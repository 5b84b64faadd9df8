"""Compile Lambda's Java runtime: `python scripts/build_java_runtime.py`. Needs a JDK, 17 to give the same bytes.

The sources in cumulo/engines/environments/guest/java become `runtime.jar` beside them, for Java 8 and later. The file
is part of the repository, so that neither a build of cumulo nor a machine that runs it needs a compiler of Java.
"""

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "cumulo" / "engines" / "environments" / "guest" / "java"
OPTIONS = ("-Xlint:all", "-Xlint:-options", "-Werror", "--release", "8", "-g:source,lines", "-encoding", "UTF-8")


def build(javac: str, target: Path) -> None:
    """Write the archive. Raises CalledProcessError for what does not compile."""
    sources = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.java"))
    with tempfile.TemporaryDirectory() as made:
        subprocess.run([javac, *OPTIONS, "-d", made, *sources], cwd=FOLDER, check=True)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for path in sorted(Path(made).rglob("*.class")):
                entry = zipfile.ZipInfo(str(path.relative_to(made)), (2026, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    found = shutil.which("javac")
    if found is None:
        sys.exit("javac is not here: apt install openjdk-17-jdk-headless brings it")
    build(found, FOLDER / "runtime.jar")
