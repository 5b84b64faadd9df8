"""The running cloud as the commands see it: its directory, its pid file, its health."""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal
from cumulo.settings import Settings

MARKER = "CUMULO"
MARKER_TEXT = "This directory holds the state of a cumulo cloud. `cumulo reset` may delete it.\n"


def prepare_data_dir(data_dir: Path) -> None:
    """Make the directory ours, or refuse: a directory with somebody's files in it and no marker is not ours."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        marker = data_dir / MARKER
        if marker.exists():
            return
        with os.scandir(data_dir) as entries:
            for entry in entries:
                raise Refusal(
                    f"{data_dir} is not empty ({entry.name}) and not a directory of cumulo",
                    "choose another one with --data-dir",
                )
        marker.write_text(MARKER_TEXT)
    except NotADirectoryError:
        raise Refusal(f"{data_dir} is not a directory", "choose another one with --data-dir")
    except FileExistsError:
        raise Refusal(f"{data_dir} is a file", "choose another one with --data-dir")
    except OSError as error:
        raise Refusal(f"cannot use {data_dir}: {error.strerror}", "choose another one with --data-dir")


def is_ours(data_dir: Path) -> bool:
    """Whether the directory carries our marker, so that a reset may delete what is in it."""
    return (data_dir / MARKER).is_file()


def pid_file(settings: Settings) -> Path:
    """Where a running cloud says its process and its port."""
    return settings.data_dir / "cumulo.pid"


def log_file(settings: Settings) -> Path:
    """Where a detached cloud logs."""
    return settings.data_dir / "cumulo.log"


def write_pid_file(settings: Settings, port: int) -> None:
    """Tell `stop`, `status` and `exec` where we are; replaced in one step, so nobody reads half of it."""
    file = pid_file(settings)
    new = file.with_suffix(".new")
    new.write_text(json.dumps({"pid": os.getpid(), "host": settings.host, "port": port}))
    new.replace(file)


def remove_pid_file(settings: Settings) -> None:
    """Forget us, if it is us that the file names."""
    found = read_pid_file(settings)
    if found and found["pid"] == os.getpid():
        pid_file(settings).unlink(missing_ok=True)


def read_pid_file(settings: Settings) -> dict[str, Any] | None:
    """The pid file's content; None when there is none or it is unreadable."""
    try:
        found = json.loads(pid_file(settings).read_text())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("pid"), int) else None


def leave_root_key(settings: Settings, key: tuple[str, str]) -> None:
    """A detached cloud hands its new root key to the command that started it, past the log."""
    descriptor = os.open(settings.data_dir / "root-key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(json.dumps(key))


def take_root_key(settings: Settings) -> tuple[str, str] | None:
    """The root key that a detached cloud left, which is gone with this; None mostly."""
    file = settings.data_dir / "root-key"
    try:
        key_id, secret = json.loads(file.read_text())
    except FileNotFoundError:
        return None
    file.unlink()
    return key_id, secret


def alive(pid: int) -> bool:
    """Whether a process with this id exists (on Windows: assumed, health decides)."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Running:
    """A cloud that answers: its process id, address and health document."""

    def __init__(self, host: str, port: int, health: dict[str, Any]) -> None:
        self.host = host
        self.port = port
        self.health = health
        self.pid = int(health.get("pid") or 0)

    @property
    def url(self) -> str:
        """The endpoint, as for AWS_ENDPOINT_URL."""
        name = "localhost" if self.host in ("127.0.0.1", "::1") else f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.port}"


def find(settings: Settings, options: object = None) -> Running | None:
    """The cloud of this data directory; failing that, a cumulo that answers on the configured port.

    With a `--port` among the options, the one there and no other.
    """
    if getattr(options, "port", None):
        return ask(settings.host, settings.port)
    noted = read_pid_file(settings)
    if noted and alive(noted["pid"]):
        running = ask(str(noted.get("host", settings.host)), int(noted.get("port", settings.port)))
        if running is not None and running.pid in (0, noted["pid"]):
            return running
    return ask(settings.host, settings.port) if settings.port else None


def ask(host: str, port: int) -> Running | None:
    """The cumulo at this address, or None when nothing answers there or something else does."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1", "localhost": "127.0.0.1"}.get(host, host)
    try:
        status, body = get(reachable, port, "/_cumulo/health", timeout_s=3)
        health = json.loads(body) if status == 200 else None
    except (OSError, ValueError):
        return None
    return Running(reachable, port, health) if isinstance(health, dict) and "version" in health else None


def get(host: str, port: int, path: str, *, timeout_s: float = 10) -> tuple[int, bytes]:
    """One GET without http.client, whose import costs more than the answer. Raises OSError, ValueError."""
    with socket.create_connection((host, port), timeout_s) as connection:
        name = f"[{host}]" if ":" in host else host
        head = f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\nAccept: */*\r\n\r\n"
        connection.sendall(head.encode())
        received = bytearray()
        while chunk := connection.recv(65536):
            received += chunk
    head_bytes, found, body = bytes(received).partition(b"\r\n\r\n")
    if not found or not head_bytes.startswith(b"HTTP/1."):
        raise ValueError("not an HTTP answer")
    if b"transfer-encoding: chunked" in head_bytes.lower():
        body = _dechunk(body)
    return int(head_bytes[9:12]), body


def _dechunk(body: bytes) -> bytes:
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        length = int(size.split(b";")[0], 16)
        if not length:
            break
        whole, body = whole + body[:length], body[length + 2 :]
    return whole


def fetch(running: Running, path: str) -> Any:
    """A JSON document of the running cloud, or a Refusal that says why there is none."""
    try:
        status, body = get(running.host, running.port, path, timeout_s=30)
    except (OSError, ValueError) as error:
        raise Refusal(f"{running.url}{path}: {error}")
    if status != 200:
        raise Refusal(f"{running.url}{path} answered {status}: {body[:300].decode('utf-8', 'replace')}")
    return json.loads(body)


def required(settings: Settings, options: object = None) -> Running:
    """The running cloud (see `find`), or a Refusal that says how to start one."""
    running = find(settings, options)
    if running is not None:
        return running
    if getattr(options, "port", None):
        raise Refusal(
            f"no cloud is running on port {settings.port}",
            f"start one with `cumulo start --detach --port {settings.port}`, or see `cumulo status` without --port",
        )
    raise Refusal(
        f"no cloud is running for {settings.data_dir}, nor on port {settings.port}",
        "start one with `cumulo start --detach`",
    )


def process_on(port: int) -> str:
    """Who listens on the port, as "name (process 123)"; "" when that cannot be found out."""
    if not Path("/proc/net/tcp").exists():
        return ""
    sockets = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                sockets.add(f"socket:[{columns[9]}]")
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(entry.readlink()) in sockets for entry in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return ""
