"""Policy documents: what is accepted, and AWS's texts for what is not.

Pages: "Grammar of the IAM JSON policy language", "IAM JSON policy elements reference", "IAM and AWS STS quotas".
"""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cumulo.core.policy.documents import Kind, parse, size
from cumulo.core.policy.statements import compile_policy
from cumulo.wire.faults import Fault

ALLOW = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
SHARED = {**ALLOW, "Principal": {"AWS": "111122223333"}}
SYNTAX = "Syntax errors in policy."
VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."


def text(*statements: Any, version: Any = "2012-10-17", **more: Any) -> str:
    return json.dumps({"Version": version, "Statement": list(statements), **more})


def but(statement: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The statement with these elements changed, or taken away (None)."""
    return {key: value for key, value in {**statement, **changes}.items() if value is not None}


ACCEPTED = [
    (Kind.MANAGED, text(ALLOW)),
    (Kind.INLINE, text(ALLOW, version="2008-10-17")),
    (Kind.INLINE, json.dumps({"Statement": ALLOW})),
    (Kind.INLINE, text(ALLOW, Id="my policy")),
    (Kind.INLINE, text(but(ALLOW, Sid="1"))),
    (Kind.INLINE, text(but(ALLOW, Action=["sqs:*", "sns:Get?opic*"]))),
    (Kind.INLINE, text(but(ALLOW, Action=None, NotAction="iam:*"))),
    (Kind.INLINE, text(but(ALLOW, Action="*"))),
    (Kind.INLINE, text(but(ALLOW, Action="*:*"))),
    (Kind.INLINE, text(but(ALLOW, Resource=None, NotResource="arn:aws:s3:::b/*"))),
    (Kind.INLINE, text(but(ALLOW, Resource=["arn:aws:s3:::b", "arn:aws:s3:::b/*"]))),
    (Kind.INLINE, text(but(ALLOW, Resource="arn:*:sqs:*:*:*"))),
    (Kind.INLINE, text(but(ALLOW, Resource="arn:aws-us-gov:sqs:*:*:*"))),
    (Kind.INLINE, text(but(ALLOW, Resource="arn:aws:iam::*:user/${aws:username}"))),
    (Kind.INLINE, text(but(ALLOW, Resource="arn:aws:s3*"), version="2008-10-17").replace("s3*", "s3:*")),
    (Kind.INLINE, text(but(ALLOW, Condition={}))),
    (Kind.INLINE, text(but(ALLOW, Condition={"Bool": {"aws:SecureTransport": True}}))),
    (Kind.INLINE, text(but(ALLOW, Condition={"NumericLessThan": {"s3:max-keys": 10}}))),
    (Kind.INLINE, text(but(ALLOW, Condition={"StringEquals": {"aws:RequestTag/a:b": ["x", 1, False]}}))),
    (Kind.INLINE, text(but(ALLOW, Condition={"ForAllValues:StringLikeIfExists": {"aws:TagKeys": "x*"}}))),
    (Kind.RESOURCE, text(SHARED)),
    (Kind.RESOURCE, text(but(SHARED, Principal="*"))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": "*"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": ["111122223333", "arn:aws:iam::444455556666:root"]}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": "arn:aws:iam::111122223333:user/division/Bob"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": "arn:aws:sts::111122223333:assumed-role/r/s"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": "arn:aws:sts::111122223333:federated-user/Bob"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"Service": ["sns.amazonaws.com", "events.amazonaws.com"]}))),
    (Kind.RESOURCE, text(but(SHARED, Principal={"CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}))),
    (Kind.RESOURCE, text(but(SHARED, Principal=None, NotPrincipal={"AWS": "111122223333"}, Effect="Deny"))),
    (Kind.RESOURCE, text(but(SHARED, Sid="with space"))),
    (Kind.RESOURCE, text(but(SHARED, Resource=None))),
    (Kind.TRUST, text(TRUST)),
    (Kind.TRUST, text(but(TRUST, Principal={"Federated": "cognito-identity.amazonaws.com"}))),
    (Kind.TRUST, text(but(TRUST, Principal={"Federated": "arn:aws:iam::111122223333:saml-provider/p"}))),
    (Kind.TRUST, text(but(TRUST, Action=["sts:AssumeRole", "sts:TagSession"]))),
    (Kind.TRUST, text(but(TRUST, Principal="*"))),
    (Kind.CONTROL, text(ALLOW)),
    (Kind.CONTROL, text(but(ALLOW, Principal="*", Effect="Deny"))),
]


@pytest.mark.parametrize(("kind", "document"), ACCEPTED)
def test_accepted(kind: Kind, document: str) -> None:
    assert parse(document, kind).statements
    assert compile_policy(document, kind).candidates("sqs:sendmessage") is not None


REFUSED = [
    (Kind.MANAGED, "", SYNTAX),
    (Kind.MANAGED, "null", SYNTAX),
    (Kind.MANAGED, "{", SYNTAX),
    (Kind.MANAGED, "[]", SYNTAX),
    (Kind.INLINE, "{}", SYNTAX),
    (Kind.TRUST, "{", "This policy contains invalid Json"),
    (Kind.MANAGED, json.dumps({"Statement": [ALLOW]}), "Policy document must be version 2012-10-17 or greater."),
    (Kind.MANAGED, text(ALLOW, version="2008-10-17"), "Policy document must be version 2012-10-17 or greater."),
    (Kind.MANAGED, text(ALLOW, version="2012-10-18"), SYNTAX),
    (Kind.MANAGED, text(ALLOW, version=2012), SYNTAX),
    (Kind.MANAGED, text(ALLOW, version=["2012-10-17"]), SYNTAX),
    (Kind.MANAGED, text(ALLOW, Id=1), SYNTAX),
    (Kind.MANAGED, text(ALLOW, Extra="x"), SYNTAX),
    (Kind.MANAGED, text(ALLOW).replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Allow"'), SYNTAX),
    (Kind.MANAGED, text(), SYNTAX),
    (Kind.MANAGED, text("x"), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, effect="Allow")), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Effect="allow")), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Effect=None)), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Effect=["Allow"])), SYNTAX),
    (
        Kind.MANAGED,
        text(but(ALLOW, Sid="a-b")),
        "Statement IDs (SID) must be alpha-numeric. Check that your input "
        "satisfies the regular expression [0-9A-Za-z]*",
    ),
    (
        Kind.MANAGED,
        text(but(ALLOW, Sid="a"), but(ALLOW, Sid="a")),
        "Statement IDs (SID) in a single policy must be unique.",
    ),
    (Kind.MANAGED, text(but(ALLOW, Sid=1)), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Action=None)), "Policy statement must contain actions."),
    (Kind.MANAGED, text(but(ALLOW, Action=[])), "Policy statement must contain actions."),
    (Kind.MANAGED, text(but(ALLOW, Action={"a": 1})), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Action=[1])), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, NotAction="iam:*")), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Action="SendMessage")), VENDOR),
    (Kind.MANAGED, text(but(ALLOW, Action="sqs:Send:Message")), "Actions/Condition can contain only one colon."),
    (Kind.MANAGED, text(but(ALLOW, Action="s q s:Send")), "Vendor s q s is not valid"),
    (Kind.MANAGED, text(but(ALLOW, Action="s*:Send")), "Vendor s* is not valid"),
    (Kind.MANAGED, text(but(ALLOW, Resource=None)), "Policy statement must contain resources."),
    (Kind.MANAGED, text(but(ALLOW, Resource=[])), "Policy statement must contain resources."),
    (Kind.MANAGED, text(but(ALLOW, Resource="queue")), 'Resource queue must be in ARN format or "*".'),
    (Kind.MANAGED, text(but(ALLOW, Resource="")), 'Resource  must be in ARN format or "*".'),
    (
        Kind.MANAGED,
        text(but(ALLOW, Resource="arn:azure:s3:::b")),
        'Partition "azure" is not valid for resource "arn:azure:s3:::b".',
    ),
    (
        Kind.MANAGED,
        text(but(ALLOW, Resource="arn:${P}:s3:::b")),
        'Partition "${P}" is not valid for resource "arn:${P}:s3:::b".',
    ),
    (
        Kind.MANAGED,
        text(but(ALLOW, Resource="arn:aws:*:::b")),
        "Resource vendor must be fully qualified and cannot contain regexes.",
    ),
    (Kind.MANAGED, text(but(ALLOW, Resource="arn:aws:sqs:q")), "The policy failed legacy parsing"),
    (
        Kind.MANAGED,
        text(but(ALLOW, Resource="arn:aws:iam:us-east-1:111122223333:user/Bob")),
        "IAM resource arn:aws:iam:us-east-1:111122223333:user/Bob cannot contain region information.",
    ),
    (
        Kind.MANAGED,
        text(but(ALLOW, Resource="arn:aws:s3:us-east-1::b")),
        "Resource arn:aws:s3:us-east-1::b can not contain region information.",
    ),
    (Kind.MANAGED, text(but(ALLOW, Principal="*")), "Policy document should not specify a principal."),
    (Kind.MANAGED, text(but(ALLOW, NotPrincipal="*")), "Policy document should not specify a principal."),
    (Kind.MANAGED, text(but(ALLOW, Condition=[])), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Condition={"StringSame": {"aws:x": "y"}})), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Condition={"StringEquals": "x"})), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Condition={"StringEquals": {"aws:x": {}}})), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Condition={"StringEquals": {"aws:x": None}})), SYNTAX),
    (Kind.MANAGED, text(but(ALLOW, Condition={"StringEquals": {"x": "y"}})), VENDOR),
    (Kind.RESOURCE, text(ALLOW), "Missing required field Principal"),
    (Kind.RESOURCE, text(but(SHARED, Effect=None)), "Missing required field Effect"),
    (Kind.RESOURCE, text(but(SHARED, Principal="111122223333")), 'Invalid principal in policy: "111122223333"'),
    (Kind.RESOURCE, text(but(SHARED, Principal={})), SYNTAX),
    (Kind.RESOURCE, text(but(SHARED, Principal={"AWS": []})), "Missing required field Principal"),
    (Kind.RESOURCE, text(but(SHARED, Principal={"Group": "x"})), SYNTAX),
    (
        Kind.RESOURCE,
        text(but(SHARED, Principal={"AWS": "11112222333"})),
        'Invalid principal in policy: "AWS":"11112222333"',
    ),
    (
        Kind.RESOURCE,
        text(but(SHARED, Principal={"AWS": "arn:aws:iam::111122223333:user/*"})),
        'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:user/*"',
    ),
    (
        Kind.RESOURCE,
        text(but(SHARED, Principal={"AWS": "arn:aws:iam::111122223333:group/g"})),
        'Invalid principal in policy: "AWS":"arn:aws:iam::111122223333:group/g"',
    ),
    (Kind.RESOURCE, text(but(SHARED, Principal={"Service": "sns"})), 'Invalid principal in policy: "Service":"sns"'),
    (Kind.RESOURCE, text(but(SHARED, NotPrincipal="*")), SYNTAX),
    (Kind.TRUST, text(but(TRUST, Principal=None)), "Missing required field Principal"),
    (Kind.TRUST, text(but(TRUST, Action=None)), "Missing required field Action"),
    (Kind.TRUST, text(but(TRUST, Resource="*")), "Has prohibited field Resource"),
    (Kind.TRUST, text(but(TRUST, Action="s3:GetObject")), "AssumeRole policy may only specify STS AssumeRole actions."),
    (Kind.CONTROL, text(but(ALLOW, Principal={"AWS": "111122223333"})), SYNTAX),
]


@pytest.mark.parametrize(("kind", "document", "message"), REFUSED)
def test_refused(kind: Kind, document: str, message: str) -> None:
    with pytest.raises(Fault) as refusal:
        parse(document, kind)
    assert (refusal.value.code, refusal.value.message) == ("MalformedPolicyDocument", message)


def test_white_space_does_not_count() -> None:
    """Page: "IAM and AWS STS quotas": IAM doesn't count white space."""
    assert size('{ "a" :\n\t"b"\r\n}') == len('{"a":"b"}')


def test_a_missing_version_is_2008() -> None:
    """Page: "IAM JSON policy elements: Version"."""
    assert parse(json.dumps({"Statement": ALLOW}), Kind.INLINE).version == "2008-10-17"


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "Version",
                    "Statement",
                    "Effect",
                    "Action",
                    "NotAction",
                    "Resource",
                    "NotResource",
                    "Principal",
                    "Id",
                    "NotPrincipal",
                    "Condition",
                    "Sid",
                    "AWS",
                    "Service",
                    "StringEquals",
                    "aws:x",
                    "ForAllValues:Null",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
almost = st.fixed_dictionaries(
    {
        "Version": st.just("2012-10-17"),
        "Statement": st.fixed_dictionaries(
            {
                "Effect": st.sampled_from(["Allow", "Deny"]),
                "Action": junk | st.text("sq:*?${}", max_size=8),
                "Resource": junk | st.text("arn:aws*${}?,'", max_size=20),
            },
            optional={
                "Condition": st.dictionaries(
                    st.sampled_from(["StringLike", "DateEquals", "IpAddress", "Null"]),
                    st.dictionaries(st.just("aws:x"), junk, max_size=1),
                    max_size=2,
                ),
                "Principal": junk,
            },
        ),
    }
)


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(list(Kind)), st.text() | junk.map(json.dumps) | almost.map(json.dumps))
@example(Kind.INLINE, "[" * 100_000)
@example(Kind.INLINE, '{"Version": ' + "9" * 10_000 + "}")
@example(Kind.INLINE, '{"Version": NaN}')
@example(Kind.INLINE, '"\\ud800"')
@example(Kind.INLINE, text(but(ALLOW, Action="\ud800:\ud800")))
@example(Kind.INLINE, text(but(ALLOW, Condition={"IpAddress": {"aws:x": "\ud800"}})))
def test_any_text_is_accepted_or_refused(kind: Kind, document: str) -> None:
    """No input gives anything but a policy or a Fault, and no policy anything but an answer."""
    try:
        policy = compile_policy(document, kind)
    except Fault:
        return
    for statements in policy.candidates("sqs:sendmessage"):
        for statement in statements:
            statement.applies("arn:aws:sqs:us-east-1:111122223333:q", {"aws:x": "\ud800"}.get)
            statement.applies("\ud800", {"aws:x": ["1", "::", ""]}.get)
