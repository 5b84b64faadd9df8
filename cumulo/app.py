"""The house put together: gateway, wire, core and services, and the path of a request through them.

gateway → route → authenticate → parse → validate → authorize → handle → commit → answer → journal
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo import __version__, dropin, faces
from cumulo.core import access
from cumulo.core.callers import credentials
from cumulo.core.clock import Clock
from cumulo.core.context import Context
from cumulo.core.errors import INTERNAL_FAILURE
from cumulo.core.ids import Ids
from cumulo.core.runtime import Runtime
from cumulo.faces import pages
from cumulo.gateway.exchange import Exchange
from cumulo.gateway.hosts import Hosts
from cumulo.gateway.server import Server
from cumulo.gateway.tls import Authority
from cumulo.inside import Inside
from cumulo.settings import Settings
from cumulo.store import open_store
from cumulo.wire import models
from cumulo.wire.faults import Fault
from cumulo.wire.http import Request
from cumulo.wire.routing import Route, Router
from cumulo.wire_calls import StreamingCall, WireCall

if TYPE_CHECKING:
    from cumulo.gateway.streams import Stream
    from cumulo.store.transaction import Transaction

logger = logging.getLogger("cumulo")

DEBUGGER_GREETING = b"cumulo-debug "  # see `debugger`
ACCELERATOR_GREETING = b"gJ7yne5G"  # how clients of DynamoDB Accelerator begin
SIGNING_CERTIFICATES = "/SimpleNotificationService-"
TOKEN_ISSUERS = "/_cumulo/issuers/"
_QUIET_S = 0.5  # after a start, before what nobody waits for


def service_packages() -> dict[str, str]:
    """The services that are there: botocore's name → package. A folder in a family is a service."""
    root = Path(__file__).parent / "services"
    found: dict[str, str] = {}
    for init in root.glob("*/*/__init__.py"):
        family, package = init.parent.parent.name, init.parent.name
        found[package.rstrip("_").replace("_", "-")] = f"cumulo.services.{family}.{package}"
    return found


class Cloud:
    """One cumulo: start it, stop it, ask it. Tests run it in a thread; `serve` runs it for good."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or Clock()
        self.started_at = self.clock.wall()
        self.version = __version__
        self.router: Router
        self.runtime: Runtime
        self.server: Server
        self.authority: Authority
        self.hooks = dropin.Hooks(settings)
        self.root_key: tuple[str, str] | None = None  # id and secret, in the one start that makes it

    @property
    def port(self) -> int:
        """The port that the gateway listens on."""
        return self.server.port

    @property
    def url(self) -> str:
        """The endpoint, as in AWS_ENDPOINT_URL."""
        return f"http://localhost:{self.port}"

    async def start(self) -> None:
        """Open the store, begin to listen, take up unfinished work."""
        settings = self.settings
        models.configure(settings.cache_dir)
        access.configure(settings.cache_dir)
        if settings.runtimes:
            from cumulo.engines.environments import runtimes

            runtimes.configure(settings.runtimes)
        packages = service_packages()
        store = open_store(settings.store, settings.data_dir, asyncio.get_running_loop())
        listens = False
        try:
            self.router = Router(packages)
            self.runtime = Runtime(
                store,
                packages,
                data_dir=settings.data_dir,
                cache_dir=settings.cache_dir,
                endpoint=settings.url,
                clock=self.clock,
                ids=Ids(settings.seed),
                local_keys=settings.loopback,
                audit=settings.iam == "audit",
                throttling=settings.throttling,
                isolation=settings.isolation,
            )
            self.server = self._server()
            await self.server.start()
            listens = True
            self.runtime.endpoint = self.url
            self.runtime.adopt = self._adopt
            self.runtime.trust = self.authority.ca_path if settings.tls else None
            self.hooks.endpoint = lambda: self.url
            await self.runtime.open()
            if settings.seed is None:  # chance that comes at no certain moment cannot be replayed
                self.runtime.spawn(self.prepare_root_key(_QUIET_S))
            if not settings.loopback:
                self.root_key = await store.run(self._first_root_key)
            return
        except BaseException as error:
            failure = error  # raised below: mypyc frees too much where `raise` follows `await` in `except`
        if listens:
            await self.server.drain(0)
            await self.runtime.close()
        await store.close()
        raise failure

    async def prepare_root_key(self, after_s: float) -> None:
        """Make the file of KMS's root key off the loop, before a call inside a transaction is the first to need it."""
        if (self.settings.data_dir / "kms" / "root.key").exists():
            return
        await asyncio.sleep(after_s)
        from cumulo.services.identity.kms import root_keys

        try:
            await root_keys.prepare(self.runtime.internal_context("kms", "PrepareRootKey", "", ""))
        except Exception as error:  # whoever needs the key is told
            logger.warning("the root key of KMS could not be made yet: %s", error)

    def _first_root_key(self, txn: Transaction) -> tuple[str, str] | None:
        """Beyond loopback unknown keys are refused: the first such start makes a real one, for the account's root."""
        account = credentials.DEFAULT_ACCOUNT
        ctx = self.runtime.internal_context("sts", "CreateRootKey", account, "us-east-1")
        ctx.enter(txn)
        try:
            if credentials.keys_of(ctx, credentials.root(account).arn):
                return None
            issued = credentials.create_root_key(ctx, account)
            return issued.key.access_key_id, issued.secret
        finally:
            ctx.enter(None)

    def _server(self) -> Server:
        settings = self.settings
        hosts = Hosts(settings.allowed_hosts, settings.allowed_origins)
        hosts.service_decides = pages.decides
        self.authority = Authority(settings.data_dir / "ca", hosts, self.clock.wall)
        return Server(
            self,
            clock=self.clock.wall,
            host=settings.host,
            port=settings.port,
            limits=settings.limits,
            hosts=hosts,
            authority=self.authority if settings.tls else None,  # costs nothing until a client speaks TLS
            greetings={ACCELERATOR_GREETING: self._accelerate, DEBUGGER_GREETING: self._debug},
        )

    async def _adopt(self, listening: socket.socket) -> Callable[[], None]:
        """Serve the cloud inside a function's environment; no debugger, which would lead into other functions."""
        return await self.server.adopt(listening, Inside(self), {ACCELERATOR_GREETING: self._accelerate})

    async def _accelerate(self, stream: Stream) -> None:
        from cumulo.accelerator import Session

        await Session(self.runtime, stream).run()

    async def _debug(self, stream: Stream) -> None:
        from cumulo.debugger import Session

        await Session(self.runtime, stream).run()

    async def stop(self) -> None:
        """Finish what is being answered, then close everything in order."""
        await self.server.drain(self.settings.drain_timeout_s)
        await self.runtime.close()
        await self.runtime.store.close()

    # --- the gateway's application -----------------------------------------------------------------

    def wants_stream(self, request: Request) -> bool:
        """Whether the operation takes its body as a stream."""
        if faces.is_function_url(request) or faces.is_log_ingestion(request):
            return False
        if faces.is_upload(request):
            return True
        try:
            route = self.router.head(request)
            if route is None or not route.operation.streaming_input:  # no need to load the service, then
                return False
            return self.runtime.registry.service(route.service.name).handler(route.operation.name).streams
        except Fault:
            return False

    def continue_(self, request: Request) -> bool:
        """Whether a client that asks first may send its body; a streamed one is asked for when it is read."""
        return True

    def handle(self, exchange: Exchange) -> Coroutine[Any, Any, None] | None:
        """Answer one request; the coroutine, if any, is run by the gateway."""
        request = exchange.request
        if faces.is_function_url(request):
            from cumulo.faces import function_urls

            return function_urls.serve(self, exchange, self.runtime.ids.uuid())
        if faces.is_log_ingestion(request):
            from cumulo.faces import log_ingestion

            return log_ingestion.serve(self, exchange, self.runtime.ids.uuid())
        if request.path.startswith(TOKEN_ISSUERS) and request.method == "GET":
            return self._issuer(exchange)
        if request.path.startswith(dropin.PREFIXES):
            return dropin.answer(self, exchange)
        if request.path.startswith(SIGNING_CERTIFICATES) and request.method == "GET":
            return self._certificate(exchange)
        request_id = self.runtime.ids.uuid()
        if "authorization" not in request.headers:  # what browsers send
            waiting = faces.answer(self, exchange, request_id)
            if waiting is not None:
                return waiting
        try:
            route = self.router.route(request)
        except Fault as fault:
            # A service that is not here is refused by its name; what has no path at all is S3's, as on AWS.
            known = fault.code == "NotImplemented"
            answer = None if known else faces.refusal(request, request_id)
            exchange.respond(*(answer or self.router.fault(request, fault, request_id)))
            return None
        if not self.runtime.registry.is_loaded(route.service.name):
            self._first_call(exchange, request, route, request_id)
            return None
        return self._answer(exchange, request, route, request_id)

    def _first_call(self, exchange: Exchange, request: Request, route: Route, request_id: str) -> None:
        """The first call of a service loads it, which takes a tenth of a second and more: others are answered then."""

        def loaded(loading: asyncio.Future[Any]) -> None:
            loading.exception()  # what went wrong is said again, and answered, by what asks for the service now
            waiting = self._answer(exchange, request, route, request_id)
            if waiting is not None:
                exchange.follow(waiting)

        load = self.runtime.registry.service
        asyncio.get_running_loop().run_in_executor(None, load, route.service.name).add_done_callback(loaded)

    def _answer(
        self, exchange: Exchange, request: Request, route: Route, request_id: str
    ) -> Coroutine[Any, Any, None] | None:
        try:
            return self._call(exchange, request, route, request_id)
        except Fault as fault:
            exchange.respond(*route.fault(fault, request_id))
        except Exception as error:
            logger.error("request %s, %s failed", request_id, route.operation.name, exc_info=error)
            exchange.respond(*route.fault(INTERNAL_FAILURE(), request_id))
        return None

    async def _certificate(self, exchange: Exchange) -> None:
        """The certificate that SNS's signatures are checked with; its URL on AWS's host leads here too."""
        from cumulo.services.messaging.sns import signatures

        def read(txn: Transaction) -> str | None:
            ctx = self.runtime.internal_context("sns", "SigningCertificate", "", "")
            ctx.enter(txn)
            return signatures.certificate(ctx, exchange.request.path)

        pem = await self.runtime.store.run(read)
        status = 404 if pem is None else 200
        exchange.respond(status, [("Content-Type", "application/x-pem-file")], (pem or "").encode())

    async def _issuer(self, exchange: Exchange) -> None:
        """What an account publishes that issues tokens about its own principals: where its keys are, and the keys."""
        import msgspec

        from cumulo.services.identity.iam.federation import outbound_federation

        def read(txn: Transaction) -> dict[str, Any] | None:
            ctx = self.runtime.internal_context("iam", "TokenIssuer", "", "")
            ctx.enter(txn)
            return outbound_federation.published(ctx, exchange.request.path)

        found = await self.runtime.store.run(read)
        status = 404 if found is None else 200
        exchange.respond(status, [("Content-Type", "application/json")], msgspec.json.encode(found or {}))

    def context(self, request: Request, route: Route, request_id: str) -> Context:
        """The context of a call over the wire, whose caller is not known yet."""
        runtime = self.runtime
        service = route.service.name
        host = request.host
        return Context(
            runtime,
            service=service,
            operation=route.operation.name,
            account="",
            region=route.region,
            principal=credentials.ANONYMOUS,
            request_id=request_id,
            handler=runtime.registry.service(service).handler(route.operation.name),
            endpoint=f"{request.scheme}://{host}" if host else runtime.endpoint,
            headers=route.request.headers,
            protocol=route.protocol,
            source_ip=request.peer,
            target=request.target,
        )

    def _call(
        self, exchange: Exchange, request: Request, route: Route, request_id: str
    ) -> Coroutine[Any, Any, None] | None:
        ctx = self.context(request, route, request_id)
        handler = ctx.handler
        assert handler is not None
        if handler.streams:
            return self.runtime.start(ctx, StreamingCall(exchange, route, ctx))
        return self.runtime.start(ctx, WireCall(exchange, route, ctx))


async def serve(settings: Settings, *, on_ready: Callable[[Cloud], None] | None = None) -> None:
    """Run a cloud until SIGTERM or SIGINT, then drain and close it."""
    cloud = Cloud(settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stopping.set)
    await cloud.hooks.run("boot")
    await cloud.start()
    try:
        await cloud.hooks.run("start")
        # What is there now stays: the collector need not look at it, now or again.
        gc.freeze()
        # A request leaves nothing in cycles, so the collector need not look after every 700 objects: at 30 clients
        # that was a twentieth of all CPU.
        gc.set_threshold(20_000, 20, 50)
        gc.enable()
        sys.setswitchinterval(0.001)
        if on_ready is not None:
            on_ready(cloud)
        ready = loop.create_task(cloud.hooks.run("ready"))
        await stopping.wait()
        ready.cancel()  # a script that still runs is ended: a stop does not wait for it
        await asyncio.wait([ready])
    finally:
        await cloud.hooks.run("shutdown")
        await cloud.stop()
