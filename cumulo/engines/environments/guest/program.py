"""What a forked process becomes once it is inside its sandbox: the Python runtime itself, or another program."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from cumulo.engines.environments.guest import bootstrap, sdk, snapshot
from cumulo.engines.environments.guest.runtime_client import Gone, RuntimeClient

FOLDERS = {"/var/task": "LAMBDA_TASK_ROOT", "/var/runtime": "LAMBDA_RUNTIME_DIR"}
INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"


def run(wanted: dict[str, Any], sandbox: dict[str, Any]) -> int:
    """Be the program. Returns its exit status, when it returns at all.

    `wanted`: {"variables": the environment, "argv": program to execute, or [] for the Python runtime in this process,
    "framed": whether it is told of "log", the descriptor for framed records, "failure": why it cannot run at all,
    "go": descriptor to read one byte from before beginning, "snapshot": where to wait for forks when initialised; both
    may be missing}; `sandbox`: what `enter` returned.
    """
    variables = wanted["variables"]
    address, port = sandbox["addresses"][0]
    variables["AWS_LAMBDA_RUNTIME_API"] = f"{address}:{port}"
    paths = {**wanted["shown"], **sandbox["paths"]}
    for inside, name in FOLDERS.items():
        variables[name] = paths.get(inside, inside)
    if "go" in wanted and not may_begin(wanted["go"]):
        return 0
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if wanted["failure"]:
        return _invalid(variables, wanted["failure"])
    if wanted["argv"]:
        if wanted["framed"]:
            os.set_inheritable(wanted["log"], True)
            variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(wanted["log"])
        return _execute([_real(word, paths) for word in wanted["argv"]], variables)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has them
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(variables)
    time.tzset()
    if wanted["shown"]:
        sdk.install({_module(inside): outside for inside, outside in wanted["shown"].items()})
    return bootstrap.run({**wanted, "wait": snapshot.wait}, paths)


def _module(file: str) -> str:
    name = os.path.basename(file)
    return name[:-3] if name.endswith(".py") else name


def may_begin(go: int) -> bool:
    """Wait for the server's byte; False when it ended instead."""
    started = os.read(go, 1)
    os.close(go)
    return bool(started)


def _real(word: str, paths: dict[str, str]) -> str:
    """Where a path inside is, when the sandbox has no root of its own."""
    for inside, outside in paths.items():
        if word == inside or word.startswith(inside + "/"):
            return outside + word[len(inside) :]
    return word


def _execute(argv: list[str], variables: dict[str, str]) -> int:
    """The program, in this process's place; a missing wrapper ends as a shell would end it."""
    try:
        os.execve(argv[0], argv, variables)
    except OSError as error:
        if argv[0].endswith("/bootstrap"):
            reason = (error.strerror or "").lower()
            return _invalid(variables, f"fork/exec {argv[0]}: {reason}")
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
    return 127


def _invalid(variables: dict[str, str], reason: str) -> int:
    document = json.dumps({"errorMessage": reason, "errorType": INVALID_ENTRYPOINT})
    try:
        RuntimeClient(variables["AWS_LAMBDA_RUNTIME_API"]).init_error(document.encode(), INVALID_ENTRYPOINT)
    except Gone:
        return 1
    return 1
