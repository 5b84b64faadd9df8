"""The programs that a supervisor starts, inside: by name, with their signals and their ends. Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from typing import NoReturn

from cumulo.engines.sandboxes.lockdown import PR_SET_DUMPABLE, Plain, limit, limit_files, prctl

DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


class Programs:
    """Those that run now. `tell` says something to the server; `spec` has their limits, see `enter`."""

    def __init__(
        self,
        names: dict[int, str],
        spec: Plain,
        tell: Callable[[Plain], None],
        ended: Callable[[int], object],
    ) -> None:
        """`names`: those that have been started already; `ended` is called with a pid before its end is told."""
        self._names = names
        self._spec = spec
        self._tell = tell
        self._ended = ended

    def spawn(self, wanted: Plain, output: int) -> None:
        """Start one; `output` becomes its stdout and stderr."""
        signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULTS)  # what is sent to a fork waits until it ignores it no more
        try:
            pid = os.fork()
            if pid == 0:
                _become(self._spec, wanted, output)
        except OSError as error:
            self._tell({"exit": wanted["spawn"], "status": 0, "error": error.strerror})
            return
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, DEFAULTS)
        self._names[pid] = wanted["spawn"]

    def signal(self, wanted: Plain) -> None:
        """Send a signal to one; nothing if it has ended."""
        for pid, name in self._names.items():
            if name == wanted["signal"]:
                os.kill(pid, wanted["number"])

    def reap(self) -> None:
        """Tell of all that have ended, and let go of whatever else has."""
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._names.pop(pid, None)
            if name is not None:
                self._ended(pid)
                self._tell({"exit": name, "status": status, "peak": used.ru_maxrss * 1024})


def wake_for_ends() -> socket.socket:
    """From now on the end of a child makes this socket readable; read it with `awake`."""
    woken, waker = socket.socketpair()
    for each in (woken, waker):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
    return woken


def awake(woken: socket.socket) -> None:
    """Take what was said of ends."""
    with contextlib.suppress(BlockingIOError):
        woken.recv(4096)


def lead_group() -> None:
    """Make this process, and all that it forks, a group that can be killed at once: faster than a fork bomb forks."""
    if os.getppid() != 1:
        os.setpgid(0, 0)


def bound(spec: Plain) -> None:
    """The limits of a program, for whose supervisor they do not hold; it is the first to end when memory is short."""
    prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:  # noqa: PTH123
        file.write(str(spec["oom"]))  # gVisor keeps it to itself
    limit(spec)
    limit_files(spec)


def _become(spec: Plain, wanted: Plain, output: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        lead_group()
        for number in DEFAULTS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, DEFAULTS)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 1 << 16)
        bound(spec)
        os.chdir(wanted.get("cwd") or "/")
        os.execve(wanted["argv"][0], wanted["argv"], wanted["variables"])
    except OSError as error:
        os.write(2, f"{wanted['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)
