"""The server's side of a zygote, and of what it forks. See guest/zygote.py and sandboxes/enter.py for the messages."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import cumulo
from cumulo.engines.environments import guest
from cumulo.engines.environments.builds import StartFailed

ROOT = Path(cumulo.__file__).parents[1]
PROGRAM = Path(guest.__file__).with_name("zygote.py")
MESSAGE_BYTES = 256 * 1024
READY_S = 30.0
MOST_AT_ONCE = 32
SAID_UNASKED = ("ready", "prepared")
Message = dict[str, Any]

# Loaded before the forks: what the bootstrap and most functions import, all of the standard library.
PRELOADED = (
    "argparse", "ast", "asyncio", "base64", "bisect", "calendar", "collections.abc", "concurrent.futures", "contextlib",
    "copy", "csv", "ctypes", "dataclasses", "datetime", "decimal", "difflib", "email.message", "email.parser",
    "email.utils", "enum", "functools", "gzip", "hashlib", "heapq", "hmac", "html", "http.client", "http.cookies",
    "importlib.metadata", "inspect", "io", "itertools", "json", "logging.config", "logging.handlers", "math",
    "mimetypes", "multiprocessing", "numbers", "operator", "pathlib", "pickle", "platform", "pprint", "queue", "random",
    "re", "secrets", "select", "selectors", "shutil", "signal", "socket", "ssl", "statistics", "string", "struct",
    "subprocess", "tempfile", "textwrap", "threading", "time", "traceback", "types", "typing", "unicodedata",
    "urllib.parse", "urllib.request", "uuid", "warnings", "weakref", "xml.etree.ElementTree", "zipfile", "zlib",
    "zoneinfo",
)  # fmt: skip


class Forker:
    """A process that forks environments on demand: it is spoken to on a socket."""

    def __init__(self, name: str) -> None:
        self.alive = False
        self._name = name
        self._socket: socket.socket | None = None
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._said: dict[str, Any] = {}
        self._forks = 0

    def attach(self, ours: socket.socket) -> None:
        """Speak on this socket."""
        ours.setblocking(False)
        self._socket = ours
        self.alive = True
        asyncio.get_running_loop().add_reader(ours, self._readable)

    async def fork(self, descriptors: list[int]) -> int:
        """Fork into a sandbox; its pid as the forking process sees it. Raises StartFailed.

        What it is to become waits in the first descriptor, where the fork alone reads it (`Sandbox.instruct`): what
        this process had read would stay in its memory, and all its later forks, of other functions, would inherit it.
        """
        self._forks += 1
        number = self._forks
        self._send({"fork": number}, descriptors)
        return int(await self.wait(f"forked {number}"))

    def close(self) -> None:
        """Hang up; what was forked lives on its own control sockets."""
        self.alive = False
        if self._socket is not None:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(StartFailed(f"{self._name} has ended"))
        self._waiting.clear()

    def _send(self, message: Message, descriptors: list[int] | None = None) -> None:
        if self._socket is None:
            raise StartFailed(f"{self._name} has ended")
        try:
            socket.send_fds(self._socket, [json.dumps(message).encode()], descriptors or [])
        except BlockingIOError:
            raise StartFailed(f"{self._name} does not keep up") from None
        except OSError as error:
            raise StartFailed(f"{self._name} does not answer: {error.strerror}") from None

    async def wait(self, what: str) -> Any:
        """What it says of something: "ready", "prepared", "forked N". Raises StartFailed."""
        if what in self._said:
            return self._said.pop(what)
        future = asyncio.get_running_loop().create_future()
        self._waiting[what] = future
        try:
            return await asyncio.wait_for(future, READY_S)
        except TimeoutError:
            raise StartFailed(f"{self._name} does not answer") from None
        finally:
            self._waiting.pop(what, None)

    def _readable(self) -> None:
        """Hear it. A snapshot is a function's own process: it may say anything, and without end."""
        assert self._socket is not None
        for _ in range(MOST_AT_ONCE):
            try:
                data = self._socket.recv(MESSAGE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.close()
                return
            try:
                message = json.loads(data)
                if "forked" in message:
                    self._arrived(f"forked {message['forked']}", int(message["pid"]))
                for name in SAID_UNASKED:
                    if name in message:
                        self._arrived(name, message[name])
            except (ValueError, TypeError, KeyError, RecursionError):
                self.close()
                return

    def _arrived(self, what: str, value: Any) -> None:
        waiting = self._waiting.get(what)
        if waiting is None:
            if what in SAID_UNASKED:
                self._said[what] = value
        elif not waiting.done():
            waiting.set_result(value)


class Zygote(Forker):
    """A warm interpreter. `start` it once; `fork` as often as wanted."""

    def __init__(
        self,
        program: str,
        modules: tuple[str, ...],
        sdk: dict[str, str],
        variables: dict[str, str] | None,
        script: Path = PROGRAM,
    ) -> None:
        """`sdk`: packages of AWS's SDK to import, and the folders that they are in; `variables`: its
        environment, None for the server's own; `script`: what is run.
        """
        super().__init__(f"the {script.stem} of {program}")
        self._program = program
        self._script = script
        self._modules = modules
        self._sdk = sdk
        self._variables = variables
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, template: Message, groups: list[str]) -> None:
        """Start the interpreter and let it build its sandboxes' root. Raises StartFailed.

        `groups`: files that its pid is written to, to make it join control groups.
        """
        ours, theirs = pair()
        words = [str(theirs.fileno()), str(ROOT), json.dumps(self._sdk), *self._modules]
        command = [self._program, "-I", "-X", "utf8", str(self._script), *words]
        try:
            self._process = _started(command, theirs.fileno(), self._variables)
        except OSError as error:
            ours.close()
            raise StartFailed(f"{self._program}: {error.strerror}") from None
        finally:
            theirs.close()
        _join(groups, self._process.pid)
        self.attach(ours)
        await self.wait("ready")
        self._send({"prepare": template})
        failure = await self.wait("prepared")
        if failure:
            self.close()
            raise StartFailed(f"the sandbox's root cannot be built: {failure}")

    def close(self) -> None:
        """End it, too."""
        super().close()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends to speak on, wide enough for every message."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MESSAGE_BYTES)
    return ends


def _join(groups: list[str], pid: int) -> None:
    for file in groups:
        with contextlib.suppress(OSError):  # it shares the processors with everybody then
            Path(file).write_text(str(pid))


def _started(command: list[str], descriptor: int, variables: dict[str, str] | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=(descriptor,),
        env=variables,
        cwd="/",
        start_new_session=True,
    )
