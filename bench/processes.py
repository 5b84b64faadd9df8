"""What a server's processes have cost so far, read from /proc: the whole tree, so that no worker hides."""

import os
from pathlib import Path

TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            for child in children.read_text().split():
                found += tree(int(child))
        except OSError:
            continue
    return found


def cpu_us(pid: int) -> float:
    """User and system time of the tree, with that of children already waited for, in microseconds."""
    ticks = 0
    for member in tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks * TICK_US


def rss_mb(pid: int) -> float:
    """Resident memory of the tree in MiB, pages shared with others included."""
    kib = 0
    for member in tree(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kib += next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))
    return kib / 1024
