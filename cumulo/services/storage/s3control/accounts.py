"""The account of a request: S3 Control's operations work in the caller's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.storage.s3control.errors import ACCESS_DENIED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context


def check(ctx: Context, request: Mapping[str, Any]) -> None:
    """AccessDenied for the AccountId of somebody else."""
    if request.get("AccountId", ctx.account) != ctx.account:
        ctx.authorized = True
        raise ACCESS_DENIED()
