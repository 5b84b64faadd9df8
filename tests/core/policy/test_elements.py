"""A statement's elements, AWS's messages and the explanation. Pages of the IAM User Guide."""

import json
from typing import Any

import pytest

from cumulo.core.policy.authorization import Attached, Question
from cumulo.core.policy.condition_keys import Environment
from cumulo.core.policy.decision import Decision, DecisionKind
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.statements import compile_policy
from tests.core.policy.callers import (
    AWAY_QUEUE,
    BOB,
    BOB_ARN,
    DENY,
    EXPLICIT,
    HOME,
    KEY,
    NO,
    OTHER,
    QUEUE,
    TRUSTED,
    YES,
    Source,
    aws,
    decided,
    shared,
    trusting,
)

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
    decision = Decision(False, EXPLICIT, TRUSTED, BOB_ARN, "sts:AssumeRole", "arn:aws:iam::1:role/r")
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
