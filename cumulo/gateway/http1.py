"""HTTP/1.0 and 1.1: one connection, its requests answered strictly in order.

A request that is answered is forgotten before the next one starts, and bytes that come meanwhile
wait in the kernel: nothing a client sends can pile up.
"""

from typing import Any

from cumulo.gateway.bodies import Disconnected
from cumulo.gateway.http1_exchange import Http1Exchange
from cumulo.gateway.http1_messages import NEVER, Messages

# One parser call sees at most so much: it bounds how many pipelined requests are parsed ahead.
_SLICE = 64 * 1024
_OUT_MOST = 64 * 1024


class Http1(Messages):
    """One connection: what the transport, the server and Http1Exchange call."""

    __slots__ = ()

    # -- the transport calls

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self._peer = peer[0] if isinstance(peer, tuple) else "127.0.0.1"
        self.deadline = self._server.now + self._limits.header_timeout_s
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._pending or len(data) > _SLICE or self._busy():
            self._hold(data)
        elif not self._stopped:
            self._parse(data)
            if self._queue or self._ending or self._pending:
                self._advance()

    def eof_received(self) -> bool:
        self._eof = True
        current = self._current
        if self._ending or (current is None and not self._pending and not self._queue):
            return False
        if current is not None:
            if self._incoming is current:
                current._lose(Disconnected("the client stopped in the middle of its body"))
                return False
            current._halve()
        return True

    def connection_lost(self, error: BaseException | None) -> None:
        self.lost = self._stopped = self._ending = True
        self.deadline = NEVER
        self._server.closed(self)
        gone = Disconnected("the client closed the connection")
        self._release_waiters(gone)
        for exchange in (self._current, self._incoming, *self._queue):
            if exchange is not None:
                exchange._lose(gone)
        self._queue.clear()
        self._pending.clear()
        self._out.clear()
        self._current = self._incoming = None
        self._parser = None  # the parser holds its protocol: let go without the collector

    def pause_writing(self) -> None:
        self._writing_paused = True
        self._unsent = self.transport.get_write_buffer_size()
        self.deadline = self._server.now + self._limits.write_timeout_s

    def resume_writing(self) -> None:
        self._writing_paused = False
        if not self._ending:
            self.deadline = NEVER if self._current is not None else self._server.now + self._limits.idle_timeout_s
        self._release_waiters(None)
        self._advance()

    def _release_waiters(self, error: BaseException | None) -> None:
        waiters, self._drain_waiters = self._drain_waiters, []
        for waiter in waiters:
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    # -- bytes in

    def _busy(self) -> bool:
        current = self._current
        if current is None:
            return self._writing_paused
        if current is not self._incoming or current.websocket:
            return True
        stream = current._stream
        return stream is not None and stream.size > self._limits.stream_buffer_bytes

    def _hold(self, data: bytes) -> None:
        if self._stopped and self._current is None:
            return  # lingering: read and forget, so that the client can read our answer
        if len(data) <= _SLICE:
            self._pending.append(data)
        else:
            view = memoryview(data)
            self._pending.extend(view[start : start + _SLICE] for start in range(0, len(data), _SLICE))
        self._advance()

    def _advance(self) -> None:
        """Do what can be done now: start the next request, else parse on, else read on."""
        if self._advancing or self._feeding or self.lost:
            return
        self._advancing = True
        while not self._ending:
            if self._queue:
                if self._current is not None or self._writing_paused:
                    break
                self._start(self._queue.popleft())
            elif self._current is None and self._expecting and self._incoming is not None:
                self._continue(self._incoming)
            elif self._pending and not self._stopped and not self._busy():
                self._parse(self._pending.popleft())
            else:
                break
        self._advancing = False
        if self._ending:
            self._hang_up()
        elif self._pending and not self._stopped:
            self.transport.pause_reading()
        else:
            self._pending.clear()
            self.transport.resume_reading()
            if self._eof and self._current is None:
                self._end()

    def _stream_taken(self, count: int) -> None:
        current = self._current
        if self._pending and current is not None and current._stream is not None:
            if current._stream.size <= self._limits.stream_buffer_bytes // 2:
                self._server.loop.call_soon(self._advance)
        elif current is not None and current is self._incoming:
            self.deadline = self._server.now + self._limits.body_timeout_s

    def hand_over(self, protocol: Any) -> bytes:
        """Give the connection to another protocol; returns the bytes that came too early."""
        self.flush()
        rest = b"".join(bytes(piece) for piece in self._pending)
        self._pending.clear()
        self._stopped = self._ending = True
        self._current = None
        self._server.closed(self)
        self._parser = None
        self.transport.set_protocol(protocol)
        return rest

    # -- answers

    def _start(self, exchange: Http1Exchange) -> None:
        self._current = exchange
        self.deadline = NEVER
        if exchange is self._incoming:
            self.deadline = self._server.now + self._limits.body_timeout_s
        if exchange._refusal is not None:
            exchange.respond(*exchange._refusal)
        else:
            exchange._run(self._server.application, self._server.loop)

    def _send(self, data: bytes) -> None:
        """Write now, or with the other answers to the bytes being parsed."""
        if not self._feeding and not self._out:
            self.transport.write(data)
            return
        self._out.append(data)
        self._out_size += len(data)
        if not self._feeding or self._out_size > _OUT_MOST:
            self.flush()

    def _answer(self, data: bytes) -> None:
        """Write a whole answer at the end of this turn of the loop, with those of other connections."""
        if not self._out and not self._feeding:
            self._server.flush_soon(self)
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size > _OUT_MOST:
            self.flush()

    def flush(self) -> None:
        """Hand what is to be sent to the transport."""
        out = self._out
        if out:
            self._out = []
            self._out_size = 0
            self.transport.write(out[0] if len(out) == 1 else b"".join(out))

    async def drained(self) -> None:
        """Wait until the client has taken most of what was written. Raises Disconnected."""
        if self.lost:
            raise Disconnected("the client closed the connection")
        if self._writing_paused:
            waiter = self._server.loop.create_future()
            self._drain_waiters.append(waiter)
            await waiter

    def finished(self, exchange: Http1Exchange) -> None:
        """The answer is written to its end."""
        if exchange is not self._current:
            return
        self._current = None
        if exchange is self._incoming:  # answered before its body has come
            self._incoming = None
            self._stopped = True
        if not exchange.keep_alive or self._server.draining:
            self._ending = True
        elif not self._writing_paused:
            self.deadline = self._server.now + self._limits.idle_timeout_s
        if not self._feeding and not self._advancing:
            self._advance()

    # -- the end

    def _end(self) -> None:
        self._ending = True
        self._hang_up()

    def _hang_up(self) -> None:
        """Close so that the client can still read the answer: unread bytes in the kernel would turn
        the close into a reset, so after an early refusal we read on for a moment."""
        transport = self.transport
        if transport.is_closing() or self.lost:
            return
        self.flush()
        self._unsent = transport.get_write_buffer_size()
        self._pending.clear()
        if self._stopped and not self._eof and transport.can_write_eof():
            self.deadline = self._server.now + self._limits.linger_timeout_s
            transport.write_eof()
            transport.resume_reading()
            self._current = None
            return
        self._stopped = True
        self.deadline = self._server.now + self._limits.write_timeout_s
        transport.close()

    def timed_out(self) -> None:
        """The deadline has passed: what it was for decides what happens."""
        if self._writing_paused or self.transport.is_closing():
            unsent = self.transport.get_write_buffer_size()
            if unsent < self._unsent:  # slow, but taking it
                self._unsent = unsent
                self.deadline = self._server.now + self._limits.write_timeout_s
            else:
                self.transport.abort()
        elif self._ending:
            self.deadline = self._server.now + self._limits.write_timeout_s
            self.transport.close()
        elif self._incoming is not None and self._stream_waits(self._incoming):
            self.deadline = self._server.now + self._limits.body_timeout_s
        elif self._head_open or self._incoming is not None:
            text = "Your socket connection to the server was not read from or written to within the timeout period."
            self._head_open = False
            self._refuse(408, "RequestTimeout", text)
            self._advance()
        else:
            self._end()

    def _stream_waits(self, exchange: Http1Exchange) -> bool:
        # The application is slow, not the client.
        return exchange._stream is not None and (exchange._stream.size > 0 or bool(self._pending))

    def drain(self) -> None:
        """The server stops: idle connections close at once, others after their answer."""
        if self._current is None and self._incoming is None and not self._head_open and not self._queue:
            self._end()

    def abort(self) -> None:
        """Cut the connection and cancel its work."""
        current = self._current
        self.transport.abort()
        if current is not None and current._task is not None:
            current._task.cancel()
