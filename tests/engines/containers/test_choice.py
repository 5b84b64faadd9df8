"""Which engine is taken, and what is said when it is not there."""

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from cumulo.engines.containers import engines
from cumulo.engines.environments.builds import StartFailed
from cumulo.engines.environments.environments import Environments
from cumulo.engines.images.store import Images
from cumulo.engines.sandboxes.probe import Abilities
from tests.engines.containers.conftest import ENGINES, OwnPython
from tests.engines.environments.test_images import build, image_of


@pytest.mark.parametrize("name", ENGINES)
def test_what_is_not_here_is_named_with_what_installs_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(engines, "PLACES", ())
    program = engines.ENGINES[name].program
    with asyncio.Runner() as runner:

        async def main() -> None:
            homes = Environments(tmp_path, logging.getLogger("test"), time.time, time.time, isolation=name)
            bench = OwnPython(tmp_path, runner, homes)
            expected = f"the setting isolation is {name}, but {program} is not on this machine: apt install"
            with pytest.raises(StartFailed, match=expected):
                await homes.start(bench.build("def handler(*_): pass"), bench.lines.extend)
            await homes.close()

        runner.run(main())
    assert "apt install" in engines.line(name)


def test_a_daemon_that_does_not_answer_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing")
    assert engines.line("docker").startswith("containers by docker, which does not work: ")
    with asyncio.Runner() as runner:

        async def main() -> None:
            homes = Environments(tmp_path, logging.getLogger("test"), time.time, time.time, isolation="docker")
            bench = OwnPython(tmp_path, runner, homes)
            with pytest.raises(StartFailed, match=r"docker: .*(daemon|connect)"):
                await homes.start(bench.build("def handler(*_): pass"), bench.lines.extend)
            await homes.close()

        runner.run(main())


def test_each_tells_its_version(engines_ready: None) -> None:
    for name in ENGINES:
        assert engines.line(name).startswith(f"containers by {name} (/"), name


def test_images_without_namespaces_run_in_podman(
    engines_ready: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    monkeypatch.setattr("cumulo.engines.sandboxes.sandboxes.abilities", lambda: Abilities(refused="a test"))
    with asyncio.Runner() as runner:

        async def main() -> None:
            homes = Environments(tmp_path / "state", logging.getLogger("test"), time.time, time.time)
            bench = OwnPython(tmp_path, runner, homes)
            made = build(bench, image_of(Images(tmp_path / "images"), tmp_path))
            for _ in range(2):
                environment = await homes.start(made, bench.lines.extend)
                outcome = await environment.invoke(bench.invocation(b'"echo $0"'))
                assert json.loads(outcome.payload) == "/bootstrap", bench.text
                await environment.stop()
            await homes.close()

        runner.run(main())
    said = [each.message for each in caplog.records if "images" in each.message]
    assert said == ["functions of images run in containers of podman: there are no namespaces for them"]
