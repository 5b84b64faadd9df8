"""Log lines as PutLogEvents takes them. Source: CloudWatch Logs API Reference, "PutLogEvents"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulo.engines.environments.builds import LogLine

MOST_EVENTS = 10_000
MOST_BYTES = 1_048_576
OVERHEAD_B = 26
LONGEST_MS = 86_400_000  # from the first to the last of a call: the computer may have slept between two lines
LONGEST_B = 262_118  # of one event; Lambda cuts longer lines into several


def batches(lines: list[LogLine]) -> Iterator[list[dict[str, Any]]]:
    """The lines in the order of their time, as many as one call takes at a time."""
    batch: list[dict[str, Any]] = []
    size = 0
    for line in sorted(lines, key=lambda line: line.timestamp_ms):
        for text in _cut(line.text):
            weight = len(text.encode()) + OVERHEAD_B
            if batch and (
                len(batch) >= MOST_EVENTS
                or size + weight > MOST_BYTES
                or line.timestamp_ms - batch[0]["timestamp"] >= LONGEST_MS
            ):
                yield batch
                batch, size = [], 0
            batch.append({"timestamp": line.timestamp_ms, "message": text})
            size += weight
    if batch:
        yield batch


def _cut(text: str) -> list[str]:
    """A line in pieces that an event can hold; PutLogEvents takes no empty ones."""
    if len(text) <= LONGEST_B // 4 or len(text.encode()) <= LONGEST_B:
        return [text] if text else []
    step = LONGEST_B // 4  # characters, of at most four bytes each
    return [text[at : at + step] for at in range(0, len(text), step)]
