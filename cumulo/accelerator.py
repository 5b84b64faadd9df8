"""Connections of DynamoDB Accelerator's clients: their calls go to DynamoDB's API as any other, and back.

A client says who it is once and again every few minutes; what it asks meanwhile is asked in that name. Nothing is
kept here: every read sees what was last written.
"""

from __future__ import annotations

import hmac
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from cumulo.core.callers.credentials import ACCESS_KEYS, ANONYMOUS, resolve
from cumulo.core.context import Context
from cumulo.core.errors import Error
from cumulo.services.data.dax import admission, attribute_lists
from cumulo.wire.dax import answers, calls, items
from cumulo.wire.dax.attribute_values import KeyAttribute, Schema
from cumulo.wire.dax.items import MalformedItem, Reader, Scanner
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime
    from cumulo.gateway.streams import Stream

T = TypeVar("T")

_CALL_BYTES = 32 << 20  # as much as a BatchWriteItem may carry, with room
_STRANGERS_BYTES = 64 << 10  # before a client has said who it is: a session token is the longest that it then sends
_NAMES_BYTES = 400 << 10  # of a list of attribute names: the names count into an item's size
_LISTS_KEPT = 1000  # that a connection remembers
_AUTHORIZED_S = 5 * 60
_SKEW_S = 5 * 60
_SCOPE = re.compile(r"(\d{8})/([a-z0-9-]+)/dax/aws4_request", re.ASCII)

_UNAUTHENTICATED = Error("MissingAuthenticationTokenException", "The connection is not authenticated.", status=400)
_WRONG_SIGNATURE = Error("UnrecognizedClientException", "The security token included in the request is invalid.")
_OF_OTHER_TABLES = ("ValidationException", "ResourceNotFoundException")  # a table may be another one by now
_EXPIRED = Error("ExpiredTokenException", "The security token included in the request is expired")

log = logging.getLogger("cumulo.dax")


class Session:
    """One connection."""

    def __init__(self, runtime: Runtime, stream: Stream) -> None:
        self._runtime = runtime
        self._stream = stream
        self._data = bytearray()
        self._principal: Principal = ANONYMOUS
        self._region = ""
        self._until = 0.0
        self._refusal: Fault | None = None
        self._schemas: dict[str, Schema] = {}
        self._names: dict[int, Sequence[str]] = {}

    async def run(self) -> None:
        """Answer call after call until the client goes, or says what is no call."""
        try:
            if await self._items(calls.PREAMBLE_ITEMS) is None:
                return
            while True:
                method = await self._head()
                if method is None:
                    return
                number, found = method
                arguments = await self._items(found.arguments)
                if arguments is None:
                    return
                answer = await self._answer(number, found, arguments)
                if answer:
                    self._stream.write(answer)
                    await self._stream.drained()
        except MalformedItem as error:
            log.info("a DAX connection from %s said what is no call: %s", self._stream.peer, error)

    # --- reading

    async def _head(self) -> tuple[int, calls.Method] | None:
        found = await self._items(2)
        if found is None:
            return None
        service, number = found
        method = calls.METHODS.get(number) if type(number) is int else None
        if service != calls.SERVICE or method is None:
            raise MalformedItem(f"no method {number} of service {service}")
        return number, method

    async def _items(self, count: int) -> list[Any] | None:
        """The next items, None at the end of the connection."""
        scanner = Scanner()
        while not scanner.run(self._data, count):
            if len(self._data) > (_STRANGERS_BYTES if self._principal is ANONYMOUS else _CALL_BYTES):
                raise MalformedItem("a call that is too long")
            data = await self._stream.more()
            if not data:
                return None
            self._data += data
        reader = Reader(bytes(self._data[: scanner.at]))
        del self._data[: scanner.at]
        return [reader.item() for _ in range(count)]

    # --- answering

    async def _answer(self, number: int, method: calls.Method, arguments: list[Any]) -> bytes:
        if number == calls.AUTHORIZE:  # has no answer: what is wrong with it, the next call is told
            await self._authorize(arguments)
            return b""
        request_id = self._runtime.ids.uuid()
        try:
            self._check_authorized()
            if number == calls.ENDPOINTS:
                await self._admit_to_cluster(method)
                return self._endpoints()
            if number == calls.DEFINE_LIST_NUMBER:
                await self._admit_to_cluster(method)
                return answers.OK + items.integer(await self._keep([_names(arguments[0])]))
            if number == calls.DEFINE_LIST:
                await self._admit_to_cluster(method)
                return answers.OK + items.array(map(items.text, await self._names_of(_list_number(arguments[0]))))
            schemas = {table: await self._schema(table) for table in calls.tables_of(method, arguments)}
            if number == calls.DEFINE_KEY_SCHEMA:
                (schema,) = schemas.values()
                return answers.OK + items.mapping((items.text(key.name), items.text(key.type)) for key in schema)
            return await self._call(method, arguments, schemas, request_id)
        except MalformedItem as error:
            self._schemas.clear()
            return answers.failure("ValidationException", f"The request is malformed: {error}", 400, request_id)
        except Fault as fault:
            if fault.code in _OF_OTHER_TABLES:
                self._schemas.clear()
            return _failure(fault, request_id)
        except Exception as error:
            log.error("request %s, %s failed", request_id, method.operation, exc_info=error)
            return answers.failure("InternalServerError", "An internal error occurred.", 500, request_id)

    async def _call(
        self, method: calls.Method, arguments: list[Any], schemas: Mapping[str, Schema], request_id: str
    ) -> bytes:
        known = {number: await self._names_of(number) for number in calls.lists_of(method, arguments)}
        call = calls.read(method, arguments, schemas, known.__getitem__)
        answer = await self._ask(call.operation, call.request, request_id)
        fresh: dict[int, tuple[str, ...]] = {}

        def number_of(names: tuple[str, ...]) -> int:
            number = attribute_lists.number_of(names)
            if number not in self._names:
                fresh[number] = names
            return number

        data = call.answer(answer, number_of)
        if fresh:
            await self._keep(list(fresh.values()))
        return data

    async def _ask(self, operation: str, request: dict[str, Any], request_id: str) -> dict[str, Any]:
        """A call of DynamoDB's API, in the name of the cluster's role, if the caller may have it made."""
        principal = await self._transact(
            lambda ctx: admission.admit(ctx, operation, secure=self._stream.secure), operation
        )
        runtime = self._runtime
        ctx = Context(
            runtime,
            service="dynamodb",
            operation=operation,
            account=self._principal.account,
            region=self._region,
            principal=principal,
            request_id=request_id,
            handler=runtime.registry.service("dynamodb").handler(operation),
            source_ip="dax.amazonaws.com",
        )
        return await runtime.ask(ctx, request)

    async def _schema(self, table: str) -> Schema:
        """The key of a table. A table of the same name with another key is met by the error that follows from it."""
        known = self._schemas.get(table)
        if known is None:
            answer = await self._ask("DescribeTable", {"TableName": table}, self._runtime.ids.uuid())
            found = answer["Table"]
            types = {each["AttributeName"]: each["AttributeType"] for each in found["AttributeDefinitions"]}
            by_kind = {each["KeyType"]: each["AttributeName"] for each in found["KeySchema"]}
            names = [by_kind[kind] for kind in ("HASH", "RANGE") if kind in by_kind]
            known = self._schemas[table] = [KeyAttribute(name, types[name]) for name in names]
        return known

    async def _names_of(self, number: int) -> Sequence[str]:
        known = self._names.get(number)
        if known is None:
            found = await self._transact(lambda ctx: attribute_lists.names_of(ctx, number), "DefineAttributeList")
            if found is None:
                raise MalformedItem("no such list of attribute names")
            known = found
            self._remember([found])
        return known

    async def _keep(self, lists: Sequence[Sequence[str]]) -> int:
        await self._transact(lambda ctx: attribute_lists.keep(ctx, lists), "DefineAttributeListId")
        self._remember(lists)
        return attribute_lists.number_of(lists[-1])

    def _remember(self, lists: Sequence[Sequence[str]]) -> None:
        if len(self._names) >= _LISTS_KEPT:
            self._names.clear()
        for names in lists:
            self._names[attribute_lists.number_of(names)] = names

    async def _admit_to_cluster(self, method: calls.Method) -> None:
        """CLUSTER_NOT_FOUND for a caller whose account has none that this connection could be one to."""
        await self._transact(lambda ctx: admission.cluster_for(ctx, secure=self._stream.secure), method.operation)

    def _endpoints(self) -> bytes:
        host, port = self._stream.address
        host = host.partition("%")[0]  # without the zone of a link-local address
        import socket

        address = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        fields = (
            items.integer(1), items.text(host), items.binary(address), items.integer(port), items.integer(1),
            items.text(f"{self._region}a"), items.integer(1),
        )  # fmt: skip
        one = items.mapping((items.integer(place), field) for place, field in enumerate(fields))
        return answers.OK + items.array((one,))

    async def _transact(self, work: Callable[[Context], T], operation: str) -> T:
        """Run in a transaction, in the caller's name."""
        runtime = self._runtime
        ctx = Context(
            runtime,
            service="dax",
            operation=operation,
            account=self._principal.account,
            region=self._region,
            principal=self._principal,
            request_id=runtime.ids.uuid(),
            handler=runtime.registry.service("dax").handler("DescribeClusters"),
            protocol="json",
            source_ip=self._stream.peer,
        )
        return await ctx.transact(work)

    # --- who it is

    def _check_authorized(self) -> None:
        if self._refusal is not None:
            raise self._refusal
        if self._principal is ANONYMOUS or self._runtime.clock.wall() > self._until:
            raise _UNAUTHENTICATED()

    async def _authorize(self, arguments: list[Any]) -> None:
        self._refusal = None
        self._schemas.clear()  # another account's tables have the same names
        try:
            key_id, signature, signed, token, _ = arguments
            if type(key_id) is not str or type(signature) is not str or not isinstance(token, str | None):
                raise _WRONG_SIGNATURE()
            text = signed.decode() if isinstance(signed, bytes) else str(signed)
            _, date, scope, digest = text.split("\n")
            found = _SCOPE.fullmatch(scope)
            if found is None or found[1] != date[:8]:
                raise _WRONG_SIGNATURE()
            at = _epoch(date)
            self._region = found[2]
            await self._believe(key_id, signature, text, digest, token or "", at, date)
        except Fault as fault:
            self._principal, self._refusal = ANONYMOUS, fault
        except (ValueError, TypeError):
            self._principal, self._refusal = ANONYMOUS, _WRONG_SIGNATURE()

    async def _believe(
        self, key_id: str, signature: str, text: str, digest: str, token: str, at: float, date: str
    ) -> None:
        now = self._runtime.clock.wall()
        if abs(at - now) > _SKEW_S:
            raise _EXPIRED()
        credential = await self._transact(
            lambda ctx: resolve(
                lambda access_key_id: ACCESS_KEYS.peek(ctx, access_key_id), key_id, token,
                self._runtime.clock.now(), local_keys=self._runtime.local_keys,
            ),
            "AuthorizeConnection",
        )  # fmt: skip
        if not hmac.compare_digest(digest, _request_digest(date)):
            raise _WRONG_SIGNATURE()
        if credential.secret is not None:
            expected = _sign(credential.secret, date[:8], self._region, text)
            if not hmac.compare_digest(expected.encode(), signature.encode()):
                raise _WRONG_SIGNATURE()
        self._principal = credential.principal
        self._until = now + _AUTHORIZED_S


def _names(value: Any) -> list[str]:
    if type(value) is not list or any(type(name) is not str for name in value):
        raise MalformedItem("no list of attribute names")
    if sum(map(len, value)) > _NAMES_BYTES:
        raise MalformedItem("a list of attribute names that is too long")
    return value


def _list_number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise MalformedItem("no number of a list of names")
    return value


def _epoch(date: str) -> float:
    import calendar

    return float(calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ")))


def _request_digest(date: str) -> str:
    """The digest of the request that every client signs: an empty POST to DAX's address at that moment."""
    empty = sha256(b"").hexdigest()
    request = f"POST\n/\n\nhost:dax.amazonaws.com\nx-amz-date:{date}\n\nhost;x-amz-date\n{empty}"
    return sha256(request.encode()).hexdigest()


def _sign(secret: str, day: str, region: str, text: str) -> str:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "dax", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _failure(fault: Fault, request_id: str) -> bytes:
    numbers = answers.UNAUTHENTICATED if fault.code in _AUTHENTICATION else ()
    reasons = (fault.members or {}).get("CancellationReasons")
    code = "AccessDeniedException" if fault.code == "AccessDenied" else fault.code
    return answers.failure(code, fault.message, fault.status or 400, request_id, numbers, reasons)


_AUTHENTICATION = frozenset(
    (_UNAUTHENTICATED.code, _WRONG_SIGNATURE.code, _EXPIRED.code, "InvalidClientTokenId", "ExpiredToken")
)
