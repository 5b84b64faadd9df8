"""The cloud's own HTTP paths, beside AWS's API: /_cumulo for people and our commands, /_localstack for their tools.

The /_localstack paths answer in the forms that LocalStack documents ("Internal Endpoints"), so health checks,
Testcontainers modules and wait scripts work as they are.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cumulo.core import coverage
from cumulo.hooks import STAGES, Hooks
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from cumulo.core.runtime import Runtime
    from cumulo.gateway.server import Server
    from cumulo.settings import Settings
    from cumulo.wire.http import Request

__all__ = ["PREFIXES", "Cloud", "Hooks", "answer", "respond"]

PREFIXES = ("/_cumulo/", "/_localstack/", "/_aws/health")
SCRUB = "/_cumulo/scrub"
PACKAGES = "/_cumulo/lambda/packages/"
SHIPPED = "/_cumulo/lambda/logs"
FOR_FUNCTIONS = ("/_localstack/health", "/_aws/health", "/_cumulo/ca.pem", "/_cumulo/coverage")
"""What answers inside functions, beside PACKAGES, whose links are signed. The rest tells of the machine and of what all
accounts do, or makes work: a function has the rights of its role alone."""
LOCALSTACK_VERSION = "4.0.0"  # the version whose answers these are; tools compare it
RECENT = 100
Answer = tuple[int, str, bytes]  # status, content type, body


class Cloud(Protocol):
    """What these paths need of the running cloud."""

    settings: Settings
    version: str
    started_at: float
    hooks: Hooks
    runtime: Runtime
    server: Server

    @property
    def port(self) -> int:
        """The port that the gateway listens on."""


class Exchange(Protocol):
    """What these paths need of the gateway's exchange."""

    request: Request

    def respond(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        """Send the whole answer."""


def is_for_functions(path: str) -> bool:
    """Whether a path of the cloud's own answers inside functions."""
    return path.startswith(PACKAGES) or path.rstrip("/") in FOR_FUNCTIONS


def answer(cloud: Cloud, exchange: Exchange) -> Coroutine[Any, Any, None] | None:
    """Answer one request to one of these paths, at once."""
    request = exchange.request
    if request.path.rstrip("/") == SCRUB and request.method == "GET":
        return _scrub(cloud, exchange)
    if request.path.rstrip("/") == SHIPPED and request.method == "GET":
        return _shipped(cloud, exchange)
    if request.path.startswith(PACKAGES) and request.method in ("GET", "HEAD"):
        return _package(cloud, exchange)
    status, kind, body = respond(cloud, request.method, request.path, _parameters(request.query))
    if request.method == "HEAD":
        body = b""
    exchange.respond(status, [("Content-Type", kind)], body)
    return None


def respond(cloud: Cloud, method: str, path: str, parameters: Mapping[str, str]) -> Answer:
    """Status, content type and body for a path; 404 names the paths that there are."""
    if method not in ("GET", "HEAD"):
        return _json({"message": f"{path} is read with GET"}, 405)
    path = path.rstrip("/")
    if path in ("/_localstack/health", "/_aws/health"):
        return _json(_localstack_health(cloud))
    if path == "/_localstack/info":
        return _json(_localstack_info(cloud))
    if path == "/_localstack/init":
        return _json(cloud.hooks.report())
    if path.startswith("/_localstack/init/"):
        stage = path.rpartition("/")[2].lower()
        if stage in STAGES:
            return _json(cloud.hooks.report(stage))
        return _json({"message": f"no stage {stage}; there are {', '.join(STAGES)}"}, 404)
    if path == "/_cumulo/health":
        return _json(_health(cloud))
    if path == "/_cumulo/coverage":
        return _coverage(cloud, parameters.get("service"))
    if path == "/_cumulo/requests":
        return _requests(cloud, parameters)
    if path == "/_cumulo/ca.pem":
        return _ca(cloud)
    return _json(
        {"message": f"no {path}; there are /_cumulo/health, coverage, requests, scrub, lambda/logs, ca.pem"}, 404
    )


async def _scrub(cloud: Cloud, exchange: Exchange) -> None:
    """A page of `cumulo scrub`: `after` is what the page before said."""
    from cumulo.services.storage.s3.stored import scrubs

    after = _parameters(exchange.request.query).get("after", "")
    ctx = cloud.runtime.internal_context("s3", "Scrub", "", "")
    try:
        report = await scrubs.scrub(ctx, after)
    except ValueError:
        status, kind, body = _json({"message": "after is what the page before said"}, 400)
    else:
        status, kind, body = _json(report)
    exchange.respond(status, [("Content-Type", kind)], body)


async def _shipped(cloud: Cloud, exchange: Exchange) -> None:
    """Answers when CloudWatch Logs has what functions have written until now: `cumulo logs` asks before it reads."""
    from cumulo.services.compute.lambda_.running import log_shipping

    await log_shipping.shipped(cloud.runtime)
    status, kind, body = _json({"shipped": True})
    exchange.respond(status, [("Content-Type", kind)], body)


async def _package(cloud: Cloud, exchange: Exchange) -> None:
    """The archive of a function or a layer, by a link that Lambda gave out."""
    from cumulo.services.compute.lambda_.packages import downloads

    request = exchange.request
    ctx = cloud.runtime.internal_context("lambda", "Download", "", "")
    path = await downloads.path_of(ctx, request.path.removeprefix(PACKAGES), _parameters(request.query))
    if path is None:
        exchange.respond(403, [("Content-Type", "text/plain")], b"This link is not, or no longer, valid.\n")
        return
    body = b"" if request.method == "HEAD" else await ctx.in_thread(path.read_bytes)
    exchange.respond(200, [("Content-Type", "application/zip")], body)


def _json(value: object, status: int = 200) -> Answer:
    return status, "application/json", msgspec.json.encode(value)


def _parameters(query: str) -> dict[str, str]:
    return dict(pair.partition("=")[::2] for pair in query.split("&") if pair) if query else {}


def _services(cloud: Cloud) -> list[str]:
    return sorted(cloud.runtime.registry.names)


def _uptime_s(cloud: Cloud) -> float:
    return max(0.0, cloud.runtime.clock.wall() - cloud.started_at)


def _health(cloud: Cloud) -> dict[str, Any]:
    settings = cloud.settings
    return {
        "status": "running",
        "version": cloud.version,
        "pid": os.getpid(),
        "port": cloud.port,
        "tls": settings.tls,
        "iam": settings.iam,
        "uptime_s": round(_uptime_s(cloud), 3),
        "data_dir": str(settings.data_dir),
        "store": cloud.runtime.store.name,
        "node": str(cloud.runtime.store.node_id),
        "services": dict.fromkeys(_services(cloud), "running"),
    }


def _localstack_health(cloud: Cloud) -> dict[str, Any]:
    return {
        "services": dict.fromkeys(_services(cloud), "running"),
        "edition": "cumulo",
        "version": LOCALSTACK_VERSION,
    }


def _localstack_info(cloud: Cloud) -> dict[str, Any]:
    import datetime

    now = datetime.datetime.fromtimestamp(cloud.runtime.clock.wall(), datetime.UTC)
    return {
        "version": f"{LOCALSTACK_VERSION}:cumulo-{cloud.version}",
        "edition": "cumulo",
        "is_license_activated": False,
        "session_id": str(cloud.runtime.store.node_id),
        "machine_id": "cumulo",
        "system": sys.platform,
        "is_docker": False,
        "server_time_utc": now.strftime("%Y-%m-%dT%H:%M:%S"),
        "uptime": int(_uptime_s(cloud)),
    }


def _coverage(cloud: Cloud, service: str | None) -> Answer:
    registry = cloud.runtime.registry
    try:
        if service:
            return _json({service: coverage.of_service(registry.service(service))})
        return _json(coverage.of_cloud(registry))
    except Fault:
        return _json({"message": f"no service {service}; there are {', '.join(_services(cloud))}"}, 404)


def _requests(cloud: Cloud, parameters: Mapping[str, str]) -> Answer:
    """The newest calls, or with `id` the one; `limit` at most 1000."""
    journal = cloud.runtime.journal
    if "id" in parameters:
        call = journal.find(parameters["id"])
        return _json(call) if call is not None else _json({"message": f"no request {parameters['id']}"}, 404)
    limit = parameters.get("limit", str(RECENT))
    if not limit.isdecimal():
        return _json({"message": "limit is a number"}, 400)
    journal.flush()  # whoever reads the files next finds them complete
    return _json(journal.recent(min(int(limit), 1000)))


def _ca(cloud: Cloud) -> Answer:
    """The certificate of the local CA, to be trusted by clients of https; made when first asked for."""
    authority = cloud.server.authority
    if authority is None:
        return _json({"message": "this cloud does not answer https: it was started with --no-tls"}, 404)
    return 200, "application/x-pem-file", authority.ca_path().read_bytes()
