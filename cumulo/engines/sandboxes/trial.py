"""Try out what this machine allows, by entering sandboxes; run as a program. Standard library only, see `enter`.

`python -I -S trial.py <folder of the package> <{"templates": […], "spec": {…}} as JSON>` prints a line for each:
{"error": ""} when a program ran inside to its end, or {"error": what was refused}.
"""

from __future__ import annotations

import json
import os
import select
import socket
import sys
from typing import Any

if __name__ == "__main__":
    sys.path.append(sys.argv[1])

from cumulo.engines.sandboxes import enter

PATIENCE_MS = 5000


def attempt(template: dict[str, Any], spec: dict[str, Any]) -> str:
    """ "" when a program runs in such a sandbox, else the reason why not."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    zygote = os.fork()
    if zygote == 0:
        ours.close()
        _be_zygote(template, {**spec, "control": theirs.fileno()}, theirs)
    theirs.close()
    try:
        return _outcome(ours)
    finally:
        ours.close()
        os.waitpid(zygote, 0)


def _be_zygote(template: dict[str, Any], spec: dict[str, Any], control: socket.socket) -> None:
    try:
        enter.subreaper()
        enter.prepare(template)
        if os.fork() == 0:
            enter.enter(spec)
            os._exit(0)
        control.close()
        while True:
            os.wait()
    except ChildProcessError:
        os._exit(0)
    except BaseException as error:
        control.send(json.dumps({"error": str(error)}).encode())
        os._exit(1)


def _outcome(control: socket.socket) -> str:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    while poll.poll(PATIENCE_MS):
        data, descriptors, _, _ = socket.recv_fds(control, 65536, 4)
        for descriptor in descriptors:
            os.close(descriptor)
        message = json.loads(data) if data else {"error": "it ended without a word"}
        if "error" in message:
            return str(message["error"])
        if "exit" in message:
            return "" if message["status"] == 0 else f"a program ended with status {message['status']}"
    return "nothing happened for five seconds"


if __name__ == "__main__":
    given = json.loads(sys.argv[2])
    for each in given["templates"]:
        print(json.dumps({"error": attempt(each, given["spec"])}), flush=True)  # noqa: T201
