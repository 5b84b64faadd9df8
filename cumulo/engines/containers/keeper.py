"""What starts containers for a server: a zygote (environments/guest/zygote.py has the messages) that forks relays.

Started as `python -I keeper.py <descriptor> <folder of cumulo> {}`. "prepare" takes what `Containers.template` gives.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
from typing import Any

if __name__ == "__main__":
    sys.path.append(sys.argv[2])

from cumulo.engines.containers.launchers import Failed, Launcher, launcher
from cumulo.engines.containers.relay import Relay
from cumulo.engines.sandboxes import enter

MESSAGE_BYTES = 256 * 1024


def serve(server: socket.socket) -> None:
    """Fork a relay for every container until the server is gone; relays notice that themselves."""
    enter.subreaper()
    woken, waker = socket.socketpair()
    woken.setblocking(False)
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _tell(server, {"ready": os.getpid()})
    chosen: Launcher | None = None
    poll = select.poll()
    poll.register(server, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == woken.fileno():
                woken.recv(4096)
                _reap()
                continue
            try:
                data, descriptors, _, _ = socket.recv_fds(server, MESSAGE_BYTES, 8)
            except ConnectionResetError:
                return
            if not data:
                return
            message = json.loads(data)
            if "prepare" in message:
                try:
                    chosen = launcher(message["prepare"])
                    chosen.prepare()
                    _tell(server, {"prepared": ""})
                except (Failed, OSError) as error:
                    _tell(server, {"prepared": str(error)})
            elif chosen is not None:
                _fork(server, chosen, message["fork"], descriptors)


def _fork(server: socket.socket, chosen: Launcher, number: int, descriptors: list[int]) -> None:
    pid = os.fork()
    if pid:
        _tell(server, {"forked": number, "pid": pid})
        for each in descriptors:
            os.close(each)
        return
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        server.close()
        control, log, *others = descriptors
        message = json.loads(os.read(control, MESSAGE_BYTES))
        program = message["program"]
        given = dict(zip(program["keep"], others))  # noqa: B905, zip() has no `strict` before 3.10
        Relay(chosen, socket.socket(fileno=control), message["sandbox"], program).run(log, given.get("go", -1))
    finally:
        os._exit(70)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _tell(server: socket.socket, message: dict[str, Any]) -> None:
    try:
        server.send(json.dumps(message).encode())
    except OSError:
        os._exit(0)


if __name__ == "__main__":
    os.nice(5)
    serve(socket.socket(fileno=int(sys.argv[1])))
