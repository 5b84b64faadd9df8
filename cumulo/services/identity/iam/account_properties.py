"""Account properties: settings of an account as a whole. The one there is says whether consoles make roles themselves.

cumulo has no service consoles, so nothing here acts on RoleManager/Enabled; AcquireRole works without it, as on AWS.
Source: PutAccountProperties (API Reference); "Create roles automatically with role manager", "Overview of role
templates" (IAM User Guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam.errors import INVALID_INPUT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

ROLE_MANAGER = "RoleManager/Enabled"
DEFAULTS = {ROLE_MANAGER: "false"}  # "For most AWS accounts, role manager is disabled by default"
BOOLEANS = ("true", "false")


class AccountProperties(Record):
    """The properties that an account has set."""

    name: str
    values: dict[str, str]


ACCOUNT_PROPERTIES = Table(AccountProperties, name="iam.account_properties", key="name", scope=ACCOUNT)


def _namespaces(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    names = request.get("Properties") or DEFAULTS
    return {"iam:AccountPropertyNamespaces": sorted({name.partition("/")[0] for name in names})}


@operation(conditions=_namespaces)
def get_account_properties(ctx: Context, request: Any) -> t.GetAccountPropertiesResponse:
    """All properties, those that were never set with their defaults."""
    found = ACCOUNT_PROPERTIES.peek(ctx, "properties")
    return {"Properties": DEFAULTS | (found.values if found is not None else {})}


@operation(conditions=_namespaces)
def put_account_properties(ctx: Context, request: t.PutAccountPropertiesRequest) -> t.PutAccountPropertiesResponse:
    """Set properties of one namespace; the others stay."""
    given = request["Properties"]
    for name in given:
        if name.count("/") != 1 or name.startswith("/") or name.endswith("/"):
            raise INVALID_INPUT(f"The property key {name} must have the form Namespace/PropertyName.")
    if len({name.partition("/")[0] for name in given}) > 1:
        raise INVALID_INPUT("All properties must belong to the same namespace.")
    for name, value in given.items():
        if name not in DEFAULTS:
            raise INVALID_INPUT(f"The property key {name} is not supported.")
        if value not in BOOLEANS:
            raise INVALID_INPUT(f"The value of the property {name} must be true or false.")
    found = ACCOUNT_PROPERTIES.peek(ctx, "properties") or AccountProperties("properties", {})
    found.values = found.values | given
    ACCOUNT_PROPERTIES.put(ctx, found)
    return {}
