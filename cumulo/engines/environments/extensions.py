"""The Extensions API of one environment: programs beside the runtime that take part in its phases.

Source: AWS Lambda Developer Guide, "Using the Lambda Extensions API to create extensions".
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from cumulo.engines.environments import package_paths
from cumulo.engines.environments.api_connections import ApiConnection, Request
from cumulo.engines.environments.builds import Build, Invocation
from cumulo.engines.images import roots

VERSION = "/2020-01-01/extension/"
INVOKE, SHUTDOWN = "INVOKE", "SHUTDOWN"
MOST = 10
NAME, IDENTIFIER = b"lambda-extension-name", b"lambda-extension-identifier"
ERROR_TYPE = b"lambda-extension-function-error-type"
NOT_FOR_EXTENSIONS = (
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_AWS_XRAY_DAEMON_ADDRESS",
    "_AWS_XRAY_DAEMON_PORT", "_HANDLER", "_LAMBDA_TELEMETRY_LOG_FD",
)  # fmt: skip


class Extension:
    """One that is expected or has registered."""

    def __init__(self, name: str, external: bool) -> None:
        self.name = name
        self.external = external
        self.identifier = ""
        self.events: tuple[str, ...] = ()
        self.waiting: ApiConnection | None = None
        self.ready = False
        """It asked for its first event."""
        self.busy = False
        """It has an event and has not asked for the next."""
        self.ended = False
        self.pending: dict[str, Any] | None = None
        """An event that came before it asked."""


class Life(Protocol):
    """What happens to the environment."""

    def extensions_registered(self) -> None:
        """All external ones have: the runtime may begin."""

    def extension_waits(self) -> None:
        """One asked for its next event."""

    def extension_failed(self, name: str, error_type: str, reason: str) -> None:
        """One told an error, or ended."""


class Extensions:
    """All of one environment."""

    def __init__(self, life: Life, build: Build, names: list[str]) -> None:
        """`names`: the files in /opt/extensions."""
        self._life = life
        self._build = build
        self._all = {name: Extension(name, True) for name in names}
        self._by_identifier: dict[str, Extension] = {}
        self._events = 0
        self.runtime_began = False
        """The runtime asked for its first event: it is too late for internal extensions."""

    def __bool__(self) -> bool:
        return bool(self._all)

    @property
    def all(self) -> list[Extension]:
        """The external ones that are expected, and those that registered."""
        return list(self._all.values())

    @property
    def registered(self) -> list[Extension]:
        """Those that have registered."""
        return [each for each in self._all.values() if each.identifier]

    @property
    def ready(self) -> bool:
        """Whether all have asked for their first event."""
        return all(each.ready for each in self._all.values())

    @property
    def busy(self) -> bool:
        """Whether any works on an event."""
        return any(each.busy for each in self._all.values())

    @property
    def external(self) -> bool:
        """Whether there are external ones."""
        return any(each.external for each in self._all.values())

    def find(self, request: Request) -> Extension | None:
        """The extension that a request comes from."""
        return self._by_identifier.get(request.headers.get(IDENTIFIER, b"").decode("latin-1"))

    # events

    def invoke(self, invocation: Invocation, deadline_ms: int) -> None:
        """Tell those that registered for INVOKE."""
        event = {
            "eventType": INVOKE,
            "deadlineMs": deadline_ms,
            "requestId": invocation.request_id,
            "invokedFunctionArn": invocation.invoked_arn,
            "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
        }
        self._tell(INVOKE, event)

    def shut_down(self, reason: str, deadline_ms: int) -> bool:
        """Tell those that registered for SHUTDOWN; whether there are any."""
        return self._tell(SHUTDOWN, {"eventType": SHUTDOWN, "shutdownReason": reason, "deadlineMs": deadline_ms})

    def _tell(self, kind: str, event: dict[str, Any]) -> bool:
        told = [each for each in self.registered if kind in each.events and not each.ended]
        for each in told:
            each.busy = True
            connection, each.waiting = each.waiting, None
            if connection is not None:
                self._send(connection, event)
            else:
                each.pending = event
        return bool(told)

    def _send(self, connection: ApiConnection, event: dict[str, Any]) -> None:
        self._events += 1
        head = f"Lambda-Extension-Event-Identifier: {_identifier(self._events)}\r\n"
        connection.send(200, head.encode(), json.dumps(event).encode())

    def forget(self, connection: ApiConnection) -> None:
        """It hung up."""
        for each in self._by_identifier.values():
            if each.waiting is connection:
                each.waiting = None

    def process_ended(self, name: str, reason: str) -> None:
        """Its process is gone."""
        found = self._all.get(name)
        if found is not None and not found.ended:
            found.ended, found.busy, found.ready, found.waiting = True, False, True, None
            self._life.extension_failed(name, "Extension.Crash", reason)

    # requests

    def answer(self, connection: ApiConnection, request: Request) -> None:
        """A request below /2020-01-01/extension/."""
        path = request.path[len(VERSION) :]
        if path == "register" and request.method == b"POST":
            return self._register(connection, request)
        found = self.find(request)
        if found is None:
            return unknown(connection, request)
        if path == "event/next" and request.method == b"GET":
            return self._next(connection, found)
        if path in ("init/error", "exit/error") and request.method == b"POST":
            return self._error(connection, request, found)
        return connection.send(404, b"", b"404 page not found\n", "text/plain; charset=utf-8")

    def _register(self, connection: ApiConnection, request: Request) -> None:
        name = request.headers.get(NAME, b"").decode("latin-1")
        if not name:
            return connection.refuse(403, "Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = json.loads(request.payload() or b"{}").get("events", [])
            iter(events)
        except (ValueError, AttributeError, TypeError, RecursionError):
            return connection.refuse(403, "InvalidRequestFormat", "Bad request: the body is not JSON")
        found = self._all.get(name)
        if found is None:
            if self.runtime_began:
                return connection.refuse(
                    403, "Extension.RegistrationClosed", "Extension registration closed already, the init phase is over"
                )
            if len(self._all) >= MOST:
                return connection.refuse(403, "Extension.TooManyExtensions", "Extension limit (10) reached")
            found = Extension(name, False)
        elif found.identifier:
            return connection.refuse(403, "Extension.AlreadyRegistered", f"Extension {name} has already registered")
        allowed = (INVOKE, SHUTDOWN) if found.external else (INVOKE,)
        for event in events:
            if event not in allowed:
                text = (
                    f"{event}: event type not supported for {'external' if found.external else 'internal'} extensions"
                )
                return connection.refuse(403, "Extension.InvalidEventType", text)
        self._all[name] = found
        found.events = tuple(dict.fromkeys(events))
        found.identifier = _identifier(len(self._by_identifier) + 1, "e")
        self._by_identifier[found.identifier] = found
        body = {
            "functionName": self._build.function_name,
            "functionVersion": self._build.function_version,
            "handler": self._build.handler,
        }
        if b"accountid" in request.headers.get(b"lambda-extension-accept-feature", b"").lower():
            body["accountId"] = (self._build.function_arn.split(":") + [""] * 5)[4]
        head = f"Lambda-Extension-Identifier: {found.identifier}\r\n"
        connection.send(200, head.encode(), json.dumps(body).encode())
        if found.external and all(each.identifier for each in self._all.values() if each.external):
            self._life.extensions_registered()

    def _next(self, connection: ApiConnection, found: Extension) -> None:
        found.ready = True
        if found.pending is not None:
            pending, found.pending = found.pending, None
            return self._send(connection, pending)
        found.waiting = connection
        found.busy = False
        self._life.extension_waits()

    def _error(self, connection: ApiConnection, request: Request, found: Extension) -> None:
        error_type = request.headers.get(ERROR_TYPE, b"Extension.Unknown").decode("latin-1")
        connection.accept()
        try:
            reason = str(json.loads(request.payload() or b"{}").get("errorMessage", error_type))
        except (ValueError, AttributeError, RecursionError):
            reason = error_type
        found.ended, found.busy, found.ready = True, False, True
        self._life.extension_failed(found.name, error_type, reason)


def unknown(connection: ApiConnection, request: Request) -> None:
    """Refuse a request of nobody who has registered."""
    if IDENTIFIER not in request.headers:
        return connection.refuse(
            403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header"
        )
    return connection.refuse(403, "Extension.UnknownExtensionIdentifier", "Unknown extension identifier")


def _identifier(number: int, kind: str = "0") -> str:
    """In the form of a UUID; it needs to differ from the others of this environment alone."""
    return f"{kind * 8}-0000-4000-8000-{number:012x}"


def names(build: Build) -> list[str]:
    """The external extensions that the layers or the image bring: the files in /opt/extensions."""
    if build.image is not None:
        return roots.files_in(build.image, "opt/extensions")
    found: set[str] = set()
    for layer in build.layers:
        folder = package_paths.find(layer, "extensions")
        if folder is not None and folder.is_dir():
            found.update(
                file.name for file in folder.iterdir() if package_paths.is_program(layer, f"extensions/{file.name}")
            )
    return sorted(found)
