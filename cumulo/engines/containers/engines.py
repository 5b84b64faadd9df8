"""Which programs can make containers here, and what installs those that cannot be found."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct

NAMESPACES = "namespaces"
"""No containers: sandboxes of our own (cumulo/engines/sandboxes)."""
PODMAN, DOCKER, RUNC, CRUN, GVISOR = "podman", "docker", "runc", "crun", "gvisor"
ISOLATIONS = (NAMESPACES, PODMAN, DOCKER, RUNC, CRUN, GVISOR)
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
