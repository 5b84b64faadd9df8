"""The evaluation logic, one row a fact of the IAM User Guide. Each section names its page."""

import json
from typing import Any

import pytest

from cumulo.core.policy.authorization import Attached, Question
from cumulo.core.policy.condition_keys import Environment
from cumulo.core.policy.decision import DecisionKind, PolicyType
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import ANONYMOUS, Principal
from cumulo.core.policy.statements import compile_policy
from tests.core.policy.callers import (
    ALLOW,
    AWAY,
    AWAY_QUEUE,
    BOB,
    BOB_ARN,
    DENY,
    EXPLICIT,
    FEDERATED,
    FEDERATED_ARN,
    FEDERATED_ROOT,
    GRANT,
    HOME,
    ID,
    IS_ROOT,
    KEY,
    LINK,
    LINKED,
    NO,
    OTHER,
    PB,
    RCP,
    RES,
    ROLE_ARN,
    ROOT,
    SCP,
    SESS,
    SESSION,
    SESSION_ARN,
    SNS,
    TRUSTED,
    WEB,
    YES,
    Source,
    aws,
    decided,
    shared,
    trusting,
)

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
