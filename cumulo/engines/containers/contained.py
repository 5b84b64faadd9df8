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
from cumulo.engines.sandboxes import names, residents
from cumulo.engines.sandboxes.lockdown import Failed, Plain, lock_down
from cumulo.engines.sandboxes.programs import Programs, awake, bound, wake_for_ends

CONNECT_S = 0.5
TICK_MS, IDLE_MS = 100, 2000
"""How often memory is told while an invocation runs, and otherwise."""
FRESH_S = 0.05
"""How old the figures of memory may be that come before an answer."""
LOOKS_PER_LIST = 4
"""How many of these looks there are for one at what sockets hold."""
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
        self._spec: Plain = {}
        self._programs: Programs
        self._listening: list[socket.socket] = []
        self._next = 2
        self._api: set[int] = set()
        self._go = -1
        self._told_at = 0.0
        self._peak = self._looks = 0
        self._watched = False

    def run(self) -> NoReturn:
        """Until the other side hangs up: then all ends, for this is pid 1."""
        while not self._pump.over:
            tick_ms = TICK_MS if self._watched else IDLE_MS
            self._pump.turn(tick_ms)
            if self._spec and time.monotonic() - self._told_at >= tick_ms / 1000:
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
            self._tell({"error": str(error)})
            return
        woken = wake_for_ends()
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
        begun = {program: "runtime"}
        programs = self._programs = Programs(begun, spec, self._tell, lambda _: self._pump.drain_logs())
        self._pump.join(given["log"], log, LOG_SOURCE)
        self._pump.watch(woken.fileno(), lambda: self._woken(woken))
        for number, each in enumerate(self._listening):
            each.setblocking(False)
            self._pump.watch(each.fileno(), partial(self._accept, number, each))
        if resolver is not None:
            resolver.setblocking(False)
            self._pump.watch(resolver.fileno(), lambda: names.serve(resolver, spec["names"]))
        self._tell({"ready": True, "addresses": addresses, "group": _text("/proc/self/cgroup")})
        programs.reap()

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
            bound(self._spec)
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
            self._programs.signal(message)
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
        self._programs.spawn(wanted, into)
        os.close(into)
        self._pump.join(wanted["output"], log, LOG_SOURCE)

    def _opened(self, channel: int, payload: bytes) -> None:
        """A connection to a port in here, for the server, whose network is another."""
        made = socket.socket()
        try:
            made.settimeout(CONNECT_S)
            made.connect(("127.0.0.1", int.from_bytes(payload, "big")))
        except OSError as error:
            made.close()
            self._tell({"refused": channel, "reason": error.strerror or "timed out"})
            self._pump.drop(channel)
            return
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pump.join(channel, made.detach())
        self._tell({"connected": channel})

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
        awake(woken)
        self._programs.reap()

    def _before_data(self, channel: int) -> None:
        """An answer of the runtime is under way: REPORT will tell of memory."""
        if channel in self._api and time.monotonic() - self._told_at >= FRESH_S:
            self._tell_memory()

    def _tell_memory(self) -> None:
        self._told_at = time.monotonic()
        used, peak = _memory(int(self._spec["memory_bytes"]))
        self._looks += 1
        if not self._watched or self._looks % LOOKS_PER_LIST == 0:
            used += residents.netlink_bytes("self")
        self._peak = max(self._peak, peak)
        self._tell({"memory": used, "peak": self._peak})

    def _tell(self, message: Plain) -> None:
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


def _memory(most: int) -> tuple[int, int]:
    """Bytes that the programs in here use together, and the most that one of them ever had; `most`: their limit."""
    used = peak = 0
    pids = [name for name in os.listdir("/proc") if name.isdecimal() and name != "1"]
    for pid in pids[:MOST_READ]:
        figures = residents.figures(pid)
        used += figures.get("VmRSS", 0)
        peak = max(peak, figures.get("VmHWM", 0), figures.get("VmRSS", 0))
    used = used * len(pids) // max(min(len(pids), MOST_READ), 1)
    if used > most and len(pids) <= MOST_READ:
        own = residents.own_bytes(pids)  # None in gVisor
        used = used if own is None else own
    return used, peak


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
