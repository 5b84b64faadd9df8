"""`authorize`: the one question that the rest of the cloud asks of policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Protocol

import msgspec

from cumulo.core.policy.condition_keys import Environment, Given, Organization, RequestContext, Tags
from cumulo.core.policy.decision import Decision, DecisionKind, Policies, PolicyType, decide
from cumulo.core.policy.principals import Principal, PrincipalKind

if TYPE_CHECKING:  # a cloud that nobody but root uses never needs to read a policy
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.core.policy.explanation import Explanation
    from cumulo.core.policy.statements import Policy


class Attached(msgspec.Struct, frozen=True):
    """What is attached to a caller: its own and its groups' policies, its boundary, and the service control
    policies of its account, level by level. Session policies travel in the Principal itself."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    service_controls: tuple[tuple[Policy, ...], ...] = ()


class PolicySource(Protocol):
    """Where attached policies come from: IAM and Organizations, once they are there."""

    @property
    def controlled(self) -> bool:
        """Whether any account is under control policies; while none is, root needs no look."""
        ...

    def at(self, ctx: Context) -> PolicySource:
        """This source as the call's transaction sees it."""
        ...

    def attached(self, principal: Principal) -> Attached:
        """The policies of this caller; asked on every request, so it should be a look-up."""
        ...

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        """The resource control policies over this account's resources, level by level."""
        ...

    def organization(self, account: str) -> Organization | None:
        """The organization of the account, if it is in one."""
        ...


_NONE_ATTACHED: Final = Attached()


class _Nothing:
    """The source of a cloud without IAM: nobody but root may do anything that no resource allows."""

    controlled: ClassVar[bool] = False

    def at(self, ctx: Context) -> PolicySource:
        return self

    def attached(self, principal: Principal) -> Attached:
        return _NONE_ATTACHED

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        return ()

    def organization(self, account: str) -> Organization | None:
        return None


NOTHING: Final[PolicySource] = _Nothing()


class Question:
    """A request to be decided: who wants to do what to which resource, and under which circumstances.

    `resource_policy` is the resource's own policy (text, or compiled). `resource_account` is its owner;
    "" means the account in its ARN, else the caller's. `resource_tags` and `request_tags` may be functions,
    called only if a condition asks. `given` are further condition keys ("sns:Protocol": "https").
    `trust`: the resource is a role and the policy its trust policy. `shown` is the action as messages
    write it. See `decide` for the other flags.
    """

    __slots__ = (
        "action",
        "arn",
        "environment",
        "given",
        "granted",
        "principal",
        "request_tags",
        "resource_account",
        "resource_policy",
        "resource_policy_required",
        "resource_tags",
        "shown",
        "trust",
    )

    def __init__(
        self,
        principal: Principal,
        action: str,
        arn: str,
        *,
        environment: Environment,
        resource_policy: Policy | str | None = None,
        resource_account: str = "",
        resource_tags: Tags = None,
        request_tags: Tags = None,
        given: Given | None = None,
        resource_policy_required: bool = False,
        trust: bool = False,
        granted: bool = False,
        shown: str = "",
    ) -> None:
        self.principal = principal
        self.action = action
        self.arn = arn
        self.environment = environment
        self.resource_policy = resource_policy
        self.resource_account = resource_account or account_of(arn) or principal.account
        self.resource_tags = resource_tags
        self.request_tags = request_tags
        self.given = given
        self.resource_policy_required = resource_policy_required or trust
        self.trust = trust
        self.granted = granted
        self.shown = shown

    def policies(self, source: PolicySource) -> Policies:
        """All policies that have a say. Raises Fault MalformedPolicyDocument for a broken resource policy."""
        principal = self.principal
        policy = self.resource_policy
        if isinstance(policy, str):
            policy = compiled(policy, "trust" if self.trust else "resource") if policy else None
        attached = source.attached(principal) if principal.account else _NONE_ATTACHED
        sessions = principal.session_policies
        return Policies(
            attached.identity,
            attached.boundary,
            tuple(compiled(text, "inline") for text in sessions) if sessions else (),
            policy,
            attached.service_controls,
            source.resource_controls(self.resource_account) if source.controlled else (),
            None,
            self.trust,
        )

    def context(self, source: PolicySource) -> RequestContext:
        """The condition keys of the request."""
        return RequestContext(
            self.principal,
            self.environment,
            source,
            resource_account=self.resource_account,
            resource_tags=self.resource_tags,
            request_tags=self.request_tags,
            given=self.given,
        )

    def decide(self, source: PolicySource = NOTHING) -> Decision:
        """The decision."""
        return decide(
            self.principal,
            self.action,
            self.arn,
            self.policies(source),
            self.context(source).lookup,
            resource_account=self.resource_account,
            resource_policy_required=self.resource_policy_required,
            granted=self.granted,
            shown=self.shown,
        )

    def explain(self, source: PolicySource = NOTHING) -> Explanation:
        """Every statement for the action, and what each lacked."""
        from cumulo.core.policy.explanation import explain  # only denials and the curious need it

        lookup = self.context(source).lookup
        return explain(self.principal, self.action, self.arn, self.policies(source), lookup)


_ROOT_ALLOWED: Final = Decision(True, DecisionKind.ALLOWED, PolicyType.ROOT, "", "", "")


def authorize(
    principal: Principal,
    action: str,
    arn: str,
    *,
    environment: Environment,
    source: PolicySource = NOTHING,
    resource_policy: Policy | str | None = None,
    resource_account: str = "",
    resource_tags: Tags = None,
    request_tags: Tags = None,
    given: Given | None = None,
    resource_policy_required: bool = False,
    trust: bool = False,
    granted: bool = False,
    shown: str = "",
) -> Decision:
    """Whether the principal may perform the action on the resource; see `Question` for the arguments.

    Root in its own account, where no resource policy and no control policy has a say, is let in at once;
    that decision alone carries no names.
    """
    if (
        principal.kind is PrincipalKind.ROOT
        and not resource_policy
        and not resource_policy_required
        and not source.controlled
        and (resource_account or account_of(arn) or principal.account) == principal.account
        and not trust
    ):
        return _ROOT_ALLOWED
    return Question(
        principal,
        action,
        arn,
        environment=environment,
        resource_policy=resource_policy,
        resource_account=resource_account,
        resource_tags=resource_tags,
        request_tags=request_tags,
        given=given,
        resource_policy_required=resource_policy_required,
        trust=trust,
        granted=granted,
        shown=shown,
    ).decide(source)


def account_of(arn: str) -> str:
    """The account in an ARN, "" where it names none ("*", arn:aws:s3:::bucket)."""
    parts = arn.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[4].isdigit() else ""


_compile: Callable[[str, str], Policy] | None = None


def compiled(text: str, kind: str) -> Policy:
    """The compiled policy for a document of the kind ("inline", "resource", "trust"…): see `compile_policy`."""
    global _compile
    if _compile is None:
        from cumulo.core.policy import documents, statements

        kinds = {kind.value: kind for kind in documents.Kind}

        def compile_(text: str, kind: str) -> Policy:
            return statements.compile_policy(text, kinds[kind])

        _compile = compile_
    return _compile(text, kind)
