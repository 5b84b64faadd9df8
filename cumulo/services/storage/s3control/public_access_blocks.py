"""The public access block of an account, which holds for all of its buckets and access points.

Source: S3 User Guide, "Blocking public access to your Amazon S3 storage"; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.s3.access import ACCOUNT_ACCESS, AccountAccess, PublicAccessBlock
from cumulo.services.storage.s3control import accounts
from cumulo.services.storage.s3control.errors import INVALID_REQUEST, NO_SUCH_PUBLIC_ACCESS_BLOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.stubs import s3control as t


def of_request(given: Mapping[str, Any]) -> PublicAccessBlock:
    """The settings of a request; those that are not named are off."""
    return PublicAccessBlock(
        given.get("BlockPublicAcls", False),
        given.get("IgnorePublicAcls", False),
        given.get("BlockPublicPolicy", False),
        given.get("RestrictPublicBuckets", False),
    )


def shown(block: PublicAccessBlock) -> dict[str, bool]:
    """The settings as answers show them."""
    return {
        "BlockPublicAcls": block.block_acls,
        "IgnorePublicAcls": block.ignore_acls,
        "BlockPublicPolicy": block.block_policy,
        "RestrictPublicBuckets": block.restrict_buckets,
    }


@operation
def put_public_access_block(ctx: Context, request: t.PutPublicAccessBlockRequest) -> None:
    """Set all four settings of the account."""
    accounts.check(ctx, request)
    given = request["PublicAccessBlockConfiguration"]
    if not given:
        raise INVALID_REQUEST("Must specify at least one configuration.")
    ACCOUNT_ACCESS.put(ctx, AccountAccess(ctx.account, of_request(given)))


@operation
def get_public_access_block(ctx: Context, request: t.GetPublicAccessBlockRequest) -> t.GetPublicAccessBlockOutput:
    """The four settings of the account."""
    accounts.check(ctx, request)
    found = ACCOUNT_ACCESS.peek(ctx, ctx.account)
    if found is None:
        raise NO_SUCH_PUBLIC_ACCESS_BLOCK(members={"AccountId": ctx.account})
    return {"PublicAccessBlockConfiguration": shown(found.block)}  # type: ignore[typeddict-item]


@operation
def delete_public_access_block(ctx: Context, request: t.DeletePublicAccessBlockRequest) -> None:
    """Remove the account's settings, if there are any."""
    accounts.check(ctx, request)
    found = ACCOUNT_ACCESS.peek(ctx, ctx.account)
    if found is not None:
        ACCOUNT_ACCESS.delete(ctx, found)
