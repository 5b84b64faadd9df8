"""Two pumps, as outside and inside of a container, and descriptors on both sides."""

import contextlib
import os
import socket
from collections.abc import Callable, Iterator

import pytest

from cumulo.engines.containers.links import WINDOW
from cumulo.engines.containers.pumps import FULL, LOG_SINK, LOG_SOURCE, Pump

BIG = 3 * WINDOW + 17


class Ends:
    """A pump in a container and one outside, joined by two pipes; they are turned one after the other."""

    def __init__(self) -> None:
        inner_read, outer_write = os.pipe()
        outer_read, inner_write = os.pipe()
        self._sockets: list[socket.socket] = []
        self._descriptors = [inner_read, outer_write, outer_read, inner_write]
        self.said: list[bytes] = []
        self.opened: list[tuple[int, bytes]] = []
        self.inner = Pump(inner_read, inner_write, self.said.append, lambda *_: None)
        self.outer = Pump(outer_read, outer_write, self.said.append, lambda *given: self.opened.append(given))

    def connection(self, number: int) -> tuple[socket.socket, socket.socket]:
        """A connection from one side to the other: the program's end, and the server's."""
        program, theirs = socket.socketpair()
        server, ours = socket.socketpair()
        self.inner.link.open(number)
        self.inner.join(number, theirs.detach())
        self.outer.join(number, ours.detach())
        self.turn()
        for each in (program, server):
            each.setblocking(False)
            self._sockets.append(each)
        return program, server

    def log(self, number: int) -> tuple[int, int]:
        """A log: where the program writes, and where the server reads."""
        read, write = os.pipe()
        out, into = os.pipe()
        self.inner.join(number, read, LOG_SOURCE)
        self.outer.join(number, into, LOG_SINK)
        os.set_blocking(out, False)
        self._descriptors += [write, out]
        return write, out

    def hang_up(self) -> None:
        """The link outside ends, to be written to."""
        os.close(self._descriptors.pop(2))

    def close(self) -> None:
        for pump in (self.inner, self.outer):
            for number in [*pump._channels]:
                pump.drop(number)
        for each in self._sockets:
            each.close()
        for descriptor in self._descriptors:
            os.close(descriptor)

    def turn(self, times: int = 8) -> None:
        for _ in range(times):
            self.inner.turn(0)
            self.outer.turn(0)

    def until(self, done: Callable[[], bool]) -> None:
        for _ in range(2000):
            if done():
                return
            self.turn(1)
        raise AssertionError("it does not come")


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def received(end: socket.socket, into: bytearray) -> bool:
    """Whether the other side has ended; what came is added."""
    try:
        data = end.recv(1 << 20)
    except BlockingIOError:
        return False
    into += data
    return not data


def test_bytes_go_both_ways_and_each_way_ends_alone(ends: Ends) -> None:
    program, server = ends.connection(2)
    sent, got, echoed = os.urandom(BIG), bytearray(), bytearray()
    left = memoryview(sent)

    def feed() -> bool:
        nonlocal left
        if left:
            with contextlib.suppress(BlockingIOError):
                left = left[program.send(left) :]
            if not left:
                program.shutdown(socket.SHUT_WR)
        return received(server, got)

    ends.until(feed)
    assert bytes(got) == sent
    server.send(b"the answer")
    server.close()
    ends.until(lambda: received(program, echoed))
    assert echoed == b"the answer"
    assert not ends.inner._channels and not ends.outer._channels


def test_a_reader_that_stands_still_keeps_neither_memory_nor_others(ends: Ends) -> None:
    stuck, _unread = ends.connection(2)
    free, server = ends.connection(4)
    sent = 0
    for _ in range(200):
        with contextlib.suppress(BlockingIOError):
            sent += stuck.send(bytes(65536))
        ends.turn(1)
    waiting = sum(len(channel.pending) for channel in ends.outer._channels.values())
    assert waiting <= WINDOW and len(ends.inner.link.out) <= 2 * FULL
    assert sent < 4 * WINDOW
    got = bytearray()
    free.send(b"meanwhile")
    ends.until(lambda: received(server, got) or got == b"meanwhile")


def test_what_was_logged_comes_before_what_was_said_after_it(ends: Ends) -> None:
    write, out = ends.log(1)
    program, server = ends.connection(2)
    for number in range(50):
        os.write(write, b"line %d\n" % number)
        program.send(b"answer %d" % number)
        got = bytearray()
        ends.until(lambda got=got: received(server, got) or bool(got))
        assert got == b"answer %d" % number
        assert os.read(out, 100) == b"line %d\n" % number


def test_a_full_log_holds_up_what_follows_until_it_is_read(ends: Ends) -> None:
    write, out = ends.log(1)
    os.set_blocking(write, False)
    program, server = ends.connection(2)
    written = 0
    for _ in range(20):
        with contextlib.suppress(BlockingIOError):
            written += os.write(write, bytes(65536))
        ends.turn(1)
    program.send(b"the answer")
    ends.turn()
    got = bytearray()
    assert not received(server, got) and not got
    assert ends.outer.held
    read = 0

    def drained() -> bool:
        nonlocal read
        with contextlib.suppress(BlockingIOError):
            read += len(os.read(out, 1 << 20))
        return received(server, got) or bool(got)

    ends.until(drained)
    assert got == b"the answer" and read == written


def test_who_hangs_up_is_told_on_the_other_side(ends: Ends) -> None:
    program, server = ends.connection(2)
    server.close()
    program.send(b"x")
    ends.turn()
    got = bytearray()
    assert received(program, got)
    ends.hang_up()
    ends.inner.say(b"anybody?")
    ends.inner.turn(0)
    assert ends.inner.over
