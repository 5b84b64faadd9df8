"""Delegation requests: a partner asks an account for access for a while.

Only partners whom AWS has taken on may ask, with templates of policies that AWS keeps for them. There are none here, so
CreateDelegationRequest is not implemented, and there is no request that the operations here could find.
Source: "Temporary access delegation" (IAM User Guide); CreateDelegationRequest (API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from cumulo.core.operation import operation
from cumulo.services.identity.iam.errors import INVALID_INPUT, NO_SUCH_ENTITY, VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t


def _missing(ctx: Context, request_id: str) -> NoReturn:
    ctx.authorize(f"arn:{ctx.partition}:iam::{ctx.account}:delegation-request/{request_id}")
    raise NO_SUCH_ENTITY(f"Delegation request {request_id} cannot be found.")


@operation
def accept_delegation_request(ctx: Context, request: t.AcceptDelegationRequestRequest) -> None:
    _missing(ctx, request["DelegationRequestId"])


@operation
def associate_delegation_request(ctx: Context, request: t.AssociateDelegationRequestRequest) -> None:
    _missing(ctx, request["DelegationRequestId"])


@operation(unsupported=("DelegationPermissionCheck",))
def get_delegation_request(ctx: Context, request: t.GetDelegationRequestRequest) -> Any:
    _missing(ctx, request["DelegationRequestId"])


@operation(unsupported=("Locale",))
def get_human_readable_summary(ctx: Context, request: t.GetHumanReadableSummaryRequest) -> Any:
    """The summary of a delegation request; of other entities AWS has none."""
    arn = request["EntityArn"]
    ctx.authorize(arn)
    if ":delegation-request/" not in arn:
        raise INVALID_INPUT(f"Summaries are not supported for {arn}")
    raise NO_SUCH_ENTITY(f"Delegation request {arn.rpartition('/')[2]} cannot be found.")


@operation(unsupported=("OwnerId",))
def list_delegation_requests(
    ctx: Context, request: t.ListDelegationRequestsRequest
) -> t.ListDelegationRequestsResponse:
    """There are none, so there is one page, whatever `MaxItems` says."""
    if "Marker" in request:
        raise VALIDATION_ERROR("Invalid Marker.")
    return {"DelegationRequests": [], "isTruncated": False}


@operation(unsupported=("Notes",))
def reject_delegation_request(ctx: Context, request: t.RejectDelegationRequestRequest) -> None:
    _missing(ctx, request["DelegationRequestId"])


@operation
def send_delegation_token(ctx: Context, request: t.SendDelegationTokenRequest) -> None:
    _missing(ctx, request["DelegationRequestId"])


@operation(unsupported=("Notes",))
def update_delegation_request(ctx: Context, request: t.UpdateDelegationRequestRequest) -> None:
    _missing(ctx, request["DelegationRequestId"])
