"""Where namespaces are refused: plain processes, bounded by limits, Landlock and seccomp as far as they are there."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cumulo.engines.sandboxes.probe import landlock_version
from cumulo.engines.sandboxes.sandbox import Limits
from tests.engines.sandboxes.cells import Cells, Ran, read, with_cells

Run = Callable[..., Ran]
SLOW_SUPERVISOR = """
def later(*given, supervise=enter.supervise):
    time.sleep(0.3)
    supervise(*given)
import time
enter.supervise = later"""
NO_LANDLOCK = pytest.mark.skipif(landlock_version() < 1, reason="this kernel has no Landlock")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    tmp_path.chmod(0o755)

    def once(code: str, limits: Limits | None = None, **more: object) -> Ran:
        ran: Ran = with_cells(tmp_path, lambda cells: cells.run(code, limits, **more), namespaces=())
        return ran

    return once


def test_folders_and_ports_are_where_they_are(run: Run, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "a").write_text("here")
    ran = run(
        "import json, os; print(json.dumps([sandbox, os.getcwd(), open('a').read()]))",
        binds=[(str(code), "/var/task")],
        cwd="/var/task",
    )
    sandbox, cwd, text = json.loads(ran.output)
    assert (cwd, text) == (str(code), "here")
    assert sandbox["paths"]["/var/task"] == str(code)
    ports = [port for _, port in sandbox["addresses"]]
    assert len(set(ports)) == 2
    assert 9001 not in ports


@NO_LANDLOCK
def test_files_of_the_host_cannot_be_read(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    secret.chmod(0o644)
    ran = run(
        f"""
import os
for path in ({str(secret)!r}, "/etc/shadow", "/etc/hostname", "/root", "/home"):
    try:
        print(os.listdir(path) if os.path.isdir(path) else open(path).read())
    except OSError as error:
        assert error.errno in (13, 2), error
for path in ("/tmp/cumulo-test-new", {str(tmp_path / "new")!r}, "/var/tmp/cumulo-test-new"):
    try:
        open(path, "w")
        print("wrote", path)
    except OSError as error:
        assert error.errno == 13, error
mine = sandbox["paths"]["/tmp"] + "/mine"
open(mine, "w").write("x")
print(open(mine).read())"""
    )
    assert (ran.status, ran.output) == (0, "x\n")


@pytest.mark.skipif(landlock_version() < 4, reason="this kernel's Landlock knows no ports")
def test_only_its_own_ports_can_be_reached(run: Run) -> None:
    import socket

    with socket.socket() as outside:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        ran = run(
            f"""
import socket
for address in (("127.0.0.1", {outside.getsockname()[1]}), *map(tuple, sandbox["addresses"])):
    try:
        socket.create_connection(address, 2).close()
        print("connected")
    except OSError as error:
        print(type(error).__name__)"""
        )
    words = ran.output.split()
    assert words[0] == "PermissionError"
    assert "PermissionError" not in words[1:]


def test_rights_are_gone(run: Run) -> None:
    ran = run(
        """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
assert {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2", status
"""
    )
    assert (ran.status, ran.output) == (0, "")


def test_what_a_program_leaves_behind_ends_with_the_sandbox(tmp_path: Path) -> None:
    code = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (1, 2, 15):
            signal.signal(number, signal.SIG_IGN)
        print("alive", flush=True)
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
time.sleep(0.1)"""

    async def use(cells: Cells) -> str:
        return (await cells.run(code)).output  # it is read to the end, which comes with the last process

    assert with_cells(tmp_path, use, namespaces=()) == "alive\n"
    assert with_cells(tmp_path, use, before=SLOW_SUPERVISOR, namespaces=()) == "alive\n"


def test_a_long_chain_of_processes_ends_with_the_sandbox(tmp_path: Path) -> None:
    """Longer than Python's recursion may be deep; each waits for the next."""
    code = """
import subprocess
path = sandbox["paths"]["/tmp"] + "/chain"
open(path, "w").write('[ $1 = 0 ] && { echo deep; exec sleep 60; }\\nsh $0 $(($1 - 1))\\nexit')
subprocess.run(["sh", path, "1005"])"""

    async def use(cells: Cells) -> tuple[bytes, int]:
        sandbox, output = cells.start(code, Limits(memory_mb=2048))
        for each in await sandbox.ready():
            each.close()
        said = await asyncio.to_thread(read, output)
        used = min(sandbox.memory_bytes() // 2, sandbox.peak_bytes())
        await asyncio.wait_for(sandbox.end(), 20)
        assert await asyncio.to_thread(read, output) == b"", "a process goes on"
        os.close(output)
        return said, used

    said, used = with_cells(tmp_path, use, namespaces=())
    assert said == b"deep\n"
    assert used > 8 << 20


@pytest.mark.parametrize("counted", [True, False])
def test_a_fork_bomb_ends(tmp_path: Path, counted: bool) -> None:
    code = """
import os, resource
hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
resource.setrlimit(resource.RLIMIT_NPROC, (min(hard, 300) if hard > 0 else 300,) * 2)  # should our watch fail
while True:
    try:
        os.fork()
    except OSError:
        pass"""

    async def use(cells: Cells) -> None:
        sandbox, output = cells.start(code, Limits(memory_mb=2048, processes=100))
        ended = asyncio.Event()
        sandbox.on_exit = lambda _, __: ended.set()
        cells.sandboxes.working(sandbox, True)
        for each in await sandbox.ready():
            each.close()
        if "nproc" in sandbox.spec["limits"]:  # the kernel counts, and it goes on with those that it has
            await asyncio.sleep(0.2)
        else:
            await asyncio.wait_for(ended.wait(), 20)
            assert sandbox.oom_killed()
        await asyncio.wait_for(sandbox.end(), 20)
        assert await asyncio.to_thread(read, output) == b"", "a process goes on"
        os.close(output)

    with_cells(tmp_path, use, counted=counted, namespaces=())


def test_an_endless_program_ends(tmp_path: Path) -> None:
    async def use(cells: Cells) -> bool:
        sandbox, output = cells.start("while True: pass")
        for each in await sandbox.ready():
            each.close()
        await asyncio.wait_for(sandbox.end(), 10)
        os.close(output)
        return sandbox.ended

    assert with_cells(tmp_path, use, namespaces=())


@pytest.mark.skipif(landlock_version() < 6, reason="this kernel's Landlock knows no signals")
def test_signals_do_not_leave_the_sandbox(run: Run) -> None:
    ran = run(
        f"""
import os
for pid in ({os.getpid()}, os.getppid()):
    try:
        os.kill(pid, {signal.SIGCONT:d})
        print("reached", pid == {os.getpid()})
    except OSError as error:
        print(error.strerror)"""
    )
    assert set(ran.output.splitlines()) == {"Operation not permitted"}


def test_the_server_reaches_what_listens_inside(tmp_path: Path) -> None:
    code = """
import socket, sys
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
listening.accept()[0].send(b"from inside")"""

    async def use(cells: Cells) -> bytes:
        sandbox, output = cells.start(code)
        for each in await sandbox.ready():
            each.close()
        port = int(await asyncio.to_thread(read, output, 100))
        made = await sandbox.connect(port)
        text = await asyncio.get_running_loop().sock_recv(made, 100)
        made.close()
        with pytest.raises(ConnectionError):
            await sandbox.connect(1)
        await sandbox.end()
        os.close(output)
        return text

    assert with_cells(tmp_path, use, namespaces=()) == b"from inside"
    assert with_cells(tmp_path, use) == b"from inside"
