"""A small DNS server for `cumulo exec`: AWS's names have our address, all others the answer of the usual servers."""

import contextlib
import socket
import struct
from pathlib import Path

from cumulo.engines.environments.aws_names import ADDRESS, SUFFIXES
from cumulo.engines.sandboxes.names import TYPE_A, question, reply, under

AWS_ADDRESS = ADDRESS


def is_aws(name: str, *, excepted: tuple[str, ...] = ()) -> bool:
    """Whether a host name is AWS's, and not under one of the excepted names."""
    return under(name, SUFFIXES) and not under(name, excepted)


def answer(message: bytes, *, excepted: tuple[str, ...] = ()) -> bytes | None:
    """Our answer to a query about one of AWS's names; None for every other query.

    Only the A record exists: an AAAA, HTTPS or other query gets an empty answer, so clients settle for IPv4.
    """
    asked = question(message)
    if asked is None or not is_aws(asked[0], excepted=excepted):
        return None
    return reply(message, asked[2], AWS_ADDRESS if asked[1] == TYPE_A else "")


def upstream() -> list[tuple[int, str]]:
    """The machine's own name servers, as (address family, address)."""
    servers: list[tuple[int, str]] = []
    try:
        lines = Path("/etc/resolv.conf").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        words = line.split()
        if len(words) > 1 and words[0] == "nameserver":
            address = words[1].partition("%")[0]
            servers.append((socket.AF_INET6 if ":" in address else socket.AF_INET, address))
    return servers


def _one_port(attempts: int = 100) -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on the same free port: one that is free for the first may be taken for the second."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
    except OSError:
        udp.close()
        tcp.close()
        if attempts == 1:
            raise
        return _one_port(attempts - 1)
    return udp, tcp


class Resolver:
    """Answers on two loopback sockets, UDP and TCP, both on one free port; both are to be watched for reading."""

    def __init__(self, *, excepted: tuple[str, ...] = ()) -> None:
        self._excepted = excepted
        self._servers = upstream()
        self.udp, self.tcp = _one_port()
        self.udp.setblocking(False)
        self.port = int(self.udp.getsockname()[1])
        self.tcp.listen(16)

    def udp_query(self) -> "Forwarded | None":
        """Take one datagram: answered at once, or forwarded; then the returned socket is to be watched too."""
        try:
            message, client = self.udp.recvfrom(65535)
        except OSError:
            return None
        ours = answer(message, excepted=self._excepted)
        if ours is not None:
            self._send(ours, client)
            return None
        return Forwarded(self, message, client, self._servers) if self._servers else None

    def tcp_query(self) -> None:
        """Take one TCP connection and answer one query on it, within two seconds; rare, so it may hold us up."""
        connection, _ = self.tcp.accept()
        with connection:
            connection.settimeout(2)
            try:
                message = _framed(connection)
                reply = answer(message, excepted=self._excepted)
                if reply is None:
                    for family, address in self._servers[:1]:
                        with socket.socket(family, socket.SOCK_STREAM) as server:
                            server.settimeout(2)
                            server.connect((address, 53))
                            server.sendall(struct.pack("!H", len(message)) + message)
                            reply = _framed(server)
                if reply is not None:
                    connection.sendall(struct.pack("!H", len(reply)) + reply)
            except (OSError, struct.error):
                return

    def _send(self, message: bytes, client: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # the client asks again
            self.udp.sendto(message, client)

    def close(self) -> None:
        """Give up both sockets."""
        self.udp.close()
        self.tcp.close()


class Forwarded:
    """One query on its way to the machine's name servers. The client's own retries take care of losses."""

    def __init__(
        self, resolver: Resolver, message: bytes, client: tuple[str, int], servers: list[tuple[int, str]]
    ) -> None:
        self._resolver = resolver
        self._client = client
        self.sockets = []
        for family, address in servers[:3]:
            asked = socket.socket(family, socket.SOCK_DGRAM)
            asked.setblocking(False)
            try:
                asked.connect((address, 53))
                asked.send(message)
            except OSError:
                asked.close()
                continue
            self.sockets.append(asked)

    def finish(self, answered: socket.socket) -> None:
        """Hand the first answer to the client and forget the question."""
        try:
            self._resolver._send(answered.recv(65535), self._client)
        except OSError:
            return
        finally:
            self.close()

    def close(self) -> None:
        """Forget the question."""
        for asked in self.sockets:
            asked.close()


def _framed(connection: socket.socket) -> bytes:
    head = _exactly(connection, 2)
    return _exactly(connection, struct.unpack("!H", head)[0])


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise OSError("closed")
        received += chunk
    return received
