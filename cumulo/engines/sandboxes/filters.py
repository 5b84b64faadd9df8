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
from collections.abc import Iterable

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
NAMESPACING = {  # denied too; `unshare` and `mount` are bounded for a program whose children are to enter sandboxes
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
ABSENT = {
    "io_setup": (206, 0),  # fs.aio-max-nr is one number for the whole machine: a single program can use it up
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
}
CLONE, CLONE3 = (56, 220), (435, 435)
SOCKET, SOCKETPAIR, IOCTL, PERSONALITY = (41, 198), (53, 199), (16, 29), (135, 92)
MMAP, MEMFD_CREATE, PRLIMIT, SETRLIMIT = (9, 222), (319, 279), (302, 261), (160, 164)
UNSHARE, MOUNT = NAMESPACING["unshare"], NAMESPACING["mount"]

SYSTEM_V = {  # beyond a namespace of their own these objects outlive the sandbox, uncounted, and can be anybody's
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
}
OF_A_PROCESS = {  # the first argument is a process, 0 for the caller itself
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
IOPRIO_SET, SETPRIORITY = (251, 30), (141, 140)  # the first says what the second is
IOPRIO_PROCESS, PRIO_PROCESS = 1, 0
SETSOCKOPT = (54, 208)
SOCKET_LEVEL, SOCKET_FILTERS = 1, (26, 50, 51, 52)
"""SOL_SOCKET and SO_ATTACH_(FILTER, BPF, REUSEPORT_CBPF, REUSEPORT_EBPF): what they are compiled to is held by a limit
of the machine's (net.core.bpf_jit_limit), and without room in it no other sandbox gets its filter of system calls."""
SENDING = {"sendto": (44, 206), "sendmmsg": (307, 269)}  # the fourth argument: flags
SENDMSG = (46, 211)  # the third

NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW* of clone(2): user, mount, pid, ipc, uts, net, cgroup, time."""
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16
"""The families there are; a VM's vsock, for one, is outside every network namespace."""
PROTOCOLS = (0, 6, 17)
"""Of INET and INET6: TCP and UDP. Landlock's rules for ports are not asked about MPTCP, for one."""
HUGE_PAGES, MEMFD_HUGE_PAGES = 0x40000, 4
"""MAP_HUGETLB and MFD_HUGETLB: a pool of the machine's, which no memory limit counts."""
FAST_OPEN = 0x20000000
"""MSG_FASTOPEN connects without Landlock's being asked."""
CORE = 4
"""RLIMIT_CORE: at 1 a crash starts nothing, at 0 the machine's handler of crashes runs, as root. See core(5)."""
NESTED_NAMESPACES = 0x7C020000
"""What forks of a snapshot unshare: all but cgroup and time."""
NESTED_MOUNTS = (6, 14)
"""And how they mount /tmp and /proc: MS_NOSUID, MS_NODEV, MS_NOEXEC; no bind, no remount, no move."""
TERMINAL_IOCTLS = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into the terminal that started the server."""
PERSONALITIES = (0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)

LOAD, JUMP_EQUAL, JUMP_MORE, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x35, 0x45, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCH = 0, 4
FIRST_ARGUMENT, SECOND_ARGUMENT, THIRD_ARGUMENT, FOURTH_ARGUMENT = 16, 24, 32, 40
"""Offsets in struct seccomp_data (both machines are little endian, so these are the arguments' low halves)."""


class _Program:
    """Instructions whose jumps name what they jump to."""

    def __init__(self, column: int) -> None:
        self._column = column
        self._lines: list[tuple[int, int, str, str]] = []
        self._labels: dict[str, int] = {}

    def add(self, code: int, value: int, true: str = "", false: str = "") -> None:
        self._lines.append((code, value, true, false))

    def call(self, number: tuple[int, int], name: str) -> None:
        """Where to go for a system call of this machine."""
        if number[self._column]:
            self.add(JUMP_EQUAL, number[self._column], name)

    def calls(self, numbers: Iterable[tuple[int, int]], name: str) -> None:
        for number in numbers:
            self.call(number, name)

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
def program(*, nested: bool = False, shared: bool = False, counted: bool = True) -> bytes:
    """The filter of this machine; b"" when it has none.

    `nested`: children will make namespaces; `shared`: there are none, so other processes, ports and System V's objects
    are the machine's; `counted`: control groups know of all memory, files in memory among it.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCH or sys.platform != "linux":
        return b""
    lines = _Program(0 if machine == "x86_64" else 1)
    lines.add(LOAD, ARCH)
    lines.add(JUMP_EQUAL, AUDIT_ARCH[machine], "", "kill")
    lines.add(LOAD, NUMBER)
    if machine == "x86_64":
        lines.add(JUMP_AT_LEAST, X32, "absent")
    lines.add(JUMP_MORE, NEWEST, "absent")
    for number, name in ((SOCKET, "socket"), (SOCKETPAIR, "pair"), (IOCTL, "ioctl"), (PERSONALITY, "personality")):
        lines.call(number, name)
    for number, name in ((CLONE, "clone"), (MMAP, "mmap"), (SETRLIMIT, "setrlimit"), (PRLIMIT, "prlimit")):
        lines.call(number, name)
    lines.call(SETSOCKOPT, "setsockopt")
    lines.call(MEMFD_CREATE, "memfd" if counted else "absent")
    if nested:
        lines.call(UNSHARE, "unshare")
        lines.call(MOUNT, "mount")
    if shared:
        lines.calls(OF_A_PROCESS.values(), "of a process")
        lines.call(IOPRIO_SET, "ioprio_set")
        lines.call(SETPRIORITY, "setpriority")
        lines.calls(SENDING.values(), "sending")
        lines.call(SENDMSG, "sendmsg")
    if shared or not counted:
        lines.calls(SYSTEM_V.values(), "absent")
    lines.calls(ABSENT.values(), "absent")
    lines.call(CLONE3, "absent")  # its flags are in memory, which a filter cannot read
    lines.calls((*DENIED.values(), *NAMESPACING.values()), "denied")
    lines.add(RETURN, ALLOW)
    _namespaces(lines, nested)
    _sockets(lines, shared)
    _processes(lines, shared)
    _memory(lines)
    for name, value in (
        ("allow", ALLOW),
        ("denied", ERRNO | errno.EPERM),
        ("absent", ERRNO | errno.ENOSYS),
        ("no memory", ERRNO | errno.ENOMEM),
        ("nothing", ERRNO),
        ("kill", KILL),
    ):
        lines.label(name)
        lines.add(RETURN, value)
    return lines.code()


def _namespaces(lines: _Program, nested: bool) -> None:
    lines.label("clone")
    lines.add(LOAD, FIRST_ARGUMENT)
    lines.add(JUMP_ANY_BIT, NEW_NAMESPACES, "denied", "allow")
    if nested:
        lines.label("unshare")
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_EQUAL, NESTED_NAMESPACES, "allow", "denied")
        lines.label("mount")
        lines.add(LOAD, FOURTH_ARGUMENT)
        for flags in NESTED_MOUNTS:
            lines.add(JUMP_EQUAL, flags, "allow")
        lines.add(RETURN, ERRNO | errno.EPERM)


def _sockets(lines: _Program, shared: bool) -> None:
    lines.label("pair")
    lines.add(LOAD, FIRST_ARGUMENT)
    lines.add(JUMP_EQUAL, UNIX, "allow", "no family")
    lines.label("socket")
    lines.add(LOAD, FIRST_ARGUMENT)
    lines.add(JUMP_EQUAL, INET, "protocol")
    lines.add(JUMP_EQUAL, INET6, "protocol")
    lines.add(JUMP_EQUAL, NETLINK, "netlink")
    # Who may speak to a service's socket may have it do all that it can: Landlock does not stop that either.
    lines.add(JUMP_EQUAL, UNIX, "no access" if shared else "allow")
    lines.label("no family")
    lines.add(RETURN, ERRNO | errno.EAFNOSUPPORT)
    if shared:
        lines.label("no access")
        lines.add(RETURN, ERRNO | errno.EACCES)
    lines.label("setsockopt")
    lines.add(LOAD, SECOND_ARGUMENT)
    lines.add(JUMP_EQUAL, SOCKET_LEVEL, "", "allow")
    lines.add(LOAD, THIRD_ARGUMENT)
    for option in SOCKET_FILTERS:
        lines.add(JUMP_EQUAL, option, "denied")
    lines.add(RETURN, ALLOW)
    lines.label("netlink")  # NETLINK_ROUTE, for the addresses that there are
    lines.add(LOAD, THIRD_ARGUMENT)
    lines.add(JUMP_EQUAL, 0, "allow", "no protocol")
    lines.label("protocol")
    lines.add(LOAD, THIRD_ARGUMENT)
    for protocol in PROTOCOLS:
        lines.add(JUMP_EQUAL, protocol, "allow")
    lines.label("no protocol")
    lines.add(RETURN, ERRNO | errno.EPROTONOSUPPORT)
    if shared:
        lines.label("sending")
        lines.add(LOAD, FOURTH_ARGUMENT)
        lines.add(JUMP_ANY_BIT, FAST_OPEN, "not supported", "allow")
        lines.label("sendmsg")
        lines.add(LOAD, THIRD_ARGUMENT)
        lines.add(JUMP_ANY_BIT, FAST_OPEN, "not supported", "allow")
        lines.label("not supported")
        lines.add(RETURN, ERRNO | errno.EOPNOTSUPP)


def _processes(lines: _Program, shared: bool) -> None:
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
    lines.label("setrlimit")
    lines.add(LOAD, FIRST_ARGUMENT)
    lines.add(JUMP_EQUAL, CORE, "nothing", "allow")  # there are none anyway: it is told that it succeeded
    lines.label("prlimit")
    lines.add(LOAD, THIRD_ARGUMENT)
    lines.add(JUMP_EQUAL, 0, "", "sets")
    lines.add(LOAD, THIRD_ARGUMENT + 4)
    lines.add(JUMP_EQUAL, 0, "allow")  # it only asks
    lines.label("sets")
    if shared:
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_EQUAL, 0, "", "denied")  # the server's user may set the server's limits
    lines.add(LOAD, SECOND_ARGUMENT)
    lines.add(JUMP_EQUAL, CORE, "nothing", "allow")
    if shared:
        lines.label("of a process")
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_EQUAL, 0, "allow", "denied")
        lines.label("ioprio_set")
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_EQUAL, IOPRIO_PROCESS, "of whom", "denied")
        lines.label("setpriority")
        lines.add(LOAD, FIRST_ARGUMENT)
        lines.add(JUMP_EQUAL, PRIO_PROCESS, "", "denied")  # others mean all that a user has, the server among it
        lines.label("of whom")
        lines.add(LOAD, SECOND_ARGUMENT)
        lines.add(JUMP_EQUAL, 0, "allow", "denied")


def _memory(lines: _Program) -> None:
    lines.label("mmap")
    lines.add(LOAD, FOURTH_ARGUMENT)
    lines.add(JUMP_ANY_BIT, HUGE_PAGES, "no memory", "allow")
    lines.label("memfd")
    lines.add(LOAD, SECOND_ARGUMENT)
    lines.add(JUMP_ANY_BIT, MEMFD_HUGE_PAGES, "no memory", "allow")
