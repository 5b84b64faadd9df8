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
LOG_DESCRIPTOR = 62  # as in Lambda
INVALID_ENTRYPOINT, INVALID_FOLDER = "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir"


def run(wanted: dict[str, Any], sandbox: dict[str, Any]) -> int:
    """Be the program. Returns its exit status, when it returns at all.

    `wanted`: {"variables": the environment, "argv": program to execute, or [] for the Python runtime in this process,
    "framed": whether it is told of "log", the descriptor for framed records, "failure": why it cannot run at all,
    "cwd": the folder of an image's program, whose name is looked for in PATH and whose faults are told; "" for others,
    "go": descriptor to read one byte from before beginning, "snapshot": where to wait for forks when initialised; both
    may be missing}; `sandbox`: what `enter` returned.
    """
    variables = wanted["variables"]
    address, port = sandbox["addresses"][0]
    variables["AWS_LAMBDA_RUNTIME_API"] = f"{address}:{port}"
    paths = {**wanted["shown"], **sandbox["paths"]}
    for inside, name in FOLDERS.items():
        if not wanted["cwd"]:
            variables[name] = paths.get(inside, inside)
    if "go" in wanted and not may_begin(wanted["go"]):
        return 0
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    if wanted["failure"]:
        return _invalid(variables, wanted["failure"])
    if wanted["cwd"]:
        return _execute_image(wanted["argv"], wanted["cwd"], variables)
    if wanted["argv"]:
        if wanted["framed"]:
            variables["_LAMBDA_TELEMETRY_LOG_FD"] = str(os.dup2(wanted["log"], LOG_DESCRIPTOR))
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


def _execute_image(argv: list[str], folder: str, variables: dict[str, str]) -> int:
    """The program of an image; what is wrong with it is told as AWS tells it, in the words of Go's os/exec."""
    program = argv[0]
    try:
        os.chdir(folder)
    except OSError as error:
        return _invalid(variables, f"chdir {folder}: {(error.strerror or '').lower()}", INVALID_FOLDER)
    if "/" not in program:
        places = [f"{place or '.'}/{program}" for place in variables.get("PATH", "").split(":")]
        program = next((each for each in places if os.path.isfile(each) and os.access(each, os.X_OK)), "")
        if not program:
            return _invalid(variables, f'exec: "{argv[0]}": executable file not found in $PATH')
    try:
        os.execve(program, argv, variables)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", "") or "invalid argument").lower()
        return _invalid(variables, f"fork/exec {program}: {reason}")


def _invalid(variables: dict[str, str], reason: str, error_type: str = INVALID_ENTRYPOINT) -> int:
    document = json.dumps({"errorMessage": reason, "errorType": error_type})
    try:
        RuntimeClient(variables["AWS_LAMBDA_RUNTIME_API"]).init_error(document.encode(), error_type)
    except Gone:
        return 1
    return 1
