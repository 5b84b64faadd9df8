"""The engines of this machine, each with environments of its own. All must be here: .ci/run installs them."""

import asyncio
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from cumulo.engines.containers import engines
from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.environment import Environment
from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench

ENGINES = tuple(engines.ENGINES)
WITHOUT_ROOT = (engines.PODMAN, engines.RUNC, engines.GVISOR)
UNIFIED = Path("/sys/fs/cgroup/unified")
CRUN = """#!/bin/sh
exec unshare --mount sh -c 'umount {unified}; exec {crun} "$@"' crun "$@"
"""
PODMAN = '[engine]\nruntime = "runc"\n'
DOCKER_S = 30


@pytest.fixture(scope="session")
def engines_ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A docker daemon of our own, and what crun needs where both versions of control groups are used.

    crun refuses such machines, so there it runs without the mount of version 2, and podman uses runc.
    """
    folder = tmp_path_factory.mktemp("engines")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        if os.geteuid() == 0:
            patch.setenv("DOCKER_HOST", stack.enter_context(dockerd(folder / "docker")))
        else:
            patch.setenv("XDG_RUNTIME_DIR", str(folder))
        controllers = UNIFIED / "cgroup.controllers"
        if controllers.is_file() and controllers.read_text().strip():
            crun = folder / "crun"
            crun.write_text(CRUN.format(unified=UNIFIED, crun=shutil.which("crun")))
            crun.chmod(0o755)
            patch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
            (folder / "containers.conf").write_text(PODMAN)
            patch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
        yield


@contextmanager
def dockerd(folder: Path) -> Iterator[str]:
    """A docker daemon that no other uses; its address."""
    folder.mkdir()
    address = f"unix://{folder}/socket"
    words = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]
    words += [f"--data-root={folder}/data", f"--exec-root={folder}/run", f"--pidfile={folder}/pid", f"--host={address}"]
    log = folder / "log"
    with log.open("wb") as output:
        daemon = subprocess.Popen(["dockerd", *words], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + DOCKER_S
        while subprocess.run(["docker", "--host", address, "version"], capture_output=True, check=False).returncode:
            if time.monotonic() > deadline or daemon.poll() is not None:
                pytest.fail(f"no docker daemon: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield address
    finally:
        daemon.terminate()
        daemon.wait(DOCKER_S)


@pytest.fixture(scope="session", params=ENGINES)
def homes(
    request: pytest.FixtureRequest, engines_ready: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[asyncio.Runner, Environments]]:
    """One loop with the environments of an engine, for all tests."""
    if os.geteuid() != 0 and request.param not in WITHOUT_ROOT:
        pytest.skip("it is set up as root")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:

        async def make() -> Environments:
            folder = tmp_path_factory.mktemp(f"state-{request.param}")
            log = logging.getLogger("test")
            return Environments(folder, log, time.time, time.time, isolation=request.param)

        made = runner.run(make())
        yield runner, made
        runner.run(made.close())


@pytest.fixture
def bench(tmp_path: Path, homes: tuple[asyncio.Runner, Environments]) -> Bench:
    for folder in (tmp_path, *tmp_path.parents):  # functions run as another user, who must reach their code
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    return OwnPython(tmp_path, *homes)


class OwnPython(Bench):
    """Its functions run by the Python that runs the tests, which every user has."""

    def build(self, source: str = "", **changes: Any) -> Build:
        return super().build(source, **{"runtime": f"python3.{sys.version_info.minor}", **changes})


def name_of(environment: Environment) -> str:
    """The name of its container."""
    assert environment._life is not None and environment._life._sandbox is not None
    return str(environment._life._sandbox.spec["container"])


def command_to_kill(homes: Environments, environment: Environment) -> list[str]:
    """What kills the container of an environment, as somebody who looks after the machine may."""
    containers = homes._containers
    assert containers is not None
    program, name = engines.find(containers.engine), name_of(environment)
    if containers.engine in (engines.PODMAN, engines.DOCKER):
        return [program, "kill", name]
    return [program, "--root", str(containers._folder / containers.engine), "kill", name, "KILL"]
