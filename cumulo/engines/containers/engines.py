"""Which programs can make containers here, and what installs those that cannot be found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from msgspec import Struct

NAMESPACES = "namespaces"
"""No containers: sandboxes of our own (cumulo/engines/sandboxes)."""
PODMAN, DOCKER, RUNC, CRUN, GVISOR = "podman", "docker", "runc", "crun", "gvisor"
ISOLATIONS = (NAMESPACES, PODMAN, DOCKER, RUNC, CRUN, GVISOR)
PATIENCE_S = 10.0
PLACES = ("/usr/local/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")


class Engine(Struct, frozen=True):
    """One of them."""

    name: str
    program: str
    install: str


ENGINES = {
    each.name: each
    for each in (
        Engine(PODMAN, "podman", "apt install podman, or https://podman.io/docs/installation"),
        Engine(DOCKER, "docker", "apt install docker.io, or https://docs.docker.com/engine/install"),
        Engine(RUNC, "runc", "apt install runc"),
        Engine(CRUN, "crun", "apt install crun"),
        Engine(GVISOR, "runsc", "apt install runsc, or https://gvisor.dev/docs/user_guide/install"),
    )
}


class EngineMissing(Exception):
    """The chosen program is not on this machine; the text says how to install it."""


def for_images() -> str:
    """An engine that runs images where we have no namespaces to run them in; "" for none.

    Only those that get their rights elsewhere: a daemon, or programs that may do more than this server.
    """
    for name in (PODMAN, DOCKER):
        try:
            find(name)
        except EngineMissing:
            continue
        return name
    return ""


def line(name: str) -> str:
    """For people: which program it is, and its version; or why it does not work. Asks it."""
    question = ["version", "--format", "{{.Server.Version}}"] if name == DOCKER else ["--version"]
    try:
        program = find(name)
        ran = subprocess.run([program, *question], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    except (EngineMissing, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if ran.returncode != 0:
        return f"containers by {name}, which does not work: {ran.stderr.strip().rpartition(chr(10))[2]}"
    return f"containers by {name} ({program}, {ran.stdout.strip().partition(chr(10))[0]})"


def find(name: str) -> str:
    """Where the program of an engine is. Raises EngineMissing."""
    engine = ENGINES[name]
    places = [shutil.which(engine.program), *(f"{place}/{engine.program}" for place in PLACES)]
    for place in places:
        if place and Path(place).is_file():
            return place
    raise EngineMissing(
        f"the setting isolation is {name}, but {engine.program} is not on this machine: {engine.install}"
    )
