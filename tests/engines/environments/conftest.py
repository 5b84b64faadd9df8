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

    def __init__(self, folder: Path, runner: asyncio.Runner, homes: Environments) -> None:
        self.folder = folder
        self.lines: list[LogLine] = []
        self._runner = runner
        self._homes = homes
        self._started: list[Environment] = []
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
        """Run `main` with environments; those that it started are stopped after it."""

        async def body() -> Any:
            try:
                return await main(self._homes)
            finally:
                for environment in self._started:
                    await environment.stop()
                self._started.clear()

        return self._runner.run(asyncio.wait_for(body(), 60))

    async def start(self, homes: Environments, build: Build) -> Environment:
        """An environment that logs into `lines`."""
        environment = await homes.start(build, self.lines.extend, "2026/01/01/[$LATEST]abc")
        self._started.append(environment)
        return environment

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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Environments]]:
    """One loop with its environments for all tests: zygotes stay warm."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        async def make() -> Environments:
            folder = tmp_path_factory.mktemp("state")
            return Environments(folder, logging.getLogger("test"), time.time, time.time)

        homes = runner.run(make())
        yield runner, homes
        runner.run(homes.close())


@pytest.fixture
def bench(tmp_path: Path, engine: tuple[asyncio.Runner, Environments]) -> Bench:
    if os.geteuid() == 0:  # functions run as another user, who must reach their code
        for folder in (tmp_path, *tmp_path.parents):
            if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
                folder.chmod(0o755)
    return Bench(tmp_path, *engine)
