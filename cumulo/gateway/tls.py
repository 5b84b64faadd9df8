"""TLS on the same port as plain HTTP, with certificates of a local authority.

The authority (EC P-256, ten years) is made on first use in `data_dir/ca`; a server's certificate is
made for each group of names that a client asks for (SNI), with AWS's wildcards (`*.s3.amazonaws.com`).
The TLS layer works on memory buffers: the first bytes have been read when TLS is recognised, and it
behaves the same on every event loop.
"""

import asyncio
import contextlib
import os
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo.gateway.doorway import Doorway
from cumulo.gateway.hosts import Hosts
from cumulo.gateway.http1_messages import NEVER

if TYPE_CHECKING:
    from cumulo.gateway.server import Server

_RENEW_AFTER_S = 300 * 86400
_LEAVES_MOST = 1024
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1", "localhost.localstack.cloud", "*.localhost.localstack.cloud")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_PIECE = 64 * 1024
_WRITE_PIECE = 256 * 1024


class Authority:
    """The local certificate authority in `folder`. `clock` is the machine's clock, not the cloud's:
    clients compare certificates with theirs. Files: ca.pem (to trust), ca.key (mode 0600), leaves/."""

    def __init__(self, folder: Path, hosts: Hosts, clock: Callable[[], float]) -> None:
        self.ready = False
        self._folder = folder
        self._hosts = hosts
        self._clock = clock
        self._contexts: dict[str, ssl.SSLContext] = {}

    def ca_path(self) -> Path:
        """The authority's certificate, made if it is not there yet: what a client is told to trust."""
        certificate = self._folder / "ca.pem"
        if not certificate.exists() or not (self._folder / "ca.key").exists():
            from cumulo.gateway.certificates import make_ca

            self._folder.mkdir(parents=True, exist_ok=True)
            for leaf in self._folder.glob("leaves/*.pem"):
                leaf.unlink()
            pem, key = make_ca(self._clock(), os.uname().nodename if hasattr(os, "uname") else "")
            _write(self._folder / "ca.key", key, 0o600)
            _write(certificate, pem, 0o644)
        return certificate

    def prepare(self) -> None:
        """Everything slow, in a thread: make or load the authority and the certificate of localhost."""
        self._context("localhost")
        self.ready = True

    def context(self) -> ssl.SSLContext:
        """The context to start a handshake with; the name that the client asks for may change it."""
        return self._context("localhost")

    def _choose(self, connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        # An exception here is printed by the ssl module, not raised: an odd name gets the default.
        if name:
            with contextlib.suppress(OSError, ValueError):
                connection.context = self._context(self._group(name.lower().rstrip(".")))

    def _group(self, name: str) -> str:
        """The name whose certificate also covers this one, as AWS's wildcards do."""
        if not _NAME.fullmatch(name) or len(name) > 240 or not self._hosts.is_ours(name):
            return "localhost"
        parent = name.partition(".")[2]
        # "*.localhost" is refused by OpenSSL: a wildcard needs two labels after it.
        return parent if "." in parent and self._hosts.is_ours(parent) else name

    def _context(self, group: str) -> ssl.SSLContext:
        context = self._contexts.get(group)
        if context is None:
            if len(self._contexts) >= _LEAVES_MOST:
                self._contexts.clear()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.options |= ssl.OP_NO_RENEGOTIATION
            context.set_alpn_protocols(["h2", "http/1.1"])
            context.load_cert_chain(self._leaf(group))
            context.sni_callback = self._choose
            self._contexts[group] = context
        return context

    def _leaf(self, group: str) -> Path:
        ca = self.ca_path()
        folder = self._folder / "leaves"
        leaf = folder / f"{group}.pem"
        now = self._clock()
        if leaf.exists() and now - leaf.stat().st_mtime < _RENEW_AFTER_S:
            return leaf
        from cumulo.gateway.certificates import make_leaf

        folder.mkdir(exist_ok=True)
        others = list(folder.glob("*.pem"))
        if len(others) >= _LEAVES_MOST:
            for other in others:
                other.unlink()
        names = _LOCAL_NAMES if group == "localhost" else (group, f"*.{group}")
        _write(leaf, make_leaf(ca.read_bytes(), (self._folder / "ca.key").read_bytes(), names, now), 0o600)
        os.utime(leaf, (now, now))
        return leaf


def _write(path: Path, content: bytes, mode: int) -> None:
    """All or nothing, and never readable by others on the way."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


class TlsLayer(asyncio.Transport, asyncio.Protocol):
    """A protocol to the socket's transport, and a transport to Http1 or Http2."""

    def __init__(self, server: "Server", authority: Authority) -> None:
        super().__init__()
        self._server = server
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = authority.context().wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._inner: Any = None
        self._paused = False
        self._eof = False
        self._write_ended = False
        self._kept_open = False
        self.transport: Any = None
        self.deadline = NEVER

    # -- towards the socket

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.deadline = self._server.now + self._server.limits.header_timeout_s
        self._server.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._write_ended:
            return  # lingering
        self._incoming.write(data)
        if self._inner is None and not self._handshake():
            return
        self._deliver()

    def _handshake(self) -> bool:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except (ssl.SSLError, OSError):  # a scanner, or a client that does not trust us
            self._flush()
            self.transport.close()
            return False
        self._flush()
        self._server.closed(self)
        if self._tls.selected_alpn_protocol() == "h2":
            from cumulo.gateway.http2 import Http2

            self._inner = Http2(self._server, "https")
        else:
            self._inner = Doorway(self._server, "https")
        self._inner.connection_made(self)
        return True

    def _deliver(self) -> None:
        """Give what has been decrypted to the protocol above, until it pauses us."""
        while not self._paused and not self._eof and not self.transport.is_closing():
            pieces: list[bytes] = []
            size = 0
            try:
                while size < _PIECE:
                    piece = self._tls.read(_PIECE)
                    if not piece:
                        self._eof = True
                        break
                    pieces.append(piece)
                    size += len(piece)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLZeroReturnError:
                self._eof = True
            except (ssl.SSLError, OSError):
                self.transport.abort()
                return
            if pieces:
                self._inner.data_received(b"".join(pieces))
            if self._eof:
                self._end_of_input()
            elif size < _PIECE:
                break
        self._flush()

    def _end_of_input(self) -> None:
        self._kept_open = bool(self._inner.eof_received())
        if not self._kept_open:
            self.close()

    def eof_received(self) -> bool:
        if self._inner is None:
            return False
        if not self._eof:
            self._eof = True
            self._kept_open = bool(self._inner.eof_received())
        return self._kept_open and not self._write_ended

    def connection_lost(self, error: BaseException | None) -> None:
        self._server.closed(self)
        if self._inner is not None:
            self._inner.connection_lost(error)
            self._inner = None

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def timed_out(self) -> None:
        self.transport.abort()

    def drain(self) -> None:
        self.transport.close()

    # -- towards the protocol above

    def write(self, data: Any) -> None:
        if self._write_ended or self.transport.is_closing():
            return
        view = memoryview(data)
        try:
            for start in range(0, len(view), _WRITE_PIECE):
                self._tls.write(view[start : start + _WRITE_PIECE])
                self._flush()
        except (ssl.SSLError, OSError):
            self.transport.abort()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self.transport.write(self._outgoing.read())

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        if self._write_ended:
            return
        with contextlib.suppress(ssl.SSLError, OSError):
            self._tls.unwrap()  # sends our close_notify; the client's need not come
        self._write_ended = True
        self._flush()

    def close(self) -> None:
        if not self.transport.is_closing():
            self.write_eof()
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()

    def is_closing(self) -> bool:
        return bool(self.transport.is_closing())

    def pause_reading(self) -> None:
        self._paused = True
        self.transport.pause_reading()

    def resume_reading(self) -> None:
        if not self._paused:
            return
        self._paused = False
        self.transport.resume_reading()
        if self._incoming.pending or self._tls.pending():
            self._server.loop.call_soon(self._resume)

    def _resume(self) -> None:
        if self._inner is not None and not self._write_ended:
            self._deliver()

    def get_write_buffer_size(self) -> int:
        return int(self.transport.get_write_buffer_size())

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.transport.set_write_buffer_limits(high, low)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls if name == "ssl_object" else self.transport.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner = protocol

    def get_protocol(self) -> Any:
        return self._inner
