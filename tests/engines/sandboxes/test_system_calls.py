"""System calls that reach beyond a sandbox: what is one for the whole machine, or for all programs of one user."""

import asyncio
import errno
import os
import platform
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.sandboxes import filters
from cumulo.engines.sandboxes.sandbox import Limits
from tests.engines.sandboxes.cells import Cells, Ran, read, with_cells

CALL = """
import ctypes, errno, os, resource, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(each) if isinstance(each, int) else each
                                                   for each in arguments))
    return "allowed" if result >= 0 else errno.errorcode[ctypes.get_errno()]
def opened(*arguments):
    try:
        socket.socket(*arguments).close()
        return "allowed"
    except OSError as error:
        return errno.errorcode[error.errno]
"""
COLUMN = 0 if platform.machine() == "x86_64" else 1
pytestmark = pytest.mark.skipif(not filters.program(), reason="no filter for this machine")


def number(pair: tuple[int, int]) -> int:
    return pair[COLUMN]


def run(folder: Path, code: str, plain: bool = False) -> Ran:
    folder.chmod(0o755)
    changed: dict[str, Any] = {"namespaces": ()} if plain else {}
    ran: Ran = with_cells(folder, lambda cells: cells.run(CALL + code), **changed)
    assert ran.status == 0, ran.output
    return ran


@pytest.mark.parametrize("plain", [False, True], ids=["namespaces", "plain"])
def test_sockets_are_tcp_and_udp_alone(tmp_path: Path, plain: bool) -> None:
    """Landlock's rules are not asked about other protocols, and netlink is a large part of the kernel."""
    code = f"""
print(opened(2, 1), opened(2, 2), opened(10, 1, 6), opened(2, 2, 17), opened(16, 3, 0), opened(1, 1))
print({{opened(2, 1, 262), opened(2, 1, 132), opened(2, 2, 136), opened(2, 2, 1), opened(10, 2, 58), opened(2, 3, 1)}})
print({{opened(16, 3, family) for family in range(1, 22)}})
print({{opened(family, kind) for family in range(3, 46) if family not in (10, 16) for kind in (1, 2, 3)}})
socket.socketpair()
print(call({number(filters.ABSENT["io_setup"]) or 1_000_000}, 1, 0))"""
    unix = "EACCES" if plain else "allowed"
    assert run(tmp_path, code, plain).output.splitlines() == [
        f"allowed allowed allowed allowed allowed {unix}",
        "{'EPROTONOSUPPORT'}",
        "{'EPROTONOSUPPORT'}",
        "{'EAFNOSUPPORT'}",
        "ENOSYS",
    ]


@pytest.mark.parametrize("plain", [False, True], ids=["namespaces", "plain"])
def test_sockets_take_no_filters(tmp_path: Path, plain: bool) -> None:
    """One limit of the machine's holds what all filters are compiled to, ours of system calls too."""
    code = f"""
made = socket.socket(2, 2)
instruction = ctypes.create_string_buffer(bytes((6, 0, 0, 0, 255, 255, 0, 0)), 8)
for option in {filters.SOCKET_FILTERS}:
    try:
        made.setsockopt(1, option, struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction)))
        print("taken")
    except OSError as error:
        print(errno.errorcode[error.errno])
made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
made.setsockopt(socket.IPPROTO_IP, {filters.SOCKET_FILTERS[1]}, bytes(4))  # IP_UNICAST_IF has the same number
"""
    assert run(tmp_path, code, plain).output.split() == ["EPERM"] * 4


def test_huge_pages_are_nobodys(tmp_path: Path) -> None:
    """A pool of the machine's that no limit counts."""
    code = f"""
import mmap
try:
    mmap.mmap(-1, 1 << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | {filters.HUGE_PAGES})
except OSError as error:
    print(errno.errorcode[error.errno])
print(call({number(filters.MEMFD_CREATE)}, b"x", {filters.MEMFD_HUGE_PAGES}))"""
    assert run(tmp_path, code).output.split()[0] == "ENOMEM"


def test_limits_that_matter_to_others_are_held(tmp_path: Path) -> None:
    """A crash runs no handler of the machine's (limit 1, which cannot become 0), nobody comes before the others."""
    code = """
most = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in ("CORE", "RTPRIO", "NICE")}
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.prlimit(0, resource.RLIMIT_CORE, (0, 0))
print(most["CORE"] in ((1, 1), (0, 0)), resource.getrlimit(resource.RLIMIT_CORE) == most["CORE"])
print(most["RTPRIO"], most["NICE"], resource.getrlimit(resource.RLIMIT_SIGPENDING)[1] <= 4096)
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
print(resource.getrlimit(resource.RLIMIT_NOFILE))"""
    assert run(tmp_path, code).output.splitlines() == ["True True", "(0, 0) (0, 0) True", "(512, 512)"]


@pytest.mark.parametrize("nested", [False, True])
def test_what_makes_namespaces_is_denied_or_bounded(tmp_path: Path, nested: bool) -> None:
    """A snapshot's forks unshare and mount in one way each: nothing else is left to the function in it."""
    codes = {name: number(pair) for name, pair in filters.NAMESPACING.items()}

    async def use(cells: Cells) -> str:
        code = f"""
print([name for name, number in {codes!r}.items() if call(number, *([-1] * 5)) != "EPERM"])
print(call({codes["unshare"]}, 0x10000000), call({codes["unshare"]}, {filters.NESTED_NAMESPACES} | 0x02000000))
flags = (0, 4096, 4096 | 16384, 32, 1 << 18)
print({{call({codes["mount"]}, b"/usr", b"/tmp", b"tmpfs", each, 0) for each in flags}})
print(call({number(filters.CLONE)}, 0x10000000 | 17, 0, 0, 0, 0))"""
        return (await cells.run(CALL + code, nested=nested)).output

    assert with_cells(tmp_path, use).splitlines() == ["[]", "EPERM EPERM", "{'EPERM'}", "EPERM"]


def test_plain_processes_leave_other_processes_alone(tmp_path: Path) -> None:
    """As the server's user they could take its processor, its files or its life: by limits and priorities."""
    of_a_process = [number(pair) for pair in filters.OF_A_PROCESS.values()]
    code = f"""
pid = {os.getpid()}
limits = (ctypes.c_ulong * 2)(1, 1)
print(call({number(filters.PRLIMIT)}, pid, 0, limits, 0))
print({{call(each, pid, 0, 0, 0) for each in {of_a_process}}})
whose = ((0, pid), (1, 0), (2, 0), (2, os.getuid()))
print({{call({number(filters.SETPRIORITY)}, kind, who, 19) for kind, who in whose}})
print({{call({number(filters.IOPRIO_SET)}, kind + 1, who, 3 << 13) for kind, who in whose}})
print({{call(each, 0, 0, 0, 0) for each in {[number(pair) for pair in filters.SYSTEM_V.values()]}}})
print(call({number(filters.SETPRIORITY)}, 0, 0, 19), call({number(filters.IOPRIO_SET)}, 1, 0, 3 << 13))
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
os.sched_setaffinity(0, os.sched_getaffinity(0))"""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    lines = run(tmp_path, code, plain=True).output.splitlines()
    assert lines[:4] == ["EPERM", *["{'EPERM'}"] * 3]
    assert lines[4:] == ["{'ENOSYS'}", "allowed allowed"]
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_fast_open_is_no_way_around_landlock(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as outside:
        code = f"""
made = socket.socket()
for send in (lambda: made.sendto(b"x", {filters.FAST_OPEN}, {outside.getsockname()}),
             lambda: made.sendmsg([b"x"], [], {filters.FAST_OPEN}, {outside.getsockname()})):
    try:
        send()
        print("sent")
    except OSError as error:
        print(errno.errorcode[error.errno])"""
        assert run(tmp_path, code, plain=True).output.split() == [errno.errorcode[errno.EOPNOTSUPP]] * 2


def test_descriptors_under_way_do_not_keep_others_from_starting(tmp_path: Path) -> None:
    """The kernel counts them for a user, who may be that of all sandboxes."""
    code = """
import array, os, socket, time
made = socket.socketpair()
one = os.open("/dev/null", os.O_RDONLY)
sent = 0
try:
    while True:
        made[0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one] * 200))])
        sent += 200
except OSError as error:
    print(sent, error.strerror, flush=True)
time.sleep(60)"""

    async def use(cells: Cells) -> tuple[str, str]:
        sandbox, output = cells.start(code)
        for each in await sandbox.ready():
            each.close()
        said = (await asyncio.to_thread(read, output, 100)).decode()
        after = await asyncio.wait_for(cells.run("print('began')"), 10)
        await sandbox.end()
        os.close(output)
        return said, after.output

    said, after = with_cells(tmp_path, use)
    assert int(said.split()[0]) >= 1000
    assert "many references" in said
    assert after == "began\n"


def test_files_in_tmp_are_bounded_in_number(tmp_path: Path) -> None:
    """Each takes memory of the kernel's, however empty."""
    code = """
import os
made = 0
try:
    while True:
        os.close(os.open(f"/tmp/{made}", os.O_CREAT | os.O_WRONLY))
        made += 1
except OSError as error:
    print(made, error.strerror)"""

    async def use(cells: Cells) -> str:
        return (await cells.run(code, Limits(memory_mb=128, ephemeral_mb=8))).output

    made, _, reason = with_cells(tmp_path, use).strip().partition(" ")
    assert reason == "No space left on device"
    assert 2000 < int(made) <= 2048 + 64
