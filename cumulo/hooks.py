"""A person's own scripts, run when the cloud boots, starts, is ready and shuts down.

Scripts lie in `boot.d`, `start.d`, `ready.d` and `shutdown.d` under each of `Settings.hooks`, and run in the order of
their names, one after the other: `.py` with this Python, `.sh` as a program when executable, else with sh. Folders,
stages and states are those that LocalStack documents ("Initialization Hooks"), so existing scripts go on working.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cumulo.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("cumulo.hooks")

STAGES = ("boot", "start", "ready", "shutdown")
TIMEOUT_S = 3600.0
# Hands the program "$@" an `awslocal` and `cumulo`'s Python first on PATH; the rest of the environment is inherited.
WITH_PATH = 'PATH="$0:$PATH" exec "$@"'


class Script:
    """One script and how it went: UNKNOWN, RUNNING, SUCCESSFUL or ERROR."""

    __slots__ = ("path", "stage", "state")

    def __init__(self, stage: str, path: Path) -> None:
        self.stage = stage
        self.path = path
        self.state = "UNKNOWN"

    def as_dict(self) -> dict[str, str]:
        """As /_localstack/init shows it."""
        return {"stage": self.stage.upper(), "name": self.path.name, "state": self.state}


class Hooks:
    """The scripts of every stage, what became of them, and which stages are over."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.endpoint: Callable[[], str] = lambda: settings.url
        self.completed = dict.fromkeys(STAGES, False)
        self._scripts: dict[str, list[Script]] | None = None

    @property
    def scripts(self) -> dict[str, list[Script]]:
        """The scripts by stage, found when first asked for."""
        if self._scripts is None:
            self._scripts = {stage: self._find(stage) for stage in STAGES}
        return self._scripts

    def _find(self, stage: str) -> list[Script]:
        found: list[Script] = []
        for directory in self._settings.hooks:
            folder = directory / f"{stage}.d"
            if folder.is_dir():
                files = (path for path in folder.rglob("*") if path.suffix in (".sh", ".py") and path.is_file())
                found.extend(Script(stage, path) for path in sorted(files))
        return found

    async def run(self, stage: str) -> None:
        """Run a stage's scripts. A script that fails is logged and reported; the others still run."""
        for script in self.scripts[stage]:
            script.state = "RUNNING"
            logger.info("%s hook %s", stage, script.path)
            try:
                code = await self._run(script)
            except OSError as error:
                logger.error("%s hook %s cannot run: %s", stage, script.path, error)
                script.state = "ERROR"
                continue
            script.state = "ERROR" if code else "SUCCESSFUL"
            if code:
                logger.error("%s hook %s ended with exit code %d", stage, script.path, code)
        self.completed[stage] = True

    async def _run(self, script: Script) -> int:
        process = await asyncio.create_subprocess_exec(
            *self._command(script.path), stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        try:
            return await asyncio.wait_for(process.wait(), TIMEOUT_S)
        except BaseException:
            if process.returncode is None:
                _kill(process)
                await process.wait()
            raise

    def _command(self, path: Path) -> list[str]:
        if path.suffix == ".py":
            program = [sys.executable, str(path)]
        elif path.stat().st_mode & 0o111:
            program = [str(path)]
        else:
            program = ["/bin/sh", str(path)]
        if sys.platform == "win32":
            return program
        variables = {
            "AWS_ENDPOINT_URL": self.endpoint(),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "LOCALSTACK_HOSTNAME": "localhost",
        }
        return [
            "/bin/sh",
            "-c",
            WITH_PATH,
            str(self._awslocal()),
            "env",
            *(f"{name}={value}" for name, value in variables.items()),
            *program,
        ]

    def _awslocal(self) -> Path:
        """A folder with `awslocal`, which LocalStack's scripts call; here plain `aws` does what it did."""
        folder = self._settings.cache_dir / "bin"
        program = folder / "awslocal"
        if not program.exists():
            folder.mkdir(parents=True, exist_ok=True)
            program.write_text('#!/bin/sh\nexec aws "$@"\n')
            program.chmod(0o755)
        return folder

    def report(self, stage: str | None = None) -> dict[str, object]:
        """What /_localstack/init tells: of all stages, or of one."""
        if stage is not None:
            return {"completed": self.completed[stage], "scripts": [script.as_dict() for script in self.scripts[stage]]}
        return {
            "completed": {stage.upper(): done for stage, done in self.completed.items()},
            "scripts": [script.as_dict() for stage in STAGES for script in self.scripts[stage]],
        }


def _kill(process: asyncio.subprocess.Process) -> None:
    """End a script and what it started."""
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
