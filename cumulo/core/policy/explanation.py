"""Why a request was decided as it was: every statement for its action, and what each of them lacked.

For `cumulo why` and the policy simulator. Slower than a decision: nothing stops at the first answer.
"""

from collections.abc import Iterator

import msgspec

from cumulo.core.policy.condition_keys import Value
from cumulo.core.policy.decision import Policies, PolicyType
from cumulo.core.policy.principals import Principal
from cumulo.core.policy.statements import Policy, Statement
from cumulo.core.policy.variables import Lookup


class TestedCondition(msgspec.Struct, frozen=True):
    """One operator over one key: what the policy wants, what the request has (None: absent), the outcome."""

    operator: str
    key: str
    wanted: tuple[str, ...]
    found: str | list[str] | None
    met: bool


class ConsideredStatement(msgspec.Struct, frozen=True):
    """A statement whose action matches, and which of its other elements match."""

    policy_type: PolicyType
    policy: str
    policy_arn: str
    sid: str
    index: int
    effect: str
    principal_matches: bool
    resource_matches: bool
    conditions: tuple[TestedCondition, ...]
    resources: tuple[str, ...] = ()
    not_resource: bool = False

    @property
    def matches(self) -> bool:
        """Whether the statement takes effect."""
        return self.principal_matches and self.resource_matches and all(test.met for test in self.conditions)


class Explanation(msgspec.Struct, frozen=True):
    """All considered statements, and the condition keys that were asked for and absent (the simulator's
    MissingContextValues), in order of first use."""

    statements: tuple[ConsideredStatement, ...]
    missing_keys: tuple[str, ...]

    @property
    def matched(self) -> tuple[ConsideredStatement, ...]:
        """The statements that take effect (the simulator's MatchedStatements)."""
        return tuple(statement for statement in self.statements if statement.matches)


def explain(caller: Principal, action: str, arn: str, policies: Policies, lookup: Lookup) -> Explanation:
    """All statements for the action in all policies, tested one by one."""
    missing: dict[str, None] = {}

    def recorded(key: str) -> Value | None:
        value = lookup(key)
        if value is None:
            missing[key] = None
        return value

    bounded = policies.boundary is not None
    considered = [
        _considered(policy_type, policy, statement, caller, arn, recorded, bounded)
        for policy_type, policy in every_policy(policies)
        for statements in policy.candidates(action.lower())
        for statement in statements
    ]
    return Explanation(tuple(considered), tuple(missing))


def every_policy(policies: Policies) -> Iterator[tuple[PolicyType, Policy]]:
    """All policies that have a say, with their types."""
    for level in policies.service_controls:
        for policy in level:
            yield PolicyType.SERVICE_CONTROL, policy
    for level in policies.resource_controls:
        for policy in level:
            yield PolicyType.RESOURCE_CONTROL, policy
    if policies.endpoint is not None:
        yield PolicyType.ENDPOINT, policies.endpoint
    if policies.resource is not None:
        yield PolicyType.TRUST if policies.trust else PolicyType.RESOURCE, policies.resource
    for policy in policies.identity:
        yield PolicyType.IDENTITY, policy
    if policies.boundary is not None:
        yield PolicyType.BOUNDARY, policies.boundary
    for policy in policies.session:
        yield PolicyType.SESSION, policy


def _considered(
    policy_type: PolicyType,
    policy: Policy,
    statement: Statement,
    caller: Principal,
    arn: str,
    lookup: Lookup,
    bounded: bool,
) -> ConsideredStatement:
    source = statement.source
    principal = statement.principal
    grade = principal is None or principal.grade(caller, bounded=bounded, deny=statement.denies)
    tests = tuple(
        TestedCondition(operator, key, values, lookup(key.lower()), condition(lookup))
        for (operator, key, values), condition in zip(source.conditions, statement.conditions or (), strict=True)
    )
    return ConsideredStatement(
        policy_type=policy_type,
        policy=policy.name,
        policy_arn=policy.arn,
        sid=statement.sid,
        index=statement.index,
        effect=source.effect,
        principal_matches=bool(grade),
        resource_matches=statement.resource is None or statement.resource(arn, lookup),
        conditions=tests,
        resources=source.resources,
        not_resource=source.not_resource,
    )
