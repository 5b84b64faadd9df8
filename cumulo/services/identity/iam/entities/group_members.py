"""Who is in which group: one record a membership, found by group; a user knows its own groups itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import ACCOUNT, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Membership(Record):
    """One user in one group, both by key (the name in lower case)."""

    group: str
    user: str
    added_at: float = 0.0


MEMBERSHIPS = Table(Membership, name="iam.memberships", key=("group", "user"), scope=ACCOUNT)


def rename_user(ctx: Context, groups: list[str], old: str, new: str) -> None:
    """A user has another key from now on."""
    for group in groups:
        membership = MEMBERSHIPS.peek(ctx, group, old)
        if membership is not None:
            MEMBERSHIPS.delete(ctx, membership)
            membership.user = new
            MEMBERSHIPS.put(ctx, membership)
