"""Which of Lambda's runtimes this machine can run, and what installs the others."""

from __future__ import annotations

from msgspec import Struct

from cumulo.engines.environments.builds import RuntimeMissing


class Runtime(Struct, frozen=True):
    """A runtime that is here."""

    identifier: str
    family: str
    """"python", "nodejs", "provided", "java" or "ruby"."""
    program: str
    """The interpreter's path; "" for `provided`."""
    version: str
    """What the interpreter says: "3.12.1"."""


def find(identifier: str) -> Runtime:
    """The runtime on this machine. Raises RuntimeMissing, whose text holds the command that installs it."""
    raise RuntimeMissing(f"{identifier} is not there yet")
