"""The first process in a container: it starts programs, and is their way out. Standard library only, Python 3.9.

Started as `python -I contained.py <folder of cumulo>`; standard input and output are the link (links.py) to the relay
(relay.py). The first message is {"spec": see `Containers.make`, "program": see guest/program.py, "log": the channel of
its log}; from then on the messages are those of sandboxes/enter.py, but for what descriptors did there:

    from outside: {"spawn": …, "output": channel of its log}; {"watch": whether to tell of memory all the time};
        {"go": whether the program may begin}; a new channel with two bytes: a connection to that port in here
    from inside: {"ready": true, "addresses": …, "group": /proc/self/cgroup}; {"memory": bytes used by the programs,
        "peak": the most that one of them had}; {"connected": channel} or {"refused": channel, "reason": …};
        a new channel with one byte: a connection to that one of the listening sockets
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from functools import partial
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.append(sys.argv[1])

from cumulo.engines.containers.pumps import LOG_SOURCE, Pump
from cumulo.engines.sandboxes import names
from cumulo.engines.sandboxes.lockdown import PR_SET_DUMPABLE, Failed, Plain, limit, limit_files, lock_down, prctl

CONNECT_S = 0.5
TICK_MS = 100
FRESH_S = 0.05
"""How old the figures of memory may be that come before an answer."""
MOST_READ = 64
"""Of processes whose memory is read one by one: a fork bomb's thousand would take long, and are alike."""


class Supervisor:
    """See above."""

    def __init__(self) -> None:
        source, sink = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1):
            os.dup2(nothing, number)
        os.close(nothing)
        self._pump = Pump(source, sink, self._hear, self._opened)
        self._pump.before_data = self._before_data
        self._names: dict[int, str] = {}
        self._spec: Plain = {}
        self._listening: list[socket.socket] = []
        self._next = 2
        self._api: set[int] = set()
        self._go = -1
        self._told_at = 0.0
        self._peak = 0
        self._watched = False

    def run(self) -> NoReturn:
        """Until the other side hangs up: then all ends, for this is pid 1."""
        while not self._pump.over:
            self._pump.turn(TICK_MS if self._watched else None)
            if self._watched and time.monotonic() - self._told_at >= TICK_MS / 1000:
                self._tell_memory()
        os._exit(0)

    # -- the beginning

    def _begin(self, given: Plain) -> None:
        spec = self._spec = given["spec"]
        try:
            self._listening = [_listen(kind, address, port) for kind, address, port in spec["listen"]]
            resolver = _listen("udp", "127.0.0.1", 53) if spec.get("names") else None
            os.umask(0o022)
            lock_down(spec, [], privileged=False)
        except (OSError, Failed) as error:
            self._say({"error": str(error)})
            return
        woken, waker = socket.socketpair()
        for each in (woken, waker):
            each.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
        log, into = os.pipe()
        go = -1
        if "go" in given["program"]["keep"]:
            go, self._go = os.pipe()
        addresses = [list(each.getsockname()[:2]) for each in self._listening]
        program = os.fork()
        if program == 0:
            self._be_program(given["program"], into, go, addresses)
        for inside in {into, go} - {-1}:
            os.close(inside)
        self._names[program] = "runtime"
        self._pump.join(given["log"], log, LOG_SOURCE)
        self._pump.watch(woken.fileno(), lambda: self._woken(woken))
        for number, each in enumerate(self._listening):
            each.setblocking(False)
            self._pump.watch(each.fileno(), partial(self._accept, number, each))
        if resolver is not None:
            resolver.setblocking(False)
            self._pump.watch(resolver.fileno(), lambda: names.serve(resolver, spec["names"]))
        self._say({"ready": True, "addresses": addresses, "group": _text("/proc/self/cgroup")})
        self._reap()

    def _be_program(self, wanted: Plain, log: int, go: int, addresses: list[list[Any]]) -> NoReturn:
        status = 70
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for number in (1, 2):
                os.dup2(log, number)
            wanted["log"] = log
            if go >= 0:
                wanted["go"] = go
            keep = sorted({log, go} - {-1})
            for before, after in zip([2, *keep], [*keep, 1 << 16]):  # noqa: B905, zip() has no `strict` before 3.10
                os.closerange(before + 1, after)
            prctl(PR_SET_DUMPABLE, 1)  # its own /proc/self is its own
            _volunteer(self._spec)
            limit(self._spec)
            limit_files(self._spec)
            os.chdir(self._spec["cwd"])
            from cumulo.engines.environments.guest import program

            sys.path.remove(sys.argv[1])
            status = program.run(wanted, {"addresses": addresses, "paths": {}})
        except BaseException:
            traceback.print_exc()  # into the function's log
        finally:
            os._exit(status)

    # -- what is asked

    def _hear(self, data: bytes) -> None:
        message = json.loads(data)
        if "spec" in message:
            self._begin(message)
        elif "spawn" in message:
            self._spawn(message)
        elif "signal" in message:
            for pid, name in self._names.items():
                if name == message["signal"]:
                    os.kill(pid, message["number"])
        elif "watch" in message:
            self._watched = message["watch"]
        elif "go" in message:
            self._let_go(message["go"])

    def _let_go(self, may: bool) -> None:
        if self._go >= 0:
            if may:
                os.write(self._go, b"g")
            os.close(self._go)
            self._go = -1

    def _spawn(self, wanted: Plain) -> None:
        log, into = os.pipe()
        try:
            pid = os.fork()
        except OSError as error:
            os.close(into)
            self._say({"exit": wanted["spawn"], "status": 0, "error": error.strerror})
        else:
            if pid == 0:
                _become(self._spec, wanted, into)
            os.close(into)
            self._names[pid] = wanted["spawn"]
        self._pump.join(wanted["output"], log, LOG_SOURCE)

    def _opened(self, channel: int, payload: bytes) -> None:
        """A connection to a port in here, for the server, whose network is another."""
        made = socket.socket()
        try:
            made.settimeout(CONNECT_S)
            made.connect(("127.0.0.1", int.from_bytes(payload, "big")))
        except OSError as error:
            made.close()
            self._say({"refused": channel, "reason": error.strerror or "timed out"})
            self._pump.drop(channel)
            return
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pump.join(channel, made.detach())
        self._say({"connected": channel})

    def _accept(self, number: int, listening: socket.socket) -> None:
        try:
            made, _ = listening.accept()
        except OSError:
            return  # whoever it was has gone again
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel, self._next = self._next, self._next + 2
        if number == 0:
            self._api.add(channel)
        self._pump.link.open(channel, bytes([number]))
        self._pump.join(channel, made.detach())

    # -- what is told

    def _woken(self, woken: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            woken.recv(4096)
        self._reap()

    def _reap(self) -> None:
        while True:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self._names.pop(pid, None)
            if name is not None:
                self._pump.drain_logs()
                self._say({"exit": name, "status": status, "peak": used.ru_maxrss * 1024})

    def _before_data(self, channel: int) -> None:
        """An answer of the runtime is under way: REPORT will tell of memory."""
        if channel in self._api and time.monotonic() - self._told_at >= FRESH_S:
            self._tell_memory()

    def _tell_memory(self) -> None:
        self._told_at = time.monotonic()
        used, peak = _memory(int(self._spec["memory_bytes"]))
        self._peak = max(self._peak, peak)
        self._say({"memory": used, "peak": self._peak})

    def _say(self, message: Plain) -> None:
        self._pump.say(json.dumps(message).encode())


def _listen(kind: str, address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    if kind == "tcp":
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((address, port))
    if kind == "tcp":
        made.listen(128)
    return made


def _volunteer(spec: Plain) -> None:
    """Be the first that the kernel ends when memory is short: not the supervisor, which tells of it."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(spec["oom"]))
    except OSError:
        pass  # gVisor keeps it to itself


def _become(spec: Plain, wanted: Plain, log: int) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 1 << 16)
        prctl(PR_SET_DUMPABLE, 1)
        _volunteer(spec)
        limit(spec)
        limit_files(spec)
        os.chdir(wanted.get("cwd") or "/")
        os.execve(wanted["argv"][0], wanted["argv"], wanted["variables"])
    except OSError as error:
        os.write(2, f"{wanted['argv'][0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _memory(most: int) -> tuple[int, int]:
    """Bytes that the programs in here use together, and the most that one of them ever had; `most`: their limit."""
    used = peak = 0
    pids = [name for name in os.listdir("/proc") if name.isdecimal() and name != "1"]
    for pid in pids[:MOST_READ]:
        figures = _figures(_text(f"/proc/{pid}/status"))
        used += figures.get("VmRSS", 0)
        peak = max(peak, figures.get("VmHWM", 0), figures.get("VmRSS", 0))
    used = used * len(pids) // max(min(len(pids), MOST_READ), 1)
    if used > most:  # slower: what forks share, counted once
        shares = [_figures(_text(f"/proc/{pid}/smaps_rollup")).get("Pss", -1) for pid in pids[:MOST_READ]]
        if -1 not in shares and len(pids) <= MOST_READ:
            used = sum(shares)
    return used, peak


def _figures(text: str) -> dict[str, int]:
    """The fields of a process that are given in kB, in bytes."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if value.endswith(" kB"):
            found[name] = int(value[:-3]) * 1024
    return found


def _text(file: str) -> str:
    try:
        with open(file) as opened:
            return opened.read()
    except OSError:
        return ""


def main() -> Any:
    """Serve the relay."""
    return Supervisor().run()


if __name__ == "__main__":
    main()
