"""Between the server and one container: a process outside, which speaks to the server as a sandbox's pid 1 does.

What passes as descriptors there (sandboxes/enter.py has the messages) passes through the link here: the server gets
listening sockets of ours in place of those inside, and what its log's pipe takes comes from the container. It ends with
the server, and removes the container whatever has become of both. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from cumulo.engines.containers.launchers import Failed, Launcher, Running
from cumulo.engines.containers.links import Broken
from cumulo.engines.containers.pumps import LOG_SINK, Pump

Plain = dict[str, Any]
MESSAGE_BYTES = 256 * 1024
READY_S = 60.0
END_S = 3.0
"""How long what stays beside a container may take to end after it."""


HEARD: dict[str, dict[str, Callable[[Any], Any]]] = {
    "exit": {"exit": str, "status": int, "peak": int, "error": str},
    "memory": {"memory": int, "peak": int},
    "error": {"error": str},
}
"""The messages of a supervisor that are passed on, and their members."""


class Relay:
    """See above."""

    def __init__(self, launcher: Launcher, control: socket.socket, spec: Plain, program: Plain) -> None:
        self._launcher = launcher
        self._control = control
        self._spec = spec
        self._program = program
        self._name: str = spec["container"]
        self._own = launcher.folder / "containers" / self._name
        self._running: Running | None = None
        self._listening: list[socket.socket] = []
        self._connecting: dict[int, tuple[int, socket.socket]] = {}
        self._next = 1
        self._hung_up = False
        self._is_ready = False
        self._pump: Pump

    def run(self, log: int, go: int) -> NoReturn:
        """Be the relay. `log` takes what the program writes; `go` (or -1) says when it may begin."""
        try:
            self._tell({"pid": os.getpid()})
            self._own.mkdir(parents=True, mode=0o700)
            self._run(log, go)
        except (Failed, Broken, OSError) as error:
            self._tell({"error": str(error)})
        except Exception as error:
            self._tell({"error": f"{type(error).__name__}: {error}"})
        finally:
            self._control.close()
            self._end()
            os._exit(0)

    def _run(self, log: int, go: int) -> None:
        os.chdir(self._own)
        for number, _ in enumerate(self._spec["listen"]):
            made = socket.socket(socket.AF_UNIX)
            made.bind(f"{number}.sock")  # a path of any length would not do
            made.listen(128)
            self._listening.append(made)
        self._running = self._launcher.start(self._name, self._own, self._spec)
        pump = self._pump = Pump(self._running.source, self._running.sink, self._hear, self._opened)
        channel = self._number()
        pump.join(channel, log, LOG_SINK)
        given = {"spec": self._spec["supervisor"], "program": self._program, "log": channel}
        pump.say(json.dumps(given).encode())
        pump.watch(self._control.fileno(), self._obey)
        if go >= 0:
            pump.watch(go, lambda: self._let_go(go))
        deadline = time.monotonic() + READY_S
        while not self._hung_up and not (pump.over and not pump.held):
            pump.turn(None if self._is_ready else 1000)
            if not self._is_ready and time.monotonic() > deadline:
                raise Failed("the container did not become ready")
        if not self._is_ready and not self._hung_up:
            raise Failed(f"the container ended before it was ready: {self._launcher.complaint(self._own)}")

    # -- the server

    def _obey(self) -> None:
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 4)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self._hung_up = True
            return
        wanted = json.loads(data)
        if "spawn" in wanted and descriptors:
            wanted["output"] = self._number()
            self._pump.join(wanted["output"], descriptors.pop(), LOG_SINK)
        if "connect" in wanted:
            self._connect(wanted["connect"])
        else:
            self._pump.say(json.dumps(wanted).encode())
        for each in descriptors:
            os.close(each)

    def _connect(self, port: int) -> None:
        ours, theirs = socket.socketpair()
        channel = self._number()
        self._pump.link.open(channel, port.to_bytes(2, "big"))
        self._pump.join(channel, ours.detach())
        self._connecting[channel] = (port, theirs)

    def _let_go(self, go: int) -> None:
        self._pump.unwatch(go)
        self._pump.say(json.dumps({"go": bool(os.read(go, 1))}).encode())
        os.close(go)

    def _tell(self, message: Plain, descriptors: list[int] | None = None) -> None:
        with contextlib.suppress(OSError):  # the server is gone: its end of the socket says so, too
            socket.send_fds(self._control, [json.dumps(message).encode()], descriptors or [])

    # -- the container

    def _hear(self, data: bytes) -> None:
        message = json.loads(data)
        if "ready" in message and not self._is_ready:
            self._is_ready = True
            addresses = [[address, port] for _, address, port in self._spec["listen"]]
            ready = {"ready": True, "addresses": addresses, "group": str(message["group"])}
            self._tell(ready, [each.fileno() for each in self._listening])
            for each in self._listening:
                each.close()
        elif "connected" in message or "refused" in message:
            self._connected(message)
        else:
            self._pass_on(message)

    def _pass_on(self, message: Plain) -> None:
        """What the server may hear of the container: of what else a function may forge nothing, a pid least of all."""
        for name, kinds in HEARD.items():
            if name in message:
                said = {word: kind(message[word]) for word, kind in kinds.items() if word in message}
                self._tell(said)
                return

    def _connected(self, message: Plain) -> None:
        port, theirs = self._connecting.pop(message.get("connected") or message["refused"])
        with theirs:
            if "connected" in message:
                self._tell({"connected": port}, [theirs.fileno()])
            else:
                self._tell({"refused": port, "reason": message["reason"]})

    def _opened(self, channel: int, payload: bytes) -> None:
        """Somebody inside has connected to one of the listening sockets."""
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(f"{payload[0]}.sock")
        except OSError:
            made.close()
            self._pump.drop(channel)
        else:
            self._pump.join(channel, made.detach())

    def _number(self) -> int:
        number, self._next = self._next, self._next + 2
        return number

    # -- the end

    def _end(self) -> None:
        """The supervisor ends with its link, and all that it has started with it; the rest is for the launcher."""
        running = self._running
        if running is not None:
            for descriptor in (running.source, running.sink):
                os.close(descriptor)
            if running.process is not None:
                self._wait(running)
        with contextlib.suppress(Exception):
            self._launcher.remove(self._name)
        os.chdir("/")
        shutil.rmtree(self._own, ignore_errors=True)

    @staticmethod
    def _wait(running: Running) -> None:
        process = running.process
        assert process is not None
        try:
            process.wait(END_S)
        except Exception:
            process.send_signal(signal.SIGKILL)
