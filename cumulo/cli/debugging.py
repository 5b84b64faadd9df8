"""A port on this machine where a debugger attaches to a function; `cumulo.debugger` has the other end."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

from cumulo.cli import Refusal

PIECE_B = 65_536


class Attaching:
    """Listens; every connection is carried to the function's runtime, as soon as it waits for one."""

    def __init__(self, url: str, account: str, region: str, name: str, port: int) -> None:
        parts = urlsplit(url)
        self._cloud = (parts.hostname or "localhost", parts.port or 80)
        self._greeting = f"cumulo-debug {account} {region} {name}\n".encode()
        try:
            self._listening = socket.create_server(("127.0.0.1", port))
        except OSError as error:
            raise Refusal(f"port {port}: {error.strerror}", "choose another one with --debug-port")
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._attach, args=(client,), daemon=True).start()

    def _attach(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._cloud) as cloud:
            cloud.sendall(self._greeting)
            answer = b""
            while not answer.endswith(b"\n"):
                more = cloud.recv(1)
                if not more:
                    return
                answer += more
            if answer != b"ok\n":
                return
            threading.Thread(target=_carry, args=(client, cloud), daemon=True).start()
            _carry(cloud, client)

    def close(self) -> None:
        """Listen no more."""
        self._listening.close()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE_B):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
