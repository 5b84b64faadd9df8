"""A small HTTP/1.1 client for webhooks: one POST, its status, within fifteen seconds.

Just what deliveries need, over asyncio streams: no pool and no redirects; TLS is loaded with the first https URL.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    import ssl

TIMEOUT_S = 15.0
_MAX_HEAD = 64 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Unreachable(Exception):
    """No answer came: the connection failed, broke, spoke no HTTP or took too long."""


async def post(url: str, headers: dict[str, str], body: bytes, *, timeout_s: float = TIMEOUT_S) -> int:
    """The status of the answer; a challenge for a password is answered with the one in the URL. Raises Unreachable."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(timeout_s):
            status, challenge = await _exchange(url, headers, body)
            if status == 401 and parts.username is not None and challenge.lower().startswith("basic"):
                user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
                secret = b64encode(user.encode()).decode()
                status, _ = await _exchange(url, {**headers, "Authorization": f"Basic {secret}"}, body)
            return status
    except TimeoutError:
        raise Unreachable(f"no answer within {timeout_s:g} seconds") from None
    except (OSError, EOFError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None


async def _exchange(url: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    """(status, WWW-Authenticate) of one request on a connection of its own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    context = _tls(host) if secure else None
    reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=_MAX_HEAD)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = f"[{host}]" if ":" in host else host
        authority = named if port == (443 if secure else 80) else f"{named}:{port}"
        lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        lines += [f"Content-Length: {len(body)}", f"Host: {authority}", "Connection: Keep-Alive"]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await writer.drain()
        return await _answer(reader)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    """The final status; interim answers (1xx) are passed over."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise ValueError("the answer's head is too long") from None
        first, *fields = head.decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise ValueError(f"this is no HTTP answer: {first[:80]!r}")
        status = int(rest[:3])
        if status < 200 and status != 101:
            continue
        challenge = next((field[17:].strip() for field in fields if field.lower().startswith("www-authenticate:")), "")
        return status, challenge


def _tls(host: str) -> ssl.SSLContext:
    """Certificates are checked as AWS does, except on this very machine, where nobody has a real one."""
    import ssl

    context = ssl.create_default_context()
    if host in _LOOPBACK or host.endswith(".localhost"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
