"""Asking whether something is allowed, where a no is no refusal of the request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context


def allowed(ctx: Context, ask: Callable[[], None]) -> bool:
    """Whether `ask` raises no AccessDenied; what it noted of one is forgotten."""
    denial = ctx.denial
    try:
        ask()
    except Fault as fault:
        if fault.code != "AccessDenied":
            raise
        ctx.denial = denial
        return False
    return True
