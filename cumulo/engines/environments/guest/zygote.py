"""A warm interpreter that forks: every environment of its runtime begins as its child.

Started as `python -I zygote.py <descriptor> <folder of cumulo> <packages of the SDK, as JSON> <modules to import>`. It
stays single-threaded and runs
no code of functions, so a fork of it is a fresh interpreter that has its imports behind it. Messages are JSON on a
SOCK_SEQPACKET socket:

from the server: {"prepare": a template of sandboxes.enter};
    {"fork": number} with descriptors: the sandbox's control socket, the log's pipe, and those that the program's
    "keep" names: "go", "snapshot";
from here: {"ready": pid}, {"prepared": ""} or the reason why not, {"forked": number, "pid": pid}.

On the control socket the fork finds {"sandbox": a spec of sandboxes.enter, "program": see program.py}. It must not come
this way: freed memory keeps what was in it, and the variables and credentials of a function would be found in all
forks that come later.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

if __name__ == "__main__":  # the package is found next to this file, then forgotten again
    sys.path.append(sys.argv[2])

from cumulo.engines.environments.guest import program, sdk
from cumulo.engines.sandboxes import enter

MESSAGE_BYTES = 256 * 1024


def serve(server: socket.socket) -> None:
    """Fork an environment for every message until the server is gone."""
    enter.subreaper()
    woken, waker = socket.socketpair()
    woken.setblocking(False)
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _tell(server, {"ready": os.getpid()})
    gc.collect()
    gc.freeze()  # a collection in a child would write to every page that is shared
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
            except ConnectionResetError:  # it was killed before it had read all that we told it
                return
            if not data:
                return
            message = json.loads(data)
            if "prepare" in message:
                _tell(server, {"prepared": _prepare(message["prepare"])})
            else:
                _fork(server, message["fork"], descriptors)


def _prepare(template: dict[str, Any]) -> str:
    try:
        enter.prepare(template)
    except (enter.Failed, OSError) as error:
        return str(error)
    return ""


def _fork(server: socket.socket, number: int, descriptors: list[int]) -> None:
    pid = os.fork()
    if pid:
        _tell(server, {"forked": number, "pid": pid})
        for each in descriptors:
            os.close(each)
        return
    status = 70
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        control, log, *others = descriptors
        message = json.loads(os.read(control, MESSAGE_BYTES))
        spec = {**message["sandbox"], "control": control, "stdout": log, "stderr": log, "keep": [log, *others]}
        wanted = {**message["program"], "log": log}
        wanted.update(zip(wanted["keep"], others))  # noqa: B905, zip() has no `strict` before 3.10
        status = program.run(wanted, enter.enter(spec))
    except BaseException:
        traceback.print_exc()  # into the function's log
    finally:
        os._exit(status)


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
        os._exit(0)  # nobody is left to fork for


if __name__ == "__main__":
    os.nice(5)  # never before the server
    for _name in sys.argv[4:]:
        __import__(_name)
    sys.path.remove(sys.argv[2])
    if sys.argv[3] != "{}":
        sdk.preload(json.loads(sys.argv[3]))
    serve(socket.socket(fileno=int(sys.argv[1])))
