"""One sandbox as the server sees it: what a zygote's fork is told to enter, what it tells, how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from cumulo.engines.sandboxes import listeners, residents
from cumulo.engines.sandboxes.enter import Plain
from cumulo.engines.sandboxes.groups import SLACK_BYTES, Group
from cumulo.engines.sandboxes.supervisor import children, descendants

MESSAGE_BYTES = 65536
INSTRUCTION_BYTES = 256 * 1024
MIB = 1 << 20
REMOVAL_WAITS_S = (0.0, 0.01, 0.05, 0.2, 1.0, 5.0)
PEAKS = 32
"""Of processes that are looked at when an invocation ends: a fork bomb's thousand would take long, and are alike."""
SO_PASSCRED, SCM_CREDENTIALS = 16, 2  # Linux's; unix(7)
RUNTIME = "runtime"
"""The name of the program itself, beside what `spawn` starts."""


class SandboxFailed(Exception):
    """The machine refused a step; the text says which."""


class Limits(Struct, frozen=True):
    """What a sandbox may use. The defaults are AWS Lambda's quotas (Developer Guide, "Lambda quotas")."""

    memory_mb: int = 128
    ephemeral_mb: int = 512
    """The size of /tmp, which does not count as memory."""
    processes: int = 1024
    """And threads."""
    files: int = 1024
    """Open at a time."""


class Sandbox:
    """Made by `Sandboxes.make`.

    Hand `theirs` and `spec` (with the descriptors' numbers filled in) to a fork and call `handed_over`; `ready` gives
    the listening sockets that are inside. `on_exit(name, wait status)` is called for the program and for what `spawn`
    started; a death of the whole sandbox is told as its program's death by SIGKILL.
    """

    grace_s = 2.0
    """How long a supervisor that is not pid 1 may take to end what it started."""

    def __init__(self, name: str, spec: Plain, limits: Limits, group: Group | None, freed: Callable[[], None]) -> None:
        self.name = name
        self.spec = spec
        self.limits = limits
        self.on_exit: Callable[[str, int], None] | None = None
        self.pid = 0
        """Of the supervisor, as this process sees it; 0 until it is known."""
        self.addresses: list[tuple[str, int]] = []
        self.exceeded = False
        """Its processes were ended because they used more memory than they may."""
        self._group = group
        self._freed = freed
        self._loop = asyncio.get_running_loop()
        self._control, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.setblocking(False)
        self._control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, INSTRUCTION_BYTES)
        if spec.get("inside"):
            self._control.setsockopt(socket.SOL_SOCKET, SO_PASSCRED, 1)
        self._ready: asyncio.Future[list[socket.socket]] = self._loop.create_future()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._running = {RUNTIME}
        self._taken = False
        self._connecting: dict[int, list[asyncio.Future[socket.socket]]] = {}
        self._process = -1
        self._tmp = -1
        self._peak = 0
        self._hung_up = False
        self._loop.add_reader(self._control.fileno(), self._hear)

    def instruct(self, message: Plain) -> None:
        """Say something that waits for the fork, which reads it before it enters. Raises SandboxFailed."""
        try:
            self._control.send(json.dumps(message).encode())
        except OSError as error:
            raise SandboxFailed(f"its instructions: {error.strerror}") from None

    def handed_over(self) -> None:
        """The fork has its end of the control socket; without this its death would not be noticed."""
        self.theirs.close()

    async def ready(self) -> list[socket.socket]:
        """The listening sockets in the order of the spec, as soon as they are there. Raises SandboxFailed."""
        sockets = await asyncio.shield(self._ready)
        self._taken = True
        return sockets

    @property
    def left_behind(self) -> bool:
        """Its program has ended, whatever else runs on in it."""
        return RUNTIME not in self._running

    @property
    def ended(self) -> bool:
        """Every process in it is gone."""
        return self._ended.done()

    def spawn(self, name: str, argv: list[str], variables: dict[str, str], cwd: str, output: int) -> None:
        """Start another program inside; `output` becomes its stdout and stderr. Its end is told by `on_exit`."""
        self._running.add(name)
        message = {"spawn": name, "argv": argv, "variables": variables, "cwd": cwd}
        with contextlib.suppress(OSError):
            socket.send_fds(self._control, [json.dumps(message).encode()], [output])

    def signal(self, name: str, number: int) -> None:
        """Send a signal to one of the programs; nothing if it has ended."""
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"signal": name, "number": number}).encode())

    async def connect(self, port: int) -> socket.socket:
        """A connection to a port that a program inside listens on. Raises ConnectionError."""
        if not self.spec.get("own_network"):
            return await self._connect_outside(port)
        waiting: asyncio.Future[socket.socket] = self._loop.create_future()
        self._connecting.setdefault(port, []).append(waiting)
        try:
            self._control.send(json.dumps({"connect": port}).encode())
        except OSError as error:
            raise ConnectionError(error.strerror) from None
        return await waiting

    async def _connect_outside(self, port: int) -> socket.socket:
        theirs = await self._loop.run_in_executor(None, self._listens, port)
        if not theirs:
            raise ConnectionRefusedError(f"none of its processes listens on port {port}")
        made = socket.socket()
        made.setblocking(False)
        try:
            await self._loop.sock_connect(made, ("127.0.0.1", port))
        except OSError as error:
            made.close()
            raise ConnectionRefusedError(error.strerror) from None
        return made

    def watch(self, at_work: bool) -> None:
        """Its memory is looked at ten times a second from now on, or no longer."""

    def _listens(self, port: int) -> bool:
        return sys.platform != "linux" or listeners.is_theirs(port, [self.pid, *descendants(self.pid)])

    def kill(self) -> None:
        """End everything in it, at once and without asking."""
        if self._hung_up:
            return
        if self._tmp >= 0:
            os.close(self._tmp)  # while others have it: who closes it last gives all its memory back, which takes long
            self._tmp = -1
        self.kill_groups()
        self._hang_up()
        if self._is_pid_1():
            self._kill_supervisor()
        else:
            self._loop.call_later(self.grace_s, self._kill_supervisor)

    def kill_groups(self) -> None:
        """End its programs with what they have forked, faster than they fork; nothing where pid 1 takes them along.

        From here: in there a supervisor may not get a processor for long.
        """
        if self._is_pid_1() or not self.pid:
            return
        try:
            ours = {os.getpgid(0), os.getpgid(self.pid)}  # where a fork is until it leads its own
        except OSError:
            return
        for pids in (children(self.pid), descendants(self.pid)):  # looking for all takes long while they are many
            groups = set()
            for pid in pids:
                with contextlib.suppress(OSError):
                    groups.add(os.getpgid(pid))
            for group in groups - ours:
                with contextlib.suppress(OSError):
                    os.killpg(group, signal.SIGKILL)

    async def end(self) -> None:
        """`kill`, and wait until every process is gone."""
        self.kill()
        await asyncio.shield(self._ended)

    # -- memory

    def memory_bytes(self) -> int:
        """What its processes use now: /tmp and caches do not count."""
        if self._group is None:
            pids = descendants(self.pid)
            resident = sum(residents.figures(pid).get("VmRSS", 0) for pid in pids)
            own = residents.own_bytes(pids) if resident > self.limits.memory_mb * MIB else None
            return resident if own is None else own
        usage = self._group.usage_bytes()
        if usage <= self.limits.memory_mb * MIB:
            return usage
        return max(self._group.kept_bytes() - self._tmp_bytes(), 0)

    def peak_bytes(self) -> int:
        """The most that its processes used at any time, what one shares with the zygote included; at most the limit."""
        pids = descendants(self.pid, PEAKS)[:PEAKS]
        peak = max([self._peak, *(residents.figures(pid).get("VmHWM", 0) for pid in pids)])
        if self._group is not None:
            peak = max(peak, self._group.peak_bytes() - self._tmp_bytes())
        return min(peak, self.limits.memory_mb * MIB)

    def oom_killed(self) -> bool:
        """Whether the kernel, or our watch, ended processes of it for their memory."""
        return self.exceeded or (self._group is not None and self._group.oom_kills() > 0)

    def over_limit(self, *, sockets: bool) -> bool:
        """Whether its processes use more memory than they may. The hard limit has room for /tmp, this has none.

        Or are too many, where no limit of the kernel's holds for them alone. `sockets`: whether to look, too, at what
        those hold that no group counts, which takes longer.
        """
        if self._hung_up:
            return False
        most = self.limits.processes
        if "nproc" not in self.spec["limits"] and len(descendants(self.pid, most)) > most:
            return True
        looks = sockets and self.pid and self.spec.get("own_network")
        unread = residents.netlink_bytes(self.pid) if looks else 0
        return self.memory_bytes() + unread > self.limits.memory_mb * MIB + SLACK_BYTES

    def _tmp_bytes(self) -> int:
        if self._tmp < 0:
            return 0
        shape = os.fstatvfs(self._tmp)
        return (shape.f_blocks - shape.f_bfree) * shape.f_frsize

    # -- what it tells

    def _hear(self) -> None:
        try:
            data, descriptors, sender = _receive(self._control)
        except BlockingIOError:
            return
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._gone()
            return
        try:
            self._heard(json.loads(data), descriptors, sender)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OSError, RecursionError):
            self._gone()  # no words of ours: the function of a snapshot has the sockets of its copies
        for each in descriptors:  # that nobody has taken
            os.close(each)

    def _heard(self, message: dict[str, Any], descriptors: list[int], sender: int) -> None:
        if "pid" in message:
            if not self.spec.get("inside"):
                self._began(message["pid"])
        elif "ready" in message:
            if self._ready.done() or self._hung_up:
                return
            if self.spec.get("inside"):  # by the number that it says it has, it is known in there alone
                self._began(sender)
                self._gather(sender)
            self._opened(message, descriptors)
        elif "error" in message and "exit" not in message:
            self._fail(str(message["error"]))
        elif "exit" in message:
            self._exited(message)
        elif "connected" in message or "refused" in message:
            self._connected(message, descriptors)
        else:
            self._told(message)

    def _told(self, message: dict[str, Any]) -> None:
        """Something that only some kinds of sandboxes say."""

    def _began(self, pid: int) -> None:
        self.pid = pid
        with contextlib.suppress(OSError, AttributeError):  # it has ended already, or this is no Linux
            self._process = os.pidfd_open(pid)

    def _gather(self, pid: int) -> None:
        """Put the supervisor and its program into the group."""
        if self._group is not None:
            for each in (pid, *descendants(pid)):
                self._group.add(each)

    def _opened(self, message: dict[str, Any], descriptors: list[int]) -> None:
        self.addresses = [(str(address), int(port)) for address, port in message["addresses"]]
        sockets = []
        for _ in self.addresses:
            made = socket.socket(fileno=descriptors[0])
            descriptors.pop(0)
            made.setblocking(False)
            sockets.append(made)
        if descriptors:
            self._tmp = descriptors.pop(0)
        self._ready.set_result(sockets)

    def _exited(self, message: dict[str, Any]) -> None:
        self._running.discard(message["exit"])
        self._peak = max(self._peak, message.get("peak", 0))
        if self.on_exit is not None:
            self.on_exit(message["exit"], message["status"])

    def _connected(self, message: dict[str, Any], descriptors: list[int]) -> None:
        waiting = self._connecting.get(message.get("connected") or message["refused"], [])
        future = waiting.pop(0) if waiting else None
        made = socket.socket(fileno=descriptors[0]) if descriptors else None
        if made is not None:
            descriptors.pop(0)
        if future is None or future.done():
            if made is not None:
                made.close()
        elif made is not None:
            made.setblocking(False)
            future.set_result(made)
        else:
            future.set_exception(ConnectionRefusedError(message["reason"]))

    def _fail(self, reason: str) -> None:
        for future in [each for waiting in self._connecting.values() for each in waiting if not each.done()]:
            future.set_exception(ConnectionResetError(reason))
        if not self._ready.done():
            self._ready.set_exception(SandboxFailed(reason))
            self._ready.exception()  # told already, should nobody ask

    # -- how it ends

    def _is_pid_1(self) -> bool:
        return bool(self.spec.get("own_processes"))

    def _hang_up(self) -> None:
        self._hung_up = True
        if self._ready.done() and not self._taken and self._ready.exception() is None:
            for made in self._ready.result():  # nobody waits for them any more
                made.close()
        self._loop.remove_reader(self._control.fileno())
        self._control.close()
        self.theirs.close()
        self._fail("it was ended")
        if self._process >= 0:
            self._loop.add_reader(self._process, self._finished)
        else:
            self._finished()

    def _kill_supervisor(self) -> None:
        if self._process >= 0:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)

    def _gone(self) -> None:
        """The supervisor has ended on its own, and everything with it: as when the kernel wants its memory back."""
        running, self._running = self._running, set()
        self._fail("it ended before it was ready")
        self._hang_up()
        if not self._is_pid_1() and self._group is not None:
            self._group.kill()
        for name in running:
            if self.on_exit is not None:
                self.on_exit(name, int(signal.SIGKILL))

    def _finished(self) -> None:
        if self._process >= 0:
            self._loop.remove_reader(self._process)
            os.close(self._process)
            self._process = -1
        if self._tmp >= 0:
            self._loop.run_in_executor(None, os.close, self._tmp)
            self._tmp = -1
        if not self._ended.done():
            self._ended.set_result(None)
            self._remove(0)

    def _remove(self, attempt: int) -> None:
        """Remove the group; the last process may be in it for a moment longer than its supervisor."""
        if self._group is None:
            self._freed()
        else:  # in a thread: it waits, at times, for what the kernel does to other groups
            removing = self._loop.run_in_executor(None, self._group.remove)
            removing.add_done_callback(lambda done: self._removed(attempt, done.cancelled() or done.result()))

    def _removed(self, attempt: int, gone: bool) -> None:
        if gone or attempt + 1 == len(REMOVAL_WAITS_S) or self._loop.is_closed():
            self._freed()
        elif self._group is not None:
            self._group.kill()
            self._loop.call_later(REMOVAL_WAITS_S[attempt + 1], self._remove, attempt + 1)


def _receive(control: socket.socket) -> tuple[bytes, list[int], int]:
    """A message, its descriptors, and its sender's pid as this process knows it, where that is asked for."""
    room = socket.CMSG_SPACE(16 * 4) + socket.CMSG_SPACE(12)
    data, ancillary, _, _ = control.recvmsg(MESSAGE_BYTES, room)
    descriptors: list[int] = []
    sender = 0
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            descriptors += struct.unpack(f"{len(content) // 4}i", content[: len(content) // 4 * 4])
        elif level == socket.SOL_SOCKET and kind == SCM_CREDENTIALS:
            sender = struct.unpack("iii", content[:12])[0]
    return data, descriptors, sender
