"""The process that stays in a sandbox beside its program: pid 1 there. Standard library only, see `enter`."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from typing import NoReturn

from cumulo.engines.sandboxes.lockdown import Plain, prctl
from cumulo.engines.sandboxes.names import serve
from cumulo.engines.sandboxes.programs import Programs, awake, wake_for_ends

MESSAGE_BYTES = 128 * 1024
PR_SET_CHILD_SUBREAPER = 36
END_S = 1.5
"""For ending what runs here; then the server ends us."""


def adopt() -> None:
    """Become the parent of whatever the program leaves behind, to end it. As pid 1 we are.

    Before the program is forked: what it leaves behind sooner would be the zygote's, and go on for good.
    """
    if os.getpid() != 1:
        prctl(PR_SET_CHILD_SUBREAPER, 1)


def _kill_group(leader: int) -> None:
    if os.getpid() != 1:
        with contextlib.suppress(OSError):
            os.killpg(leader, signal.SIGKILL)


def tell(control: socket.socket, message: Plain) -> None:
    """Say something to the server; without it there is nothing left to do."""
    try:
        control.send(json.dumps(message).encode())
    except OSError:
        os._exit(1)


def supervise(
    control: socket.socket, names: dict[int, str], spec: Plain, resolver: socket.socket | None = None
) -> NoReturn:
    """Be pid 1, and the name server if there is to be one, until the server hangs up. Never returns."""
    for number in (1, 2, spec.get("stdout", -1), spec.get("stderr", -1), *spec.get("keep", ())):
        if number >= 0 and number != control.fileno():
            with contextlib.suppress(OSError):
                os.close(number)
    os.chdir("/")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    woken = wake_for_ends()
    programs = Programs(names, spec, lambda message: tell(control, message), _kill_group)
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    if resolver is not None:
        resolver.setblocking(False)
        poll.register(resolver, select.POLLIN)
    programs.reap()
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == control.fileno():
                _obey(control, programs, names)
            elif resolver is not None and descriptor == resolver.fileno():
                serve(resolver, spec["names"])
            else:
                awake(woken)
                programs.reap()


def _obey(control: socket.socket, programs: Programs, names: dict[int, str]) -> None:
    message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 4)
    if not message:
        for leader in names:
            _kill_group(leader)
        _end()
    wanted = json.loads(message)
    if "spawn" in wanted:
        programs.spawn(wanted, descriptors[0])
    elif "signal" in wanted:
        programs.signal(wanted)
    elif "connect" in wanted:
        _connect(control, wanted["connect"])
    for descriptor in descriptors:
        os.close(descriptor)


def _connect(control: socket.socket, port: int) -> None:
    """A connection to a port in here, for the server, whose own network is another."""
    message = json.dumps({"connected": port}).encode()
    try:
        with (
            socket.socket() as made
        ):  # not create_connection: in here the C library may not find how names are resolved
            made.settimeout(0.5)
            made.connect(("127.0.0.1", port))
            made.settimeout(None)
            socket.send_fds(control, [message], [made.fileno()])
    except OSError as error:
        tell(control, {"refused": port, "reason": error.strerror or "timed out"})


def _end() -> NoReturn:
    """End with all that runs here. As pid 1 we only go: the kernel kills the others."""
    deadline = time.monotonic() + (END_S if os.getpid() != 1 else 0)
    while time.monotonic() < deadline:
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break  # none at all: the kernel's list may lack some while others end
        select.select([], [], [], 0.002)
    os._exit(0)


def children(pid: int) -> list[int]:
    """The living children of a process, of all its threads, by the kernel's lists; without /proc, nobody."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as listed:
                found += [int(word) for word in listed.read().split()]
    except OSError:
        pass  # it has ended
    return found


def descendants(pid: int, most: int = 1 << 30) -> list[int]:
    """The children of a process, and theirs; as soon as there are more than so many, those that were seen."""
    found = [pid]
    for each in found:  # a chain of them may be longer than Python's recursion
        found += children(each)
        if len(found) > most + 1:
            break
    return found[1:]
