"""Builds wheels whose hot path is machine code: mypyc compiles the modules that `pyproject.toml` names.

The source tree stays pure Python, and so do editable installs. Where the modules cannot be compiled (no C compiler, an
interpreter other than CPython, `CUMULO_PURE=1`) the wheel is pure too, and one line says why. Nothing else differs.
"""

from __future__ import annotations

import ast
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# msgspec and psycopg for their types: mypyc must see that a struct of msgspec is not an ordinary class.
REQUIREMENTS = ["mypy>=2.3,<3", "setuptools>=77", "msgspec>=0.20", "psycopg>=3.2"]

# What is missing here (h2, the generated stubs) is Any to mypyc: slower there, never wrong.
MYPY_OPTIONS = [
    "--config-file=",
    "--python-version",
    ".".join(platform.python_version_tuple()[:2]),
    "--ignore-missing-imports",
    "--follow-imports=silent",
    "--disable-error-code=has-type",  # imports that go round in services: `mypy` itself checks these
]


def why_pure() -> str:
    """Why nothing can be compiled here; "" when it can."""
    if os.environ.get("CUMULO_PURE", "0") not in ("", "0"):
        return "CUMULO_PURE is set"
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "this Python is not an ordinary CPython"
    if sys.platform != "win32":
        compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
        if not any(map(shutil.which, (compiler, "cc"))):
            return f"there is no C compiler ({compiler})"
        if not Path(sysconfig.get_path("include"), "Python.h").is_file():
            return "Python's C headers are not installed"
    return ""


class CompiledWheel(BuildHookInterface[Any]):
    """Hatchling's hook."""

    def dependencies(self) -> list[str]:
        """What the build needs beside hatchling."""
        return [] if why_pure() else REQUIREMENTS

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and add what came out to the wheel; leave it as it is when that fails."""
        if version == "editable":
            return
        reason = why_pure()
        if not reason:
            self.folder = Path(tempfile.mkdtemp(prefix="cumulo-build-"))
            reason = self._compile(self.folder)
        if reason:
            self.app.display_warning(f"cumulo: pure Python wheel, at twice the CPU per call: {reason}")
            return
        for library in (self.folder / "lib").rglob("*.*"):
            build_data["force_include"][str(library)] = library.relative_to(self.folder / "lib").as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Drop the intermediate files."""
        if folder := getattr(self, "folder", None):
            shutil.rmtree(folder, ignore_errors=True)

    def _compile(self, folder: Path) -> str:
        """Why it failed; "" when the libraries are in `folder/lib`."""
        root = Path(self.root)
        shutil.copytree(root / "cumulo", folder / "cumulo", ignore=shutil.ignore_patterns("stubs", "__pycache__"))
        log = folder / "log"
        with log.open("wb") as output:
            command = [sys.executable, str(Path(__file__).resolve()), *self.config["modules"]]
            done = subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False)
        if done.returncode == 0:
            return ""
        lines = log.read_text(errors="replace").splitlines()
        if os.environ.get("CUMULO_BUILD_LOG"):
            Path(os.environ["CUMULO_BUILD_LOG"]).write_text("\n".join(lines))
        errors = [line for line in lines if "error" in line.lower()] or lines[-1:] or ["mypyc failed"]
        return errors[0].strip()


def quote_fields(path: Path) -> None:
    """Quote the types of records' fields: of one that is no plain class mypyc keeps nothing but `type`, unless quoted.

    And of a quoted union neither, unless it is spelt `Union[…]`. Lines stay where they are.
    """
    source = path.read_bytes()
    tree = ast.parse(source)
    starts = [0, *(end + 1 for end, byte in enumerate(source) if byte == ord("\n"))]
    records = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.bases]
    fields = [node.annotation for record in records for node in record.body if isinstance(node, ast.AnnAssign)]
    changes: list[tuple[ast.AST, str]] = [(field, repr(_spelt(field))) for field in fields]
    if fields:
        first = next(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
        changes.append((first, f"{ast.unparse(first)}; import typing"))
    for node, text in sorted(changes, key=lambda change: change[0].lineno, reverse=True):  # type: ignore[attr-defined]
        begin = starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        source = source[:begin] + text.encode() + b"\n" * source[begin:end].count(b"\n") + source[end:]
    path.write_bytes(source)


def _spelt(field: ast.expr) -> str:
    if isinstance(field, ast.Constant):
        return str(field.value)
    members = []
    while isinstance(field, ast.BinOp):
        members.insert(0, ast.unparse(field.right))
        field = field.left
    return f"typing.Union[{', '.join([ast.unparse(field), *members])}]" if members else ast.unparse(field)


def compile_here(modules: list[str]) -> None:
    """Compile these modules of ./cumulo into ./lib, C files side by side."""
    from mypyc.build import mypycify
    from setuptools import setup
    from setuptools.command.build_ext import build_ext

    class ParallelBuild(build_ext):
        def build_extensions(self) -> None:
            one_by_one = self.compiler.compile

            def compile_all(sources: list[str], **options: Any) -> list[str]:
                with ThreadPoolExecutor(os.cpu_count()) as pool:
                    done = pool.map(lambda source: one_by_one([source], **options), sources)
                    return [name for names in done for name in names]

            self.compiler.compile = compile_all
            super().build_extensions()

    for module in modules:
        quote_fields(Path(module))
    extensions = mypycify(
        [*MYPY_OPTIONS, *modules], opt_level="3", debug_level="0", multi_file=True, group_name="cumulo"
    )
    for extension in extensions:
        if sys.platform != "win32":
            extension.extra_compile_args = [*extension.extra_compile_args, "-Wno-error", "-fvisibility=hidden"]
            extension.extra_link_args = ["-Wl,-x" if sys.platform == "darwin" else "-Wl,-s"]
    setup(
        name="cumulo",
        packages=[],
        ext_modules=extensions,
        cmdclass={"build_ext": ParallelBuild},
        script_args=["--quiet", "build_ext", "--build-lib", "lib", "--build-temp", "objects"],
    )


if __name__ == "__main__":
    compile_here(sys.argv[1:])
