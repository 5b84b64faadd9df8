"""Which system calls a sandbox may make: a program of classic BPF for seccomp(2), x86-64 and arm64.

A list of what is denied: programs bring every kind of runtime with them, and what is left over is for the namespaces,
the user and Landlock to bound. Denied are the calls that reach the machine beside its files and processes: other
processes' memory, mounts and namespaces, kernel modules and keys, clocks, devices' back doors, and families of sockets
that a network namespace does not hold. Calls newer than this list do not exist (ENOSYS), as programs expect of an older
kernel. Sources: seccomp(2); the kernel's tables of system calls; Docker's default profile, which denies the same.
"""

from __future__ import annotations

import errno
import functools
import platform
import struct
import sys

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
NEWEST = 462
"""mseal of Linux 6.10: the newest call that was looked at."""

DENIED = {  # name: (x86-64, arm64); 0 where the call does not exist
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "create_module": (174, 0),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "finit_module": (313, 273),
    "get_kernel_syms": (177, 0),
    "init_module": (175, 105),
    "ioperm": (173, 0),
    "iopl": (172, 0),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "modify_ldt": (154, 0),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "query_module": (178, 0),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "sysfs": (139, 0),
    "uselib": (134, 0),
    "userfaultfd": (323, 282),
    "ustat": (136, 0),
    "vhangup": (153, 58),
}
NAMESPACING = {  # denied too, but to a program whose children are to enter sandboxes of their own
    "chroot": (161, 51),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "pivot_root": (155, 41),
    "setns": (308, 268),
    "umount2": (166, 39),
    "unshare": (272, 97),
}
ABSENT = {"io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427)}
CLONE, CLONE3 = (56, 220), (435, 435)
SOCKET, SOCKETPAIR, IOCTL, PERSONALITY = (41, 198), (53, 199), (16, 29), (135, 92)

NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW* of clone(2): user, mount, pid, ipc, uts, net, cgroup, time."""
FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK; a VM's vsock, for one, is outside every network namespace."""
TERMINAL_IOCTLS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into the terminal that started the server."""
PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

LOAD, JUMP_EQUAL, JUMP_MORE, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCH, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24
"""Offsets in struct seccomp_data (both machines are little endian, so these are the arguments' low halves)."""


class _Program:
    """Instructions whose jumps name what they jump to."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, int, str, str]] = []
        self._labels: dict[str, int] = {}

    def add(self, code: int, value: int, true: str = "", false: str = "") -> None:
        self._lines.append((code, value, true, false))

    def label(self, name: str) -> None:
        self._labels[name] = len(self._lines)

    def code(self) -> bytes:
        return b"".join(
            struct.pack("=HBBI", code, self._distance(at, true), self._distance(at, false), value)
            for at, (code, value, true, false) in enumerate(self._lines)
        )

    def _distance(self, at: int, name: str) -> int:
        return self._labels[name] - at - 1 if name else 0


@functools.cache
def program(*, nested: bool = False) -> bytes:
    """The filter of this machine; b"" when it has none. `nested`: children will make namespaces."""
    machine = platform.machine()
    if machine not in AUDIT_ARCH or sys.platform != "linux":
        return b""
    column = 0 if machine == "x86_64" else 1
    lines = _Program()
    lines.add(LOAD, ARCH)
    lines.add(JUMP_EQUAL, AUDIT_ARCH[machine], "", "kill")
    lines.add(LOAD, NUMBER)
    if machine == "x86_64":
        lines.add(JUMP_AT_LEAST, X32, "absent")
    lines.add(JUMP_MORE, NEWEST, "absent")
    for number, name in ((SOCKET, "socket"), (SOCKETPAIR, "socket"), (IOCTL, "ioctl"), (PERSONALITY, "personality")):
        lines.add(JUMP_EQUAL, number[column], name)
    if not nested:
        lines.add(JUMP_EQUAL, CLONE[column], "clone")
    for numbers in ABSENT.values():
        lines.add(JUMP_EQUAL, numbers[column], "absent")
    lines.add(JUMP_EQUAL, CLONE3[column], "absent")  # its flags are in memory, which a filter cannot read
    for numbers in (*DENIED.values(), *(() if nested else NAMESPACING.values())):
        if numbers[column]:
            lines.add(JUMP_EQUAL, numbers[column], "denied")
    lines.add(RETURN, ALLOW)
    _arguments(lines, nested)
    lines.label("allow")
    lines.add(RETURN, ALLOW)
    lines.label("denied")
    lines.add(RETURN, ERRNO | errno.EPERM)
    lines.label("absent")
    lines.add(RETURN, ERRNO | errno.ENOSYS)
    lines.label("kill")
    lines.add(RETURN, KILL)
    return lines.code()


def _arguments(lines: _Program, nested: bool) -> None:
    if not nested:
        lines.label("clone")
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_ANY_BIT, NEW_NAMESPACES, "denied", "allow")
    lines.label("socket")
    lines.add(LOAD, FIRST_ARGUMENT)
    for family in FAMILIES:
        lines.add(JUMP_EQUAL, family, "allow")
    lines.add(RETURN, ERRNO | errno.EAFNOSUPPORT)
    lines.label("ioctl")
    lines.add(LOAD, SECOND_ARGUMENT)
    for request in TERMINAL_IOCTLS:
        lines.add(JUMP_EQUAL, request, "denied")
    lines.add(RETURN, ALLOW)
    lines.label("personality")
    lines.add(LOAD, FIRST_ARGUMENT)
    for personality in PERSONALITIES:
        lines.add(JUMP_EQUAL, personality, "allow")
    lines.add(RETURN, ERRNO | errno.EPERM)
