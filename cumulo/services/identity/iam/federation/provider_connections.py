"""How identity providers are asked for their keys: a GET over http(s), with certificates checked as IAM checks them.

A certificate of a known authority is good. Any other must have one of the provider's thumbprints in its chain: the
SHA-1 of a certificate. On this very machine, where nobody has a real certificate, none is asked for, and plain http
will do.
Source: "Obtain the thumbprint for an OpenID Connect identity provider" (IAM User Guide).
"""

from __future__ import annotations

import asyncio
from hashlib import sha1
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

TIMEOUT_S = 10.0
LONGEST_B = 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Unreachable(Exception):
    """No usable answer came."""


class WrongThumbprint(Exception):
    """The provider's certificate is of no known authority and has none of the thumbprints."""


def is_local(host: str) -> bool:
    """Whether a host is this machine."""
    return host in _LOOPBACK or host.endswith(".localhost")


async def get(url: str, thumbprints: Sequence[str]) -> bytes:
    """The body of a 200. Raises Unreachable, WrongThumbprint."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await _connect(parts, thumbprints)
            try:
                return await _ask(reader, writer, parts)
            finally:
                writer.close()
    except TimeoutError:
        raise Unreachable(f"no answer within {TIMEOUT_S:g} seconds") from None
    except (OSError, EOFError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None


async def thumbprint(url: str) -> str:
    """The thumbprint of the topmost certificate that the provider's server sends. Raises Unreachable."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port or 443, ssl=_unchecked())
            try:
                return _thumbprints(writer)[-1]
            finally:
                writer.close()
    except TimeoutError:
        raise Unreachable(f"no answer within {TIMEOUT_S:g} seconds") from None
    except (OSError, EOFError, ValueError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None


def _unchecked() -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _thumbprints(writer: asyncio.StreamWriter) -> list[str]:
    """The SHA-1 of every certificate that the server sent, the leaf's first."""
    session: Any = writer.get_extra_info("ssl_object")
    if hasattr(session, "get_unverified_chain"):  # Python 3.13
        chain = session.get_unverified_chain()
    else:
        import _ssl

        inner = getattr(session, "_sslobj", None)
        chain = [each.public_bytes(_ssl.ENCODING_DER) for each in inner.get_unverified_chain()] if inner else None
    certificates = chain or [session.getpeercert(True)]
    return [sha1(each, usedforsecurity=False).hexdigest() for each in certificates]


async def _connect(parts: SplitResult, thumbprints: Sequence[str]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host = parts.hostname or ""
    if parts.scheme != "https":
        if not is_local(host):
            raise ValueError("only https is spoken with other machines")
        return await asyncio.open_connection(host, parts.port or 80)
    import ssl

    port = parts.port or 443
    if is_local(host):
        return await asyncio.open_connection(host, port, ssl=_unchecked())
    try:
        return await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    except ssl.SSLCertVerificationError:
        reader, writer = await asyncio.open_connection(host, port, ssl=_unchecked())
        if not {each.lower() for each in thumbprints} & set(_thumbprints(writer)):
            writer.close()
            raise WrongThumbprint from None
        return reader, writer


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Accept: application/json", "Connection: close"]
    writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
    await writer.drain()
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        raise ValueError("the answer's head is too long") from None
    if head[0].split(" ")[1:2] != ["200"]:
        raise ValueError(f"the provider answered {head[0][:80]!r}")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "chunked" in fields.get("transfer-encoding", "").lower():
        return await _chunks(reader)
    if "content-length" in fields:
        length = int(fields["content-length"])
        if length > LONGEST_B:
            raise ValueError("the answer is too long")
        return await reader.readexactly(length)
    return await reader.read(LONGEST_B)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while len(body) <= LONGEST_B:
        size = int((await reader.readline()).split(b";")[0].strip() or b"0", 16)
        if size == 0:
            return body
        body += await reader.readexactly(min(size, LONGEST_B))
        await reader.readline()
    raise ValueError("the answer is too long")
