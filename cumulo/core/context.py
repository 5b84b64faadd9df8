"""What an operation knows and may do: one Context per call.

Time, chance, state, other services and the right to do something all come from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core.arns import partition_of
from cumulo.core.callers.identities import pass_role
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.signals import Listener

if TYPE_CHECKING:
    from cumulo.blobs import Blobs
    from cumulo.core.callers.identities import Role
    from cumulo.core.discovery import Handler
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime
    from cumulo.store.transaction import Transaction
    from cumulo.wire.claims import Claim
    from cumulo.wire.http import Headers

T = TypeVar("T")

_NONE_YET: list[Any] = []  # stands for an empty list until there is something to put in; never changed itself


class Context:
    """One call: who calls what, where, and the transaction it runs in."""

    __slots__ = (
        "_listener",
        "_txn",
        "account",
        "actions",
        "audited",
        "authorized",
        "called_via",
        "carried",
        "claim",
        "denial",
        "depth",
        "document",
        "endpoint",
        "gone",
        "handler",
        "headers",
        "held",
        "internal",
        "on_answer",
        "on_wait",
        "operation",
        "principal",
        "protocol",
        "region",
        "request",
        "request_id",
        "resources",
        "runtime",
        "service",
        "source_account",
        "source_arn",
        "source_ip",
        "target",
        "tries",
    )

    def __init__(
        self,
        runtime: Runtime,
        *,
        service: str,
        operation: str,
        account: str,
        region: str,
        principal: Principal,
        request_id: str,
        handler: Handler | None = None,
        endpoint: str = "",
        headers: Headers | None = None,
        protocol: str = "",
        source_ip: str = "",
        source_arn: str = "",
        source_account: str = "",
        internal: bool = False,
        depth: int = 0,
        called_via: tuple[str, ...] = (),
        target: str = "",
    ) -> None:
        self.runtime = runtime
        self.service = service
        self.operation = operation
        self.account = account
        self.region = region
        self.principal = principal
        self.request_id = request_id
        self.handler = handler
        self.endpoint = endpoint or runtime.endpoint
        self.headers = headers
        self.protocol = protocol
        self.source_ip = source_ip
        self.source_arn = source_arn
        self.source_account = source_account
        self.internal = internal
        self.depth = depth
        self.called_via = called_via  # the services that pass this caller's request on, the first first
        self.target = target  # of a call over the wire: path and query as they were sent
        self.claim: Claim | None = None  # what the request signed, where it came over the wire and signed something
        self.document = b""  # the body as it came, of calls over the wire that do not take theirs as a stream
        self.request: dict[str, Any] = {}
        self.resources: list[str] = []
        self.actions: list[str] = _NONE_YET  # most calls, root's, need neither
        self.audited: list[dict[str, Any]] = _NONE_YET
        self.denial: dict[str, Any] | None = None
        self.authorized = False
        self.gone = False
        self.tries = 0  # how often its transaction has run: again after conflicts with others, on a distributed store
        self.carried: Any = None  # what one of these attempts leaves for the next
        self.on_answer: Callable[[Any], None] | None = None  # hears of the answer over the wire (see `wire_calls.Sent`)
        self.on_wait: Callable[[Callable[[], None]], None] | None = None  # tells of a client that hangs up meanwhile
        self.held: Callable[[Context], None] | None = None  # of a task: refuses what another node has taken over
        self._listener: Listener | None = None
        self._txn: Transaction | None = None

    # --- where and when -------------------------------------------------------------------------

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`, as the region says."""
        return partition_of(self.region)

    @property
    def data_dir(self) -> Path:
        """The folder that keeps this cloud."""
        return self.runtime.data_dir

    @property
    def blobs(self) -> Blobs:
        """Large bytes, as files; `core.kept_blobs` says which of them the state names."""
        return self.runtime.blobs

    def now(self) -> float:
        """Cloud time, in seconds since 1970."""
        return self.runtime.clock.now()

    def new_id(self, prefix: str, hex: int = 17) -> str:
        """A new identifier in AWS's form: prefix and random hexadecimal digits."""
        return self.runtime.ids.new_id(prefix, hex)

    def uuid(self) -> str:
        """A new random UUID."""
        return self.runtime.ids.uuid()

    def random_bytes(self, count: int) -> bytes:
        """Random bytes."""
        return self.runtime.ids.random_bytes(count)

    @property
    def logger(self) -> Any:
        """The log of this service."""
        return self.runtime.logger(self.service)

    # --- state ----------------------------------------------------------------------------------

    @property
    def txn(self) -> Transaction:
        """The transaction; only inside a `def` operation, a `def` task or a function given to `transact`."""
        if self._txn is None:
            raise RuntimeError(f"{self.service}:{self.operation} touched the state outside a transaction")
        return self._txn

    def enter(self, txn: Transaction | None) -> None:
        """Bind (or unbind) the transaction of the next step."""
        self._txn = txn

    async def transact(self, work: Callable[[Context], T]) -> T:
        """Run `work(ctx)` as one atomic transaction and wait until it is durable. For `async def` only."""

        def run(txn: Transaction) -> T:
            self._txn = txn
            try:
                if self.held is not None:
                    self.held(self)
                return work(self)
            finally:
                self._txn = None

        return await self.runtime.store.run(run)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run what takes more than a millisecond and frees the interpreter, off the loop. For `async def` only.

        `work` touches neither the context nor the state: it gets values and gives values.
        """
        return await asyncio.to_thread(work)

    def signal(self, name: str) -> None:
        """Announce the name when this transaction is durable."""
        self.txn.signal(name.encode())

    def listen(self, name: str) -> Listener:
        """Hear the name: `with ctx.listen(name) as heard: …; await heard.wait(until)`."""
        self._listener = self.runtime.signals.listen(name)
        return self._listener

    def hang_up(self) -> None:
        """The client will send no more and may be gone: whoever waits for it should answer with what there is."""
        self.gone = True
        if self._listener is not None:
            self._listener.wake()

    def later(
        self, task: Callable[..., Any], payload: dict[str, Any], *, at: float | None = None, lane: str | None = None
    ) -> str:
        """Start a durable task with this transaction; its id. Tasks of one lane run one after the other."""
        return self.runtime.tasks.add(self, task, payload, at=at, lane=lane)

    def cancel(self, task_id: str) -> bool:
        """Drop a task that has not run; False when there is none."""
        return self.runtime.tasks.cancel(self.txn, task_id)

    # --- rights ---------------------------------------------------------------------------------

    def trusted(self, account: str) -> bool:
        """Whether the caller may do anything in this account as far as identities go (marks the call authorized)."""
        self.authorized = True
        if self.internal:
            return True
        principal = self.principal
        return (
            principal.kind is PrincipalKind.ROOT
            and principal.account == account
            and not self.runtime.policy_source.controlled
            and not self.runtime.audit  # which writes down what everybody needs, root too
        )

    def authorize(
        self,
        arn: str,
        *,
        policy: str | None = None,
        tags: dict[str, str] | None = None,
        action: str | None = None,
        context: Mapping[str, Any] | None = None,
        trust: bool = False,
        policy_required: bool = False,
        granted: bool = False,
        shown: str = "",
        account: str = "",
    ) -> None:
        """Refuse the call with AWS's AccessDenied unless all policies together allow it on this resource.

        With `trust`, `policy` is the trust policy of the role `arn`. `context` holds the service's own condition
        keys. `policy_required`: identity policies count only as far as the resource's own policy lets its account
        in (KMS keys). `granted`: a grant lets the caller in; what denies still denies. `shown` is what messages
        call the resource, where that is not its ARN. `account` owns the resource, where its ARN does not say so (S3).
        """
        self.authorized = True
        if not self.internal:
            handler = self.handler
            self.resources.append(arn)
            if self.actions is _NONE_YET:
                self.actions = []
            self.actions.append(action or (handler.rule.action if handler is not None else None) or "")
            self.runtime.authorize(
                self,
                arn,
                policy=policy,
                tags=tags,
                action=action,
                context=context,
                trust=trust,
                policy_required=policy_required,
                granted=granted,
                shown=shown,
                account=account,
            )

    def note_audited(self, denial: dict[str, Any]) -> None:
        """Write down a denial that audit mode let through; once, as a transaction may run again."""
        if self.audited is _NONE_YET:
            self.audited = []
        if denial not in self.audited:
            self.audited.append(denial)

    def pass_role(self, role_arn: str, service: str, *, resource_arn: str = "") -> Role | None:
        """Refuse the call unless the caller may hand this role to the service ("lambda.amazonaws.com").

        `resource_arn` is what will work with the role (iam:AssociatedResourceArn). Returns the role, None where there
        is none of that ARN: the service words what it thinks of that, and of a role that does not trust it (see
        `identities.trusts`). Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service".
        """
        return pass_role(self, role_arn, service, resource_arn)

    # --- other services -------------------------------------------------------------------------

    def child(
        self,
        target: str,
        operation: str,
        *,
        service: str = "",
        source_arn: str = "",
        account: str = "",
        region: str = "",
        internal: bool = False,
        source_account: str = "",
        via: str = "",
    ) -> Context:
        """The context of a call that this one makes; as the service principal of `service` when it is given.

        `via` is what aws:CalledVia calls the service that passes the call on, where that is not the context's own.
        """
        runtime = self.runtime
        return Context(
            runtime,
            service=target,
            operation=operation,
            account=account or self.account,
            region=region or self.region,
            principal=runtime.service_principal(service) if service else self.principal,
            request_id=runtime.ids.uuid(),
            handler=runtime.registry.service(target).handler(operation),
            endpoint=self.endpoint,
            headers=self.headers,
            source_ip=f"{service}.amazonaws.com" if service else self.source_ip,
            source_arn=source_arn,
            source_account=source_account or _account_of(source_arn) or self.account if source_arn else "",
            internal=internal,
            depth=self.depth + 1,
            called_via=() if service else (*self.called_via, f"{via or self.service}.amazonaws.com"),
        )

    def call(
        self,
        target: str,
        operation: str,
        request: dict[str, Any],
        *,
        service: str = "",
        source_arn: str = "",
        account: str = "",
        region: str = "",
        internal: bool = False,
        source_account: str = "",
    ) -> dict[str, Any]:
        """Call a `def` operation of another service inside this very transaction.

        It is validated, authorized and journalled like any call. A fault undoes only what the call did. `internal`:
        the cloud's own work, for which nobody is asked for permission.
        """
        inner = self.child(
            target,
            operation,
            service=service,
            source_arn=source_arn,
            account=account,
            region=region,
            internal=internal,
            source_account=source_account,
        )
        return self.runtime.nested(inner, request, self.txn)

    @property
    def aws(self) -> Clients:
        """Other services, awaited: `await ctx.aws.sqs.send_message({...})` with the caller's own rights."""
        return Clients(self, {})

    def aws_via(self, service: str) -> Clients:
        """Like `aws`, by way of another service than this one ("s3-object-lambda"), for aws:CalledVia."""
        return Clients(self, {"via": service})

    def as_service(
        self, service: str, *, source_arn: str = "", account: str = "", region: str = "", internal: bool = False
    ) -> Clients:
        """Like `aws`, as the service principal `<service>.amazonaws.com` acting for `source_arn`.

        `internal`: the cloud's own work, for which nobody is asked for permission.
        """
        options = {"service": service, "source_arn": source_arn, "account": account, "region": region}
        return Clients(self, {**options, "internal": internal})


def _account_of(arn: str) -> str:
    """The account of an ARN, "" in those without one (`arn:aws:s3:::bucket`)."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 else ""


class Clients:
    """Other services by their botocore names."""

    __slots__ = ("_caller", "_options")

    def __init__(self, caller: Context, options: dict[str, Any]) -> None:
        self._caller = caller
        self._options = options

    def __getattr__(self, service: str) -> Client:
        return Client(self._caller, service.rstrip("_").replace("_", "-"), self._options)


class Client:
    """Operations of one service as coroutines."""

    __slots__ = ("_caller", "_options", "_service")

    def __init__(self, caller: Context, service: str, options: dict[str, Any]) -> None:
        self._caller = caller
        self._service = service
        self._options = options

    def __getattr__(self, name: str) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
        caller = self._caller
        runtime = caller.runtime
        try:
            model = runtime.registry.service(self._service).model.operation_by_python_name(name)
        except KeyError:
            raise AttributeError(f"{self._service} has no operation {name}") from None

        async def call(request: dict[str, Any]) -> dict[str, Any]:
            return await runtime.ask(caller.child(self._service, model.name, **self._options), request)

        return call
