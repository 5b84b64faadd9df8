"""One simulated request: the decision of the policy engine, in the policy simulator's words.

The engine that decides is the one that decides real calls. A simulation knows what it is told: of the circumstances
only those that are given, and of the caller what its ARN says.
Source: EvaluationResult, Statement (IAM API Reference).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import access
from cumulo.core.policy import decision
from cumulo.core.policy.authorization import NOTHING, account_of
from cumulo.core.policy.condition_keys import Environment, RequestContext, normal
from cumulo.core.policy.decision import DecisionKind, Policies, PolicyType
from cumulo.core.policy.explanation import explain
from cumulo.core.policy.wildcards import like
from cumulo.services.identity.iam.simulations.statement_positions import statement_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


_PLACE = re.compile(r"\$\{[^}]*\}")  # in the forms of ARNs
_STRICTEST_FIRST = (DecisionKind.EXPLICIT_DENY, DecisionKind.IMPLICIT_DENY, DecisionKind.ALLOWED)


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
    context = RequestContext(simulation.caller, Environment(lambda: 0.0), NOTHING, resource_account=resource_account)

    def lookup(key: str) -> Value | None:
        found = given.get(key)
        if found is not None or not simulation.known_caller:
            return found
        if key in _OF_CALLER or key.startswith("aws:principaltag/"):
            return context.lookup(key)
        return None

    return lookup


def simulate(simulation: Simulation, action: str, resources: Sequence[str]) -> dict[str, Any]:
    """The EvaluationResult of one action: on each resource, and for all of them together.

    The name on top is that of the only resource (observed in AWS's answers), of several the form of their ARNs.
    """
    each = [_on_resource(simulation, action, resource) for resource in resources]
    kinds = {result["EvalResourceDecision"] for result in each}
    decided = next(kind.value for kind in _STRICTEST_FIRST if kind.value in kinds)
    fitting = [result for result in each if result["EvalResourceDecision"] == decided]
    result: dict[str, Any] = {
        "EvalActionName": action,
        "EvalResourceName": resources[0] if len(resources) == 1 else _form(action, resources),
        "EvalDecision": decided,
        "MatchedStatements": _distinct(fitting, "MatchedStatements"),
        "MissingContextValues": _distinct(each, "MissingContextValues"),
    }
    if simulation.policies.service_controls:
        allowed = all(result.pop("_organizations") for result in each)
        result["OrganizationsDecisionDetail"] = {"AllowedByOrganizations": allowed}
    if simulation.policies.boundary is not None:
        details = [one["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"] for one in each]
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": all(details)}
    if list(resources) != ["*"]:
        details_of_all = [one["EvalDecisionDetails"] for one in each if "EvalDecisionDetails" in one]
        result["EvalDecisionDetails"] = _strictest(details_of_all)
        result["ResourceSpecificResults"] = each
    return result


def _on_resource(simulation: Simulation, action: str, resource: str) -> dict[str, Any]:
    """The ResourceSpecificResult of one action on one resource."""
    account = account_of(resource) or simulation.owner
    lookup = _lookup(simulation, account)
    policies = simulation.policies
    decided = decision.decide(simulation.caller, action, resource, policies, lookup, resource_account=account)
    # What control policies hold and miss is not told.
    told = msgspec.structs.replace(policies, service_controls=())
    explained = explain(simulation.caller, action, resource, told, lookup)
    result: dict[str, Any] = {
        "EvalResourceName": resource,
        "EvalResourceDecision": decided.kind.value,
        "MatchedStatements": [
            _matched(simulation, statement) for statement in explained.matched if _counts(statement, decided.kind)
        ],
        "MissingContextValues": [simulation.spelling.get(key, key) for key in explained.missing_keys],
    }
    blocked = decided.decided_by is PolicyType.SERVICE_CONTROL
    if policies.service_controls:
        result["_organizations"] = not blocked
    if account != simulation.caller.account and not blocked:
        result["EvalDecisionDetails"] = _details(simulation, action, resource, account, lookup)
    if policies.boundary is not None:
        allowed = _alone(simulation, action, resource, lookup, (policies.boundary,)) is DecisionKind.ALLOWED
        result["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": allowed}
    return result


def _distinct(results: Sequence[dict[str, Any]], member: str) -> list[Any]:
    found: list[Any] = []
    for result in results:
        found += [item for item in result[member] if item not in found]
    return found


def _strictest(details: Sequence[dict[str, str]]) -> dict[str, str]:
    """By type of policy the most restrictive of all decisions."""
    return {
        name: next(kind.value for kind in _STRICTEST_FIRST if any(each.get(name) == kind.value for each in details))
        for name in (details[0] if details else {})
    }


def _form(action: str, resources: Sequence[str]) -> str:
    """The form of the ARNs of the action's resources, "*" where it has none that fits them."""
    prefix, _, name = action.partition(":")
    for form in access.load(prefix).action(name).arn_templates:
        if all(map(like(_PLACE.sub("*", form)), resources)):
            return form
    return "*"


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
    """What each type of policy decides across accounts. Source: EvalDecisionDetails."""
    policies = simulation.policies
    found = {"IAM policy": _alone(simulation, action, resource, lookup, policies.identity).value}
    by_resource = decision.decide(
        # Asked as a caller of the resource's account that has no policies: what is left is what the resource says.
        msgspec.structs.replace(simulation.caller, account=account),
        action,
        resource,
        Policies(resource=policies.resource),
        lookup,
        resource_account=account,
        resource_policy_required=True,
    )
    found["Resource policy"] = by_resource.kind.value
    if policies.boundary is not None:
        found["Permissions boundary"] = _alone(simulation, action, resource, lookup, (policies.boundary,)).value
    return found
