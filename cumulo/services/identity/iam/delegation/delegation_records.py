"""Delegation requests: their record, their states, and who may do what to them.

Source: "IAM temporary delegation", "Managing Permissions for Delegation Requests", "Understanding the Request
Lifecycle", "Configuring Notifications" (IAM User Guide).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import delivery
from cumulo.core.errors import Fault
from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.identity.iam.errors import INVALID_INPUT, NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context

DAY_S = 86_400
UNASSIGNED, ASSIGNED, PENDING = "UNASSIGNED", "ASSIGNED", "PENDING_APPROVAL"
ACCEPTED, FINALIZED, REJECTED, EXPIRED = "ACCEPTED", "FINALIZED", "REJECTED", "EXPIRED"
LASTS_S = {UNASSIGNED: DAY_S}  # every other state lasts seven days
OTHERS_LAST_S = 7 * DAY_S
KEPT_S = 30 * DAY_S  # "eventually deleted from the system after the retention period", whose length AWS does not tell


class DelegationRequest(Record):
    """A delegation request. Times are cloud time in seconds, 0 when there is none.

    `requestor` is the partner's account. `owner_account` is "" until an account is named or takes it; `owner` and
    `approver` are ARNs of identities. `approver_entity` and `approver_id` are whose rights the partner gets: the user
    or role itself. `token_digest` is the SHA-256 of the exchange token, `access_until` when what it gives ends.
    """

    request_id: str
    requestor: str
    requestor_name: str
    workflow_id: str
    owner_account: str
    description: str
    template_arn: str
    parameters: list[dict[str, Any]]
    policy: str
    restrictions: list[str]
    channel: str
    duration_s: int
    created_at: float
    updated_at: float
    expires_at: float
    state: str = UNASSIGNED
    message: str = ""
    redirect_url: str = ""
    only_send_by_owner: bool = False
    owner: str = ""
    approver: str = ""
    approver_entity: str = ""
    approver_id: str = ""
    notes: str = ""
    rejection: str = ""
    token_digest: bytes = b""
    access_until: float = 0.0

    def state_at(self, now: float) -> str:
        """The state: a request that nobody went on with in time is expired."""
        return EXPIRED if self.expires_at <= now else self.state


DELEGATION_REQUESTS = Table(
    DelegationRequest,
    name="iam.delegation_requests",
    key="request_id",
    scope=GLOBAL,
    indexes={"by_owner": ("owner_account", "owner"), "by_workflow": ("requestor", "workflow_id")},
)


def arn_of(ctx: Context, request_id: str) -> str:
    """The ARN that permissions are asked for: the request as the caller's account sees it."""
    return f"arn:{ctx.partition}:iam::{ctx.account}:delegation-request/{request_id}"


def find(ctx: Context, request_id: str, *, by_default: bool = True) -> DelegationRequest:
    """The request, found and authorized. Raises NoSuchEntity, AccessDenied.

    It is there for its owner's account, and for every account as long as it has none. With `by_default` its owner, and
    anybody while it has no owner, needs no policy that allows this; one that denies still does.
    """
    found = DELEGATION_REQUESTS.peek(ctx, request_id)
    if found is None or found.owner_account not in ("", ctx.account):
        ctx.authorize(arn_of(ctx, request_id))
        raise NO_SUCH_ENTITY(f"Delegation request {request_id} cannot be found.")
    ctx.authorize(
        arn_of(ctx, request_id),
        context={"iam:DelegationRequestOwner": found.owner} if found.owner else None,
        granted=by_default and found.owner in ("", ctx.principal.arn),
    )
    return found


def check_state(ctx: Context, request: DelegationRequest, *allowed: str) -> None:
    """InvalidInput unless the request is in one of these states."""
    state = request.state_at(ctx.now())
    if state not in allowed:
        raise INVALID_INPUT(f"Delegation request {request.request_id} is in state {state}, which does not allow this.")


def enter(ctx: Context, request: DelegationRequest, state: str) -> None:
    """Bring a request into another state, keep it, and tell the partner."""
    now = ctx.now()
    request.state, request.updated_at = state, now
    request.expires_at = now + LASTS_S.get(state, OTHERS_LAST_S)
    keep(ctx, request)
    if state != UNASSIGNED:
        tell(ctx, request, "StateChange")


def keep(ctx: Context, request: DelegationRequest) -> None:
    """Keep a request, and look again when its time is over."""
    DELEGATION_REQUESTS.put(ctx, request)
    payload = {"id": request.request_id, "expires_at": request.expires_at}
    ctx.later(expire, payload, at=request.expires_at)


@task
def expire(ctx: Context, payload: dict[str, Any]) -> None:
    """Tell of a request that has expired meanwhile; forget it some time later."""
    found = DELEGATION_REQUESTS.peek(ctx, payload["id"])
    if found is None or found.expires_at != payload["expires_at"]:
        return
    if found.state == EXPIRED:
        DELEGATION_REQUESTS.delete(ctx, found)
        return
    found.state, found.updated_at = EXPIRED, ctx.now()
    DELEGATION_REQUESTS.put(ctx, found)
    tell(ctx, found, "StateChange")
    ctx.later(expire, payload, at=ctx.now() + KEPT_S)


def tell(ctx: Context, request: DelegationRequest, kind: str, **more: str) -> None:
    """Notify the partner's topic: members as in the examples of "Notification Message Format"."""
    body = {
        "Type": kind,
        "RequestId": request.request_id,
        "RequestorWorkflowId": request.workflow_id,
        "State": request.state,
        "OwnerAccountId": request.owner_account,
        "UpdatedAt": iso8601(request.updated_at),
        **more,
    }
    payload = {"topic": request.channel, "body": msgspec.json.encode(body).decode(), "id": request.request_id}
    ctx.later(notify, payload, lane=f"delegation/{request.request_id}")


@task
def notify(ctx: Context, payload: dict[str, Any]) -> None:
    """Publish to the partner's topic. If its policy keeps iam.amazonaws.com out, nobody hears of it, as on AWS."""
    source = f"arn:aws:iam::{payload['topic'].split(':')[4]}:delegation-request/{payload['id']}"
    try:
        delivery.deliver(ctx, payload["topic"], {"body": payload["body"]}, service="iam", source_arn=source)
    except Fault as fault:
        ctx.logger.warning("a delegation request's news did not reach %s: %s", payload["topic"], fault)


def iso8601(seconds: float) -> str:
    """`2025-01-15T10:30:00.123Z`."""
    from datetime import UTC, datetime

    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"
