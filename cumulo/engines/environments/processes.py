"""The processes of one environment, through the control socket of its sandbox's supervisor."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable
from typing import Any

from cumulo.engines.environments.builds import StartFailed
from cumulo.engines.environments.zygotes import Zygote

MESSAGE_BYTES = 128 * 1024
START_S = 20.0
Message = dict[str, Any]


class Processes:
    """A sandbox, the runtime in it, and whatever is started beside.

    `on_exit(name, status)` is called when one of them ends ("runtime", or the name it was spawned by), with what
    waitpid(2) said; `on_end()` when all are gone.
    """

    def __init__(self, on_exit: Callable[[str, int], None], on_end: Callable[[], None]) -> None:
        self._on_exit = on_exit
        self._on_end = on_end
        self._control: socket.socket | None = None
        self._ready: asyncio.Future[list[socket.socket]] | None = None
        self.addresses: list[list[Any]] = []
        self.pid = 0
        """The supervisor's, as the server sees it; 0 until it said so."""

    async def start(
        self, zygote: Zygote, sandbox: Message, program: Message, descriptors: list[int]
    ) -> list[socket.socket]:
        """Fork and enter the sandbox; its listening sockets. Raises StartFailed.

        `descriptors`: the log's pipe, then maybe one that the program reads a byte from before it begins.
        """
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._control = ours
        self._ready = loop.create_future()
        loop.add_reader(ours, self._readable)
        try:
            await zygote.fork(sandbox, program, [theirs.fileno(), *descriptors])
            theirs.close()
            return await asyncio.wait_for(self._ready, START_S)
        except TimeoutError:
            self.kill()
            raise StartFailed("the sandbox does not come up") from None
        except BaseException:
            self.kill()
            raise
        finally:
            theirs.close()

    def spawn(self, name: str, argv: list[str], variables: dict[str, str], cwd: str, output: int) -> None:
        """Start a program beside the runtime."""
        self._tell({"spawn": name, "argv": argv, "variables": variables, "cwd": cwd}, output)

    def signal(self, name: str, number: int) -> None:
        """Send a signal to one of them."""
        self._tell({"signal": name, "number": number})

    def kill(self) -> None:
        """End them all, at once."""
        if self._control is not None:
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(self._control)
            self._control.close()
            self._control = None
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(StartFailed("the sandbox ended before it was ready"))
            self._ready.exception()

    def _tell(self, message: Message, descriptor: int = -1) -> None:
        if self._control is None:
            return
        data = json.dumps(message).encode()
        with contextlib.suppress(OSError):  # it is ending: `on_end` follows
            socket.send_fds(self._control, [data], [descriptor] if descriptor >= 0 else [])

    def _readable(self) -> None:
        while self._control is not None:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 8)
            except BlockingIOError:
                return
            except OSError:
                data, descriptors = b"", []
            if not data:
                self.kill()
                self._on_end()
                return
            self._take(json.loads(data), list(descriptors))

    def _take(self, message: Message, descriptors: list[int]) -> None:
        if "pid" in message and "started" not in message:
            self.pid = message["pid"]
        elif "ready" in message:
            self.addresses = message["addresses"]
            count = len(self.addresses)
            sockets = [socket.socket(fileno=each) for each in descriptors[:count]]
            for other in descriptors[count:]:
                os.close(other)
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(sockets)
            else:
                for listening in sockets:
                    listening.close()
        elif "error" in message and "exit" not in message:
            if self._ready is not None and not self._ready.done():
                self._ready.set_exception(StartFailed(f"the sandbox cannot be made: {message['error']}"))
        elif "exit" in message:
            self._on_exit(message["exit"], message["status"])


def ended_as(status: int) -> str:
    """How Lambda words that the runtime's process ended; `status` is waitpid(2)'s."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return f"Runtime exited with error: signal: {SIGNALS.get(number, f'signal {number}')}"
    code = os.WEXITSTATUS(status)
    return f"Runtime exited with error: exit status {code}" if code else "Runtime exited without providing a reason"


# The words of Go's package syscall, which Lambda's own programs are written in.
SIGNALS = {
    1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap", 6: "aborted",
    7: "bus error", 8: "floating point exception", 9: "killed", 10: "user defined signal 1", 11: "segmentation fault",
    12: "user defined signal 2", 13: "broken pipe", 14: "alarm clock", 15: "terminated", 31: "bad system call",
}  # fmt: skip
