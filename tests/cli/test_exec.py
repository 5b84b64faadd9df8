"""`cumulo exec` on the real kernel: names, trust, exit codes, signals, and the rest of the network untouched."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")

Exec = Callable[..., subprocess.CompletedProcess[str]]
AWS = [sys.executable, "-m", "awscli"]


def executing(running: Any, home: Path) -> list[str]:
    """What stands before a program to run it in this cloud."""
    port, data_dir = str(running.cloud.port), str(home / "data")
    return [sys.executable, "-m", "cumulo", "exec", "--port", port, "--data-dir", data_dir]


@pytest.fixture(scope="module")
def execute(start_cloud: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Exec:
    """Runs a program under `cumulo exec` with an empty environment."""
    running = start_cloud()
    home = tmp_path_factory.mktemp("home")
    python = executing(running, home)

    def run(*program: str, flags: tuple[str, ...] = (), **env: str) -> Any:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(Path.cwd()), **env}
        command = [*python, *flags, "--", *program]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    return run


def output(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_aws_command_line(execute: Exec) -> None:
    assert "orders-exec" in output(execute(*AWS, "sqs", "create-queue", "--queue-name", "orders-exec"))
    assert "orders-exec" in output(execute(*AWS, "sqs", "list-queues"))
    assert "000000000000" in output(execute(*AWS, "sts", "get-caller-identity"))


def test_boto3(execute: Exec) -> None:
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    assert output(execute(sys.executable, "-c", program)).strip() == "000000000000"


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_curl(execute: Exec, scheme: str) -> None:
    done = execute("curl", "-sS", f"{scheme}://sqs.eu-west-1.amazonaws.com/_cumulo/health")
    assert '"running"' in output(done)


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_node(execute: Exec) -> None:
    program = "fetch('https://bucket.s3.amazonaws.com/_cumulo/health').then(async r => console.log(await r.text()))"
    assert '"running"' in output(execute("node", "-e", program))


def test_programs_of_two_clouds_at_a_time(start_cloud: Callable[..., Any], tmp_path: Path) -> None:
    first, second = (executing(start_cloud(), tmp_path) for _ in range(2))
    program = "import urllib.request, sys; sys.stdin.readline(); "
    program += "print(urllib.request.urlopen('https://s3.us-east-1.amazonaws.com/_cumulo/health').status)"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    with subprocess.Popen(
        [*first, "--", "sh", "-c", 'echo begun; exec "$0" -c "$1"', sys.executable, program], **pipes
    ) as one:
        assert one.stdout is not None and one.stdout.readline() == "begun\n"
        other = subprocess.run(
            [*second, "--", sys.executable, "-c", program], **pipes | {"stdin": None}, input="\n", check=True
        )
        assert one.communicate("\n", timeout=60)[0] == other.stdout == "200\n"


def test_exit_codes(execute: Exec) -> None:
    assert execute("sh", "-c", "exit 7").returncode == 7
    assert execute("sh", "-c", "kill -9 $$").returncode == 137
    missing = execute("no-such-program")
    assert missing.returncode == 127
    assert "no-such-program: No such file" in missing.stderr


def test_the_rest_of_the_network_stays(execute: Exec) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port})).sendall(b'here')"
        output(execute(sys.executable, "-c", program))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(10) == b"here"


def test_an_asyncio_program_and_a_mapped_address(execute: Exec) -> None:
    program = """
import asyncio, socket
with socket.socket(socket.AF_INET6) as dual:
    dual.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    dual.connect(("::ffff:127.65.87.83", 443))
async def main():
    _, writer = await asyncio.open_connection("sqs.us-east-1.amazonaws.com", 80)
    writer.close()
asyncio.run(main())
print("both")
"""
    if not socket.has_ipv6 or not Path("/proc/net/if_inet6").exists():
        pytest.skip("needs IPv6")
    assert output(execute(sys.executable, "-c", program)).strip() == "both"


def test_descendants_are_served_after_the_program(execute: Exec, tmp_path: Path) -> None:
    later = tmp_path / "later"
    fetch = f"curl -sS https://sqs.us-east-1.amazonaws.com/_cumulo/health > {later}.new"
    execute("sh", "-c", f"(sleep 0.5; {fetch}; mv {later}.new {later}) &")
    deadline = time.monotonic() + 60
    while not later.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert '"running"' in later.read_text()


def test_signals_are_passed_on(execute: Exec, start_cloud: Callable[..., Any], tmp_path: Path) -> None:
    port = start_cloud().cloud.port
    command = [sys.executable, "-m", "cumulo", "exec", "--port", str(port), "--data-dir", str(tmp_path), "--"]
    program = "trap 'echo ended; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen([*command, "sh", "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[0] == "ended\n"
        assert process.returncode == 5


def test_system_trust_without_variables(execute: Exec) -> None:
    """As in a container's base image: nothing but the distribution's bundle, where there is one."""
    if not Path("/etc/ssl/certs/ca-certificates.crt").exists() or not shutil.which("curl"):
        pytest.skip("needs the Debian bundle and curl")
    program = "unset SSL_CERT_FILE CURL_CA_BUNDLE; curl -sS https://sqs.us-east-1.amazonaws.com/_cumulo/health"
    done = execute("sh", "-c", program)
    if "trusted through variables only" in done.stderr:
        pytest.skip("no mount namespace here")
    assert '"running"' in output(done)
