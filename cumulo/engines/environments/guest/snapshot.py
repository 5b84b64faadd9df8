"""An initialised runtime that waits: every environment of its function begins as its fork.

It speaks with the server as a zygote does (zygote.py). A fork leaves this sandbox for one of its own: another network,
other processes, another /tmp. What the function opened stays open in it, as after a restore on AWS.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from typing import Any

from cumulo.engines.sandboxes import enter

MESSAGE_BYTES = 256 * 1024


def wait(descriptor: int, log: int) -> str:
    """Fork for every message; returns in the forks alone, with the address of their Runtime API. "" when it cannot.

    Threads do not come along with a fork, so with threads of the function's there is no snapshot.
    """
    server = socket.socket(fileno=descriptor)
    if threading.active_count() > 1:
        server.send(json.dumps({"ready": 0, "reason": "the function has started threads"}).encode())
        server.close()
        return ""
    enter.nest()
    server.send(json.dumps({"ready": os.getpid()}).encode())
    while True:
        data, descriptors, _, _ = socket.recv_fds(server, MESSAGE_BYTES, 8)
        if not data:
            os._exit(0)
        message = json.loads(data)
        pid = os.fork()
        if pid == 0:
            server.close()
            return _begin(descriptors, log)
        os.waitpid(pid, 0)  # it ends at once, its child goes on
        server.send(json.dumps({"forked": message["fork"], "pid": pid}).encode())
        for each in descriptors:
            os.close(each)


def _begin(descriptors: list[int], log: int) -> str:
    control, new_log, go = descriptors
    message: dict[str, Any] = json.loads(os.read(control, MESSAGE_BYTES))
    os.dup2(new_log, log)
    sandbox = enter.enter({**message["sandbox"], "control": control, "stdout": new_log, "stderr": new_log, "keep": []})
    os.close(new_log)
    if not os.read(go, 1):
        os._exit(0)
    os.close(go)
    os.environ.clear()
    os.environ.update(message["program"]["variables"])
    time.tzset()
    address, port = sandbox["addresses"][0]
    os.environ["AWS_LAMBDA_RUNTIME_API"] = f"{address}:{port}"
    return os.environ["AWS_LAMBDA_RUNTIME_API"]
