"""WriteGetObjectResponse: what a function answers to a GetObject that waits for it, sent on piece by piece.

Sources: S3 API Reference, WriteGetObjectResponse; S3 User Guide, "Writing Lambda functions for S3 Object Lambda Access
Points": a token is good once, for an identity of the function's account, and the function hears 200 when all was sent.
The texts of ValidationError are our own. The call comes to the process that waits: functions know no other.
"""

from __future__ import annotations

import asyncio
import base64
import re
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import Wait, operation
from cumulo.core.s3.object_lambda import SERVICE
from cumulo.services.storage.s3 import conditions
from cumulo.services.storage.s3.errors import (
    CLOSED_BY_REQUESTER,
    INTERNAL_ERROR,
    LAMBDA_INVALID_RESPONSE,
    VALIDATION_ERROR,
)
from cumulo.services.storage.s3.object_lambdas import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.bodies import Body
    from cumulo.core.context import Context
    from cumulo.core.s3.object_lambda import ObjectLambdaAccessPoint
    from cumulo.stubs import s3 as t

ROUTE = "io-cell001"  # one cell answers here
_PLACE = "s3.object_lambda_answers"
_HELD = 2  # pieces on their way at most
_STATUSES = frozenset((200, 206, 304, 400, 401, 403, 404, 405, 409, 411, 412, 416, 500, 503))
_ERROR_CODE = re.compile(r"[A-Z][a-zA-Z]+", re.ASCII)
# Header fields of GetObject's answer, by the same names in both.
_PASSED_ON = (
    "AcceptRanges", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentRange",
    "ContentType", "ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumSHA1", "ChecksumSHA256",
    "ChecksumSHA512", "ChecksumMD5", "ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128", "DeleteMarker",
    "ETag", "Expires", "Expiration", "LastModified", "MissingMeta", "Metadata", "ObjectLockMode",
    "ObjectLockLegalHoldStatus", "ObjectLockRetainUntilDate", "PartsCount", "ReplicationStatus", "RequestCharged",
    "Restore", "ServerSideEncryption", "SSECustomerAlgorithm", "SSEKMSKeyId", "SSECustomerKeyMD5", "StorageClass",
    "TagCount", "VersionId", "BucketKeyEnabled",
)  # fmt: skip


class Pending:
    """A GetObject that waits. `head` is its answer, with the pieces to come as its Body."""

    route = ROUTE

    def __init__(self, token: str, lens: ObjectLambdaAccessPoint, account: str, waiting: dict[str, Pending]) -> None:
        self.token = token
        self.lens = lens
        self.account = account
        self.head: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.on_end: Callable[[], None] = lambda: None
        self._waiting = waiting
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(_HELD)
        self._over = asyncio.Event()
        self._sent = False
        self._failed = False
        waiting[token] = self

    def use(self) -> bool:
        """Take the one answer that there may be; False where that was done."""
        return self._waiting.pop(self.token, None) is not None and not self.head.done()

    def refuse(self, fault: Fault) -> None:
        """Answer with an error, unless an answer has begun."""
        if not self.head.done():
            self.head.set_exception(fault)
            self.close()

    def fail(self, fault: Fault) -> None:
        """The same; an answer that has begun is broken off."""
        self.refuse(fault)
        self._failed = True
        self.close()

    def close(self) -> None:
        """Nobody reads on."""
        self._waiting.pop(self.token, None)
        while not self._pieces.empty():
            self._pieces.get_nowait()
        self._pieces.put_nowait(b"")
        self._over.set()
        self.on_end()

    # --- whoever reads --------------------------------------------------------------------------

    def __aiter__(self) -> Pending:
        return self

    async def __anext__(self) -> bytes:
        piece = b"" if self._failed else await self._pieces.get()
        if piece:
            return piece
        if self._failed:
            raise ConnectionError("the function did not complete its answer")
        self._sent = not self._over.is_set()
        self.close()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """The client has all of it, or is gone."""
        self.close()

    # --- whoever writes -------------------------------------------------------------------------

    async def write(self, piece: bytes) -> None:
        """Hand on a piece; waits for a slow client. Raises InternalError when it is gone."""
        if not self._over.is_set():
            await self._pieces.put(piece)
        if self._over.is_set():
            raise INTERNAL_ERROR()

    async def end(self) -> None:
        """All was written: wait until it is sent. Raises InternalError when the client is gone."""
        if not self._over.is_set():
            await self._pieces.put(b"")
        await self._over.wait()
        if not self._sent:
            raise INTERNAL_ERROR()


def expect(ctx: Context, lens: ObjectLambdaAccessPoint, account: str) -> Pending:
    """A GetObject that waits from now on, for an answer of this account."""
    waiting: dict[str, Pending] = ctx.runtime.memory.setdefault(_PLACE, {})
    token = base64.urlsafe_b64encode(ctx.random_bytes(96)).decode()
    return Pending(token, lens, account, waiting)


@operation(streams=True)
def write_get_object_response(ctx: Context, request: t.WriteGetObjectResponseRequest) -> None:
    """Answer the GetObject that the token stands for."""
    waiting: dict[str, Pending] = ctx.runtime.memory.get(_PLACE, {})
    pending = waiting.get(request["RequestToken"])
    given = {f"{SERVICE}:{key.partition(':')[2]}": value for key, value in conditions.of_signature(ctx).items()}
    if pending is not None:
        metrics.watch_response(ctx, pending.lens)
    # The function's own policies alone are asked, in which ever account the access point is.
    ctx.authorize(
        pending.lens.arn if pending is not None else "*",
        action=f"{SERVICE}:WriteGetObjectResponse",
        context=given,
        account=ctx.account,
    )
    if pending is None or pending.account != ctx.account or request["RequestRoute"] != pending.route:
        raise VALIDATION_ERROR("The request token or the request route is not valid.")
    raise Wait(partial(_answer, pending=pending))


async def _answer(ctx: Context, pending: Pending) -> None:
    request = ctx.request
    body: Body | bytes = request.get("Body") or b""
    length = len(body) if isinstance(body, bytes) else body.length
    if not pending.use():
        raise VALIDATION_ERROR("The request token was used already.")
    reason = _invalid(request, length)
    if reason:
        pending.refuse(LAMBDA_INVALID_RESPONSE(reason))
        raise VALIDATION_ERROR(reason)
    if "ErrorCode" in request:
        status = request["StatusCode"]
        pending.refuse(Fault(request["ErrorCode"], request.get("ErrorMessage", ""), status=status))
        return
    head = {name: request[name] for name in _PASSED_ON if name in request}
    if "StatusCode" in request:
        head["StatusCode"] = request["StatusCode"]
    if length is not None:
        head["ContentLength"] = length
    if isinstance(body, bytes):
        pending.head.set_result({**head, "Body": body})
        pending.close()
        return
    await _send(ctx, pending, head, body)


def _invalid(request: dict[str, Any], length: int | None) -> str:
    """What is wrong with an answer, "" where nothing is."""
    status = request.get("StatusCode", 200)
    if status not in _STATUSES:
        return f"The status code {status} is not supported."
    if "ErrorCode" not in request:
        return "An error message needs an error code." if "ErrorMessage" in request else ""
    if not _ERROR_CODE.fullmatch(request["ErrorCode"]):
        return "The error code must match ^[A-Z][a-zA-Z]+$."
    if status < 400:
        return "An error code cannot be used with a successful status code."
    if length != 0:
        return "An error code cannot be used when a body is provided."
    return ""


async def _send(ctx: Context, pending: Pending, head: dict[str, Any], body: Body) -> None:
    """Begin the answer with the first piece, and hand on the rest."""
    try:
        while raw := await body.read():
            for piece in await ctx.in_thread(partial(body.take_apart, raw)):
                if not pending.head.done():
                    pending.head.set_result({**head, "Body": pending})
                if piece:
                    await pending.write(piece)
        body.finish()
    except BaseException:
        pending.fail(CLOSED_BY_REQUESTER())
        raise
    if not pending.head.done():
        pending.head.set_result({**head, "Body": b""})
        pending.close()
        return
    await pending.end()
