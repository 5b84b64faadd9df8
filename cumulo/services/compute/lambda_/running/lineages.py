"""The trace header of an invocation, and the lineage in it that tells a function that calls itself in a loop.

Source: X-Ray Developer Guide, "Tracing header"; Lambda Developer Guide, "Use Lambda recursive loop detection to prevent
infinite loops": after 16 calls within one chain of requests the next is stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

MOST = 16
LONGEST_HEADER = 2048


def fields(header: str) -> dict[str, str]:
    """The parts of a trace header by their names; what cannot be read is left out."""
    found: dict[str, str] = {}
    for part in header[:LONGEST_HEADER].split(";"):
        name, mark, value = part.strip().partition("=")
        if mark:
            found[name] = value
    return found


def mark_of(function_arn: str) -> str:
    """What stands for a function in a lineage."""
    return hashlib.sha256(function_arn.encode()).hexdigest()[:8]


def passed_on(header: str, function_arn: str, now: float, new_id: Callable[[int], str]) -> tuple[str, int]:
    """The trace header for a function that is about to run, and how often it has run in this chain, this time counted.

    `new_id(n)` gives n random hexadecimal digits.
    """
    given = fields(header)
    mark = mark_of(function_arn)
    counts: list[str] = []
    count = 1
    for entry in given.get("Lineage", "").split("|"):
        who, _, times = entry.rpartition(":")
        who = who.rpartition(":")[2]
        if who == mark and times.isdecimal():
            count = int(times) + 1
        elif who and times.isdecimal():
            counts.append(f"{who}:{times}")
    counts.append(f"{mark}:{count}")
    root = given.get("Root") or f"1-{int(now):08x}-{new_id(24)}"
    parent = given.get("Parent") or new_id(16)
    sampled = given.get("Sampled", "0")
    if sampled not in ("0", "1"):
        sampled = "0"
    return f"Root={root};Parent={parent};Sampled={sampled};Lineage={'|'.join(counts[-3:])}", count
