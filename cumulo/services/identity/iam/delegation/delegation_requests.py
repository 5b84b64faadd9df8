"""Delegation requests: a partner asks an account for access for a while.

CreateDelegationRequest is for partners whose policy templates are registered (delegation_templates.py). States, who may
do what, and what partners are told of are in delegation_records.py; the access itself is in delegation_tokens.py.
Source: "Temporary access delegation" (IAM User Guide); the operations' pages in the API Reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.core.policy.principals import PrincipalKind
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.delegation import delegation_templates
from cumulo.services.identity.iam.delegation.delegation_records import (
    ACCEPTED,
    ASSIGNED,
    DELEGATION_REQUESTS,
    PENDING,
    REJECTED,
    UNASSIGNED,
    DelegationRequest,
    arn_of,
    check_state,
    enter,
    find,
)
from cumulo.services.identity.iam.errors import ENTITY_ALREADY_EXISTS, INVALID_INPUT

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

ROOT_MOST_S = 4 * 3600  # "root users can only approve delegation requests with a duration of 4 hours or less"


@operation
def create_delegation_request(
    ctx: Context, request: t.CreateDelegationRequestRequest
) -> t.CreateDelegationRequestResponse:
    """Ask an account, or whoever takes the request up, for access. There is no console, so no link to it."""
    request_id = ctx.uuid()
    arn, channel = request["Permissions"].get("PolicyTemplateArn", ""), request["NotificationChannel"]
    known = {
        "iam:TemplateArn": arn,
        "iam:NotificationChannel": channel,
        "iam:DelegationDuration": request["SessionDuration"],
    }
    ctx.authorize(arn_of(ctx, request_id), context=known)
    template = delegation_templates.find(ctx, arn)
    parts = channel.split(":")
    if len(parts) != 6 or parts[2] != "sns" or parts[4] != ctx.account:
        raise INVALID_INPUT("The notification channel must be the ARN of an SNS topic of the requesting account.")
    workflow = request["RequestorWorkflowId"]
    if DELEGATION_REQUESTS.range(ctx, ctx.account, workflow, index="by_workflow", limit=1):
        raise ENTITY_ALREADY_EXISTS(f"A delegation request with the workflow id {workflow} already exists.")
    parameters: list[Any] = request["Permissions"].get("Parameters") or []
    now = ctx.now()
    made = DelegationRequest(
        request_id, ctx.account, template.requestor_name, workflow, request.get("OwnerAccountId", ""),
        request["Description"], arn, parameters, delegation_templates.policy_of(template, parameters),
        template.role_permission_restriction_arns, channel, request["SessionDuration"], now, now, now,
        message=request.get("RequestMessage", ""), redirect_url=request.get("RedirectUrl", ""),
        only_send_by_owner=request.get("OnlySendByOwner", False),
    )  # fmt: skip
    enter(ctx, made, UNASSIGNED)
    return {"DelegationRequestId": request_id}


@operation
def associate_delegation_request(ctx: Context, request: t.AssociateDelegationRequestRequest) -> None:
    """Take a request up: its owner is the caller, and the caller's account."""
    found = find(ctx, request["DelegationRequestId"])
    check_state(ctx, found, UNASSIGNED)
    found.owner, found.owner_account = ctx.principal.arn, ctx.account
    enter(ctx, found, ASSIGNED)


@operation
def update_delegation_request(ctx: Context, request: t.UpdateDelegationRequestRequest) -> None:
    """Forward a request to an administrator, with notes."""
    found = find(ctx, request["DelegationRequestId"])
    check_state(ctx, found, ASSIGNED, PENDING)
    found.notes = request.get("Notes", found.notes)
    enter(ctx, found, PENDING)


@operation
def accept_delegation_request(ctx: Context, request: t.AcceptDelegationRequestRequest) -> None:
    """Approve a request: what the partner may do is what it asked for and the caller may do."""
    found = find(ctx, request["DelegationRequestId"], by_default=False)
    check_state(ctx, found, ASSIGNED, PENDING)
    caller = ctx.principal
    if caller.kind is PrincipalKind.ROOT and found.duration_s > ROOT_MOST_S:
        raise INVALID_INPUT("The root user can approve delegation requests of at most 4 hours.")
    if caller.session_policies or caller.kind not in (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE):
        raise not_implemented("iam", ctx.operation, "the approval by a session with policies of its own")
    found.approver, found.approver_entity = caller.arn, caller.policy_arn
    found.approver_id = caller.user_id.partition(":")[0]
    enter(ctx, found, ACCEPTED)


@operation
def reject_delegation_request(ctx: Context, request: t.RejectDelegationRequestRequest) -> None:
    """Turn a request down; even an approved one, as long as its token was not sent."""
    found = find(ctx, request["DelegationRequestId"])
    check_state(ctx, found, ASSIGNED, PENDING, ACCEPTED)
    found.rejection = request.get("Notes", "")
    enter(ctx, found, REJECTED)


@operation(unsupported=("DelegationPermissionCheck",))
def get_delegation_request(ctx: Context, request: t.GetDelegationRequestRequest) -> t.GetDelegationRequestResponse:
    """A request with the policy that it asks for."""
    return {"DelegationRequest": _shown(ctx, find(ctx, request["DelegationRequestId"]))}


def _shown(ctx: Context, found: DelegationRequest) -> Any:
    permissions: dict[str, Any] = {"PolicyTemplateArn": found.template_arn}
    if found.parameters:
        permissions["Parameters"] = found.parameters
    answer: dict[str, Any] = {
        "DelegationRequestId": found.request_id,
        "OwnerAccountId": found.owner_account,
        "Description": found.description,
        "RequestMessage": found.message,
        "Permissions": permissions,
        "PermissionPolicy": found.policy,
        "RolePermissionRestrictionArns": found.restrictions,
        "OwnerId": found.owner,
        "ApproverId": found.approver,
        "State": found.state_at(ctx.now()),
        "ExpirationTime": found.expires_at,
        "RequestorId": found.requestor,
        "RequestorName": found.requestor_name,
        "CreateDate": found.created_at,
        "SessionDuration": found.duration_s,
        "RedirectUrl": found.redirect_url,
        "Notes": found.notes,
        "RejectionReason": found.rejection,
        "OnlySendByOwner": found.only_send_by_owner,
        "UpdatedTime": found.updated_at,
    }
    return {name: value for name, value in answer.items() if value not in ("", [])}


@operation
def get_human_readable_summary(
    ctx: Context, request: t.GetHumanReadableSummaryRequest
) -> t.GetHumanReadableSummaryResponse:
    """AWS has a language model write it. There is none here, so the summary of a request is never available."""
    arn = request["EntityArn"]
    if ":delegation-request/" not in arn:
        ctx.authorize(arn)
        raise INVALID_INPUT(f"Summaries are not supported for {arn}")
    find(ctx, arn.rpartition("/")[2])
    answer: t.GetHumanReadableSummaryResponse = {"SummaryContent": "", "SummaryState": "NOT_AVAILABLE"}
    if "Locale" in request:
        answer["Locale"] = request["Locale"]
    return answer


@operation
def list_delegation_requests(
    ctx: Context, request: t.ListDelegationRequestsRequest
) -> t.ListDelegationRequestsResponse:
    """The requests that the account has taken up; those of one owner, when it is named."""
    owner = request.get("OwnerId")
    ctx.authorize(
        "*",
        action="iam:ListDelegationRequests",
        context={"iam:DelegationRequestOwner": owner} if owner else None,
        granted=owner == ctx.principal.arn,
    )
    place = (ctx.account, owner) if owner else (ctx.account,)
    owned = [each for each in DELEGATION_REQUESTS.range(ctx, *place, index="by_owner") if each.owner]
    page: Any = pages.of_list(
        ctx, owned, request, "DelegationRequests", lambda each: _shown(ctx, each), lambda each: each.request_id
    )
    page["isTruncated"] = page.pop("IsTruncated")  # so the model spells it here
    return page  # type: ignore[no-any-return]
