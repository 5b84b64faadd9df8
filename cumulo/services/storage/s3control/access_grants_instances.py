"""The S3 Access Grants instance of an account in a region.

Source: S3 API Reference, CreateAccessGrantsInstance and its like. Corporate directories (IAM Identity Center) are
refused by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.buckets import BUCKETS
from cumulo.services.storage.s3control import accounts, tags
from cumulo.services.storage.s3control.access_grants_records import DEFAULT, INSTANCES, LOCATIONS, Instance
from cumulo.services.storage.s3control.errors import INSTANCE_EXISTS, INSTANCE_NOT_EMPTY, NO_INSTANCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


def shown(instance: Instance) -> dict[str, Any]:
    """The instance as answers show it."""
    return {
        "CreatedAt": instance.created_at,
        "AccessGrantsInstanceId": instance.id,
        "AccessGrantsInstanceArn": instance.arn,
    }


def found(ctx: Context, request: Mapping[str, Any]) -> Instance:
    """The instance of the request's account, which is the caller's, in this region; allowed for the operation.

    Raises AccessGrantsInstanceNotExistsError.
    """
    accounts.check(ctx, request)
    return INSTANCES.get(ctx, DEFAULT)


def of_account(ctx: Context, account: str) -> Instance:
    """An account's instance in this region, allowed for the operation: the caller's, or one whose policy lets it in.

    Raises AccessGrantsInstanceNotExistsError.
    """
    return INSTANCES.get(ctx, DEFAULT, account=account)


def check(ctx: Context) -> Instance:
    """The caller's instance in this region. Raises AccessGrantsInstanceNotExistsError."""
    instance = INSTANCES.peek(ctx, DEFAULT)
    if instance is None:
        raise NO_INSTANCE()
    return instance


@operation(unsupported=("IdentityCenterArn",))
def create_access_grants_instance(
    ctx: Context, request: t.CreateAccessGrantsInstanceRequest
) -> t.CreateAccessGrantsInstanceResult:
    """A new instance."""
    accounts.check(ctx, request)
    ctx.authorize(INSTANCES.arn(ctx, DEFAULT))
    if INSTANCES.peek(ctx, DEFAULT) is not None:
        raise INSTANCE_EXISTS()
    instance = Instance(ctx.account, ctx.region, ctx.now(), tags.checked(request.get("Tags", [])))
    INSTANCES.put(ctx, instance)
    return shown(instance)  # type: ignore[return-value]


@operation
def get_access_grants_instance(
    ctx: Context, request: t.GetAccessGrantsInstanceRequest
) -> t.GetAccessGrantsInstanceResult:
    """The instance."""
    return shown(found(ctx, request))  # type: ignore[return-value]


@operation
def get_access_grants_instance_for_prefix(
    ctx: Context, request: t.GetAccessGrantsInstanceForPrefixRequest
) -> t.GetAccessGrantsInstanceForPrefixResult:
    """The instance that manages a path: the one of the account and region of its bucket, if it lets the caller in."""
    accounts.check(ctx, request)
    bucket = BUCKETS.peek(ctx, request["S3Prefix"].removeprefix("s3://").partition("/")[0])
    instance = INSTANCES.get(ctx, DEFAULT, account=bucket.account if bucket is not None else None)
    if bucket is None or bucket.region != ctx.region:
        raise NO_INSTANCE()
    return {"AccessGrantsInstanceArn": instance.arn, "AccessGrantsInstanceId": instance.id}


@operation
def list_access_grants_instances(
    ctx: Context, request: t.ListAccessGrantsInstancesRequest
) -> t.ListAccessGrantsInstancesResult:
    """The instance of this region, if there is one: pages and tokens are not needed."""
    accounts.check(ctx, request)
    there = INSTANCES.peek(ctx, DEFAULT)
    wanted = request.get("MaxResults", 1000) and not request.get("NextToken")
    listed = [shown(there)] if there is not None and wanted else []
    return {"AccessGrantsInstancesList": listed}  # type: ignore[typeddict-item]


@operation
def delete_access_grants_instance(ctx: Context, request: t.DeleteAccessGrantsInstanceRequest) -> None:
    """Remove an instance that has no locations any more."""
    instance = found(ctx, request)
    if LOCATIONS.range(ctx, limit=1):
        raise INSTANCE_NOT_EMPTY()
    INSTANCES.delete(ctx, instance)
