"""A name server's answers, byte by byte: chosen names have one address. Standard library only, see `enter`.

Source: RFC 1035, sections 4.1 and 4.2.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping, Sequence

TTL_S = 60
TYPE_A = 1
NO_SUCH_NAME = 3


def under(name: str, suffixes: Sequence[str]) -> bool:
    """Whether a name is one of these or below one of them."""
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


def reply(message: bytes, end: int, address: str, *, failure: int = 0) -> bytes:
    """The answer to a query whose question ends there: an A record, or none where the address is ""."""
    record = b"\xc0\x0c" + struct.pack("!HHIH", TYPE_A, 1, TTL_S, 4) + socket.inet_aton(address) if address else b""
    flags = 0x8480 | (message[2] & 1) << 8 | failure  # answer, authoritative, recursion as asked and available
    head = message[:2] + struct.pack("!HHHHH", flags, 1, 1 if record else 0, 0, 0)
    return head + message[12:end] + record


def serve(listening: socket.socket, addresses: Mapping[str, str]) -> None:
    """Answer one query on a UDP socket: names below these have their address, all others do not exist."""
    try:
        message, client = listening.recvfrom(4096)
        asked = question(message)
        if asked is None:
            return
        name, kind, end = asked
        address = next((addresses[suffix] for suffix in addresses if under(name, (suffix,))), "")
        if address:
            answer = reply(message, end, address if kind == TYPE_A else "")
        else:
            answer = reply(message, end, "", failure=NO_SUCH_NAME)
        listening.sendto(answer, client)
    except OSError:
        return  # the client asks again
