"""Programs that mean harm: each is bounded, and the machine and its neighbours go on."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cumulo.engines.sandboxes.sandbox import Limits
from tests.engines.sandboxes.cells import Cells, Ran, read, with_cells

Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def once(code: str, limits: Limits | None = None) -> Ran:
        ran: Ran = with_cells(tmp_path, lambda cells: cells.run(code, limits))
        return ran

    return once


def test_a_fork_bomb_is_bounded(run: Run) -> None:
    ran = run(
        """
import os, time
made = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(60)
    except OSError as error:
        print(made, error.strerror)
        break
    made += 1""",
        Limits(memory_mb=2048, processes=64),
    )
    made, _, reason = ran.output.strip().partition(" ")
    assert (ran.status, reason) == (0, "Resource temporarily unavailable")
    assert 50 <= int(made) <= 64


def test_a_fork_bomb_does_not_keep_the_sandbox_from_ending(tmp_path: Path) -> None:
    async def use(cells: Cells) -> float:
        sandbox, output = cells.start(
            "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", Limits(memory_mb=512, processes=100)
        )
        for each in await sandbox.ready():
            each.close()
        await asyncio.sleep(0.3)
        began = time.monotonic()
        await asyncio.wait_for(sandbox.end(), 20)
        os.close(output)
        return time.monotonic() - began

    assert with_cells(tmp_path, use) < 10


def test_a_memory_bomb_is_killed(run: Run) -> None:
    ran = run("kept = []\nwhile True: kept.append(bytearray(1 << 20))", Limits(memory_mb=128))
    if os.WIFSIGNALED(ran.status):
        assert os.WTERMSIG(ran.status) == signal.SIGKILL
        assert ran.oom_killed
    else:
        assert "MemoryError" in ran.output  # no groups here: its own limit told it
    assert 64 << 20 < ran.peak_bytes <= 128 << 20


def test_memory_that_is_shared_counts_too(run: Run) -> None:
    """Of memory files and anonymous shared mappings: only /tmp is free."""
    ran = run(
        """
import os, time
file = os.memfd_create("hoard")
for _ in range(300):
    os.write(file, bytes(1 << 20))
time.sleep(5)""",
        Limits(memory_mb=128),
    )
    if ran.oom_killed:
        assert os.WTERMSIG(ran.status) == signal.SIGKILL
    else:  # without control groups nobody would count what a memory file holds: there are none
        assert "Function not implemented" in ran.output


def test_a_child_that_hoards_memory_ends_it(run: Run) -> None:
    ran = run(
        """
import os, time
if os.fork() == 0:
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
print(os.waitpid(-1, 0)[1])""",
        Limits(memory_mb=128),
    )
    assert ran.oom_killed or ran.output.strip() != "0"


def test_tmp_is_full_at_its_size_and_is_no_memory(run: Run) -> None:
    ran = run(
        """
import errno, os, shutil, time
written = 0
try:
    with open("/tmp/filler", "wb", buffering=0) as file:
        while True:
            written += file.write(bytes(1 << 20))
except OSError as error:
    assert error.errno == errno.ENOSPC, error
time.sleep(0.5)
print(written >> 20, shutil.disk_usage("/tmp").total >> 20)""",
        Limits(memory_mb=128, ephemeral_mb=512),
    )
    assert (ran.status, ran.output, ran.oom_killed) == (0, "512 512\n", False)
    assert ran.peak_bytes <= 128 << 20


def test_files_open_at_a_time_are_bounded(run: Run) -> None:
    ran = run(
        """
import os
made = []
try:
    while True:
        made.append(os.dup(1))
except OSError as error:
    os.closerange(100, 2000)
    print(made[-1], error.strerror)"""
    )
    assert ran.output == "1023 Too many open files\n"


def test_output_without_end_stops_with_the_sandbox(tmp_path: Path) -> None:
    async def use(cells: Cells) -> int:
        sandbox, output = cells.start("import os\nwhile True: os.write(1, b'y' * 65536)")
        for each in await sandbox.ready():
            each.close()
        taken = 0
        for _ in range(100):
            taken += len(await asyncio.to_thread(read, output, 65536))
        await asyncio.wait_for(sandbox.end(), 10)
        while rest := await asyncio.to_thread(read, output, 65536):
            assert len(rest) <= 65536
        os.close(output)
        return taken

    assert with_cells(tmp_path, use) > 0


def test_signals_are_ignored_in_vain(tmp_path: Path) -> None:
    async def use(cells: Cells) -> tuple[str, int]:
        sandbox, output = cells.start(
            """
import os, signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda *_: os.write(1, b"not me%c" % 10))
print("ready", flush=True)
while True:
    time.sleep(1)"""
        )
        for each in await sandbox.ready():
            each.close()
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sandbox.on_exit = lambda _, status: ended.set_result(status)
        said = (await asyncio.to_thread(read, output, 100)).decode()
        sandbox.signal("runtime", signal.SIGTERM)
        said += (await asyncio.to_thread(read, output, 100)).decode()
        sandbox.signal("runtime", signal.SIGKILL)
        status = await asyncio.wait_for(ended, 10)
        await asyncio.wait_for(sandbox.end(), 10)
        os.close(output)
        return said, status

    assert with_cells(tmp_path, use) == ("ready\nnot me\n", signal.SIGKILL)


def test_sandboxes_do_not_see_each_other(tmp_path: Path) -> None:
    async def use(cells: Cells) -> str:
        sandbox, output = cells.start(
            "import time; open('/tmp/mine', 'w').write('x'); print(1, flush=True); time.sleep(60)"
        )
        for each in await sandbox.ready():
            each.close()
        await asyncio.to_thread(read, output, 100)
        ran = await cells.run(
            f"""
import os
print(os.listdir("/tmp"))
for pid in range(3, 40000):
    try:
        os.kill(pid, 0)
        print("a process", pid)
    except ProcessLookupError:
        pass
    except PermissionError:
        print("the process", pid)
print(os.path.exists("/proc/{sandbox.pid}"))"""
        )
        await sandbox.end()
        os.close(output)
        return ran.output

    assert with_cells(tmp_path, use) == "[]\nFalse\n"


def test_a_thousand_stack_frames_and_a_crash_leave_no_core(run: Run) -> None:
    ran = run("import ctypes, os; os.chdir('/tmp'); ctypes.string_at(0)")
    assert os.WTERMSIG(ran.status) == signal.SIGSEGV
    assert not os.WCOREDUMP(ran.status)


def test_everything_ends_with_the_server(tmp_path: Path) -> None:
    """kill -9 of the server: its sandboxes see their control sockets close."""
    import subprocess
    import sys

    script = tmp_path / "server.py"
    script.write_text(
        f"""
import asyncio, sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from tests.engines.sandboxes.cells import Cells
async def main():
    cells = Cells(Path({str(tmp_path)!r}))
    await cells.open()
    sandbox, output = cells.start("import time; time.sleep(100)")
    await sandbox.ready()
    while not sandbox.pid:
        await asyncio.sleep(0.001)
    print(sandbox.pid, cells.zygote.pid, flush=True)
    await asyncio.sleep(100)
asyncio.run(main())"""
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        pids = [int(word) for word in server.stdout.readline().split()]
        pidfds = [os.pidfd_open(pid) for pid in pids]
        server.kill()
    for pidfd in pidfds:
        import select

        readable, _, _ = select.select([pidfd], [], [], 10)
        os.close(pidfd)
        assert readable, "it goes on"


def test_groups_of_a_killed_server_are_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    from cumulo.engines.sandboxes import groups

    place = groups.find()
    if place is None:
        pytest.skip("no control groups here that this user may make")
    monkeypatch.setattr(groups, "_namespace", lambda: f"test{os.getpid()}")  # for other servers sweep, too
    left = place.memory / f"cumulo-{groups._namespace()}-4194305-1-0"
    (left / "7").mkdir(parents=True)
    living = place.memory / f"cumulo-{groups._own_name()}-test"
    living.mkdir(exist_ok=True)
    try:
        groups.sweep(place)
        assert not left.exists()
        assert living.exists()
    finally:
        groups.remove_tree(living, place.version)


def test_relays_of_a_killed_server_tidy_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in the group of the processors alone; another server may begin at any moment."""
    import subprocess

    from cumulo.engines.sandboxes import groups

    place = groups.find()
    if place is None or place.cpu is None or place.cpu == place.memory:
        pytest.skip("processors and memory have no groups apart here")
    monkeypatch.setattr(groups, "_namespace", lambda: f"relay{os.getpid()}")
    left = place.cpu / f"cumulo-{groups._namespace()}-4194305-1-0"
    left.mkdir()
    relay = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        (left / "cgroup.procs").write_text(str(relay.pid))
        groups.sweep(place)
        assert relay.communicate(b"still here", 60)[0] == b"still here"
    finally:
        relay.kill()
        relay.wait()
    while left.exists():
        groups.sweep(place)


def test_what_netlink_sockets_hold_is_memory(run: Run) -> None:
    """The kernel's own, which no control group counts; a socket may hold megabytes."""
    ran = run(
        """
import os, socket, struct, time
question = struct.pack("=IHHIIBxHiII", 32, 18, 1, 1, 0, 0, 0, 1, 0, 0)
made, over = [], time.monotonic() + 20
while time.monotonic() < over:
    try:
        one = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    except OSError:
        break
    made.append(one)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    one.bind((0, 0))
    for _ in range(800):
        one.send(question)
time.sleep(20)""",
        Limits(memory_mb=32),
    )
    assert (ran.oom_killed, os.WTERMSIG(ran.status)) == (True, signal.SIGKILL)


def test_who_is_at_rest_is_watched_too(tmp_path: Path) -> None:
    """Programs may go on after their answer."""

    async def use(cells: Cells) -> bool:
        sandbox, output = cells.start(
            """
import os, socket, time
if os.fork() == 0:
    os.setsid()
    kept = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) for _ in range(900)]
    for each in kept:
        each.bind((0, 0))
    os.write(1, b"kept")
    time.sleep(100)
time.sleep(100)"""
        )
        for each in await sandbox.ready():
            each.close()
        try:
            assert await asyncio.to_thread(read, output, 4) == b"kept"
            return await asyncio.to_thread(read, output, 4) == b"" and sandbox.oom_killed()
        finally:
            await sandbox.end()
            os.close(output)

    assert with_cells(tmp_path, use)
