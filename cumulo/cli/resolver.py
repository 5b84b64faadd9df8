"""A small DNS server for `cumulo exec`: AWS's names have our address, all others the answer of the usual servers."""

import contextlib
import socket
import struct
from pathlib import Path

AWS_ADDRESS = "127.65.87.83"  # "AWS" in the loopback network; nothing listens there
TTL_S = 60
TYPE_A = 1
SUFFIXES = ("amazonaws.com", "amazonaws.com.cn", "api.aws", "on.aws", "amazoncognito.com", "cloudfront.net")


def is_aws(name: str, *, excepted: tuple[str, ...] = ()) -> bool:
    """Whether a host name is AWS's, and not under one of the excepted names."""
    return _under(name, SUFFIXES) and not _under(name, excepted)


def _under(name: str, suffixes: tuple[str, ...]) -> bool:
    return any(name == suffix or name.endswith("." + suffix) for suffix in suffixes)


def question(message: bytes) -> tuple[str, int, int] | None:
    """Name (lower case), type and end offset of a query's one question; None when it is not a plain query."""
    if len(message) < 17 or message[2] & 0xF8 or message[4:6] != b"\0\1":
        return None
    labels, position = [], 12
    while position < len(message) and message[position]:
        length = message[position]
        if length > 63:
            return None
        labels.append(message[position + 1 : position + 1 + length].decode("latin-1").lower())
        position += 1 + length
    end = position + 5
    if end > len(message):
        return None
    return ".".join(labels), struct.unpack_from("!H", message, position + 1)[0], end


def answer(message: bytes, *, excepted: tuple[str, ...] = ()) -> bytes | None:
    """Our answer to a query about one of AWS's names; None for every other query.

    Only the A record exists: an AAAA, HTTPS or other query gets an empty answer, so clients settle for IPv4.
    """
    asked = question(message)
    if asked is None or not is_aws(asked[0], excepted=excepted):
        return None
    record = b""
    if asked[1] == TYPE_A:
        record = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, TTL_S, 4) + socket.inet_aton(AWS_ADDRESS)
    flags = 0x8480 | (message[2] & 1) << 8  # answer, authoritative, recursion as asked and available
    head = message[:2] + struct.pack("!HHHHH", flags, 1, 1 if record else 0, 0, 0)
    return head + message[12 : asked[2]] + record


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
