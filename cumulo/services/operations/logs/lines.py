"""One log event as it is read, and its place in the order of all of them."""

from __future__ import annotations

from typing import NamedTuple

# Serials of batches are microseconds since 2020, which fit 50 bits until 2055; a batch has at most 10,000 events.
SERIAL_EPOCH_S = 1_577_836_800
INDEX_BITS = 14

Position = tuple[int, int, int]  # timestamp, sequence, stream id: the order of events everywhere


class Line(NamedTuple):
    """A log event. `sequence` orders what has the same timestamp; times are milliseconds since 1970."""

    timestamp: int
    sequence: int
    stream_id: int
    stream: str
    message: str
    ingested: int

    @property
    def position(self) -> Position:
        """Where it stands among all events of its group."""
        return self[:3]

    @property
    def event_id(self) -> str:
        """AWS's 56 digits: the timestamp in the upper bits, then what makes it unique."""
        return event_id(self[:3])

    @property
    def pointer(self) -> str:
        """What finds it again in its group; `segments.POINTER` is the same in SQL."""
        return f"{self[0]}-{self[1]}-{self[2]}"


def sequence(serial: int, index: int) -> int:
    """The sequence of an event by its batch and its place in it."""
    return serial << INDEX_BITS | index


def event_id(position: Position) -> str:
    """The position as AWS writes ids of events. Their first bits were seen to be the timestamp (shifted by 144)."""
    timestamp, sequence, stream_id = position
    return f"{timestamp << 144 | sequence << 80 | stream_id << 16:056d}"


def position_of(identifier: str) -> Position:
    """The position in an id of an event. Raises ValueError."""
    if len(identifier) != 56 or not identifier.isdecimal():
        raise ValueError(identifier)
    number = int(identifier)
    return number >> 144, number >> 80 & (1 << 64) - 1, number >> 16 & (1 << 64) - 1
