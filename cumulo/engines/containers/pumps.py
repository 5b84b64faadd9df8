"""Move bytes between a link and descriptors, in one thread and without waiting. Standard library only, see links.py.

What programs write to their logs is kept in front of what they say on connections afterwards: where a log is read (in
the container) it is emptied before any connection is read, and where it is written (outside) nothing that came later is
looked at until it is written.
"""

from __future__ import annotations

import os
import select
import socket
from collections import deque
from collections.abc import Callable

from cumulo.engines.containers.links import DATA, END, GONE, OPEN, PART, SAY, WINDOW, Broken, Frame, Link

FULL = 256 * 1024
"""So many bytes may wait for the link before nothing more is read for it."""
READ, WRITE = select.POLLIN, select.POLLOUT
CONNECTION, LOG_SOURCE, LOG_SINK = "connection", "log source", "log sink"


class Channel:
    """A stream of the link and the descriptor that it is joined to."""

    __slots__ = ("descriptor", "ending", "kind", "mask", "number", "pending", "reads")

    def __init__(self, number: int, descriptor: int, kind: str) -> None:
        self.number = number
        self.descriptor = descriptor
        self.kind = kind
        self.reads = kind != LOG_SINK
        self.ending = kind == LOG_SOURCE
        """Nothing more will come for the descriptor."""
        self.pending = bytearray()
        self.mask = 0


class Pump:
    """See above. `hear(message)` and `opened(channel, payload)` are called for what the other side begins."""

    def __init__(
        self, source: int, sink: int, hear: Callable[[bytes], None], opened: Callable[[int, bytes], None]
    ) -> None:
        """The link's own descriptors: to read from, and to write to."""
        self.link = Link()
        self.over = False
        """The other side has hung up."""
        self.before_data: Callable[[int], None] = lambda _: None
        """Called with the number of a connection whose bytes are about to be sent."""
        self._source, self._sink = source, sink
        self._hear, self._opened = hear, opened
        self._poll = select.poll()
        self._watched: dict[int, Callable[[], None]] = {}
        self._channels: dict[int, Channel] = {}
        self._by_descriptor: dict[int, Channel] = {}
        self._logs: list[Channel] = []
        self._frames: deque[Frame] = deque()
        self._held: Channel | None = None
        self._full = False
        self._sink_mask = 0
        os.set_blocking(source, False)
        os.set_blocking(sink, False)
        self._poll.register(source, READ)

    @property
    def held(self) -> bool:
        """Whether what has arrived waits for a log to be read."""
        return self._held is not None

    # -- what is joined to the link

    def watch(self, descriptor: int, callback: Callable[[], None]) -> None:
        """Call back when it is readable."""
        self._watched[descriptor] = callback
        self._poll.register(descriptor, READ)

    def unwatch(self, descriptor: int) -> None:
        """The opposite; nothing where it is not watched."""
        if self._watched.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def join(self, number: int, descriptor: int, kind: str = CONNECTION) -> None:
        """Join a channel that is open to a descriptor, which is closed with it."""
        os.set_blocking(descriptor, False)
        channel = Channel(number, descriptor, kind)
        self._channels[number] = self._by_descriptor[descriptor] = channel
        if kind == LOG_SOURCE:
            self._logs.append(channel)
        self._update(channel)

    def say(self, message: bytes) -> None:
        """A message to the other side, behind all that was written to logs before."""
        self.link.say(message)

    def drain_logs(self, most: int = FULL) -> bool:
        """Read the logs until they are empty, or so much was read; whether they are empty."""
        for channel in [*self._logs]:
            left = most
            while left > 0 and channel.reads:
                try:
                    data = os.read(channel.descriptor, PART)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                if not data:
                    self._source_ended(channel)
                    break
                left -= len(data)
                self.link.tell(channel.number, data)
            if left <= 0:
                return False
        return True

    # -- one turn

    def turn(self, timeout_ms: int | None = None) -> None:
        """Wait until there is something to do, and do it."""
        self._flush()
        ready = self._poll.poll(timeout_ms)
        readable = []
        for descriptor, events in ready:
            if descriptor == self._source:
                if events & ~WRITE:
                    self._arrive()
            elif descriptor == self._sink:
                self._flush()
            elif descriptor in self._watched:
                self._watched[descriptor]()
            else:
                channel = self._by_descriptor.get(descriptor)
                if channel is None:
                    continue
                if events & WRITE:
                    self._write(channel)
                if events & ~WRITE and channel.descriptor >= 0:
                    readable.append(channel)
        if readable and (not self._logs or self.drain_logs(FULL - min(len(self.link.out), FULL))):
            for channel in readable:
                if channel.kind == CONNECTION and channel.descriptor >= 0:
                    self._read(channel)
                elif channel.kind == LOG_SINK and not channel.mask & READ:
                    self._write(channel)  # an error, for nobody reads it any more
        self._flush()

    def _flush(self) -> None:
        out = self.link.out
        if out and not self.over:
            try:
                while out:
                    done = os.write(self._sink, out[:FULL])
                    del out[:done]
            except BlockingIOError:
                pass
            except OSError:
                self.over = True
                return
        mask = WRITE if out else 0
        if mask != self._sink_mask:
            self._sink_mask = mask
            if mask:
                self._poll.register(self._sink, mask)
            else:
                self._poll.unregister(self._sink)
        full = len(out) >= FULL
        if full != self._full:
            self._full = full
            for channel in [*self._channels.values()]:
                self._update(channel)

    # -- from the link

    def _arrive(self) -> None:
        try:
            data = os.read(self._source, FULL)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.over = True
            self._poll.unregister(self._source)
            return
        self._frames.extend(self.link.feed(data))
        self._handle()
        for channel in [*self._channels.values()]:  # there may be room again
            if not channel.mask & READ:
                self._update(channel)

    def _handle(self) -> None:
        while self._frames and self._held is None:
            frame = self._frames.popleft()
            if frame.kind == SAY:
                self._hear(frame.payload)
            elif frame.kind == OPEN:
                self._opened(frame.channel, frame.payload)
            else:
                channel = self._channels.get(frame.channel)
                if channel is not None:
                    self._take(channel, frame)

    def _take(self, channel: Channel, frame: Frame) -> None:
        if frame.kind == DATA:
            channel.pending += frame.payload
            if channel.kind == CONNECTION and len(channel.pending) > WINDOW:
                raise Broken("more bytes than there is room for")
            self._write(channel)
        elif frame.kind == END:
            channel.ending = True
            self._write(channel)
        elif frame.kind == GONE:
            self._close(channel)

    # -- from and to descriptors

    def _read(self, channel: Channel) -> None:
        room = self.link.room(channel.number)
        if room <= 0 or not channel.reads:
            self._update(channel)
            return
        try:
            data = os.read(channel.descriptor, min(room, PART))
        except BlockingIOError:
            return
        except OSError:
            self.drop(channel.number)
            return
        if not data:
            self._source_ended(channel)
            return
        self.before_data(channel.number)
        self.link.send(channel.number, data)
        self._update(channel)

    def _write(self, channel: Channel) -> None:
        pending = channel.pending
        if pending:
            try:
                done = os.write(channel.descriptor, pending)
            except BlockingIOError:
                done = 0
            except OSError:  # its reader is gone
                if channel.kind == CONNECTION:
                    self.drop(channel.number)
                    return
                done = len(pending)
            del pending[:done]
            if channel.kind == CONNECTION:
                self.link.passed_on(channel.number, done)
        if channel.kind == LOG_SINK:
            self._hold(channel if pending else None)
        if not pending and channel.ending and channel.kind != LOG_SOURCE:
            if not channel.reads:
                self._finish(channel)
                return
            try:
                with socket.socket(fileno=os.dup(channel.descriptor)) as joined:
                    joined.shutdown(socket.SHUT_WR)
            except OSError:
                self.drop(channel.number)
                return
        self._update(channel)

    def _hold(self, channel: Channel | None) -> None:
        """Look at nothing that comes from the link until this log has taken what is for it."""
        if channel is self._held:
            return
        self._held = channel
        if self.over:
            return
        if channel is not None:
            self._poll.unregister(self._source)
        else:
            self._poll.register(self._source, READ)
            self._handle()

    def _source_ended(self, channel: Channel) -> None:
        channel.reads = False
        self.link.end(channel.number)
        if channel.ending and not channel.pending:
            self._finish(channel)
        else:
            self._update(channel)

    def _finish(self, channel: Channel) -> None:
        self.link.over(channel.number)
        self._close(channel)

    def drop(self, number: int) -> None:
        """End a channel both ways, at once."""
        self.link.gone(number)
        channel = self._channels.get(number)
        if channel is not None:
            self._close(channel)

    def _close(self, channel: Channel) -> None:
        if channel.mask:
            self._poll.unregister(channel.descriptor)
            channel.mask = 0
        self._channels.pop(channel.number, None)
        self._by_descriptor.pop(channel.descriptor, None)
        if channel.kind == LOG_SOURCE:
            self._logs.remove(channel)
        os.close(channel.descriptor)
        channel.descriptor = -1
        if channel is self._held:
            self._hold(None)

    def _update(self, channel: Channel) -> None:
        mask = WRITE if channel.pending else 0
        if channel.reads and not self._full and (channel.kind == LOG_SOURCE or self.link.room(channel.number) > 0):
            mask |= READ
        if mask != channel.mask and channel.descriptor >= 0:
            if not channel.mask:
                self._poll.register(channel.descriptor, mask)
            elif mask:
                self._poll.modify(channel.descriptor, mask)
            else:
                self._poll.unregister(channel.descriptor)
            channel.mask = mask
