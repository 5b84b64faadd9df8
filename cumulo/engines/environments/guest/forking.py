"""A process that forks when it is told to: what zygotes and the keeper of containers have in common.

zygote.py has the messages. Standard library only, Python 3.9 or newer.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import traceback
from collections.abc import Callable
from typing import Any

from cumulo.engines.sandboxes import enter
from cumulo.engines.sandboxes.programs import awake, wake_for_ends

MESSAGE_BYTES = 256 * 1024
Prepare = Callable[[dict[str, Any]], str]
"""Takes a template; gives "" or the reason why it cannot be prepared."""
Become = Callable[[dict[str, Any], list[int]], int]
"""In a fork: what waited on its control socket, and its descriptors, that one first; its exit status."""


def serve(server: socket.socket, prepare: Prepare, become: Become) -> None:
    """Fork for every message until the server is gone."""
    enter.subreaper()
    woken = wake_for_ends()
    _tell(server, {"ready": os.getpid()})
    gc.collect()
    gc.freeze()  # a collection in a child would write to every page that is shared
    poll = select.poll()
    poll.register(server, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == woken.fileno():
                awake(woken)
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
                _tell(server, {"prepared": prepare(message["prepare"])})
            else:
                _fork(server, message["fork"], descriptors, become)


def _fork(server: socket.socket, number: int, descriptors: list[int], become: Become) -> None:
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
        status = become(json.loads(os.read(descriptors[0], MESSAGE_BYTES)), descriptors)
    except BaseException:
        traceback.print_exc()  # into the function's log, where there is one by now
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
