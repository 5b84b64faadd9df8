"""A warm interpreter that forks: every environment of its runtime begins as its child.

Started as `python -I zygote.py <descriptor> <folder of cumulo> <packages of the SDK, as JSON> <modules to import>`. It
stays single-threaded and runs no code of functions, so a fork of it is a fresh interpreter that has its imports behind
it. Messages are JSON on a SOCK_SEQPACKET socket:

from the server: {"prepare": a template of sandboxes.enter};
    {"fork": number} with descriptors: the sandbox's control socket, the log's pipe, and those that the program's
    "keep" names: "go", "snapshot";
from here: {"ready": pid}, {"prepared": ""} or the reason why not, {"forked": number, "pid": pid}.

On the control socket the fork finds {"sandbox": a spec of sandboxes.enter, "program": see program.py}. It must not come
this way: freed memory keeps what was in it, and the variables and credentials of a function would be found in all
forks that come later.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

if __name__ == "__main__":  # the package is found next to this file, then forgotten again
    sys.path.append(sys.argv[2])

from cumulo.engines.environments.guest import forking, program, sdk
from cumulo.engines.sandboxes import enter


def prepare(template: dict[str, Any]) -> str:
    """Build the root that all sandboxes of this process share; the reason why not."""
    try:
        enter.prepare(template)
    except (enter.Failed, OSError) as error:
        return str(error)
    return ""


def become(message: dict[str, Any], descriptors: list[int]) -> int:
    """Enter a sandbox and run the program; its exit status."""
    control, log, *others = descriptors
    spec = {**message["sandbox"], "control": control, "stdout": log, "stderr": log, "keep": [log, *others]}
    wanted = {**message["program"], "log": log}
    wanted.update(zip(wanted["keep"], others))  # noqa: B905, zip() has no `strict` before 3.10
    return program.run(wanted, enter.enter(spec))


if __name__ == "__main__":
    os.nice(5)  # never before the server
    for _name in sys.argv[4:]:
        __import__(_name)
    sys.path.remove(sys.argv[2])
    if sys.argv[3] != "{}":
        sdk.preload(json.loads(sys.argv[3]))
    forking.serve(socket.socket(fileno=int(sys.argv[1])), prepare, become)
