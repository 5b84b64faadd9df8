"""The policy simulator: what would policies decide? Nothing is done, and nothing is asked of real resources.

Source: SimulatePrincipalPolicy, SimulateCustomPolicy (IAM API Reference); "IAM policy testing with the IAM policy
simulator" (IAM User Guide).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.core.policy.decision import Policies
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import Principal, PrincipalKind
from cumulo.core.policy.statements import compile_policy
from cumulo.core.policy.wildcards import like
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.entities import entity_policies, roles, users
from cumulo.services.identity.iam.errors import INVALID_INPUT
from cumulo.services.identity.iam.simulations.context_keys import keys_in
from cumulo.services.identity.iam.simulations.simulated_requests import Simulation, Source, simulate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.context import Context
    from cumulo.core.policy.statements import Policy
    from cumulo.services.identity.iam.entities.entity_policies import Entity, EntityPolicy
    from cumulo.stubs import iam as t

_ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9]+")
_NUMBERS = ("numeric", "numericList")


class Stage:
    """The policies of a simulation, gathered one by one."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.spelling: dict[str, str] = {}

    def add(self, source_id: str, text: str, kind: Kind) -> Policy:
        """A policy under the name that answers give it. Raises InvalidInput for a broken one."""
        number = str(len(self.sources))
        try:
            policy = compile_policy(text, kind, name=source_id, arn=number)
        except Fault as fault:
            raise INVALID_INPUT(f"{source_id}: {fault.message}") from None
        for key in keys_in(text, kind):
            self.spelling.setdefault(key.lower(), key)
        self.sources[number] = Source(source_id, text, policy)
        return policy

    def add_inputs(self, texts: Sequence[str], label: str, kind: Kind) -> tuple[Policy, ...]:
        """The policies of a list in the request, numbered from 1."""
        return tuple(self.add(f"{label}.{number}", text, kind) for number, text in enumerate(texts, 1))


def _caller(ctx: Context, arn: str) -> Principal:
    """The simulated caller. Raises InvalidInput."""
    parts = arn.split(":", 5)
    kind, _, name = parts[5].partition("/") if len(parts) == 6 else ("", "", "")
    if parts[0] != "arn" or parts[2:4] != ["iam", ""] or kind not in ("user", "group", "role") or not name:
        raise INVALID_INPUT(f"Invalid Caller Arn: {arn}")
    account, name = parts[4], name.rpartition("/")[2]
    tags: dict[str, str] = {}
    user_id = ""
    if kind == "role":
        role = roles.ROLES.peek(ctx, name.lower()) if account == ctx.account else None
        if role is not None:
            tags, user_id = role.tags, role.role_id
        return Principal(PrincipalKind.ROLE, arn, account, parts[1], user_id=user_id, entity_arn=arn, tags=tags)
    user = users.USERS.peek(ctx, name.lower()) if kind == "user" and account == ctx.account else None
    if user is not None:
        tags, user_id = user.tags, user.user_id
    shown = name if kind == "user" else ""
    return Principal(PrincipalKind.USER, arn, account, parts[1], user_id=user_id, name=shown, tags=tags)


def _given(request: Any) -> dict[str, Any]:
    """The context entries as conditions read them. Raises InvalidInput."""
    given: dict[str, Any] = {}
    for entry in request.get("ContextEntries", ()):
        name, values = entry.get("ContextKeyName", ""), entry.get("ContextKeyValues", [])
        kind = entry.get("ContextKeyType", "string")
        if ":" not in name:
            raise INVALID_INPUT(f"Invalid context key name: {name}")
        if kind in _NUMBERS and not all(re.fullmatch(r"[+-]?\d+(\.\d+)?", value) for value in values):
            raise INVALID_INPUT(f"Invalid value for context key {name} of type {kind}")
        if values:
            given[name] = list(values) if kind.endswith("List") or len(values) > 1 else values[0]
    return given


def _actions(request: Any) -> list[str]:
    for action in request["ActionNames"]:
        if not _ACTION.fullmatch(action):
            raise INVALID_INPUT(f"Invalid Action: {action}")
    return list(request["ActionNames"])


def _resource_policy(stage: Stage, request: Any, caller_known: bool) -> Policy | None:
    text = request.get("ResourcePolicy")
    if text is None:
        return None
    if not caller_known:
        raise INVALID_INPUT("CallerArn is required when a resource policy is specified")
    return stage.add("ResourcePolicy", text, Kind.RESOURCE)


def _boundary(stage: Stage, request: Any) -> Policy | None:
    texts = request.get("PermissionsBoundaryPolicyInputList", [])
    if len(texts) > 1:
        raise INVALID_INPUT("Only one permissions boundary policy can be specified")
    return stage.add_inputs(texts, "PermissionsBoundaryPolicyInputList", Kind.INLINE)[0] if texts else None


def _owner(request: Any, caller: Principal) -> str:
    """The account that owns resources whose ARN does not say so; ResourceOwner may be an account or its ARN."""
    owner = request.get("ResourceOwner", "")
    if not owner:
        return caller.account
    account = owner.split(":")[4] if owner.startswith("arn:") and owner.count(":") >= 5 else owner
    if len(account) != 12 or not account.isdigit():
        raise INVALID_INPUT(f"Invalid Resource Owner: {owner}")
    return str(account)


def _answer(ctx: Context, request: Any, simulation: Simulation) -> Any:
    """Every action on all resources, in pages."""
    resources = list(dict.fromkeys(request.get("ResourceArns") or ["*"]))
    wanted = [(f"{number:08d}", action) for number, action in enumerate(_actions(request))]
    return pages.of_list(
        ctx,
        wanted,
        request,
        "EvaluationResults",
        lambda each: simulate(simulation, each[1], resources),
        lambda each: each[0],
    )


@operation(unsupported=("ResourceHandlingOption",))
def simulate_custom_policy(ctx: Context, request: t.SimulateCustomPolicyRequest) -> t.SimulatePolicyResponse:
    """What the policies in the request decide, whoever they may be attached to."""
    stage = Stage()
    caller_arn = request.get("CallerArn")
    caller = _caller(ctx, caller_arn or f"arn:{ctx.partition}:iam::{ctx.account}:user/simulated")
    identity = stage.add_inputs(request["PolicyInputList"], "PolicyInputList", Kind.INLINE)
    boundary = _boundary(stage, request)
    levels = tuple(
        stage.add_inputs(
            level.get("ServiceControlPolicyInputList", []),
            f"OrderedOrganizationPolicyInputList.{number}.ServiceControlPolicyInputList",
            Kind.CONTROL,
        )
        for number, level in enumerate(request.get("OrderedOrganizationPolicyInputList", []), 1)
    )
    resource = _resource_policy(stage, request, caller_arn is not None)
    policies = Policies(identity=identity, boundary=boundary, resource=resource, service_controls=levels)
    simulation = Simulation(
        caller,
        caller_arn is not None,
        policies,
        stage.sources,
        _given(request),
        _owner(request, caller),
        stage.spelling,
    )
    return _answer(ctx, request, simulation)  # type: ignore[no-any-return]


@operation(unsupported=("ResourceHandlingOption",))
def simulate_principal_policy(ctx: Context, request: t.SimulatePrincipalPolicyRequest) -> t.SimulatePolicyResponse:
    """What the policies of a user, group or role decide, with those in the request and without those excluded."""
    source_arn = request["PolicySourceArn"]
    entity = entity_policies.find_entity(ctx, source_arn)
    if "ResourcePolicy" in request and entity.kind == "role":
        raise INVALID_INPUT("Simulation of resource-based policies isn't supported for IAM roles.")
    if "ResourcePolicy" in request and entity.kind == "group" and "CallerArn" not in request:
        raise INVALID_INPUT("CallerArn is required when a resource policy is specified")
    caller = _caller(ctx, request.get("CallerArn", entity.arn))
    excluded = [_Exclusion(each) for each in request.get("PolicyExclusionList", [])]
    stage = Stage()
    attached = [
        stage.add(_source_id(policy), policy.document, Kind.INLINE)
        for policy in entity_policies.policies_of(ctx, entity)
        if not any(exclusion.covers(policy) for exclusion in excluded)
    ]
    inputs = stage.add_inputs(request.get("PolicyInputList", []), "PolicyInputList", Kind.INLINE)
    boundary = _boundary(stage, request) or _attached_boundary(ctx, stage, entity, excluded)
    resource = _resource_policy(stage, request, caller_known=True)
    controls = ctx.runtime.policy_source.at(ctx).attached(caller).service_controls
    policies = Policies(identity=(*attached, *inputs), boundary=boundary, resource=resource, service_controls=controls)
    simulation = Simulation(
        caller, True, policies, stage.sources, _given(request), _owner(request, caller), stage.spelling
    )
    return _answer(ctx, request, simulation)  # type: ignore[no-any-return]


def _source_id(policy: EntityPolicy) -> str:
    """What answers call a policy: a managed one by its name, an inline one with its entity before it."""
    return policy.name if policy.arn else f"{policy.kind}_{policy.entity}_{policy.name}"


def _attached_boundary(ctx: Context, stage: Stage, entity: Entity, excluded: Sequence[_Exclusion]) -> Policy | None:
    text = entity_policies.boundary_of(ctx, entity)
    arn = getattr(entity, "boundary", "")
    if text is None or any(exclusion.covers_boundary(arn) for exclusion in excluded):
        return None
    return stage.add(arn.rpartition("/")[2], text, Kind.INLINE)


class _Exclusion:
    """Policies to be left out: by type, by ARN, or an inline one by its name and entity. Source: PolicyIdentifier."""

    def __init__(self, written: Any) -> None:
        self.policy_type = written.get("PolicyType", "")
        self.arn = written.get("PolicyArn", "")
        self.inline = written.get("InlinePolicyIdentifier")
        if [self.policy_type, self.arn, self.inline].count("") + (self.inline is None) != 2:
            raise INVALID_INPUT("A policy identifier must be one of PolicyType, PolicyArn, InlinePolicyIdentifier")
        if self.arn and not re.fullmatch(r"arn:aws[a-z-]*:(iam|organizations)::(aws|\d{12}):[^:]+", self.arn):
            raise INVALID_INPUT(f"Invalid policy ARN: {self.arn}")
        name = (self.inline or {}).get("AttachmentName", "")
        if self.arn.count("*") > 1 or name.count("*") > 1:
            raise INVALID_INPUT("At most one * is allowed in a policy identifier")

    def covers(self, policy: EntityPolicy) -> bool:
        """Whether this permission policy is left out."""
        if self.inline is not None:
            wanted = self.inline
            return (
                policy.policy_type == "inline"
                and wanted.get("PolicyName", policy.name) == policy.name
                and wanted.get("AttachmentType", policy.kind) == policy.kind
                and like(wanted.get("AttachmentName", "*"))(policy.entity)
            )
        if self.policy_type:
            return policy.policy_type == str(self.policy_type)
        return bool(policy.arn) and like(self.arn)(policy.arn)

    def covers_boundary(self, arn: str) -> bool:
        """Whether the boundary with this ARN is left out."""
        if self.policy_type:
            return str(self.policy_type) == "permission-boundary"
        return bool(self.arn) and like(self.arn)(arn)
