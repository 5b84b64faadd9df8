"""Environments that a debugger attaches to: functions whose variable CUMULO_DEBUG is set.

The runtime listens inside the sandbox, and the function is not loaded before a debugger is there: Python's for the
Debug Adapter Protocol (debugpy, which VS Code and others speak), Node.js's for its inspector, Java's for the Java Debug
Wire Protocol. No time runs out meanwhile, and there is memory for the debugger.
Sources: debugpy's API reference; Node.js documentation, "Command-line API", --inspect-wait; Oracle, "JPDA Connection
and Invocation".
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cumulo.engines.environments.builds import Build
from cumulo.engines.environments.runtimes import JAVA, NODE, PYTHON

VARIABLE = "CUMULO_DEBUG"
PORTS = {PYTHON: 5678, NODE: 9229, JAVA: 5005}
PATIENCE_S = 86_400.0
"""Of every phase of an environment that is debugged, instead of its timeout."""
LENT_MB = 512


def is_wanted(build: Build) -> bool:
    """Whether the function asks for it."""
    return bool(build.variables.get(VARIABLE))


def limit_s(build: Build, usual_s: float) -> float:
    """How long a phase may take."""
    return PATIENCE_S if is_wanted(build) else usual_s


def memory_mb(build: Build) -> int:
    """How much memory it may use: a debugger wants some for itself."""
    return build.memory_mb + LENT_MB if is_wanted(build) else build.memory_mb


def variables(build: Build, family: str) -> dict[str, str]:
    """What the runtime's process is told beside the rest."""
    if not is_wanted(build) or family != NODE:
        return {}
    given = build.variables.get("NODE_OPTIONS", "")
    return {"NODE_OPTIONS": f"{given} --inspect-wait=127.0.0.1:{PORTS[NODE]}".strip()}


def java_flags(build: Build) -> tuple[str, ...]:
    """What a JVM is told beside the rest."""
    if not is_wanted(build):
        return ()
    return (f"-agentlib:jdwp=transport=dt_socket,server=y,suspend=y,address=127.0.0.1:{PORTS[JAVA]}",)


def binds(build: Build) -> list[tuple[str, str]]:
    """debugpy, where it is installed beside cumulo; a function may bring it too."""
    found = find_spec("debugpy") if is_wanted(build) else None
    if found is None or found.origin is None:
        return []
    return [(str(Path(found.origin).parent), "/var/runtime/debugpy")]
