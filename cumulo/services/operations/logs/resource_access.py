"""What an account's resource policies say about who may use its log groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cumulo.core.context import Context


def policy_of(ctx: Context, account: str) -> str | None:
    """The resource policies of an account and region as one document, None when there are none."""
    return None
