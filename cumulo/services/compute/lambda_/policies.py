"""Resource policies: one for the function itself, and one for each of its versions and aliases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.table import REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context


class Policy(Record):
    """The policy of a function ("" as its qualifier) or of a version or alias of it, as the JSON that AWS shows."""

    name: str
    qualifier: str
    document: str
    revision_id: str


POLICIES = Table(Policy, name="lambda.policies", key=("name", "qualifier"), scope=REGION)


def of(ctx: Context, account: str, region: str, name: str, qualifier: str) -> Policy | None:
    """The policy of a function or of one of its qualifiers, None where there is none."""
    return POLICIES.peek(ctx, name, qualifier, account=account, region=region)
