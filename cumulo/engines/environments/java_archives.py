"""Archives of the classes that Lambda's Java runtime uses, which a JVM maps instead of loading them: faster starts.

One for each JVM, made when its first function comes: the JVM runs the runtime once, without anybody's code. Without an
archive (a JVM before 13, one that fails) everything works the same.
Source: Oracle, "The java Command", section "Application Class Data Sharing".
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
import subprocess
from pathlib import Path

from cumulo.engines.environments.programs import JAVA_MAIN, JAVA_RUNTIME, java_flags
from cumulo.engines.environments.runtimes import JAVA, Runtime

FIRST = 13
"""The first version of Java that makes archives when it ends."""
PATIENCE_S = 60.0
MEMORY_MB = 128


class JavaArchives:
    """The archives of one cloud."""

    def __init__(self, folder: Path, logger: logging.Logger) -> None:
        self._folder = folder
        self._logger = logger
        self._made: dict[str, asyncio.Task[str]] = {}

    async def prepare(self, runtime: Runtime) -> None:
        """Make the archive that this runtime wants, if it wants one and there is none yet."""
        if runtime.family != JAVA:
            return
        task = self._made.get(runtime.program)
        if task is None:
            task = self._made[runtime.program] = asyncio.create_task(asyncio.to_thread(self._archive, runtime))
        await asyncio.shield(task)

    def of(self, runtime: Runtime) -> str:
        """The archive's file, "" where there is none; `prepare` comes first."""
        task = self._made.get(runtime.program)
        return task.result() if task is not None and task.done() else ""

    def _archive(self, runtime: Runtime) -> str:
        release = int(re.split("[.+_-]", runtime.version)[0])
        if release < FIRST:
            return ""
        content = f"{runtime.program} {runtime.version} {JAVA_RUNTIME}".encode() + JAVA_RUNTIME.read_bytes()
        file = self._folder / f"{release}-{hashlib.sha256(content).hexdigest()[:32]}.jsa"
        self._sweep(release, file)
        if file.exists():
            return str(file)
        self._folder.mkdir(parents=True, exist_ok=True)
        made = file.with_suffix(f".{os.getpid()}")
        flags = [f"-XX:ArchiveClassesAtExit={made}", *java_flags(MEMORY_MB)]
        command = [runtime.program, *flags, "-cp", str(JAVA_RUNTIME), JAVA_MAIN, "archive"]
        try:
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False, cwd="/")
            if done.returncode == 0 and made.exists():
                made.chmod(0o644)  # functions run as users of their own
                made.replace(file)
                return str(file)
            self._logger.debug("no archive of Java's classes: %s", done.stdout[-500:] + done.stderr[-500:])
        except (OSError, subprocess.TimeoutExpired) as error:
            self._logger.debug("no archive of Java's classes: %s", error)
        finally:
            with contextlib.suppress(FileNotFoundError):
                made.unlink()
        return ""

    def _sweep(self, release: int, kept: Path) -> None:
        """Delete what another JVM of this release or another cumulo has left. Whoever maps one keeps it."""
        for each in self._folder.glob("*"):
            release_of, found, _ = each.name.partition("-")
            if each != kept and (not found or release_of == str(release)):  # once the release was not in the name
                with contextlib.suppress(OSError):
                    each.unlink()
