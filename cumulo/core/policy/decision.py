"""The decision: which policies apply, in which order, and what AWS says when the answer is no.

Sources: IAM User Guide, "Policy evaluation logic" with its pages "How AWS enforcement code logic evaluates
requests to allow or deny access", "Policy evaluation for requests within a single account" and "Cross-account
policy evaluation logic"; "Troubleshooting access denied error messages" for the texts.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

import msgspec

from cumulo.core.policy.principals import Grade, Principal, PrincipalKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.policy.statements import Policy, Statement
    from cumulo.core.policy.variables import Lookup


class DecisionKind(Enum):
    """What was decided, in the words of the policy simulator's API."""

    ALLOWED = "allowed"
    EXPLICIT_DENY = "explicitDeny"
    IMPLICIT_DENY = "implicitDeny"


class PolicyType(Enum):
    """The types of policies, named as AWS's messages name them, and the three other ways to be let in."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    TRUST = "role trust policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    SERVICE_CONTROL = "service control policy"
    RESOURCE_CONTROL = "resource control policy"
    ENDPOINT = "VPC endpoint policy"
    ROOT = "root user"
    GRANT = "grant"
    SERVICE_LINKED = "service-linked access"
    NONE = "no policy needed"


class Policies(msgspec.Struct, frozen=True):
    """All policies that apply to a request.

    Control policies come by level (root, organizational units, account): each level must allow.
    `session` holds the session policies that were passed: one of them must allow. `trust` says that the
    resource policy is a role's trust policy.
    """

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: tuple[Policy, ...] = ()
    resource: Policy | None = None
    service_controls: tuple[tuple[Policy, ...], ...] = ()
    resource_controls: tuple[tuple[Policy, ...], ...] = ()
    endpoint: Policy | None = None
    trust: bool = False


class Decision(msgspec.Struct, frozen=True):
    """Whether a request may go on, and which policy said so.

    `decided_by` is the type of policy that decided; `policy`, `sid` and `index` name the statement
    (index -1: no statement, as for an implicit deny). `on_everything`: the message names "*" as the resource, too.
    """

    allowed: bool
    kind: DecisionKind
    decided_by: PolicyType
    principal: str
    action: str
    resource: str
    policy: str = ""
    sid: str = ""
    index: int = -1
    on_everything: bool = False

    def reason(self) -> str:
        """AWS's reason for a denial: "because no … allows the … action" or "with an explicit deny in a …"."""
        if self.allowed:
            return ""
        named = self.decided_by.value
        if self.kind is DecisionKind.EXPLICIT_DENY:
            article = "the" if self.decided_by is PolicyType.TRUST else "an" if named[0] == "i" else "a"
            return f"with an explicit deny in {article} {named}"
        return f"because no {named} allows the {self.action} action"

    def message(self) -> str:
        """AWS's whole message for a denial; most services leave the resource out where the action has none."""
        left_out = self.resource == "" or (self.resource == "*" and not self.on_everything)
        on_resource = "" if left_out else f" on resource: {self.resource}"
        who = f"User: {self.principal} is not authorized to perform: {self.action}"
        return f"{who}{on_resource} {self.reason()}"


class _Evaluation:
    """One request on its way through the policies."""

    __slots__ = ("action", "arn", "caller", "lookup", "policies", "shown")

    def __init__(
        self, caller: Principal, action: str, arn: str, policies: Policies, lookup: Lookup, shown: str
    ) -> None:
        self.caller = caller
        self.action = action.lower()
        self.shown = shown or action
        self.arn = arn
        self.policies = policies
        self.lookup = lookup

    def result(self, kind: DecisionKind, by: PolicyType, match: tuple[Policy, Statement] | None = None) -> Decision:
        allowed = kind is DecisionKind.ALLOWED
        if match is None:
            return Decision(allowed, kind, by, self.caller.arn, self.shown, self.arn)
        policy, statement = match
        return Decision(
            allowed,
            kind,
            by,
            self.caller.arn,
            self.shown,
            self.arn,
            policy.name,
            statement.sid,
            statement.index,
        )

    def denied(self, policies: Sequence[Policy]) -> tuple[Policy, Statement] | None:
        """The first statement that denies."""
        for policy in policies:
            for statement in policy.candidates(self.action)[0]:
                if statement.applies(self.arn, self.lookup):
                    return policy, statement
        return None

    def allowed(self, policies: Sequence[Policy]) -> tuple[Policy, Statement] | None:
        """The first statement that allows."""
        for policy in policies:
            for statement in policy.candidates(self.action)[1]:
                if statement.applies(self.arn, self.lookup):
                    return policy, statement
        return None

    def resource_denied(self) -> tuple[Policy, Statement] | None:
        policy = self.policies.resource
        if policy is None:
            return None
        bounded = self.policies.boundary is not None
        for statement in policy.candidates(self.action)[0]:
            principal = statement.principal
            if (principal is None or principal.grade(self.caller, bounded=bounded, deny=True)) and statement.applies(
                self.arn, self.lookup
            ):
                return policy, statement
        return None

    def resource_allowed(self) -> tuple[Grade, tuple[Policy, Statement] | None]:
        """How closely the resource policy allows this caller, and by which statement."""
        best = Grade.NONE
        match: tuple[Policy, Statement] | None = None
        policy = self.policies.resource
        if policy is None:
            return best, match
        for statement in policy.candidates(self.action)[1]:
            principal = statement.principal
            if principal is None:
                continue
            grade = principal.grade(self.caller, bounded=False, deny=False)
            if grade > best and statement.applies(self.arn, self.lookup):
                best, match = grade, (policy, statement)
                if grade is Grade.DIRECT:
                    break
        return best, match

    def explicit_deny(self) -> Decision | None:
        """Any deny in any policy ends the matter."""
        policies = self.policies
        match = self.denied(policies.identity)
        by = PolicyType.IDENTITY
        if match is None and policies.resource is not None:
            match, by = self.resource_denied(), PolicyType.TRUST if policies.trust else PolicyType.RESOURCE
        if match is None and policies.boundary is not None:
            match, by = self.denied((policies.boundary,)), PolicyType.BOUNDARY
        if match is None and policies.session:
            match, by = self.denied(policies.session), PolicyType.SESSION
        if match is None and policies.endpoint is not None:
            match, by = self.denied((policies.endpoint,)), PolicyType.ENDPOINT
        for level in policies.service_controls if match is None else ():
            match, by = self.denied(level), PolicyType.SERVICE_CONTROL
            if match is not None:
                break
        for level in policies.resource_controls if match is None else ():
            match, by = self.denied(level), PolicyType.RESOURCE_CONTROL
            if match is not None:
                break
        return None if match is None else self.result(DecisionKind.EXPLICIT_DENY, by, match)

    def guarded(self) -> Decision | None:
        """Control and endpoint policies must allow, whoever else does."""
        policies = self.policies
        for level in policies.service_controls:
            if self.allowed(level) is None:
                return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.SERVICE_CONTROL)
        for level in policies.resource_controls:
            if self.allowed(level) is None:
                return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.RESOURCE_CONTROL)
        if policies.endpoint is not None and self.allowed((policies.endpoint,)) is None:
            return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.ENDPOINT)
        return None

    def limited(self) -> Decision | None:
        """The boundary and the session policies, each of which may refuse by silence."""
        policies = self.policies
        if policies.boundary is not None and self.allowed((policies.boundary,)) is None:
            return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.BOUNDARY)
        # A federated user has no more than its session policies give; a role session without any has all.
        if (policies.session or self.caller.kind is PrincipalKind.FEDERATED) and (
            self.allowed(policies.session) is None
        ):
            return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.SESSION)
        return None

    def by_identity(self) -> Decision:
        """What the caller's own policies say, limits included."""
        caller = self.caller
        kind = caller.kind
        federated_root = kind is PrincipalKind.FEDERATED and caller.entity_arn.endswith(":root")
        if kind is PrincipalKind.ROOT or federated_root:
            return self.limited() or self.result(DecisionKind.ALLOWED, PolicyType.ROOT)
        match = self.allowed(self.policies.identity)
        if match is None:
            return self.result(DecisionKind.IMPLICIT_DENY, PolicyType.IDENTITY)
        return self.limited() or self.result(DecisionKind.ALLOWED, PolicyType.IDENTITY, match)


_WITHOUT_IDENTITY: Final = frozenset(
    (PrincipalKind.SERVICE, PrincipalKind.WEB_IDENTITY, PrincipalKind.SAML, PrincipalKind.ANONYMOUS)
)


def decide(
    caller: Principal,
    action: str,
    arn: str,
    policies: Policies,
    lookup: Lookup,
    *,
    resource_account: str,
    resource_policy_required: bool = False,
    granted: bool = False,
    shown: str = "",
) -> Decision:
    """Whether the caller may perform the action on the resource.

    `action` is "sqs:SendMessage"; `shown` how messages write it, when different. `resource_account` owns
    the resource. `resource_policy_required`: identity policies count only where the resource policy names
    the account (KMS keys, role trust). `granted`: a grant (KMS) lets the caller in on the resource's side.
    """
    evaluation = _Evaluation(caller, action, arn, policies, lookup, shown)
    refusal = evaluation.explicit_deny() or evaluation.guarded()
    if refusal is not None:
        return refusal
    grade, match = evaluation.resource_allowed()
    by_resource = PolicyType.TRUST if policies.trust else PolicyType.RESOURCE
    if granted:
        grade, match = Grade.DIRECT, None
    if caller.kind in _WITHOUT_IDENTITY:
        if grade is Grade.NONE and caller.service_linked:
            return evaluation.result(DecisionKind.ALLOWED, PolicyType.SERVICE_LINKED)
    elif caller.account != resource_account:
        # Two evaluations, both of which must allow: the caller's account first, then the resource's.
        own_side = evaluation.by_identity()
        if not own_side.allowed:
            return own_side
    elif grade is Grade.NONE or grade is Grade.ACCOUNT:
        if grade is Grade.ACCOUNT or not resource_policy_required:
            return evaluation.by_identity()
    elif grade is Grade.ENTITY:
        refusal = evaluation.limited()
        if refusal is not None:
            return refusal
    if grade is Grade.NONE:
        return evaluation.result(DecisionKind.IMPLICIT_DENY, by_resource)
    return evaluation.result(DecisionKind.ALLOWED, PolicyType.GRANT if granted else by_resource, match)
