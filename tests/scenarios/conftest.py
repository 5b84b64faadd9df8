"""Unmodified programs against a real `cumulo start`, as a person would run them."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server_process import Server

HERE = Path(__file__).parent
CACHE = Path.home() / ".cache" / "cumulo-tests"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "cloud").start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.stop()


@pytest.fixture
def server_url(server: Server) -> str:
    return server.url


@pytest.fixture
def aws_v1(server_url: str) -> list[str]:
    """The AWS CLI v1 of pip, run by this very interpreter.

    For SQS it takes no notice of AWS_ENDPOINT_URL (it goes to queue.amazonaws.com, a rule of its own), so it is
    told the endpoint by option; `cumulo exec` needs neither.
    """
    return [sys.executable, "-m", "awscli", "--endpoint-url", server_url]


@pytest.fixture(scope="session")
def aws_v2() -> list[str]:
    """The AWS CLI v2, which PyPI carries inside `aws-cdk-asset-awscli-v2`."""
    home = CACHE / "awscli-v2"
    if not (home / "done").exists():
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(home), "aws-cdk-asset-awscli-v2"]
        subprocess.run(pip, check=True)
        with zipfile.ZipFile(next(home.glob("*.whl"))) as wheel:
            bundle = next(name for name in wheel.namelist() if name.endswith(".tgz"))
            wheel.extract(bundle, home)
        subprocess.run(["tar", "xzf", str(home / bundle), "-C", str(home)], check=True)
        shutil.unpack_archive(home / "package" / "lib" / "layer.zip", home / "layer")
        for unneeded in [*home.glob("*.whl"), home / bundle, home / "package"]:
            shutil.rmtree(unneeded) if unneeded.is_dir() else unneeded.unlink()
        (home / "done").touch()
    program = next((home / "layer" / "awscli" / "v2").glob("2.*/dist/aws"))
    program.chmod(0o755)
    return [str(program)]


@pytest.fixture(scope="session")
def javascript() -> Path:
    """A folder with the scripts of `javascript/` and the npm packages they need."""
    home = CACHE / "javascript"
    home.mkdir(parents=True, exist_ok=True)
    manifest = (HERE / "javascript" / "package.json").read_text()
    if not (home / "node_modules").exists() or (home / "package.json").read_text() != manifest:
        (home / "package.json").write_text(manifest)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True)
    for script in (HERE / "javascript").glob("*.mjs"):
        shutil.copy(script, home)
    return home


@pytest.fixture
def run(server: Server) -> Callable[..., Any]:
    """Runs a program with the exported environment; its standard output, as JSON when it is that."""

    def run_program(command: list[str], *arguments: str, cwd: Path | None = None, **env: str) -> Any:
        done = subprocess.run(
            [*command, *arguments],
            env=server.environment(**env),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else done.stdout

    return run_program
