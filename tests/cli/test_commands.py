"""The commands as a person runs them: start, look, stop, reset, and every clear error."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cumulo.cli import servers

Done = subprocess.CompletedProcess[str]


class Shell:
    """Runs `cumulo` with a data directory and a port of its own, and nothing else of this person's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(Path.cwd()),
            "CUMULO_DATA_DIR": str(self.data_dir),
            "CUMULO_PORT": str(self.port),
            "CUMULO_CACHE_DIR": str(Path.home() / ".cache" / "cumulo-tests"),
        }

    def __call__(self, *arguments: str, **env: str) -> Done:
        command = [sys.executable, "-m", "cumulo", *arguments]
        environment = {**self.environment, **env}
        return subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cumulo", *arguments]
        return subprocess.Popen(
            command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


@pytest.fixture
def cumulo(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell("stop")


def test_start_status_stop(cumulo: Shell) -> None:
    assert cumulo("status").returncode == 3
    started = cumulo("start", "--detach")
    assert started.returncode == 0, started.stderr
    assert f"export AWS_ENDPOINT_URL=http://localhost:{cumulo.port}" in started.stdout
    assert "\x1b" not in started.stdout
    status = cumulo("status", "--json")
    assert json.loads(status.stdout)["running"] is True
    assert "sqs" in cumulo("status").stdout
    if sys.platform == "linux":
        assert "  functions " in cumulo("status").stdout
    again = cumulo("start", "--detach")
    assert (again.returncode, "already serves" in again.stderr) == (1, True)
    assert cumulo("logs").returncode == 0
    assert cumulo("stop").stdout == "stopped\n"
    assert not (cumulo.data_dir / "cumulo.pid").exists()
    assert cumulo("stop").stdout == "no cloud is running\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(cumulo: Shell, number: int) -> None:
    with cumulo.popen("start") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(8)]
        assert any("AWS_DEFAULT_REGION" in line for line in lines), lines
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, "")


def test_a_taken_port_names_its_owner(cumulo: Shell) -> None:
    with socket.create_server(("127.0.0.1", cumulo.port)):
        refused = cumulo("start")
    assert refused.returncode == 1
    assert f"port {cumulo.port} is taken" in refused.stderr
    if sys.platform == "linux":
        assert f"(process {os.getpid()})" in refused.stderr
    assert "--port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_locked_directory_is_refused(cumulo: Shell) -> None:
    assert cumulo("start", "--detach").returncode == 0
    refused = cumulo("start", "--port", "0")
    assert refused.returncode == 1
    assert "another cumulo uses this directory" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_strangers_directory_is_refused(cumulo: Shell) -> None:
    cumulo.data_dir.mkdir()
    (cumulo.data_dir / "thesis.txt").write_text("mine")
    assert "not a directory of cumulo" in cumulo("start").stderr
    refused = cumulo("reset", "--yes")
    assert (refused.returncode, "nothing was deleted" in refused.stderr) == (1, True)
    assert (cumulo.data_dir / "thesis.txt").exists()


def test_reset_deletes_state_and_keeps_the_directory(cumulo: Shell) -> None:
    assert cumulo("start", "--detach").returncode == 0
    refused = cumulo("reset")
    assert (refused.returncode, "--yes" in refused.stderr) == (1, True)
    assert cumulo("reset", "--yes").returncode == 0
    assert [entry.name for entry in cumulo.data_dir.iterdir()] == [servers.MARKER]
    assert cumulo("status").returncode == 3


def test_beyond_loopback_a_root_key_is_made_and_shown(cumulo: Shell) -> None:
    with cumulo.popen("start", "--host", "0.0.0.0") as process:
        assert process.stdout is not None
        said = "".join(process.stdout.readline() for _ in range(10))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert "AWS_ACCESS_KEY_ID=AKIA" in said
    assert "only this once" in said


def test_coverage_and_explain_need_no_server(cumulo: Shell) -> None:
    rows = json.loads(cumulo("coverage", "sqs", "--json").stdout)["sqs"]
    assert all(row["real"] for row in rows)
    assert "SendMessage" in cumulo("coverage", "sqs").stdout
    assert "cumulo.services.messaging.sqs" in cumulo("explain", "sqs", "send-message").stdout
    assert "did you mean SendMessage?" in cumulo("explain", "sqs", "SendMesage").stderr


def test_why_explains_a_call(cumulo: Shell) -> None:
    assert "start one with" in cumulo("why").stderr
    assert cumulo("start", "--detach").returncode == 0
    assert cumulo("why").stdout == "nothing was denied lately\n"
    with urllib.request.urlopen(f"http://127.0.0.1:{cumulo.port}/_cumulo/requests") as answer:
        assert json.loads(answer.read()) == []


def test_mistakes_name_the_right_way(cumulo: Shell) -> None:
    wrong = cumulo("strat")
    assert (wrong.returncode, wrong.stderr) == (2, "cumulo: no command 'strat'\n  did you mean `cumulo start`?\n")
    assert "usage: cumulo COMMAND" in cumulo("--help").stdout
    assert cumulo("--version").stdout.startswith("cumulo ")
    exports = cumulo("env").stdout
    assert exports.startswith("export AWS_ENDPOINT_URL=http://localhost:")
    unset = cumulo("env", "--unset").stdout.split()
    names = [word.partition("=")[0] for word in exports.replace("export ", "").split()]
    assert unset == ["unset", *names]
    assert cumulo("exec").returncode == 2
