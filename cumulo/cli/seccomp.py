"""Have the kernel ask us before a program connects somewhere (Linux's seccomp user notification, seccomp(2)).

A filter installed in the child stops every `connect` of it and its descendants until the supervisor, in another
process, has looked at the address. The supervisor either lets the call go on, or connects the very same socket
elsewhere itself (through pidfd_getfd) and hands the program the result. Nothing else of the program is touched: it
keeps its network, its ports and its speed. Needs no privilege; Linux 5.6 or newer on x86-64 or arm64.
"""

import ctypes
import errno
import fcntl
import os
import platform
import socket
import struct
from collections.abc import Callable
from pathlib import Path

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}
SYS_CONNECT = {"x86_64": 42, "aarch64": 203}
SYS_PIDFD_GETFD = 438

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER = 1
FLAG_NEW_LISTENER = 1 << 3
RET_ALLOW = 0x7FFF0000
RET_USER_NOTIF = 0x7FC00000
NOTIF_RECV, NOTIF_SEND, NOTIF_ID_VALID = 0xC0502100, 0xC0182101, 0x40082102
FLAG_CONTINUE = 1

NOTIFICATION = struct.Struct("=QII iIQ 6Q")  # id, pid, flags; then seccomp_data: nr, arch, ip, args
RESPONSE = struct.Struct("=QqiI")  # id, value, error, flags

Address = tuple[str, int]
# From the socket's kind (SOCK_STREAM, SOCK_DGRAM) and the wanted address to the one to connect instead, or None.
Redirect = Callable[[int, Address], Address | None]


class Unsupported(Exception):
    """This kernel or machine cannot do it; the message says what is missing."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def install() -> int:
    """Filter `connect` of this process and all its descendants, for good; the listener's file descriptor.

    To be called in the child just before it executes the program. Raises Unsupported.
    """
    machine = platform.machine()
    if machine not in AUDIT_ARCH:
        raise Unsupported(f"needs x86-64 or arm64, this is {machine}")
    program = b"".join(
        struct.pack("=HBBI", code, true, false, value)
        for code, true, false, value in (
            (0x20, 0, 0, 4),  # load seccomp_data.arch
            (0x15, 0, 3, AUDIT_ARCH[machine]),  # another architecture's program: leave it alone
            (0x20, 0, 0, 0),  # load seccomp_data.nr
            (0x15, 0, 1, SYS_CONNECT[machine]),
            (0x06, 0, 0, RET_USER_NOTIF),
            (0x06, 0, 0, RET_ALLOW),
        )
    )
    instructions = ctypes.create_string_buffer(program, len(program))
    filter_program = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(instructions))
    libc = _libc()
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise Unsupported(f"PR_SET_NO_NEW_PRIVS: {os.strerror(ctypes.get_errno())}")
    listener: int = libc.syscall(SYS_SECCOMP[machine], SET_MODE_FILTER, FLAG_NEW_LISTENER, filter_program)
    if listener < 0:
        reason = os.strerror(ctypes.get_errno())
        raise Unsupported(f"the kernel refuses a seccomp listener ({reason}); it needs Linux 5.6 or newer")
    return listener


class Supervisor:
    """Answers the notifications of one listener. `answer` is to be called when the listener is readable."""

    def __init__(self, listener: int, redirect: Redirect) -> None:
        self.listener = listener
        self._redirect = redirect
        self._libc = _libc()

    def answer(self) -> None:
        """Take one stopped call, decide, let it go on. Never raises for a program that has ended meanwhile."""
        notification = bytearray(NOTIFICATION.size)
        try:
            fcntl.ioctl(self.listener, NOTIF_RECV, notification)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return
            raise
        fields = NOTIFICATION.unpack(notification)
        number, pid, (fd, address, length) = fields[0], fields[1], fields[6:9]
        try:
            result = self._connect(number, pid, ctypes.c_int(fd).value, address, min(length, 128))
        except OSError as error:
            result = error.errno if isinstance(error, _Refused) else None
        if result is None:
            response = RESPONSE.pack(number, 0, 0, FLAG_CONTINUE)
        else:
            response = RESPONSE.pack(number, 0, -result, 0)
        try:
            fcntl.ioctl(self.listener, NOTIF_SEND, response)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def _connect(self, number: int, pid: int, fd: int, address: int, length: int) -> int | None:
        """The errno (0: connected) of a connect made elsewhere, or None when the program's own call is to go on."""
        with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
            memory.seek(address)
            wanted = parse(memory.read(length))
        if wanted is None:
            return None
        # Only addresses that can be ours are worth a look at the socket.
        family, host, port = wanted
        instead = self._redirect(0, (host, port))
        if instead is None:
            return None
        fcntl.ioctl(self.listener, NOTIF_ID_VALID, struct.pack("=Q", number))  # the pid is still that program
        pidfd = os.pidfd_open(_process_of_thread(pid))
        try:
            copy = self._libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
            if copy < 0:
                raise _Refused(ctypes.get_errno(), "pidfd_getfd")
        finally:
            os.close(pidfd)
        with socket.socket(fileno=copy) as theirs:
            instead = self._redirect(theirs.type & 0xF, (host, port))
            if instead is None:
                return None
            target = (f"::ffff:{instead[0]}", instead[1]) if family == socket.AF_INET6 else instead
            return theirs.connect_ex(target)


class _Refused(OSError):
    """The kernel does not let us take over the program's socket: the program sees this error."""


def parse(sockaddr: bytes) -> tuple[int, str, int] | None:
    """Family, IPv4 address and port of a sockaddr; IPv6 only where it maps IPv4; None for all others."""
    if len(sockaddr) < 2:
        return None
    (family,) = struct.unpack_from("=H", sockaddr)
    if family == socket.AF_INET and len(sockaddr) >= 8:
        return family, socket.inet_ntoa(sockaddr[4:8]), struct.unpack_from("!H", sockaddr, 2)[0]
    if family == socket.AF_INET6 and len(sockaddr) >= 24:
        port = struct.unpack_from("!H", sockaddr, 2)[0]
        if sockaddr[8:20] == b"\0" * 10 + b"\xff\xff":
            return family, socket.inet_ntoa(sockaddr[20:24]), port
        if port == 53:  # a name server reached over IPv6: which one does not matter
            return family, "", port
    return None


def _process_of_thread(thread: int) -> int:
    with Path(f"/proc/{thread}/status").open("rb") as status:
        for line in status:
            if line.startswith(b"Tgid:"):
                return int(line.split()[1])
    return thread
