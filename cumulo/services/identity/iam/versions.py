"""The version of an account's policies: a token that every change of who may do what replaces.

Compiled policies are remembered with the token that they were read under; all nodes read it in each call's own
transaction, so a change counts from its commit on, everywhere. A random token, because a number that was rolled
back would come again for something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import ACCOUNT, Space

if TYPE_CHECKING:
    from cumulo.core.context import Context

VERSIONS = Space("iam.versions", scope=ACCOUNT)


def touch(ctx: Context) -> None:
    """Note that what somebody of this account may do has changed."""
    ctx.txn.put(VERSIONS.prefix(ctx.account, ""), ctx.random_bytes(8))


def current(ctx: Context, account: str) -> bytes | None:
    """The account's token, None while it has no policies at all."""
    return ctx.txn.get(VERSIONS.prefix(account, ""))
