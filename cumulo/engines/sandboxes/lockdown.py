"""Give up rights for good: limits, capabilities, the user, Landlock, seccomp. Standard library only, see `enter`."""

from __future__ import annotations

import base64
import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
from typing import Any, NoReturn

Plain = dict[str, Any]  # what JSON carries

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 4, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
LAST_CAPABILITY = 63
CAPABILITIES_V3 = 0x20080522
MACHINE = platform.machine()
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}.get(MACHINE, -1)
SYS_CAPSET = {"x86_64": 126, "aarch64": 91}.get(MACHINE, -1)
SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_RESTRICT = 444, 445, 446
# Landlock's rights (landlock(7)), and how many of them each version of it knows.
FS_EXECUTE, FS_WRITE, FS_READ, FS_READ_DIR, FS_IOCTL = 1, 2, 4, 8, 1 << 15
FS_FILE_RIGHTS = FS_EXECUTE | FS_WRITE | FS_READ | 1 << 14 | FS_IOCTL
FS_BITS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
NET_CONNECT, NET_SINCE = 2, 4
SCOPED, SCOPED_SINCE = 3, 6  # no abstract unix sockets of others, no signals to others


FILES = "nofile"
ALWAYS = {
    "core": 1,  # not 0, with which a crash runs the machine's own handler, as root: core(5)
    "nice": 0,  # desktops let their users' programs come before all others
    "rtprio": 0,
    "sigpending": 4096,  # signals and timers that wait are counted for a user
}
LINUX = sys.platform == "linux"
libc = ctypes.CDLL(None, use_errno=True)


class Failed(Exception):
    """A step that the kernel refused; the text says which and why."""


def fail(step: str) -> NoReturn:
    """Raise Failed with the kernel's reason."""
    raise Failed(f"{step}: {os.strerror(ctypes.get_errno())}")


def prctl(option: int, value: int) -> int:
    """prctl(2); nothing where there is none."""
    result: int = libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) if LINUX else 0
    return result


def limit(spec: Plain) -> None:
    """The limits of setrlimit(2), never above what this process has itself; of files see `limit_files`."""
    for name, value in ALWAYS.items():
        with contextlib.suppress(OSError, ValueError):  # gVisor's kernel has not all of them
            _set_limit(name, value)
    for name, value in spec.get("limits", {}).items():
        if name != FILES:
            _set_limit(name, value)


def limit_files(spec: Plain) -> None:
    """How many files a program may have open. Its supervisor keeps more.

    The kernel counts descriptors that are under way in sockets for a user, all sandboxes of a server's user together,
    and refuses to send more to whoever may have fewer open: a supervisor would not get its sockets out any more.
    """
    if FILES in spec.get("limits", {}):
        _set_limit(FILES, spec["limits"][FILES])


def _set_limit(name: str, value: int) -> None:
    number = getattr(resource, f"RLIMIT_{name.upper()}", None)
    if number is None:
        return  # not on this system
    hard = resource.getrlimit(number)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(number, (value, value))


def lock_down(spec: Plain, ports: list[int], *, privileged: bool) -> None:
    """Give up every right for good; in this order, as each step needs what the next takes away."""
    if privileged:
        for capability in range(LAST_CAPABILITY + 1):
            if prctl(PR_CAPBSET_DROP, capability) != 0:
                break  # the kernel knows no more of them
    uid, gid = spec.get("uid"), spec.get("gid")
    if uid is not None and gid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    if not LINUX:
        return
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", CAPABILITIES_V3, 0)
    if libc.syscall(SYS_CAPSET, header, bytes(24)) != 0:
        fail("capset")
    prctl(PR_SET_DUMPABLE, 0)  # the program has our user, and must not look into us
    if prctl(PR_SET_NO_NEW_PRIVS, 1) != 0:
        fail("no_new_privs")
    if spec.get("landlock"):
        _landlock(spec["landlock"], ports)
    if spec.get("seccomp"):
        code = base64.b64decode(spec["seccomp"])
        instructions = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(instructions))
        if libc.syscall(SYS_SECCOMP, 1, 0, program) != 0:
            fail("seccomp")


def shield_parent() -> None:
    """Make this process and its children unable to signal their parent, where Landlock can (version 6)."""
    if libc.syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1) < SCOPED_SINCE:
        return
    ruleset = libc.syscall(SYS_LANDLOCK_CREATE, struct.pack("=QQQ", 0, 0, SCOPED), ctypes.c_size_t(24), 0)
    if ruleset < 0 or libc.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0) != 0:
        fail("landlock of signals")
    os.close(ruleset)


def _landlock(rules: Plain, ports: list[int]) -> None:
    """Bound files and ports by Landlock, as far as this kernel knows it; beneath an own root it is a second fence."""
    version = libc.syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return
    rights = (1 << FS_BITS[min(version, 5)]) - 1
    if rules["read"] is None:
        rights &= ~(FS_EXECUTE | FS_READ | FS_READ_DIR)
    net = NET_CONNECT if version >= NET_SINCE and rules["connect"] is not None else 0
    attributes = struct.pack("=QQQ", rights, net, SCOPED if version >= SCOPED_SINCE else 0)
    size = 24 if version >= SCOPED_SINCE else 16 if version >= NET_SINCE else 8
    ruleset = libc.syscall(SYS_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        fail("landlock")
    try:
        for path in rules["read"] or ():
            _landlock_path(ruleset, path, rights & (FS_EXECUTE | FS_READ | FS_READ_DIR))
        for path in rules["write"]:
            _landlock_path(ruleset, path, rights)
        for port in (*rules["connect"], *ports) if net else ():
            if libc.syscall(SYS_LANDLOCK_ADD, ruleset, 2, struct.pack("=QQ", NET_CONNECT, port), 0) != 0:
                fail("landlock port")
        if libc.syscall(SYS_LANDLOCK_RESTRICT, ruleset, 0) != 0:
            fail("landlock")
    finally:
        os.close(ruleset)


def _landlock_path(ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= FS_FILE_RIGHTS
        if libc.syscall(SYS_LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", rights, opened), 0) != 0:
            fail(f"landlock of {path}")
    finally:
        os.close(opened)
