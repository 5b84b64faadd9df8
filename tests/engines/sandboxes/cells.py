"""Run a piece of Python in a sandbox, by a zygote as the runtimes have one."""

import asyncio
import json
import logging
import os
import select
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import cumulo
from cumulo.engines.sandboxes import user_processes
from cumulo.engines.sandboxes.sandbox import Limits, Sandbox
from cumulo.engines.sandboxes.sandboxes import Sandboxes

TREE = Path(cumulo.__file__).parents[1]
"""Where cumulo is: these sources, or what a wheel installed."""
PATIENCE_S = 30
PYTHON = [(sys.base_prefix, sys.base_prefix)]
LISTEN = [("tcp", "127.0.0.1", 9001), ("tcp", "127.0.0.1", 4566)]
ZYGOTE = """
import json, os, socket, sys
sys.path.insert(0, sys.argv[1])
from cumulo.engines.sandboxes import enter
exec(sys.argv[5])
server = socket.socket(fileno=int(sys.argv[2]))
enter.subreaper()
for file in json.loads(sys.argv[4]):
    open(file, "w").write("0")
enter.prepare(json.loads(sys.argv[3]))
while True:
    data, descriptors, _, _ = socket.recv_fds(server, 1 << 20, 8)
    if not data:
        break
    given = json.loads(data)
    if os.fork() == 0:
        try:
            server.close()
            spec = {**given["spec"], "control": descriptors[0], "stdout": descriptors[1], "stderr": descriptors[1]}
            sandbox = enter.enter(spec)
            exec(given["code"], {"sandbox": sandbox})
            sys.stdout.flush()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    for each in descriptors:
        os.close(each)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
"""


class Cells:
    """A zygote and the sandboxes that it fills."""

    def __init__(self, folder: Path, **changed: Any) -> None:
        self.sandboxes = Sandboxes(folder / "sandboxes", logging.getLogger("test"), hidden=[folder / "hidden"])
        self.binds = PYTHON
        self.before = ""
        """What the zygote runs first."""
        self._changed = changed
        self.counted = True
        """Whether the kernel is to count processes, where it can."""

    async def open(self) -> None:
        """Start the zygote."""
        await self.sandboxes.open()
        if self._changed:
            from msgspec.structs import replace

            self.sandboxes.abilities = replace(self.sandboxes.abilities, **self._changed)
            self.sandboxes._processes_seen = self.counted and user_processes.all_seen()
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        template = json.dumps(self.sandboxes.template([*PYTHON, *self.binds]))
        groups = json.dumps(self.sandboxes.zygote_groups())
        given = [str(TREE), str(theirs.fileno()), template, groups, self.before]
        self.zygote = subprocess.Popen(  # noqa: ASYNC220, it is at once
            [sys.executable, "-I", "-S", "-c", ZYGOTE, *given],
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def start(self, code: str, limits: Limits | None = None, **more: Any) -> tuple[Sandbox, int]:
        """A sandbox that runs the code, and the descriptor of its output."""
        sandbox = self.sandboxes.make(limits or Limits(), listen=LISTEN, **more)
        output, into = os.pipe()
        message = json.dumps({"spec": sandbox.spec, "code": code}).encode()
        socket.send_fds(self._ours, [message], [sandbox.theirs.fileno(), into])
        sandbox.handed_over()
        os.close(into)
        return sandbox, output

    async def run(self, code: str, limits: Limits | None = None, **more: Any) -> "Ran":
        """Run the code to its end; its wait status and what it wrote."""
        sandbox, output = self.start(code, limits, **more)
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sandbox.on_exit = lambda _, status: None if ended.done() else ended.set_result(status)
        self.sandboxes.working(sandbox, True)
        try:
            for each in await sandbox.ready():
                each.close()
            status = await asyncio.wait_for(ended, PATIENCE_S)
            ran = Ran(status, sandbox.peak_bytes(), sandbox.oom_killed())
        finally:
            reading = asyncio.get_running_loop().run_in_executor(None, _drain, output)
            await asyncio.wait_for(sandbox.end(), PATIENCE_S)
        ran.output = await asyncio.wait_for(reading, PATIENCE_S)
        return ran

    async def close(self) -> None:
        """End the zygote."""
        self._ours.close()
        self.zygote.wait(10)
        self.sandboxes.close()


def with_cells(
    folder: Path, use: Callable[[Cells], Awaitable[Any]], before: str = "", counted: bool = True, **changed: Any
) -> Any:
    """Use cells in a loop of their own. `before`: what their zygote runs first; `counted`: processes, by the kernel."""

    async def inside() -> Any:
        cells = Cells(folder, **changed)
        cells.before, cells.counted = before, counted
        await cells.open()
        try:
            return await use(cells)
        finally:
            await cells.close()

    return asyncio.run(inside())


class Ran:
    """What became of a program."""

    def __init__(self, status: int, peak_bytes: int, oom_killed: bool) -> None:
        self.status = status
        self.peak_bytes = peak_bytes
        self.oom_killed = oom_killed
        self.output = ""


def read(descriptor: int, most: int = 1 << 16) -> bytes:
    """What comes out of a pipe next; nothing at its end. It does not wait for ever: its thread would not let us end."""
    if not select.select([descriptor], [], [], PATIENCE_S)[0]:
        raise TimeoutError("nothing was written, and somebody still may")
    return os.read(descriptor, most)


def _drain(descriptor: int) -> str:
    """The last part of what is in a pipe, to its end: some programs write without one."""
    kept = b""
    while chunk := read(descriptor):
        kept = (kept + chunk)[-1 << 16 :]
    os.close(descriptor)
    return kept.decode(errors="replace")
