"""What a forked process becomes once it is inside its sandbox: the Python runtime itself, or another program."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from cumulo.engines.environments.guest import bootstrap

REAL = {  # where folders are when the sandbox has no root of its own
    "/var/task": "LAMBDA_TASK_ROOT",
    "/var/runtime": "LAMBDA_RUNTIME_DIR",
}


def run(wanted: dict[str, Any], sandbox: dict[str, Any]) -> int:
    """Be the program. Returns its exit status, when it returns at all.

    `wanted`: {"variables": the environment, "argv": program to execute, or [] for the Python runtime in this process,
    "go": descriptor to read one byte from before beginning, -1 for none, "log": descriptor of framed log lines,
    "path": folders of modules}; `sandbox`: what `enter` returned.
    """
    variables = wanted["variables"]
    address, port = sandbox["addresses"][0]
    variables["AWS_LAMBDA_RUNTIME_API"] = f"{address}:{port}"
    paths = sandbox["paths"]
    for inside, name in REAL.items():
        if name in variables:
            variables[name] = paths.get(inside, inside)
    if wanted["go"] >= 0:
        started = os.read(wanted["go"], 1)
        os.close(wanted["go"])
        if not started:
            return 0
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if wanted["argv"]:
        return _execute(wanted["argv"], variables)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has them
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    return bootstrap.run(wanted, paths)


def _execute(argv: list[str], variables: dict[str, str]) -> int:
    try:
        os.execve(argv[0], argv, variables)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    return 127
