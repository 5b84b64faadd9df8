"""The Telemetry API of one environment, and the Logs API before it: extensions are sent the log and its events.

Source: AWS Lambda Developer Guide, "Accessing real-time telemetry data for extensions using the Telemetry API", "Lambda
Telemetry API reference" and "Using the Lambda Logs API".
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from cumulo.engines.environments.api_connections import ApiConnection, Request
from cumulo.engines.environments.platform_events import iso

PATH, LOGS_PATH = "/2022-07-01/telemetry", "/2020-08-15/logs"
SCHEMAS = ("2022-07-01", "2022-12-13", "2025-01-29")
LOGS_SCHEMAS = ("2020-08-15", "2021-03-18")
TYPES = ("platform", "function", "extension")
HOSTS = ("sandbox", "sandbox.localdomain", "localhost", "127.0.0.1")
RESERVED_PORT = 9001
EARLY_EVENTS, EARLY_CHARACTERS = 10_000, 4 << 20
"""Of the init that are kept."""
METHODS = ("POST", "PUT")
RETRIES_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
PATIENCE_S = 5.0
FALLEN_BEHIND = "Consumer seems to have fallen behind as it has not acknowledged receipt of logs."
OLD_EVENTS = ("start", "end", "report", "fault", "extension", "logsSubscription", "logsDropped", "runtimeDone")
Event = dict[str, Any]
Connect = Callable[[int], Awaitable[socket.socket]]
"""Connects to a port inside the environment."""


class Invalid(Exception):
    """A request that is refused."""


class Subscription:
    """Who wants what, and what waits to be sent."""

    def __init__(self, name: str, wanted: dict[str, Any], old: bool, connect: Connect) -> None:
        self.name = name
        self.old = old
        self._connect = connect
        self._read(wanted)
        self._buffer: list[bytes] = []
        self._bytes = 0
        self._dropped = [0, 0]
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None

    def _read(self, wanted: dict[str, Any]) -> None:
        problems = []
        self.types = tuple(wanted.get("types") or ())
        if not self.types:
            problems.append("types should not be empty")
        problems += [f"type {each} is not supported" for each in self.types if each not in TYPES]
        self.schema = wanted.get("schemaVersion") or (LOGS_SCHEMAS[0] if self.old else "")
        if self.schema not in (LOGS_SCHEMAS if self.old else SCHEMAS):
            problems.append(f"schemaVersion {self.schema} is not supported")
        destination = wanted.get("destination") or {}
        self.protocol = destination.get("protocol", "HTTP")
        if self.protocol not in ("HTTP", "TCP"):
            problems.append(f"protocol {self.protocol} is not supported")
        self.method = destination.get("method", "POST")
        if self.method not in METHODS:
            problems.append(f"method {self.method} is not supported")
        uri = urlsplit(destination.get("URI") or "")
        self.path = uri.path or "/"
        self.port = destination.get("port") or uri.port or 0
        if not self.port:
            problems.append("URI port is not provided")
        elif not isinstance(self.port, int) or not 0 < self.port < 65536:
            problems.append("port is not valid")
        elif self.port == RESERVED_PORT:
            problems.append(f"port {RESERVED_PORT} is reserved")
        if self.protocol == "HTTP" and uri.hostname not in HOSTS:
            problems.append("URI host should be sandbox.localdomain")
        buffering = wanted.get("buffering") or {}
        self.most_items = _within(buffering, "maxItems", 10_000, 1000, 10_000, problems)
        self.most_bytes = _within(buffering, "maxBytes", 262_144, 262_144, 1_048_576, problems)
        self.wait_s = _within(buffering, "timeoutMs", 1000, 25, 30_000, problems) / 1000
        if problems:
            raise Invalid("; ".join(problems))

    def add(self, event: Event) -> None:
        """Buffer an event; it is sent with others."""
        if event["type"].partition(".")[0] not in self.types:
            return
        if self.old:
            name = event["type"].partition(".")[2]
            if name and (name not in OLD_EVENTS or (name == "runtimeDone" and self.schema == LOGS_SCHEMAS[0])):
                return
        elif event["type"] in ("platform.end", "platform.fault", "platform.logsSubscription"):
            return
        data = json.dumps(event, separators=(",", ":")).encode()
        if self._bytes + len(data) > 2 * self.most_bytes:
            self._dropped[0] += 1
            self._dropped[1] += len(data)
            return
        self._buffer.append(data)
        self._bytes += len(data)
        if len(self._buffer) >= self.most_items or self._bytes >= self.most_bytes:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self.wait_s, self.flush)

    def flush(self) -> None:
        """Send what there is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._buffer and self._sending is None:
            self._sending = asyncio.get_running_loop().create_task(self._send())
            self._sending.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending = None
        if not task.cancelled() and task.exception() is None and self._bytes >= self.most_bytes:
            self.flush()

    def close(self) -> None:
        """Send no more."""
        self._buffer.clear()
        if self._timer is not None:
            self._timer.cancel()
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        while self._buffer:
            buffer, self._buffer, self._bytes = self._buffer, [], 0
            if self._dropped[0]:
                records, size = self._dropped
                self._dropped = [0, 0]
                record = {"droppedRecords": records, "droppedBytes": size, "reason": FALLEN_BEHIND}
                buffer.append(json.dumps({"type": "platform.logsDropped", "record": record}).encode())
            for wait_s in RETRIES_S:
                try:
                    await asyncio.wait_for(self._deliver(buffer), PATIENCE_S)
                    break
                except (OSError, ValueError, TimeoutError, EOFError):
                    await asyncio.sleep(wait_s)
            else:
                self._dropped[0] += len(buffer)
                self._dropped[1] += sum(map(len, buffer))

    async def _deliver(self, buffer: list[bytes]) -> None:
        made = await self._connect(self.port)
        connect = asyncio.open_unix_connection if made.family == socket.AF_UNIX else asyncio.open_connection
        reader, writer = await connect(sock=made)
        try:
            if self.protocol == "TCP":
                writer.write(b"".join(each + b"\n" for each in buffer))
                await writer.drain()
                writer.close()
                await writer.wait_closed()
                return
            body = b"[" + b",".join(buffer) + b"]"
            head = (
                f"{self.method} {self.path} HTTP/1.1\r\nHost: sandbox.localdomain:{self.port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()
            status = int((await reader.readline()).split(b" ")[1])
            if status >= 300:
                raise ValueError(status)
        except IndexError:
            raise ValueError("no HTTP") from None
        finally:
            writer.transport.abort()  # a subscriber that reads nothing would keep it, and us, for good


def _within(buffering: dict[str, Any], name: str, default: int, least: int, most: int, problems: list[str]) -> int:
    value = buffering.get(name, default)
    if not isinstance(value, int) or not least <= value <= most:
        problems.append(f"{name} should be between {least} and {most}")
        return default
    return value


class Telemetry:
    """The subscriptions of one environment. Events of the init are kept for those who subscribe during it."""

    def __init__(self, now: Callable[[], float], connect: Connect) -> None:
        self._now = now
        self._connect = connect
        self._all: dict[str, Subscription] = {}
        self._early: list[Event] | None = []
        self._early_size = 0

    def __bool__(self) -> bool:
        return bool(self._all) or self._early is not None

    def add(self, kind: str, record: Any) -> None:
        """Something happened."""
        event = {"time": iso(self._now()), "type": kind, "record": record}
        if self._early is not None and len(self._early) < EARLY_EVENTS and self._early_size < EARLY_CHARACTERS:
            self._early.append(event)
            self._early_size += len(record) if isinstance(record, str) else 1000
        for each in self._all.values():
            each.add(event)

    def init_over(self) -> None:
        """Nobody can subscribe any more."""
        self._early = None

    def subscribe(self, connection: ApiConnection, request: Request, name: str) -> Subscription | None:
        """Answer a subscription; the new one, if it is."""
        old = request.path == LOGS_PATH
        prefix = "Logs" if old else "Telemetry"
        if self._early is None:
            connection.refuse(403, f"{prefix}.NotAllowed", "Subscriptions are accepted during the init phase only")
            return None
        before = self._all.get(name)
        if before is not None and before.old != old:
            connection.refuse(403, f"{prefix}.NotAllowed", "The extension has subscribed by the other API already")
            return None
        try:
            made = Subscription(name, json.loads(request.payload()), old, self._connect)
        except Invalid as error:
            connection.refuse(400, "Logs.ValidationError" if old else "ValidationError", str(error))
            return None
        except (ValueError, AttributeError, TypeError, RecursionError):
            connection.refuse(400, "Logs.ValidationError" if old else "ValidationError", "the body is not valid JSON")
            return None
        connection.send(200, b"", b'"OK"')
        self._all[name] = made
        for event in self._early:
            made.add(event)
        return made if before is None else None

    def flush(self) -> None:
        """The runtime has ended: nothing is held back."""
        for each in self._all.values():
            each.flush()

    def close(self) -> None:
        """Send no more."""
        for each in self._all.values():
            each.close()
