"""Objects written whole.

Source: S3 API Reference, PutObject.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

from cumulo.core.operation import Wait, operation
from cumulo.services.storage.s3.encryption import object_encryption
from cumulo.services.storage.s3.errors import NOT_IMPLEMENTED_HEADER
from cumulo.services.storage.s3.notifications import notifications
from cumulo.services.storage.s3.objects import appends, new_objects, preconditions
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import checksums, receiving, versions
from cumulo.services.storage.s3.stored.object_versions import CURRENT, ObjectVersion

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.storage.s3.encryption.object_encryption import Plan
    from cumulo.services.storage.s3.stored.checksums import Announced
    from cumulo.stubs import s3 as t


@operation(streams=True)
def put_object(ctx: Context, request: t.PutObjectRequest) -> t.PutObjectOutput:
    bucket = access.object_for(ctx, request)
    preconditions.check_write_form(request)
    said = checksums.announced(ctx, request)
    if "WriteOffsetBytes" in request:
        if not bucket.zone:  # only directory buckets can append
            raise NOT_IMPLEMENTED_HEADER(members={"Header": "x-amz-write-offset-bytes"})
        if appends.is_to_append(ctx, bucket, request):
            raise Wait(partial(appends.append, request=request, said=said))
    version = new_objects.described(ctx, bucket, request)
    seen = None
    if preconditions.is_conditional(request):
        seen = CURRENT.peek(ctx, bucket.name, version.key)
        preconditions.check_write(request, seen, version.key)
    body: Any = request.get("Body", b"")
    if not receiving.is_small(body):
        raise Wait(partial(_put_large, request=request, said=said, seen=seen))
    received = receiving.at_once(said, body)
    plan = object_encryption.plan(ctx, bucket, request, version.key)
    new_objects.fill(ctx, version, received, plan)
    versions.store(ctx, bucket, version)
    notifications.notify(ctx, bucket, "ObjectCreated:Put", version)
    return cast("t.PutObjectOutput", new_objects.answer(ctx, bucket, request, version))


async def _put_large(
    ctx: Context, request: t.PutObjectRequest, said: Announced, seen: ObjectVersion | None
) -> dict[str, Any]:
    body: Any = request.get("Body", b"")

    def begin(ctx: Context) -> Plan:
        return object_encryption.plan(ctx, access.located(ctx, request), request, request["Key"])

    plan = await ctx.transact(begin)
    received = await receiving.receive(ctx, body, said, seal=object_encryption.sealer(ctx, plan.key))

    def finish(ctx: Context) -> dict[str, Any]:
        bucket = access.located(ctx, request)
        version = new_objects.described(ctx, bucket, request)
        if preconditions.is_conditional(request):
            preconditions.check_still(request, seen, CURRENT.peek(ctx, bucket.name, version.key), version.key)
        new_objects.fill(ctx, version, received, plan)
        versions.store(ctx, bucket, version)
        notifications.notify(ctx, bucket, "ObjectCreated:Put", version)
        return new_objects.answer(ctx, bucket, request, version)

    try:
        return await ctx.transact(finish)
    except BaseException as error:
        failure = error  # raised below: mypyc frees too much where `raise` follows `await` in `except`
    await receiving.discard(ctx, received)
    raise failure
