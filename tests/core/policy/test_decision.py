"""The evaluation logic, one row a fact of the IAM User Guide. Each section names its page."""

import json
from typing import Any

import pytest

from cumulo.core.policy.authorization import Attached, Question
from cumulo.core.policy.condition_keys import Environment, Organization
from cumulo.core.policy.decision import Decision, DecisionKind, PolicyType
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import ANONYMOUS, Principal, PrincipalKind, root, service
from cumulo.core.policy.statements import Policy, compile_policy

HOME = "111122223333"
AWAY = "444455556666"
QUEUE = f"arn:aws:sqs:us-east-1:{HOME}:orders"
AWAY_QUEUE = f"arn:aws:sqs:us-east-1:{AWAY}:orders"
BOB_ARN = f"arn:aws:iam::{HOME}:user/bob"
ROLE_ARN = f"arn:aws:iam::{HOME}:role/path/worker"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/worker/s1"
FEDERATED_ARN = f"arn:aws:sts::{HOME}:federated-user/visitor"

BOB = Principal(PrincipalKind.USER, BOB_ARN, HOME, user_id="AIDABOBBOBBOBBOBBOB01", name="bob")
SESSION = Principal(
    PrincipalKind.ROLE, SESSION_ARN, HOME, user_id="AROAWORKERWORKERWO01:s1", name="s1", entity_arn=ROLE_ARN
)
FEDERATED = Principal(
    PrincipalKind.FEDERATED, FEDERATED_ARN, HOME, user_id=f"{HOME}:visitor", name="visitor", entity_arn=BOB_ARN
)
FEDERATED_ROOT = Principal(
    PrincipalKind.FEDERATED, FEDERATED_ARN, HOME, name="visitor", entity_arn=f"arn:aws:iam::{HOME}:root"
)
ROOT = root(HOME)
SNS = service("sns.amazonaws.com")
LINKED = service("ops.apigateway.amazonaws.com", linked=True)
WEB = Principal(PrincipalKind.WEB_IDENTITY, "accounts.google.com:1", external_provider="accounts.google.com")

ALLOW, DENY, OTHER = "allow", "deny", "other"


def statement(effect: str, **more: Any) -> dict[str, Any]:
    action = "sqs:PurgeQueue" if effect == OTHER else "sqs:SendMessage"
    return {"Effect": "Deny" if effect == DENY else "Allow", "Action": action, "Resource": "*", **more}


def identity(*effects: str) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement(effect) for effect in effects]})


def policy(effect: str, kind: Kind = Kind.INLINE) -> Policy:
    return compile_policy(identity(effect), kind, name=effect)


def shared(effect: str, principal: Any, element: str = "Principal", **more: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement(effect, **{element: principal}, **more)})


def aws(*names: str) -> dict[str, list[str]]:
    return {"AWS": list(names)}


class Source:
    """What is attached to every caller."""

    def __init__(self, identity: str, boundary: str, scps: str, rcps: str) -> None:
        self.controlled = bool(rcps or scps)
        self._attached = Attached(
            identity=tuple(policy(effect) for effect in identity.split()),
            boundary=policy(boundary) if boundary else None,
            service_controls=levels(scps),
        )
        self._rcps = levels(rcps)

    def attached(self, principal: Principal) -> Attached:
        return self._attached

    def resource_controls(self, account: str) -> tuple[tuple[Policy, ...], ...]:
        return self._rcps

    def organization(self, account: str) -> Organization | None:
        return None


def levels(written: str) -> tuple[tuple[Policy, ...], ...]:
    """ "allow / allow deny": two levels, the second with two policies."""
    if not written:
        return ()
    return tuple(tuple(policy(effect, Kind.CONTROL) for effect in level.split()) for level in written.split("/"))


def decided(
    caller: Principal,
    *,
    has: str = "",
    boundary: str = "",
    session: str | None = None,
    resource: str | None = None,
    scps: str = "",
    rcps: str = "",
    arn: str = QUEUE,
    **more: Any,
) -> Decision:
    if session is not None:
        caller = Principal(
            **{
                **{name: getattr(caller, name) for name in caller.__struct_fields__},
                "session_policies": tuple(identity(effect) for effect in session.split()),
            }
        )
    question = Question(
        caller,
        "sqs:SendMessage",
        arn,
        environment=Environment(now=lambda: 0.0),
        resource_policy=resource,
        **more,
    )
    return question.decide(Source(has, boundary, scps, rcps))


YES, NO, EXPLICIT = DecisionKind.ALLOWED, DecisionKind.IMPLICIT_DENY, DecisionKind.EXPLICIT_DENY
ID, RES, PB, SESS = PolicyType.IDENTITY, PolicyType.RESOURCE, PolicyType.BOUNDARY, PolicyType.SESSION
SCP, RCP, IS_ROOT = PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL, PolicyType.ROOT
TRUSTED, GRANT, LINK = PolicyType.TRUST, PolicyType.GRANT, PolicyType.SERVICE_LINKED

# caller, circumstances, outcome, the type of policy that decides
SAME_ACCOUNT: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    # "How AWS enforcement code logic evaluates requests": the default, the allow, the deny
    (BOB, {}, NO, ID),
    (BOB, {"has": "allow"}, YES, ID),
    (BOB, {"has": "other"}, NO, ID),
    (BOB, {"has": "other allow"}, YES, ID),
    (BOB, {"has": "deny"}, EXPLICIT, ID),
    (BOB, {"has": "allow deny"}, EXPLICIT, ID),
    (BOB, {"has": "deny allow"}, EXPLICIT, ID),
    (SESSION, {}, NO, ID),
    (SESSION, {"has": "allow"}, YES, ID),
    (SESSION, {"has": "allow deny"}, EXPLICIT, ID),
    (ROOT, {}, YES, IS_ROOT),
    (ANONYMOUS, {}, NO, RES),
    # "Policy evaluation for requests within a single account": identity with resource policies, a union
    (BOB, {"has": "allow", "resource": shared(OTHER, "*")}, YES, ID),
    (BOB, {"resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(BOB_ARN))}, EXPLICIT, RES),
    (BOB, {"has": "deny", "resource": shared(ALLOW, aws(BOB_ARN))}, EXPLICIT, ID),
    (BOB, {"resource": shared(ALLOW, aws(f"arn:aws:iam::{HOME}:user/eve"))}, NO, ID),
    (BOB, {"resource": shared(ALLOW, aws(f"arn:aws:iam::{HOME}:user/Bob"))}, NO, ID),
    (BOB, {"resource": shared(ALLOW, "*")}, YES, RES),
    (BOB, {"resource": shared(ALLOW, aws("*"))}, YES, RES),
    (BOB, {"resource": shared(ALLOW, aws("AIDABOBBOBBOBBOBBOB01"))}, YES, RES),
    # an account as principal delegates: its identities still need their own permission
    (BOB, {"resource": shared(ALLOW, aws(HOME))}, NO, ID),
    (BOB, {"resource": shared(ALLOW, aws(f"arn:aws:iam::{HOME}:root"))}, NO, ID),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(HOME))}, YES, ID),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(HOME))}, EXPLICIT, RES),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(AWAY))}, YES, ID),
    (ROOT, {"resource": shared(ALLOW, aws(HOME))}, YES, IS_ROOT),
    (ROOT, {"resource": shared(DENY, aws(HOME))}, EXPLICIT, RES),
    (ROOT, {"resource": shared(DENY, "*")}, EXPLICIT, RES),
    (ROOT, {"resource": shared(DENY, aws(BOB_ARN))}, YES, IS_ROOT),
    # the same page: identity policies with permissions boundaries, an intersection
    (BOB, {"has": "allow", "boundary": "allow"}, YES, ID),
    (BOB, {"has": "allow", "boundary": "other"}, NO, PB),
    (BOB, {"has": "allow", "boundary": "deny"}, EXPLICIT, PB),
    (BOB, {"boundary": "allow"}, NO, ID),
    (SESSION, {"has": "allow", "boundary": "other"}, NO, PB),
    (SESSION, {"has": "allow", "boundary": "allow"}, YES, ID),
    # the table "Resource-based policies and implicit denies in other policy types (same account)"
    (BOB, {"boundary": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"has": "other", "boundary": "allow", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"boundary": "deny", "resource": shared(ALLOW, aws(BOB_ARN))}, EXPLICIT, PB),
    (SESSION, {"resource": shared(ALLOW, aws(ROLE_ARN))}, YES, RES),
    (SESSION, {"boundary": "allow", "resource": shared(ALLOW, aws(ROLE_ARN))}, YES, RES),
    (SESSION, {"boundary": "other", "resource": shared(ALLOW, aws(ROLE_ARN))}, NO, PB),
    (SESSION, {"session": "other", "resource": shared(ALLOW, aws(ROLE_ARN))}, NO, SESS),
    (SESSION, {"session": "allow", "resource": shared(ALLOW, aws(ROLE_ARN))}, YES, RES),
    (SESSION, {"has": "allow", "boundary": "other", "resource": shared(ALLOW, aws(ROLE_ARN))}, NO, PB),
    (SESSION, {"resource": shared(ALLOW, aws(SESSION_ARN))}, YES, RES),
    (SESSION, {"boundary": "other", "resource": shared(ALLOW, aws(SESSION_ARN))}, YES, RES),
    (SESSION, {"session": "other", "resource": shared(ALLOW, aws(SESSION_ARN))}, YES, RES),
    (SESSION, {"boundary": "other", "session": "other", "resource": shared(ALLOW, aws(SESSION_ARN))}, YES, RES),
    (SESSION, {"session": "deny", "resource": shared(ALLOW, aws(SESSION_ARN))}, EXPLICIT, SESS),
    (SESSION, {"resource": shared(ALLOW, aws(f"arn:aws:sts::{HOME}:assumed-role/worker/s2"))}, NO, ID),
    (SESSION, {"resource": shared(ALLOW, aws("AROAWORKERWORKERWO01"))}, YES, RES),
    (SESSION, {"boundary": "other", "resource": shared(ALLOW, aws("AROAWORKERWORKERWO01"))}, NO, PB),
    (SESSION, {"has": "allow", "resource": shared(DENY, aws(ROLE_ARN))}, EXPLICIT, RES),
    (SESSION, {"has": "allow", "resource": shared(DENY, aws(SESSION_ARN))}, EXPLICIT, RES),
    (FEDERATED, {"resource": shared(ALLOW, aws(FEDERATED_ARN))}, YES, RES),
    (FEDERATED, {"boundary": "other", "session": "other", "resource": shared(ALLOW, aws(FEDERATED_ARN))}, YES, RES),
    (FEDERATED, {"session": "allow", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (FEDERATED, {"session": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, NO, SESS),
    (FEDERATED, {"resource": shared(ALLOW, aws(BOB_ARN))}, NO, SESS),
    (FEDERATED, {"session": "allow", "boundary": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, NO, PB),
    # "AWS JSON policy elements: Principal", "IAM role principals": everyone with a condition on the role's ARN
    (
        SESSION,
        {
            "boundary": "other",
            "session": "other",
            "resource": shared(ALLOW, "*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}}),
        },
        YES,
        RES,
    ),
    (BOB, {"resource": shared(ALLOW, "*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE_ARN}})}, NO, ID),
    # session policies: the intersection, and what a session without any has
    (SESSION, {"has": "allow", "session": "allow"}, YES, ID),
    (SESSION, {"has": "allow", "session": "other"}, NO, SESS),
    (SESSION, {"has": "allow", "session": "other allow"}, YES, ID),
    (SESSION, {"has": "allow", "session": "allow deny"}, EXPLICIT, SESS),
    (SESSION, {"session": "allow"}, NO, ID),
    (FEDERATED, {"has": "allow"}, NO, SESS),
    (FEDERATED, {"has": "allow", "session": "allow"}, YES, ID),
    (FEDERATED, {"session": "allow"}, NO, ID),
    (FEDERATED_ROOT, {"session": "allow"}, YES, IS_ROOT),
    (FEDERATED_ROOT, {"session": "other"}, NO, SESS),
    (FEDERATED_ROOT, {}, NO, SESS),
]

# AWS Organizations User Guide, "SCP evaluation" and "RCP evaluation"
CONTROLS: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    (BOB, {"has": "allow", "scps": "allow"}, YES, ID),
    (BOB, {"scps": "allow"}, NO, ID),
    (BOB, {"has": "allow", "scps": "other"}, NO, SCP),
    (BOB, {"has": "allow", "scps": "allow / allow / allow"}, YES, ID),
    (BOB, {"has": "allow", "scps": "allow / other / allow"}, NO, SCP),
    (BOB, {"has": "allow", "scps": "allow / other allow / allow"}, YES, ID),
    (BOB, {"has": "allow", "scps": "allow / allow deny"}, EXPLICIT, SCP),
    (ROOT, {"scps": "other"}, NO, SCP),
    (ROOT, {"scps": "allow deny"}, EXPLICIT, SCP),
    (ROOT, {"scps": "allow"}, YES, IS_ROOT),
    (BOB, {"scps": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, NO, SCP),
    (BOB, {"scps": "allow", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"has": "allow", "boundary": "allow", "scps": "allow"}, YES, ID),
    (BOB, {"has": "allow", "boundary": "other", "scps": "allow"}, NO, PB),
    (BOB, {"has": "allow", "rcps": "allow"}, YES, ID),
    (BOB, {"has": "allow", "rcps": "allow / deny allow"}, EXPLICIT, RCP),
    (BOB, {"has": "allow", "rcps": "allow / other"}, NO, RCP),
    (ROOT, {"rcps": "deny"}, EXPLICIT, RCP),
    (SNS, {"rcps": "allow deny", "resource": shared(ALLOW, {"Service": "sns.amazonaws.com"})}, EXPLICIT, RCP),
    (ANONYMOUS, {"rcps": "allow deny", "resource": shared(ALLOW, "*")}, EXPLICIT, RCP),
]

# "Cross-account policy evaluation logic": both accounts must allow
CROSS_ACCOUNT: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    (BOB, {}, NO, ID),
    (BOB, {"has": "allow"}, NO, RES),
    (BOB, {"resource": shared(ALLOW, aws(BOB_ARN))}, NO, ID),
    (BOB, {"resource": shared(ALLOW, aws(HOME))}, NO, ID),
    (BOB, {"resource": shared(ALLOW, "*")}, NO, ID),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(BOB_ARN))}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(HOME))}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(f"arn:aws:iam::{HOME}:root"))}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, "*")}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(AWAY))}, NO, RES),
    (BOB, {"has": "allow", "resource": shared(OTHER, aws(HOME))}, NO, RES),
    (BOB, {"has": "deny", "resource": shared(ALLOW, aws(BOB_ARN))}, EXPLICIT, ID),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(HOME))}, EXPLICIT, RES),
    (BOB, {"has": "allow", "boundary": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, NO, PB),
    (BOB, {"has": "allow", "scps": "other", "resource": shared(ALLOW, aws(BOB_ARN))}, NO, SCP),
    (SESSION, {"has": "allow", "resource": shared(ALLOW, aws(ROLE_ARN))}, YES, RES),
    (SESSION, {"has": "allow", "resource": shared(ALLOW, aws(SESSION_ARN))}, YES, RES),
    (SESSION, {"resource": shared(ALLOW, aws(SESSION_ARN))}, NO, ID),
    (SESSION, {"has": "allow", "session": "other", "resource": shared(ALLOW, aws(SESSION_ARN))}, NO, SESS),
    (SESSION, {"has": "allow", "session": "allow", "resource": shared(ALLOW, aws(HOME))}, YES, RES),
    (ROOT, {}, NO, RES),
    (ROOT, {"resource": shared(ALLOW, aws(HOME))}, YES, RES),
    (ROOT, {"resource": shared(ALLOW, aws(BOB_ARN))}, NO, RES),
    (ROOT, {"resource": shared(ALLOW, "*")}, YES, RES),
    (FEDERATED, {"has": "allow", "session": "allow", "resource": shared(ALLOW, aws(HOME))}, YES, RES),
    (FEDERATED, {"has": "allow", "resource": shared(ALLOW, aws(HOME))}, NO, SESS),
]

# "AWS JSON policy elements: Principal", "AWS service principals", "All principals"
WITHOUT_ACCOUNT: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    (SNS, {}, NO, RES),
    (SNS, {"resource": shared(ALLOW, {"Service": "sns.amazonaws.com"})}, YES, RES),
    (SNS, {"resource": shared(ALLOW, {"Service": "s3.amazonaws.com"})}, NO, RES),
    (SNS, {"resource": shared(ALLOW, {"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]})}, YES, RES),
    (SNS, {"resource": shared(ALLOW, "*")}, YES, RES),
    (SNS, {"resource": shared(ALLOW, aws("*"))}, YES, RES),
    (SNS, {"resource": shared(ALLOW, aws(HOME))}, NO, RES),
    (SNS, {"resource": shared(DENY, "*")}, EXPLICIT, RES),
    (LINKED, {}, YES, LINK),
    (LINKED, {"resource": shared(DENY, "*")}, EXPLICIT, RES),
    (ANONYMOUS, {"resource": shared(ALLOW, "*")}, YES, RES),
    (ANONYMOUS, {"resource": shared(ALLOW, aws("*"))}, YES, RES),
    (ANONYMOUS, {"resource": shared(ALLOW, aws(HOME))}, NO, RES),
    (ANONYMOUS, {"resource": shared(ALLOW, {"Service": "sns.amazonaws.com"})}, NO, RES),
    (ANONYMOUS, {"resource": shared(DENY, "*")}, EXPLICIT, RES),
    (
        ANONYMOUS,
        {"resource": shared(ALLOW, "*", Condition={"StringEquals": {"aws:PrincipalType": "Anonymous"}})},
        YES,
        RES,
    ),
]

# "AWS JSON policy elements: NotPrincipal"
NOT_PRINCIPAL: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    (BOB, {"has": "allow", "resource": shared(DENY, aws(BOB_ARN, HOME), "NotPrincipal")}, YES, ID),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(BOB_ARN), "NotPrincipal")}, EXPLICIT, RES),
    (BOB, {"has": "allow", "resource": shared(DENY, aws(ROLE_ARN, HOME), "NotPrincipal")}, EXPLICIT, RES),
    (
        BOB,
        {"has": "allow", "boundary": "allow", "resource": shared(DENY, aws(BOB_ARN, HOME), "NotPrincipal")},
        EXPLICIT,
        RES,
    ),
    (SESSION, {"has": "allow", "resource": shared(DENY, aws(SESSION_ARN, ROLE_ARN, HOME), "NotPrincipal")}, YES, ID),
    (SESSION, {"has": "allow", "resource": shared(DENY, aws(SESSION_ARN, HOME), "NotPrincipal")}, EXPLICIT, RES),
    (ROOT, {"resource": shared(DENY, aws(HOME), "NotPrincipal")}, YES, IS_ROOT),
    (ROOT, {"resource": shared(DENY, aws(AWAY), "NotPrincipal")}, EXPLICIT, RES),
    (BOB, {"resource": shared(ALLOW, aws(ROLE_ARN), "NotPrincipal")}, YES, RES),
    (BOB, {"resource": shared(ALLOW, aws(BOB_ARN), "NotPrincipal")}, NO, ID),
    (ANONYMOUS, {"resource": shared(ALLOW, aws(HOME), "NotPrincipal")}, YES, RES),
    (SNS, {"resource": shared(DENY, {"Service": "sns.amazonaws.com"}, "NotPrincipal")}, NO, RES),
    (SNS, {"resource": shared(DENY, aws(HOME), "NotPrincipal")}, EXPLICIT, RES),
]

# AWS KMS Developer Guide, "Key policies in AWS KMS", "Determining access to AWS KMS keys", "Grants in AWS KMS"
KEY = {"resource_policy_required": True}
KEYS: list[tuple[Principal, dict[str, Any], DecisionKind, PolicyType]] = [
    (BOB, {"has": "allow", **KEY}, NO, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(HOME)), **KEY}, YES, ID),
    (BOB, {"resource": shared(ALLOW, aws(HOME)), **KEY}, NO, ID),
    (BOB, {"resource": shared(ALLOW, aws(BOB_ARN)), **KEY}, YES, RES),
    (BOB, {"has": "allow", "resource": shared(ALLOW, aws(ROLE_ARN)), **KEY}, NO, RES),
    (BOB, {"has": "deny", "resource": shared(ALLOW, aws(BOB_ARN)), **KEY}, EXPLICIT, ID),
    (SESSION, {"resource": shared(ALLOW, aws(ROLE_ARN)), **KEY}, YES, RES),
    (ROOT, KEY, NO, RES),
    (ROOT, {"resource": shared(ALLOW, aws(HOME)), **KEY}, YES, IS_ROOT),
    (ROOT, {"resource": shared(ALLOW, aws(BOB_ARN)), **KEY}, NO, RES),
    (BOB, {"granted": True, **KEY}, YES, GRANT),
    (BOB, {"granted": True, "has": "deny", **KEY}, EXPLICIT, ID),
    (BOB, {"granted": True, "resource": shared(DENY, aws(BOB_ARN)), **KEY}, EXPLICIT, RES),
    (SNS, {"granted": True, **KEY}, YES, GRANT),
]


def trusting(effect: str, principal: Any, **more: Any) -> str:
    return (
        shared(effect, principal, **more).replace("sqs:SendMessage", "sts:AssumeRole").replace('"Resource": "*", ', "")
    )


@pytest.mark.parametrize(
    ("caller", "circumstances", "kind", "by"),
    SAME_ACCOUNT + CONTROLS + WITHOUT_ACCOUNT + NOT_PRINCIPAL + KEYS,
)
def test_in_one_account(caller: Principal, circumstances: dict[str, Any], kind: DecisionKind, by: PolicyType) -> None:
    decision = decided(caller, **circumstances)
    assert (decision.kind, decision.decided_by, decision.allowed) == (kind, by, kind is YES)


@pytest.mark.parametrize(("caller", "circumstances", "kind", "by"), CROSS_ACCOUNT)
def test_across_accounts(caller: Principal, circumstances: dict[str, Any], kind: DecisionKind, by: PolicyType) -> None:
    decision = decided(caller, arn=AWAY_QUEUE, **circumstances)
    assert (decision.kind, decision.decided_by, decision.allowed) == (kind, by, kind is YES)


# Page: "How to use trust policies with IAM roles" and "Cross-account policy evaluation logic"
ASSUME = "sts:AssumeRole"
ASSUMING: list[tuple[Principal, str, str, str, DecisionKind, PolicyType]] = [
    # caller, its own action, the role's account, trust policy
    (BOB, "", HOME, trusting(ALLOW, aws(BOB_ARN)), YES, TRUSTED),
    (BOB, "", HOME, trusting(ALLOW, aws(HOME)), NO, ID),
    (BOB, ASSUME, HOME, trusting(ALLOW, aws(HOME)), YES, ID),
    (BOB, ASSUME, HOME, trusting(ALLOW, {"Service": "lambda.amazonaws.com"}), NO, TRUSTED),
    (BOB, ASSUME, HOME, trusting(DENY, aws(HOME)), EXPLICIT, TRUSTED),
    (BOB, "", AWAY, trusting(ALLOW, aws(BOB_ARN)), NO, ID),
    (BOB, ASSUME, AWAY, trusting(ALLOW, aws(BOB_ARN)), YES, TRUSTED),
    (BOB, ASSUME, AWAY, trusting(ALLOW, aws(HOME)), YES, TRUSTED),
    (BOB, ASSUME, AWAY, trusting(ALLOW, aws(AWAY)), NO, TRUSTED),
    (SESSION, "", HOME, trusting(ALLOW, aws(ROLE_ARN)), YES, TRUSTED),
    (SNS, "", HOME, trusting(ALLOW, {"Service": "sns.amazonaws.com"}), YES, TRUSTED),
    (SNS, "", HOME, trusting(ALLOW, {"Service": "lambda.amazonaws.com"}), NO, TRUSTED),
    (WEB, "", HOME, trusting(ALLOW, {"Federated": "accounts.google.com"}), YES, TRUSTED),
    (WEB, "", HOME, trusting(ALLOW, {"Federated": "www.amazon.com"}), NO, TRUSTED),
]


@pytest.mark.parametrize(("caller", "own", "account", "trust", "kind", "by"), ASSUMING)
def test_assuming_a_role(
    caller: Principal, own: str, account: str, trust: str, kind: DecisionKind, by: PolicyType
) -> None:
    source = Source("", "", "", "")
    if own:
        allowed = json.dumps({"Statement": {"Effect": "Allow", "Action": own, "Resource": "*"}})
        source._attached = Attached(identity=(compile_policy(allowed, Kind.INLINE),))
    question = Question(
        caller,
        ASSUME,
        f"arn:aws:iam::{account}:role/target",
        environment=Environment(now=lambda: 0.0),
        resource_policy=trust,
        trust=True,
    )
    decision = question.decide(source)
    assert (decision.kind, decision.decided_by) == (kind, by)


NAMED = "sqs:SendMessage"
ON = f"on resource: {QUEUE}"
MESSAGES = [
    # Page: "Troubleshooting access denied error messages"
    (
        {},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no identity-based policy allows "
        f"the {NAMED} action",
    ),
    (
        {"has": "deny"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an explicit deny in an identity-based policy",
    ),
    (
        {"has": "allow", "boundary": "other"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no "
        f"permissions boundary allows the {NAMED} action",
    ),
    (
        {"has": "allow", "boundary": "deny"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an explicit deny in a permissions boundary",
    ),
    (
        {"has": "allow", "session": "other"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no "
        f"session policy allows the {NAMED} action",
    ),
    (
        {"has": "allow", "session": "deny"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an explicit deny in a session policy",
    ),
    (
        {"has": "allow", "scps": "allow deny"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an explicit deny in a service control policy",
    ),
    (
        {"has": "allow", "scps": "other"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no "
        f"service control policy allows the {NAMED} action",
    ),
    (
        {"has": "allow", "rcps": "deny"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an "
        "explicit deny in a resource control policy",
    ),
    (
        {"has": "allow", "resource": shared(DENY, "*")},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} with an explicit deny in a resource-based policy",
    ),
    (
        {"has": "allow", **KEY},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no resource-based "
        f"policy allows the {NAMED} action",
    ),
    (
        {"arn": "*"},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} because no identity-based policy allows "
        f"the {NAMED} action",
    ),
    (
        {"shown": "sqs:sendmessage"},
        f"User: {BOB_ARN} is not authorized to perform: sqs:sendmessage {ON} because no "
        "identity-based policy allows the sqs:sendmessage action",
    ),
    (
        {"trust": True, "resource": trusting(OTHER, aws(HOME)).replace("sqs:PurgeQueue", "sts:TagSession")},
        f"User: {BOB_ARN} is not authorized to perform: {NAMED} {ON} because no role trust policy allows the {NAMED} "
        "action",
    ),
]


@pytest.mark.parametrize(("circumstances", "message"), MESSAGES)
def test_message(circumstances: dict[str, Any], message: str) -> None:
    assert decided(BOB, **circumstances).message() == message


def test_trust_denial_names_the_trust_policy() -> None:
    decision = Decision(False, EXPLICIT, TRUSTED, BOB_ARN, ASSUME, "arn:aws:iam::1:role/r")
    assert decision.reason() == "with an explicit deny in the role trust policy"


# "Policy evaluation for requests within a single account": Carlos and his buckets
CARLOS_OWN = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "List",
            "Effect": "Allow",
            "Action": ["s3:GetBucketLocation", "s3:ListAllMyBuckets"],
            "Resource": "arn:aws:s3:::*",
        },
        {
            "Sid": "Own",
            "Effect": "Allow",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"],
        },
        {"Sid": "Logs", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::*log*"},
    ],
}
CARLOS = [
    ("s3:PutObject", "arn:aws:s3:::carlossalazar-logs/f", EXPLICIT, "Logs"),
    ("s3:PutObject", "arn:aws:s3:::carlossalazar/f", YES, "Own"),
    ("s3:ListAllMyBuckets", "arn:aws:s3:::any", YES, "List"),
    ("s3:GetBucketLocation", "arn:aws:s3:::catalog", EXPLICIT, "Logs"),
    ("s3:PutObject", "arn:aws:s3:::other/f", NO, ""),
    ("S3:PUTOBJECT", "arn:aws:s3:::carlossalazar/f", YES, "Own"),
]


@pytest.mark.parametrize(("action", "arn", "kind", "sid"), CARLOS)
def test_carlos(action: str, arn: str, kind: DecisionKind, sid: str) -> None:
    source = Source("", "", "", "")
    source._attached = Attached(identity=(compile_policy(json.dumps(CARLOS_OWN), Kind.MANAGED, name="own"),))
    question = Question(BOB, action, arn, environment=Environment(now=lambda: 0.0))
    decision = question.decide(source)
    assert (decision.kind, decision.sid, decision.policy) == (kind, sid, "own" if sid else "")


# "The difference between explicit and implicit denies"; "IAM JSON policy elements: NotAction", "... NotResource"
ELEMENTS = [
    ({"Action": ["iam:Get*", "iam:List*"]}, "iam:GetUser", "*", YES),
    ({"Action": ["iam:Get*", "iam:List*"]}, "iam:CreateUser", "*", NO),
    ({"Action": "iam:*Report", "Effect": "Deny"}, "iam:GetOrganizationsAccessReport", "*", EXPLICIT),
    ({"NotAction": "iam:*"}, "sqs:SendMessage", QUEUE, YES),
    ({"NotAction": "iam:*"}, "iam:CreateUser", "*", NO),
    ({"NotAction": ["iam:*", "sts:*"], "Effect": "Deny"}, "sqs:SendMessage", QUEUE, EXPLICIT),
    ({"NotAction": ["iam:*", "sts:*"], "Effect": "Deny"}, "sts:AssumeRole", "*", NO),
    ({"NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}, "s3:GetObject", "arn:aws:s3:::b/k", YES),
    ({"NotAction": "s3:DeleteBucket", "Resource": "arn:aws:s3:::*"}, "s3:DeleteBucket", "arn:aws:s3:::b", NO),
    ({"NotResource": "arn:aws:s3:::HRBucket/*", "Effect": "Deny"}, "s3:GetObject", "arn:aws:s3:::b/k", EXPLICIT),
    ({"NotResource": "arn:aws:s3:::HRBucket/*", "Effect": "Deny"}, "s3:GetObject", "arn:aws:s3:::HRBucket/k", NO),
    ({"NotResource": "*", "Effect": "Deny"}, "s3:GetObject", "arn:aws:s3:::b/k", NO),
    ({"NotResource": "arn:aws:s3:::${aws:username}/*"}, "s3:GetObject", "arn:aws:s3:::bob/k", NO),
    ({"NotResource": "arn:aws:s3:::${aws:username}/*"}, "s3:GetObject", "arn:aws:s3:::eve/k", YES),
    ({"NotResource": "arn:aws:s3:::${aws:PrincipalTag/x}/*"}, "s3:GetObject", "arn:aws:s3:::eve/k", NO),
    ({"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:GetObject", "arn:aws:s3:::b/bob/k", YES),
    ({"Resource": "arn:aws:s3:::b/${aws:username}/*"}, "s3:GetObject", "arn:aws:s3:::b/eve/k", NO),
    ({"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/x}/*"}, "s3:GetObject", "arn:aws:s3:::b//k", NO),
    ({"Resource": "arn:aws:s3:::b/${aws:PrincipalTag/x, 'all'}/*"}, "s3:GetObject", "arn:aws:s3:::b/all/k", YES),
    (
        {"Resource": "arn:aws:sqs:us-east-2:*:${aws:username}-queue"},
        "sqs:SendMessage",
        f"arn:aws:sqs:us-east-2:{HOME}:bob-queue",
        YES,
    ),
    (
        {"Resource": "arn:aws:sqs:us-east-2:*:${aws:username}-queue"},
        "sqs:SendMessage",
        f"arn:aws:sqs:us-east-1:{HOME}:bob-queue",
        NO,
    ),
    # variables stand only after the fifth colon
    ({"Resource": "arn:aws:sqs:${aws:RequestedRegion}:*:q"}, "sqs:SendMessage", f"arn:aws:sqs:us-east-1:{HOME}:q", NO),
    ({"Resource": QUEUE}, "sqs:SendMessage", "*", NO),
    ({"Resource": "*"}, "sqs:ListQueues", "*", YES),
    # "Conditions with multiple context keys or values": keys and operators are joined by AND
    ({"Condition": {"StringEquals": {"aws:username": "bob", "aws:RequestedRegion": "us-east-1"}}}, "a:B", "*", YES),
    ({"Condition": {"StringEquals": {"aws:username": "bob", "aws:RequestedRegion": "us-east-2"}}}, "a:B", "*", NO),
    ({"Condition": {"StringEquals": {"aws:username": "bob"}, "Bool": {"aws:SecureTransport": "true"}}}, "a:B", "*", NO),
    (
        {"Condition": {"StringEquals": {"aws:username": ["eve", "bob"]}, "Bool": {"aws:SecureTransport": "false"}}},
        "a:B",
        "*",
        YES,
    ),
]


@pytest.mark.parametrize(("elements", "action", "arn", "kind"), ELEMENTS)
def test_elements(elements: dict[str, Any], action: str, arn: str, kind: DecisionKind) -> None:
    written = {"Effect": "Allow"} | elements
    if "NotAction" not in written and "Action" not in written:
        written["Action"] = "*"
    if "NotResource" not in written and "Resource" not in written:
        written["Resource"] = "*"
    document = json.dumps({"Version": "2012-10-17", "Statement": written})
    source = Source("", "", "", "")
    source._attached = Attached(identity=(compile_policy(document, Kind.INLINE),))
    question = Question(BOB, action, arn, environment=Environment(now=lambda: 0.0))
    assert question.decide(source).kind is kind


def test_explanation_names_what_was_missing() -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Mfa",
                "Effect": "Allow",
                "Action": "sqs:*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            },
            {"Sid": "Elsewhere", "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": AWAY_QUEUE},
            {"Sid": "Topics", "Effect": "Allow", "Action": "sns:*", "Resource": "*"},
            {
                "Sid": "Team",
                "Effect": "Deny",
                "Action": "sqs:SendMessage",
                "Resource": "*",
                "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": "red"}},
            },
        ],
    }
    source = Source("", "", "", "")
    source._attached = Attached(identity=(compile_policy(json.dumps(document), Kind.INLINE, name="own"),))
    explanation = Question(BOB, "sqs:SendMessage", QUEUE, environment=Environment(now=lambda: 0.0)).explain(source)
    found = {each.sid: (each.resource_matches, each.matches) for each in explanation.statements}
    assert found == {"Mfa": (True, False), "Elsewhere": (False, False), "Team": (True, True)}
    assert [each.sid for each in explanation.matched] == ["Team"]
    assert set(explanation.missing_keys) == {"aws:multifactorauthpresent", "aws:principaltag/team"}
