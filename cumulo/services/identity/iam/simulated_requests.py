"""One simulated request: the decision of the policy engine, in the policy simulator's words.

The engine that decides is the one that decides real calls. A simulation knows what it is told: of the circumstances only
those that are given, and of the caller what its ARN says.
Source: EvaluationResult, Statement (IAM API Reference).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.policy import decision
from cumulo.core.policy.authorization import NOTHING, account_of
from cumulo.core.policy.condition_keys import Environment, RequestContext, normal
from cumulo.core.policy.decision import DecisionKind, Policies, PolicyType
from cumulo.core.policy.explanation import explain
from cumulo.services.identity.iam.statement_positions import statement_spans

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.policy.condition_keys import Value
    from cumulo.core.policy.explanation import ConsideredStatement
    from cumulo.core.policy.principals import Principal
    from cumulo.core.policy.statements import Policy

# What a caller's ARN tells; all else must be given.
_OF_CALLER = frozenset(("aws:username", "aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principaltype"))

_SOURCE_TYPES = {
    PolicyType.IDENTITY: "IAM Policy",
    PolicyType.BOUNDARY: "IAM Permissions Boundary Policy",
    PolicyType.RESOURCE: "Resource Policy",
    PolicyType.SERVICE_CONTROL: "Service Control Policy",
}


class Source(msgspec.Struct, frozen=True):
    """A policy of the simulation: what answers call it, its text and its compiled form."""

    id: str
    text: str
    policy: Policy


class Simulation(msgspec.Struct, frozen=True):
    """What all requests of a simulation share. `sources` are all policies, by the number that their ARN holds."""

    caller: Principal
    known_caller: bool
    policies: Policies
    sources: dict[str, Source]
    given: dict[str, Any]
    owner: str
    spelling: dict[str, str]


def _lookup(simulation: Simulation, resource_account: str) -> Callable[[str], Value | None]:
    given = normal(simulation.given)
    context = RequestContext(
        simulation.caller, Environment(lambda: 0.0), NOTHING, resource_account=resource_account
    )

    def lookup(key: str) -> Value | None:
        found = given.get(key)
        if found is not None or not simulation.known_caller:
            return found
        if key in _OF_CALLER or key.startswith("aws:principaltag/"):
            return context.lookup(key)
        return None

    return lookup


def simulate(simulation: Simulation, action: str, resource: str) -> dict[str, Any]:
    """The EvaluationResult of one action on one resource."""
    account = account_of(resource) or simulation.owner
    lookup = _lookup(simulation, account)
    policies = simulation.policies
    decided = decision.decide(simulation.caller, action, resource, policies, lookup, resource_account=account)
    explained = explain(simulation.caller, action, resource, policies, lookup)
    matched = [
        _matched(simulation, statement)
        for statement in explained.matched
        if _counts(statement, decided.kind) and statement.policy_arn in simulation.sources
    ]
    missing = [simulation.spelling.get(key, key) for key in explained.missing_keys]
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decided.kind.value,
        "MatchedStatements": matched,
        "MissingContextValues": missing,
    }
    if policies.service_controls:
        blocked = decided.decided_by is PolicyType.SERVICE_CONTROL
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": not blocked}
    details = _details(simulation, action, resource, account, lookup)
    if policies.boundary is not None:
        allowed = _alone(simulation, action, resource, lookup, (policies.boundary,)) is DecisionKind.ALLOWED
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    if resource != "*":
        result["EvalDecisionDetails"] = details
        specific: dict[str, Any] = {
            "EvalResourceName": resource,
            "EvalResourceDecision": decided.kind.value,
            "MatchedStatements": matched,
            "MissingContextValues": missing,
        }
        if details:
            specific["EvalDecisionDetails"] = details
        if "PermissionsBoundaryDecisionDetail" in result:
            specific["PermissionsBoundaryDecisionDetail"] = result["PermissionsBoundaryDecisionDetail"]
        result["ResourceSpecificResults"] = [specific]
    return result


def _counts(statement: ConsideredStatement, kind: DecisionKind) -> bool:
    """Whether a matching statement determined the result; where one denies, those that allow did not."""
    if kind is DecisionKind.EXPLICIT_DENY:
        return statement.effect == "Deny"
    return kind is DecisionKind.ALLOWED and statement.policy_type in (PolicyType.IDENTITY, PolicyType.RESOURCE)


def _matched(simulation: Simulation, statement: ConsideredStatement) -> dict[str, Any]:
    source = simulation.sources[statement.policy_arn]
    span = statement_spans(source.text)[statement.index]
    return {
        "SourcePolicyId": source.id,
        "SourcePolicyType": _SOURCE_TYPES.get(statement.policy_type, "none"),
        "StartPosition": {"Line": span.start[0], "Column": span.start[1]},
        "EndPosition": {"Line": span.end[0], "Column": span.end[1]},
    }


def _alone(
    simulation: Simulation, action: str, resource: str, lookup: Any, identity: tuple[Policy, ...]
) -> DecisionKind:
    """What some policies would decide if they were the caller's only ones."""
    account = simulation.caller.account
    alone = Policies(identity=identity)
    return decision.decide(simulation.caller, action, resource, alone, lookup, resource_account=account).kind


def _details(simulation: Simulation, action: str, resource: str, account: str, lookup: Any) -> dict[str, str]:
    """What each type of policy decides across accounts; nothing within one. Source: EvalDecisionDetails."""
    policies = simulation.policies
    if account == simulation.caller.account:
        return {}
    found = {"IAM policy": _alone(simulation, action, resource, lookup, policies.identity).value}
    only = Policies(resource=policies.resource)
    by_resource = decision.decide(
        # Asked as one whose own account says nothing: what is left is what the resource's policy says.
        msgspec.structs.replace(simulation.caller, account=account),
        action,
        resource,
        only,
        lookup,
        resource_account=account,
        resource_policy_required=True,
    )
    found["Resource policy"] = by_resource.kind.value
    if policies.boundary is not None:
        found["Permissions boundary"] = _alone(simulation, action, resource, lookup, (policies.boundary,)).value
    return found
