"""What IAM does for organizations: central root access, and access reports. No account is in an organization here.

All of it answers what AWS answers an account without an organization.
Source: EnableOrganizationsRootCredentialsManagement and its like, GenerateOrganizationsAccessReport (API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from cumulo.core.errors import Error, not_implemented
from cumulo.core.operation import operation
from cumulo.services.identity.iam.errors import NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

NO_ORGANIZATION = Error(
    "OrganizationNotFoundException", "The request failed because your account isn't part of an organization."
)
NO_REPORT = Error("ValidationError", "Account {account} is not in an organization.", status=400)


def _refuse(ctx: Context) -> NoReturn:
    if ctx.runtime.policy_source.organization(ctx.account) is None:
        raise NO_ORGANIZATION()
    raise not_implemented("iam", ctx.operation)


@operation
def enable_organizations_root_credentials_management(ctx: Context, request: Any) -> Any:
    _refuse(ctx)


@operation
def disable_organizations_root_credentials_management(ctx: Context, request: Any) -> Any:
    _refuse(ctx)


@operation
def enable_organizations_root_sessions(ctx: Context, request: Any) -> Any:
    _refuse(ctx)


@operation
def disable_organizations_root_sessions(ctx: Context, request: Any) -> Any:
    _refuse(ctx)


@operation
def list_organizations_features(ctx: Context, request: Any) -> Any:
    _refuse(ctx)


@operation(unsupported=("OrganizationsPolicyId",))
def generate_organizations_access_report(
    ctx: Context, request: t.GenerateOrganizationsAccessReportRequest
) -> t.GenerateOrganizationsAccessReportResponse:
    ctx.authorize(f"arn:{ctx.partition}:iam::{ctx.account}:access-report/{request['EntityPath']}")
    if ctx.runtime.policy_source.organization(ctx.account) is None:
        raise NO_REPORT(account=ctx.account)
    raise not_implemented("iam", ctx.operation)


@operation(unsupported=("MaxItems", "Marker", "SortKey"))
def get_organizations_access_report(
    ctx: Context, request: t.GetOrganizationsAccessReportRequest
) -> t.GetOrganizationsAccessReportResponse:
    """There are no reports as long as none can be made."""
    raise NO_SUCH_ENTITY(f"No job found with id {request['JobId']}.")
