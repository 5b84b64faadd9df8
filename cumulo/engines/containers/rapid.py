"""A Python that runs in any image: with its own loader and libraries, all below /var/rapid. Standard library only.

An image may have another C library, or none. The interpreter is started by its own dynamic linker, which is told where
the libraries are (ld.so(8), --library-path), so nothing of the image's is used and nothing of it changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

from cumulo.engines.containers.mounts import HOME, PARTS, Mount, Plain

LOADED = """
import sys
sys.path.append(sys.argv[1])
import cumulo.engines.containers.contained, cumulo.engines.environments.guest.program
print(open("/proc/self/maps").read())
"""
PATIENCE_S = 30.0


class Rapid:
    """The folder that is shown as /var/rapid."""

    def __init__(self, python: str, tree: str, folder: Path) -> None:
        """`python`: this interpreter itself. Raises OSError, subprocess.SubprocessError."""
        self._python = Path(python)
        self._stdlib = Path(sysconfig.get_path("stdlib"))
        libraries = self._libraries(tree)
        seen = "\0".join(f"{each} {each.stat().st_mtime_ns}" for each in (self._python, *libraries))
        self.folder = folder / f"rapid-{hashlib.sha256(seen.encode()).hexdigest()[:32]}"
        self._loader = next(each.name for each in libraries if each.name.startswith("ld-"))
        if not self.folder.is_dir():
            self._make(libraries)

    def command(self) -> list[str]:
        """What starts the interpreter, as far as its script."""
        python = f"{HOME}/bin/{self._python.name}"
        return [f"{HOME}/lib/{self._loader}", "--library-path", f"{HOME}/lib", python, "-s", "-S", "-P", "-X", "utf8"]

    @staticmethod
    def variables() -> dict[str, str]:
        """Where it finds its standard library."""
        return {"PYTHONHOME": HOME}

    def mounts(self) -> list[Mount]:
        """The folder, and the standard library in it."""
        return [Mount(str(self.folder), HOME), Mount(str(self._stdlib), f"{HOME}/lib/{self._stdlib.name}")]

    def _libraries(self, tree: str) -> list[Path]:
        """The shared libraries that it has loaded when it has imported all that runs inside."""
        command = [str(self._python), "-I", "-S", "-c", LOADED, tree]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd="/")
        names = {line.split(maxsplit=5)[5] for line in ran.stdout.splitlines() if line.count("/")}
        paths = [Path(name) for name in sorted(names) if ".so" in Path(name).name]
        return [path for path in paths if not path.is_relative_to(self._stdlib)]

    def _make(self, libraries: list[Path]) -> None:
        made = Path(f"{self.folder}.{os.getpid()}")
        (made / "bin").mkdir(parents=True)
        (made / "lib" / self._stdlib.name).mkdir(parents=True)
        for part in PARTS:
            (made / "cumulo" / "engines" / part).mkdir(parents=True)
        shutil.copy2(self._python, made / "bin" / self._python.name)
        for each in libraries:
            for name in _names(each):
                shutil.copy2(each, made / "lib" / name)
        for place in (made, *made.rglob("*")):
            place.chmod(0o755)
        try:
            made.rename(self.folder)
        except OSError:  # another has made it meanwhile
            shutil.rmtree(made, ignore_errors=True)
            if not self.folder.is_dir():
                raise


def _names(library: Path) -> list[str]:
    """All names of a library beside it: programs ask for libz.so.1, which is a link to libz.so.1.2.13."""
    stem = library.name.partition(".so")[0]
    return [each.name for each in library.parent.glob(f"{stem}.so*") if each.resolve() == library.resolve()]


def image_mounts(template: Plain, spec: Plain, rapid: Rapid, trusted: Path, skeleton: Path) -> list[Mount]:
    """What is mounted in the root of an image; places for it are made there."""
    root = Path(spec["image"])
    (root / HOME[1:]).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    made = [Mount("", "/tmp", spec["tmp_bytes"]), *rapid.mounts()]
    made += [Mount(str(trusted), "/etc/cumulo")] if trusted.is_dir() else []
    made += [Mount(f"{skeleton}{file}", file) for file in ("/etc/hosts", "/etc/resolv.conf")]
    tree = template["tree"]
    made += [Mount(f"{tree}/cumulo/engines/{part}", f"{HOME}/cumulo/engines/{part}") for part in PARTS]
    return made
