"""Who listens on a port, where sandboxes share the machine's network: before the server connects for a function.

A function may name the port that its telemetry is sent to. It cannot reach the ports of others itself, and must not
have the server do it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

PROC = Path("/proc")
LISTENS = "0A"
"""TCP_LISTEN in /proc/net/tcp. Source: proc_pid_net(5)."""


def is_theirs(port: int, pids: Iterable[int], proc: Path = PROC) -> bool:
    """Whether one of these processes, and nobody else, listens on this TCP port. Reads much of /proc: in a thread."""
    wanted = {f"socket:[{inode}]" for inode in _inodes(port, proc)}
    return bool(wanted) and wanted <= {held for pid in pids for held in _held(proc / str(pid) / "fd")}


def _inodes(port: int, proc: Path) -> list[str]:
    found = []
    for name in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (proc / "net" / name).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                    found.append(fields[9])
    return found


def _held(folder: Path) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):  # noqa: PTH208, names are all that is wanted
            with contextlib.suppress(OSError):
                yield os.readlink(f"{folder}/{name}")  # noqa: PTH115, they are no paths
