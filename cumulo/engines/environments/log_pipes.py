"""What the programs of an environment write: lines, and records that runtimes frame to keep their lines together.

Both come through one pipe, so their order is kept. A frame is four bytes 0xA55A and a kind, four of length, eight of
microseconds, then the text. Source: the README of PyPI's awslambdaric, "FramedTelemetryLogSink".
"""

from __future__ import annotations

import os
from collections.abc import Callable

MAGIC = b"\xa5\x5a\x00"
HEAD_BYTES = 16
LONGEST = 262_144
"""Bytes of one event; longer ones are split. Source: CloudWatch Logs User Guide, "CloudWatch Logs quotas"."""
TURN_BYTES, TURN_EVENTS = 65_536, 1_000
"""How much is read at a time, that a function which never stops writing does not keep the loop."""


class LogPipe:
    """The reading end. `on_text` is called for every event, newline and all, and told whether it was framed."""

    def __init__(self, descriptor: int, on_text: Callable[[str, bool], None]) -> None:
        self.descriptor = descriptor
        self._on_text = on_text
        self._rest = bytearray()
        self._wanted = 0
        """So many bytes must be there before there is another event: long frames come in many pieces."""
        self._left = 0
        os.set_blocking(descriptor, False)

    def drain(self) -> bool:
        """Read what is there now, up to TURN_BYTES and TURN_EVENTS; whether there may be more."""
        self._left = TURN_EVENTS
        left = TURN_BYTES
        if self._rest:
            self._take()
        while left > 0 and self._left > 0:
            try:
                data = os.read(self.descriptor, 65536)
            except OSError:  # nothing, now
                return False
            if not data:
                return False
            left -= len(data)
            self._rest += data
            self._take()
            if len(data) < 65536 and self._left > 0:
                return False
        return True

    def flush(self) -> None:
        """An unfinished line counts as one: whoever wrote it has ended."""
        self._left, self._wanted = TURN_EVENTS, 0
        self._take()
        if self._rest:
            rest, self._rest = bytes(self._rest), bytearray()
            framed = rest.startswith(MAGIC[:2])
            self._emit(rest[HEAD_BYTES:] if framed else rest, framed)

    def close(self) -> None:
        """Read no more."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _take(self) -> None:
        data = self._rest
        position = 0
        size = len(data)
        if size < self._wanted:
            return
        self._wanted = 0
        while position < size and self._left > 0:
            if data.startswith(MAGIC[:2], position):
                end = self._frame_end(data, position)
                if end < 0 or end > size:
                    self._wanted = max(end - position, 0)
                    break
                self._emit(data[position + HEAD_BYTES : end], True)
                position = end
                continue
            newline = data.find(b"\n", position)
            frame = data.find(MAGIC, position, newline if newline >= 0 else size)
            if frame > position:  # a record in the middle of a line: what came before stands for itself
                self._emit(data[position:frame])
                position = frame
                continue
            if newline < 0:
                if size - position < LONGEST:
                    break
                newline = position + LONGEST - 1
            self._emit(data[position : newline + 1])
            position = newline + 1
        del data[:position]

    @staticmethod
    def _frame_end(data: bytearray, position: int) -> int:
        if len(data) - position < HEAD_BYTES:
            return -1
        length = int.from_bytes(data[position + 4 : position + 8], "big")
        return position + HEAD_BYTES + min(length, 16 * 1024 * 1024)

    def _emit(self, data: bytes | bytearray, framed: bool = False) -> None:
        self._left -= 1
        if len(data) <= LONGEST:
            self._on_text(data.decode("utf-8", "replace"), framed)
            return
        for start in range(0, len(data), LONGEST):
            self._on_text(data[start : start + LONGEST].decode("utf-8", "replace"), framed)
