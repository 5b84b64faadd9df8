"""Functions called in place of S3: GetObject's answer comes by WriteGetObjectResponse, all others' as what they return.

Sources: S3 User Guide, "Writing Lambda functions for S3 Object Lambda Access Points"; S3 API Reference, "Error
responses", "List of Amazon S3 Object Lambda error codes". The text of LambdaResponseNotReceived was seen of AWS
(awslabs/aws-sdk-rust#781), the others are those of that list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.s3.object_lambda import SERVICE
from cumulo.services.storage.s3.errors import (
    LAMBDA_INVALID_RESPONSE,
    LAMBDA_INVOCATION_FAILED,
    LAMBDA_NOT_FOUND,
    LAMBDA_PERMISSION,
    LAMBDA_RESPONSE_NOT_RECEIVED,
    LAMBDA_RUNTIME,
    LAMBDA_THROTTLED,
    LAMBDA_TIMEOUT,
)
from cumulo.services.storage.s3.object_lambdas import events, heads, listings
from cumulo.services.storage.s3.object_lambdas.answers import Pending, expect

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.access import AccessPoint
    from cumulo.core.s3.object_lambda import ObjectLambdaAccessPoint, Transformation

ALLOWED_S = 60.0  # for the whole answer
VIA = f"{SERVICE}.amazonaws.com"
_FAULTS = {
    "AccessDeniedException": LAMBDA_PERMISSION,
    "AccessDenied": LAMBDA_PERMISSION,
    "ResourceNotFoundException": LAMBDA_NOT_FOUND,
    "TooManyRequestsException": LAMBDA_THROTTLED,
}


async def get_object(
    ctx: Context, *, lens: ObjectLambdaAccessPoint, point: AccessPoint, transformation: Transformation
) -> dict[str, Any]:
    """GetObject's answer: what the function writes, as soon as it begins to."""
    event, url = await _event(ctx, lens, point, transformation)
    function = _arn(lens, transformation)
    pending = expect(ctx, lens, function.split(":")[4])
    event["getObjectContext"] = {"inputS3Url": url, "outputRoute": pending.route, "outputToken": pending.token}
    clock = ctx.runtime.clock
    timer = clock.call_at(clock.now() + ALLOWED_S, partial(pending.fail, LAMBDA_TIMEOUT()))
    pending.on_end = timer.cancel
    ctx.runtime.spawn(_run(ctx, pending, function, event))
    try:
        return await pending.head
    except BaseException:
        pending.close()
        raise


async def _run(ctx: Context, pending: Pending, function: str, event: dict[str, Any]) -> None:
    """Run the function; its end is of no matter once it has begun to answer."""
    try:
        answer = await _invoke(ctx, function, event)
    except Fault as fault:
        pending.refuse(fault)
        return
    except BaseException:
        pending.refuse(LAMBDA_INVOCATION_FAILED())
        raise
    pending.refuse((LAMBDA_RUNTIME if answer.get("FunctionError") else LAMBDA_RESPONSE_NOT_RECEIVED)())


async def _returned(
    ctx: Context,
    context: str,
    read: Callable[[Context, dict[str, Any]], dict[str, Any]],
    *,
    lens: ObjectLambdaAccessPoint,
    point: AccessPoint,
    transformation: Transformation,
) -> dict[str, Any]:
    """The answer that a function returns. Raises LambdaInvalidResponse for what is none, and the function's own."""
    event, url = await _event(ctx, lens, point, transformation)
    event[context] = {"inputS3Url": url}
    answer = await _timed(ctx, _invoke(ctx, _arn(lens, transformation), event))
    if answer.get("FunctionError"):
        raise LAMBDA_RUNTIME()
    try:
        said = msgspec.json.decode(bytes(answer.get("Payload") or b""))
    except (msgspec.DecodeError, RecursionError):
        said = None
    status = said.get("statusCode") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(status, int) or isinstance(status, bool) or not 200 <= status < 600:
        raise LAMBDA_INVALID_RESPONSE("The Lambda function must return a JSON object with a statusCode")
    if status >= 400 or said.get("errorCode"):
        raise _refused(said, status)
    return read(ctx, said)


def _refused(said: dict[str, Any], status: int) -> Fault:
    """The error that a function returns: its own words, or those of the XML that it got from S3."""
    code, message = said.get("errorCode"), said.get("errorMessage")
    if not code:
        code, message = listings.error_in(said.get("listResultXml"))
    return Fault(str(code or "UnknownError"), str(message or ""), status=status if status >= 400 else 400)


async def _timed(ctx: Context, work: Any) -> dict[str, Any]:
    """What it gives within the time that there is. Raises LambdaTimeout."""
    running = asyncio.ensure_future(work)
    clock = ctx.runtime.clock
    late = asyncio.ensure_future(clock.sleep_until(clock.now() + ALLOWED_S))
    try:
        await asyncio.wait((running, late), return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise LAMBDA_TIMEOUT()
        found: dict[str, Any] = running.result()
        return found
    finally:
        late.cancel()
        running.add_done_callback(_looked_at)


def _looked_at(running: asyncio.Future[Any]) -> None:
    """Nobody is told how a function ended that took too long."""
    if not running.cancelled():
        running.exception()


async def _event(
    ctx: Context, lens: ObjectLambdaAccessPoint, point: AccessPoint, transformation: Transformation
) -> tuple[dict[str, Any], str]:
    return await ctx.transact(
        partial(events.of_request, lens=lens, point=point, transformation=transformation, via=VIA)
    )


def _arn(lens: ObjectLambdaAccessPoint, transformation: Transformation) -> str:
    """The function's ARN, of which a configuration may have left out what the access point says."""
    name = transformation.function
    if name.startswith("arn:"):
        return name
    return f"{lens.arn.split(':s3-object-lambda:')[0]}:lambda:{lens.region}:{lens.account}:function:{_last(name)}"


def _last(name: str) -> str:
    """The name and the qualifier of a partial ARN."""
    return name.rpartition("function:")[2]


async def _invoke(ctx: Context, function: str, event: dict[str, Any]) -> dict[str, Any]:
    """Call the function with the caller's own rights. Raises what S3 calls Lambda's faults."""
    request = {"FunctionName": function, "Payload": msgspec.json.encode(event)}
    try:
        found: dict[str, Any] = await ctx.aws_via(SERVICE).lambda_.invoke(request)
    except Fault as fault:
        error = _FAULTS.get(fault.code, LAMBDA_INVOCATION_FAILED)
        raise error(f"{error.text} {fault.message} (Error Code: {fault.code})") from None
    return found


Answer = Callable[..., Awaitable[dict[str, Any]]]
ANSWERS: dict[str, Answer] = {
    "GetObject": get_object,
    "HeadObject": partial(_returned, context="headObjectContext", read=heads.answer),
    "ListObjects": partial(_returned, context="listObjectsContext", read=listings.answer),
    "ListObjectsV2": partial(_returned, context="listObjectsV2Context", read=listings.answer),
}
