"""What a program inside a sandbox finds, may do and may not."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.sandboxes.sandbox import Limits
from tests.engines.sandboxes.cells import Cells, Ran, read, with_cells

Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def once(code: str, limits: Limits | None = None, **more: Any) -> Ran:
        ran: Ran = with_cells(tmp_path, lambda cells: cells.run(code, limits, **more))
        return ran

    return once


def test_the_host_is_not_there(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    ran = run(
        f"""
import os, json
def read(path):
    try:
        return open(path).read()
    except OSError as error:
        return error.strerror
print(json.dumps({{
    "root": sorted(os.listdir("/")),
    "secret": read({str(secret)!r}),
    "shadow": read("/etc/shadow"),
    "passwd": read("/etc/passwd").count(chr(10)),
    "environ": "PATH" in read("/proc/self/environ"),
    "open": sorted(int(name) for name in os.listdir("/proc/self/fd")),
    "processes": sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()),
    "shm": os.path.exists("/dev/shm"), "sys": os.path.exists("/sys"), "home": os.path.exists("/home"),
    "group": read("/proc/self/cgroup"),
}}))"""
    )
    found = json.loads(ran.output)
    assert found["secret"] == found["shadow"] == "No such file or directory"
    assert found["passwd"] == 2
    assert found["open"] == [0, 1, 2, 3]
    assert found["processes"] == [1, 2]
    assert not (found["shm"] or found["sys"] or found["home"])
    assert all(line.endswith(":/") for line in found["group"].split())


def test_nothing_but_tmp_can_be_written(run: Run) -> None:
    ran = run(
        """
import os, errno
for path in ("/", "/usr", "/var/task", "/opt", "/etc", "/dev", "/run", "/var", "/proc/sys/kernel", "/proc/1"):
    try:
        open(path + "/new", "w")
        print("wrote", path)
    except OSError as error:
        assert error.errno in (errno.EROFS, errno.EACCES, errno.ENOENT, errno.EPERM), error
open("/tmp/a", "w").write("x")
os.mkdir("/tmp/folder")
os.rename("/tmp/a", "/tmp/folder/b")
os.link("/tmp/folder/b", "/tmp/c")
os.symlink("c", "/tmp/d")
print(open("/tmp/d").read())"""
    )
    assert (ran.status, ran.output) == (0, "x\n")


def test_rights_are_gone(run: Run) -> None:
    ran = run(
        """
import ctypes, os, errno
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
assert {status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2", status
assert os.getuid() != 0 and os.getpid() == 2
libc = ctypes.CDLL(None, use_errno=True)
def refused(result):
    assert result == -1, result
    return ctypes.get_errno()
assert refused(libc.unshare(0x10000000)) == errno.EPERM
assert refused(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)) == errno.EPERM
assert refused(libc.ptrace(16, 1, 0, 0)) == errno.EPERM
assert refused(libc.syscall(321, 0, 0, 0)) == errno.EPERM or os.uname().machine != "x86_64"
import socket
for family in (socket.AF_VSOCK, socket.AF_PACKET, 38):
    try:
        socket.socket(family, socket.SOCK_STREAM)
        print("a socket of family", family)
    except OSError as error:
        assert error.errno == errno.EAFNOSUPPORT, error
for path in ("/proc/1/environ", "/proc/1/mem", "/proc/1/fd", "/proc/1/root"):
    try:
        os.listdir(path) if path.endswith(("fd", "root")) else open(path).read(1)
        print("read", path)
    except OSError as error:
        assert error.errno == errno.EACCES, error
os.kill(1, 9)
os.kill(1, 19)
import pwd
print(pwd.getpwuid(os.getuid()).pw_name)"""
    )
    assert (ran.status, ran.output) == (0, "sbx_user1051\n")


def test_only_our_ports_can_be_reached(run: Run) -> None:
    """The listening sockets inside; no other address, no name server, no abstract socket of the host."""
    import socket

    with socket.socket() as outside, socket.socket(socket.AF_UNIX) as abstract:
        outside.bind(("127.0.0.1", 0))
        outside.listen()
        abstract.bind(f"\0cumulo-test-{os.getpid()}")
        abstract.listen()
        ran = run(
            f"""
import socket
def connect(family, address):
    with socket.socket(family) as one:
        one.settimeout(2)
        try:
            one.connect(address)
            return "connected"
        except OSError as error:
            return type(error).__name__
print(connect(socket.AF_INET, ("127.0.0.1", {outside.getsockname()[1]})),
      connect(socket.AF_INET, ("192.0.2.1", 80)),
      connect(socket.AF_UNIX, {abstract.getsockname()!r}),
      connect(socket.AF_INET, ("127.0.0.1", 9001)), connect(socket.AF_INET, ("127.0.0.1", 4566)),
      open("/proc/net/dev").read().count(":"))
try:
    socket.getaddrinfo("example.com", 80)
except socket.gaierror as error:
    print(error.errno)"""
        )
    words = ran.output.split()
    assert words[:3] == ["ConnectionRefusedError", "OSError", "ConnectionRefusedError"]
    assert set(words[3:5]) <= {"connected", "ConnectionRefusedError"}, "open, or closed by the test meanwhile"
    assert words[5:] == ["1", "-3"]


def test_the_sockets_inside_are_served_from_outside(tmp_path: Path) -> None:
    async def use(cells: Cells) -> str:
        sandbox, output = cells.start(
            "import socket\nwith socket.create_connection(('127.0.0.1', 4566)) as one: print(one.recv(100).decode())"
        )
        runtime_api, cloud = await sandbox.ready()
        assert sandbox.addresses == [("127.0.0.1", 9001), ("127.0.0.1", 4566)]
        connection, _ = await asyncio.get_running_loop().sock_accept(cloud)
        connection.send(b"from the cloud")
        connection.close()
        text = await asyncio.to_thread(read, output, 100)
        runtime_api.close()
        cloud.close()
        await sandbox.end()
        os.close(output)
        return text.decode()

    assert with_cells(tmp_path, use) == "from the cloud\n"


def test_layers_lie_over_each_other_in_order(run: Run, tmp_path: Path) -> None:
    for name, files in (("one", {"a": "1", "b": "1"}), ("two", {"b": "2"})):
        folder = tmp_path / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
    layers = [str(tmp_path / "one"), str(tmp_path / "two")]
    code = "import os; print(*(open('/opt/' + name).read() for name in sorted(os.listdir('/opt'))))"
    assert run(code, layers=layers).output == "1 2\n"
    assert run(code, layers=layers[:1]).output == "1 1\n"
    assert run(code).output == "\n"


def test_a_program_that_kills_itself_and_one_that_exits(run: Run) -> None:
    assert run("import os; os.kill(os.getpid(), 9)").status == signal.SIGKILL
    assert os.waitstatus_to_exitcode(run("import os; os._exit(3)").status) == 3
    assert run("import os; os.abort()").status == signal.SIGABRT


def test_what_a_program_leaves_behind_ends_with_the_sandbox(tmp_path: Path) -> None:
    code = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            if number not in (9, 17, 19):
                signal.signal(number, signal.SIG_IGN)
        print("alive", flush=True)
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
time.sleep(0.1)"""

    async def use(cells: Cells) -> None:
        await cells.run(code)  # its output is read to the end, which comes with the last process

    with_cells(tmp_path, use)


def test_other_programs_are_started_inside(tmp_path: Path) -> None:
    async def use(cells: Cells) -> tuple[list[tuple[str, int]], str]:
        sandbox, output = cells.start("import time; time.sleep(60)")
        for each in await sandbox.ready():
            each.close()
        exits: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
        sandbox.on_exit = lambda name, status: exits.put_nowait((name, status))
        reading, writing = os.pipe()
        sandbox.spawn("hello", ["/bin/sh", "-c", "echo $GREETING; exit 4"], {"GREETING": "hello"}, "/tmp", writing)
        sandbox.spawn("patient", ["/bin/sleep", "60"], {}, "/", writing)
        sandbox.spawn("missing", ["/no/such/program"], {}, "/", writing)
        os.close(writing)
        seen = [await asyncio.wait_for(exits.get(), 10) for _ in range(2)]
        sandbox.signal("patient", signal.SIGTERM)
        seen.append(await asyncio.wait_for(exits.get(), 10))
        text = os.read(reading, 1000).decode()
        os.close(reading)
        await sandbox.end()
        os.close(output)
        return sorted(seen), text

    seen, text = with_cells(tmp_path, use)
    assert seen == [("hello", 4 << 8), ("missing", 127 << 8), ("patient", signal.SIGTERM)]
    assert sorted(text.splitlines()) == ["/no/such/program: No such file or directory", "hello"]


def test_the_state_folder_is_not_shown_by_a_folder_above_it(tmp_path: Path) -> None:
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden/state").write_text("x")

    async def use(cells: Cells) -> str:
        return (await cells.run(f"import os; print(os.path.exists({str(tmp_path / 'hidden/state')!r}))")).output

    async def inside() -> str:
        cells = Cells(tmp_path)
        cells.binds = [(str(tmp_path), str(tmp_path))]
        await cells.open()
        try:
            return await use(cells)
        finally:
            await cells.close()

    assert asyncio.run(inside()) == "False\n"


def test_a_step_that_is_refused_is_named(tmp_path: Path) -> None:
    from cumulo.engines.sandboxes.sandbox import SandboxFailed

    async def use(cells: Cells) -> str:
        with pytest.raises(SandboxFailed) as failed:
            await cells.run("", binds=[("/no/such/folder", "/var/task")])
        return str(failed.value)

    assert with_cells(tmp_path, use).startswith("mount of /no/such/folder at ")


def test_layers_that_cannot_be_overlaid_are_merged(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for file, text in (("one/a", "1"), ("one/lib/x", "1"), ("one/was/dir", "1"), ("two/a", "2"), ("two/lib/y", "2")):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    (two / "was").write_text("a file now")
    (two / "link").symlink_to("a")
    (one / "link").mkdir()
    (one / "link/lost").write_text("1")

    async def use(cells: Cells) -> tuple[list[str], str]:
        for _ in range(2):
            await cells.sandboxes.stack([str(one), str(two)])
        layers = cells.sandboxes.stacked([str(one), str(two)])
        assert cells.sandboxes.stacked([str(one)]) == [str(one)]
        code = """
import os
for folder, _, files in sorted(os.walk("/opt")):
    for name in sorted(files):
        print(os.path.join(folder, name), open(os.path.join(folder, name)).read())"""
        return layers, (await cells.run(code, layers=layers)).output

    layers, output = with_cells(tmp_path, use, overlay=False)
    assert len(layers) == 1
    assert output.splitlines() == ["/opt/a 2", "/opt/link 2", "/opt/was a file now", "/opt/lib/x 1", "/opt/lib/y 2"]
