"""A call's permission: the question put to the policy engine, and AWS's words when the answer is no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cumulo.core.errors import Error
from cumulo.core.policy.authorization import NOTHING, Question, account_of, authorize
from cumulo.core.policy.condition_keys import Environment
from cumulo.core.policy.principals import PrincipalKind
from cumulo.wire import hosts

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.policy.authorization import PolicySource
    from cumulo.core.policy.decision import Decision

# How most services name the refusal: by protocol family, unless a service's package has an ACCESS_DENIED.
# Source: the "Common Errors" page of each service's API reference.
_JSON_DENIED = Error("AccessDeniedException", status=400)
_DENIED = Error("AccessDenied", status=403)
_JSON_PROTOCOLS = frozenset(("json", "rest-json", "smithy-rpc-v2-cbor"))
_NO_TOKEN = Error("MissingAuthenticationToken", "Request is missing Authentication Token", status=403)


def environment_of(ctx: Context) -> Environment:
    """What the request brings to conditions beside its caller and its resource."""
    headers = ctx.headers
    # Behind an endpoint of a VPC an address says nothing: aws:SourceIp is absent there, aws:VpcSourceIp is not.
    endpoint = hosts.read(ctx.endpoint.partition("://")[2]).vpc_endpoint if ".vpce." in ctx.endpoint else ""
    return Environment(
        ctx.runtime.clock.now,
        source_ip="" if endpoint else ctx.source_ip,
        vpc_source_ip=ctx.source_ip if endpoint else "",
        source_vpc_endpoint=endpoint,
        secure=ctx.endpoint.startswith("https:"),
        region=ctx.region,
        user_agent=headers.get("user-agent") if headers is not None else "",
        referer=headers.get("referer") if headers is not None else "",
        source_arn=ctx.source_arn,
        source_account=ctx.source_account,
        called_via=ctx.called_via,
    )


def request_tags(request: dict[str, Any]) -> dict[str, str]:
    """The tags that a request brings, in whichever form its model gives them."""
    for name in ("Tags", "tags", "TagList"):
        tags = request.get(name)
        if isinstance(tags, dict):
            return {str(key): str(value) for key, value in tags.items()}
        if isinstance(tags, list):
            return {
                str(tag.get("Key", tag.get("key", ""))): str(tag.get("Value", tag.get("value", "")))
                for tag in tags
                if isinstance(tag, dict)
            }
    return {}


def decide_call(
    ctx: Context,
    arn: str,
    *,
    policy: str | None,
    tags: dict[str, str] | None,
    action: str | None,
    context: Mapping[str, Any] | None,
    trust: bool = False,
    policy_required: bool = False,
    granted: bool = False,
    shown: str = "",
    account: str = "",
) -> None:
    """Let the call go on, or raise its AccessDenied and note why; in audit mode, note it and let the call go on.

    Audit forgives missing policies, not missing signatures: an anonymous call is held to the policies all the same.
    """
    if policy is None and not policy_required and ctx.trusted(account or account_of(arn) or ctx.principal.account):
        return  # root in its own account: most calls there are
    handler = ctx.handler
    assert handler is not None
    rule = handler.rule
    name = action or rule.action
    if name is None:
        return  # needs no permission, as sts:GetCallerIdentity
    everywhere = arn == "*"
    if everywhere and action is None and rule.asked_resource:
        arn = _filled(ctx, rule.asked_resource)
    arguments: dict[str, Any] = {
        "environment": environment_of(ctx),
        "resource_policy": policy,
        "resource_tags": tags,
        "request_tags": lambda: request_tags(ctx.request),
        "given": context,
        "trust": trust,
        "resource_policy_required": policy_required,
        "granted": granted,
        "resource_account": account,
        "shown": rule.shown if action is None else action,
    }
    source = ctx.runtime.policy_source
    # Root has no policies of its own: where nothing controls accounts, only the resource's policy has a say.
    if ctx.principal.kind is not PrincipalKind.ROOT or source.controlled:
        source = source.at(ctx)
    else:
        source = NOTHING
    decision = authorize(ctx.principal, name, arn, source=source, **arguments)
    if decision.allowed:
        return
    if shown or everywhere:
        named = shown or _filled(ctx, rule.shown_resource)
        decision = replace(decision, resource=named or "*", on_everything=named == "*")
    denial = _denial(decision, Question(ctx.principal, name, arn, **arguments), source)
    if everywhere:
        denial["permission"]["resource"] = "*"  # as policies are written for what acts on no resource
    if ctx.runtime.audit and ctx.principal.kind is not PrincipalKind.ANONYMOUS:
        ctx.note_audited(denial)
        return
    ctx.denial = denial
    raise _refusal(ctx, decision)


def _filled(ctx: Context, template: str) -> str:
    """What stands for "*" where an operation lists: "arn:aws:iam::111122223333:user/"."""
    if not template:
        return ""
    filled = template.replace("${Partition}", ctx.partition).replace("${Account}", ctx.account)
    return filled.replace("${Region}", ctx.region)


def _denial(decision: Decision, question: Question, source: PolicySource) -> dict[str, Any]:
    """What `cumulo why` tells of a denial; `permission` is what a policy would have to name."""
    import msgspec

    from cumulo.core.policy.explanation import every_policy

    shown = msgspec.to_builtins(question.explain(source))
    return {
        "kind": decision.kind.value,
        "decided_by": decision.decided_by.value,
        "action": decision.action,
        "resource": decision.resource,
        "policy": decision.policy,
        "sid": decision.sid,
        "statement": decision.index,
        "reason": decision.reason(),
        "permission": {"action": question.action, "resource": question.arn},
        "resource_account": question.resource_account,
        "policies": [
            {"policy_type": policy_type.value, "policy": policy.name, "policy_arn": policy.arn}
            for policy_type, policy in every_policy(question.policies(source))
        ],
        "explanation": shown,
    }


def _refusal(ctx: Context, decision: Decision) -> Exception:
    handler = ctx.handler
    assert handler is not None
    if ctx.principal.kind is PrincipalKind.ANONYMOUS and not handler.rule.needs_resource:
        return _NO_TOKEN()
    error = handler.access_denied or (_JSON_DENIED if ctx.protocol in _JSON_PROTOCOLS else _DENIED)
    return error(decision.message())
