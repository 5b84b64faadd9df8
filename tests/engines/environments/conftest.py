"""Environments without a cloud: functions are folders of source."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from cumulo.engines.environments.builds import Build, Invocation, LogLine, Outcome
from cumulo.engines.environments.environment import Environment
from cumulo.engines.environments.environments import Environments


class Bench:
    """Runs functions; `run(main)` gives the loop."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[LogLine] = []
        self.homes = None
        self._count = 0
        self._requests = 0

    def code(self, **files: str) -> Path:
        """A folder of code; names without a dot are modules of Python."""
        self._count += 1
        folder = self.folder / f"code{self._count}"
        for name, text in files.items():
            file = folder / name.replace("__", "/")
            file = file if file.suffix else file.with_suffix(".py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        folder.chmod(0o755)
        return folder

    def build(self, source: str = "", **changes: Any) -> Build:
        """A Python function whose handler is `index.handler`."""
        code = changes.pop("code", None) or self.code(index=source)
        given = {
            "runtime": "python3.12",
            "handler": "index.handler",
            "function_name": "f",
            "function_version": "$LATEST",
        }
        arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
        return Build(**{"key": "k", "code": code, "function_arn": arn, **given, **changes})

    def run(self, main: Callable[[Environments], Coroutine[Any, Any, Any]]) -> Any:
        """Run `main` with environments, which are closed after it."""

        async def body() -> Any:
            homes = Environments(self.folder / "data", logging.getLogger("test"), time.time, time.time)
            try:
                return await main(homes)
            finally:
                await homes.close()

        return uvloop.run(asyncio.wait_for(body(), 60))

    async def start(self, homes: Environments, build: Build) -> Environment:
        """An environment that logs into `lines`."""
        return await homes.start(build, self.lines.extend, "2026/01/01/[$LATEST]abc")

    def invocation(self, payload: bytes = b"{}", **more: Any) -> Invocation:
        """With an id of its own."""
        self._requests += 1
        return Invocation(f"00000000-0000-4000-8000-{self._requests:012d}", payload, **more)

    def invoke(self, build: Build, *payloads: bytes) -> list[Outcome]:
        """Outcomes of one environment, one after the other."""

        async def main(homes: Environments) -> list[Outcome]:
            environment = await self.start(homes, build)
            return [await environment.invoke(self.invocation(payload)) for payload in payloads or (b"{}",)]

        return self.run(main)  # type: ignore[no-any-return]

    @property
    def text(self) -> str:
        """The whole log."""
        return "".join(line.text for line in self.lines)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    if os.geteuid() == 0:  # functions run as another user, who must reach their code
        for folder in (tmp_path, *tmp_path.parents):
            if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                folder.chmod(0o755)
    yield Bench(tmp_path)
