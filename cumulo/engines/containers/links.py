"""Many streams in one: what a relay outside says to the supervisor in a container, and back. Standard library only.

A container's standard input and output are all that passes into every kind of container, so everything goes through
them, as frames: a kind (1 byte), a channel (4), a length (4), then so many bytes, big-endian. Messages (SAY) belong to
no channel. A channel is a byte stream both ways, each with an end of its own. Its sender may have WINDOW bytes on the
way that the other side has not yet passed on, which ROOM gives back: no reader that stands still lets memory grow, or
keeps other channels from moving. Nothing here reads or writes: `feed` takes what has arrived, `out` is what is to be
written.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

HEAD = struct.Struct("!BII")
SAY, OPEN, DATA, END, GONE, ROOM = range(1, 7)
"""A message; a new channel; bytes of it; no more from here; it is over, both ways; so many bytes more may come."""
WINDOW = 256 * 1024
PART = 64 * 1024
"""The most bytes in one frame of DATA."""
LONGEST = 16 * 1024 * 1024
_ROOM = struct.Struct("!I")


class Broken(Exception):
    """What arrived is no frame: the other side is not what it should be."""


class Frame(NamedTuple):
    """See above; `channel` is 0 for messages."""

    kind: int
    channel: int
    payload: bytes


class Link:
    """One end. Frames that only keep the books are not told."""

    def __init__(self) -> None:
        self.out = bytearray()
        self._arrived = bytearray()
        self._credit: dict[int, int] = {}
        self._owed: dict[int, int] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete now. Raises Broken."""
        arrived = self._arrived
        arrived += data
        frames = []
        position = 0
        while len(arrived) - position >= HEAD.size:
            kind, channel, length = HEAD.unpack_from(arrived, position)
            if not SAY <= kind <= ROOM or length > LONGEST:
                raise Broken(f"a frame of kind {kind} and {length} bytes")
            begin = position + HEAD.size
            if len(arrived) - begin < length:
                break
            position = begin + length
            frame = Frame(kind, channel, bytes(arrived[begin:position]))
            if self._is_told(frame):
                frames.append(frame)
        del arrived[:position]
        return frames

    def _is_told(self, frame: Frame) -> bool:
        if frame.kind == OPEN:
            self._credit[frame.channel] = WINDOW
        elif frame.kind == ROOM:
            if len(frame.payload) != _ROOM.size:
                raise Broken("room of no size")
            if frame.channel in self._credit:
                self._credit[frame.channel] += _ROOM.unpack(frame.payload)[0]
            return False
        elif frame.kind == GONE:
            self._forget(frame.channel)
        return True

    def say(self, message: bytes) -> None:
        """A message."""
        self._add(SAY, 0, message)

    def open(self, channel: int, payload: bytes = b"") -> None:
        """A new channel: the number is ours to choose, and must not be in use."""
        self._credit[channel] = WINDOW
        self._add(OPEN, channel, payload)

    def room(self, channel: int) -> int:
        """How many bytes `send` takes now."""
        return self._credit.get(channel, 0)

    def send(self, channel: int, data: bytes) -> None:
        """Bytes of a channel, at most `room`."""
        self._credit[channel] -= len(data)
        self.tell(channel, data)

    def tell(self, channel: int, data: bytes) -> None:
        """Bytes of a one-way channel whose reader holds up all that follows until it has them: without a window."""
        for start in range(0, len(data), PART):
            self._add(DATA, channel, data[start : start + PART])

    def end(self, channel: int) -> None:
        """No more bytes from here."""
        self._add(END, channel, b"")

    def gone(self, channel: int) -> None:
        """It is over, both ways."""
        self._forget(channel)
        self._add(GONE, channel, b"")

    def passed_on(self, channel: int, count: int) -> None:
        """So many bytes of a channel left us: as many may come."""
        if channel not in self._credit:
            return
        owed = self._owed.get(channel, 0) + count
        if owed * 4 >= WINDOW:
            self._add(ROOM, channel, _ROOM.pack(owed))
            owed = 0
        self._owed[channel] = owed

    def over(self, channel: int) -> None:
        """Both ways have ended: the books of this channel can be closed."""
        self._forget(channel)

    def _forget(self, channel: int) -> None:
        self._credit.pop(channel, None)
        self._owed.pop(channel, None)

    def _add(self, kind: int, channel: int, payload: bytes) -> None:
        self.out += HEAD.pack(kind, channel, len(payload))
        self.out += payload
