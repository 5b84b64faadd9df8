"""Properties of decisions on random policies and requests; the plain evaluator in `naive` is the yardstick."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.core.policy.decision import DecisionKind, Policies, decide
from cumulo.core.policy.documents import Kind
from cumulo.core.policy.principals import ANONYMOUS, Principal, PrincipalKind, root, service
from cumulo.core.policy.statements import Policy, compile_policy
from tests.core.policy import naive

HOME, AWAY = "111122223333", "444455556666"
BOB_ARN = f"arn:aws:iam::{HOME}:user/bob"
ROLE_ARN = f"arn:aws:iam::{HOME}:role/worker"
SESSION_ARN = f"arn:aws:sts::{HOME}:assumed-role/worker/s1"
VISITOR_ARN = f"arn:aws:sts::{HOME}:federated-user/visitor"
ROOT_ARN = f"arn:aws:iam::{HOME}:root"

CALLERS: list[tuple[Principal, dict[str, Any]]] = [
    (root(HOME), {"kind": "root", "arn": ROOT_ARN, "account": HOME}),
    (Principal(PrincipalKind.USER, BOB_ARN, HOME, name="bob"), {"kind": "user", "arn": BOB_ARN, "account": HOME}),
    (
        Principal(PrincipalKind.ROLE, SESSION_ARN, HOME, entity_arn=ROLE_ARN),
        {"kind": "role", "arn": SESSION_ARN, "account": HOME, "role": ROLE_ARN},
    ),
    (
        Principal(PrincipalKind.FEDERATED, VISITOR_ARN, HOME, entity_arn=BOB_ARN),
        {"kind": "federated", "arn": VISITOR_ARN, "account": HOME, "role": BOB_ARN},
    ),
    (service("sns.amazonaws.com"), {"kind": "service", "arn": "sns.amazonaws.com"}),
    (ANONYMOUS, {"kind": "anonymous", "arn": "anonymous"}),
]

actions = st.sampled_from(["sqs:SendMessage", "sqs:sendmessage", "SQS:ReceiveMessage", "sns:Publish"])
action_patterns = st.sampled_from(
    ["*", "*:*", "sqs:*", "SQS:Send*", "sqs:?endMessage", "sqs:SendMessage", "sns:Publish", "sqs:*Message"]
)
arns = st.sampled_from(
    [f"arn:aws:sqs:us-east-1:{HOME}:bob-q", f"arn:aws:sqs:us-west-1:{HOME}:a:b", f"arn:aws:sqs:us-east-1:{AWAY}:q"]
)
resource_patterns = st.sampled_from(
    [
        "*",
        f"arn:aws:sqs:us-east-1:{HOME}:bob-q",
        f"arn:aws:sqs:*:{HOME}:*",
        "arn:aws:sqs:*:*:${aws:username}-q",
        "arn:aws:sqs:*:*:${aws:PrincipalTag/none}-q",
        "arn:aws:sqs:*:*:${aws:PrincipalTag/none, 'bob'}-q",
        "arn:aws:sqs:us-*-1:*:*",
        "arn:aws:sqs:us-????-1:*:?:*",
        "arn:aws:sqs:us*:q",
    ]
)
keys = st.sampled_from(["aws:username", "AWS:UserName", "t:many", "t:number", "t:flag", "t:ip", "t:arn", "t:none"])
condition_values = st.sampled_from(
    [
        "bob",
        "BOB",
        "b*",
        "?ob",
        "${aws:username}",
        "${t:none}",
        "${t:none, 'bob'}",
        "${*}",
        "true",
        "false",
        "10",
        "9.5",
        "2020-01-01T00:00:00Z",
        "10.0.0.0/8",
        "10.1.2.3",
        "::1",
        "arn:aws:sns:*:*:t*",
        "arn:aws:sns:us-east-1:1:t1",
        "*",
    ]
)
bases = ["StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
         "StringNotLike", "ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "Bool", "IpAddress", "NotIpAddress",
         "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
         "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals",
         "DateGreaterThan", "DateGreaterThanEquals"]  # fmt: skip
operators = st.one_of(
    st.just("Null"),
    st.builds(
        lambda qualifier, base, suffix: qualifier + base + suffix,
        st.sampled_from(["", "", "ForAnyValue:", "ForAllValues:"]),
        st.sampled_from(bases),
        st.sampled_from(["", "", "IfExists"]),
    ),
)
conditions = st.dictionaries(
    operators,
    st.dictionaries(keys, st.lists(condition_values, min_size=1, max_size=3), min_size=1, max_size=2),
    max_size=2,
)
principals = st.one_of(
    st.just("*"),
    st.fixed_dictionaries(
        {
            "AWS": st.lists(
                st.sampled_from([HOME, AWAY, ROOT_ARN, BOB_ARN, ROLE_ARN, SESSION_ARN, VISITOR_ARN]),
                min_size=1,
                max_size=3,
            )
        },
        optional={"Service": st.sampled_from(["sns.amazonaws.com", "s3.amazonaws.com"])},
    ),
)


@st.composite
def statements(draw: Any, *, shared: bool) -> dict[str, Any]:
    written: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    negate = draw(st.integers(0, 7))
    written["NotAction" if negate == 0 else "Action"] = draw(st.lists(action_patterns, min_size=1, max_size=2))
    written["NotResource" if negate == 1 else "Resource"] = draw(st.lists(resource_patterns, min_size=1, max_size=2))
    if shared:
        principal = draw(principals)
        written["NotPrincipal" if negate == 2 and principal != "*" else "Principal"] = principal
    found = draw(conditions) if draw(st.booleans()) else {}
    distinct = {
        operator: dict({key.lower(): (key, wanted) for key, wanted in tests.items()}.values())
        for operator, tests in found.items()
    }
    if distinct:
        written["Condition"] = distinct
    return written


def documents(*, shared: bool = False) -> Any:
    return st.fixed_dictionaries(
        {
            "Version": st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]),
            "Statement": st.lists(statements(shared=shared), min_size=1, max_size=3),
        }
    )


written_policies = st.fixed_dictionaries(
    {
        "identity": st.lists(documents(), max_size=2),
        "boundary": st.none() | documents(),
        "session": st.lists(documents(), max_size=1),
        "resource": st.none() | documents(shared=True),
        "scps": st.lists(st.lists(documents(), min_size=1, max_size=2), max_size=1),
        "rcps": st.lists(st.lists(documents(), min_size=1, max_size=1), max_size=1),
    }
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:username": st.sampled_from(["bob", "b*", ""]),
        "t:many": st.lists(st.sampled_from(["bob", "BOB", "10", "true"]), max_size=3),
        "t:number": st.sampled_from(["10", "9.5", "ten", "-1"]),
        "t:flag": st.sampled_from(["true", "false"]),
        "t:ip": st.sampled_from(["10.1.2.3", "192.168.0.1", "::1"]),
        "t:arn": st.sampled_from(["arn:aws:sns:us-east-1:1:t1", "arn:aws:sns:us-east-1:1:x:t1"]),
    },
)


def fitting(request: Any, written: dict[str, Any]) -> dict[str, Any]:
    """Services and strangers have nothing attached to them."""
    if request[0][0].account:
        return written
    return {**written, "identity": [], "boundary": None, "session": [], "scps": []}


requests = st.tuples(st.sampled_from(CALLERS), actions, arns, contexts, st.booleans())


def compiled(written: dict[str, Any]) -> Policies:
    def one(document: dict[str, Any], kind: Kind = Kind.INLINE) -> Policy:
        return compile_policy(json.dumps(document), kind)

    return Policies(
        identity=tuple(map(one, written["identity"])),
        boundary=one(written["boundary"]) if written["boundary"] else None,
        session=tuple(map(one, written["session"])),
        resource=one(written["resource"], Kind.RESOURCE) if written["resource"] else None,
        service_controls=tuple(tuple(map(one, level)) for level in written["scps"]),
        resource_controls=tuple(tuple(map(one, level)) for level in written["rcps"]),
    )


def decision(request: Any, written: dict[str, Any]) -> DecisionKind:
    (caller, _), action, arn, context, required = request
    written = fitting(request, written)
    return decide(
        caller,
        action,
        arn,
        compiled(written),
        context.get,
        resource_account=arn.split(":")[4],
        resource_policy_required=required,
    ).kind


@settings(max_examples=1500, deadline=None)
@given(requests, written_policies)
def test_compiled_is_the_plain_evaluator(request_: Any, written: dict[str, Any]) -> None:
    (_, caller), action, arn, context, required = request_
    written = fitting(request_, written)
    expected = naive.evaluate(caller, action, arn, context, arn.split(":")[4], written, required)
    assert decision(request_, written).value == expected


@settings(max_examples=400, deadline=None)
@given(requests, written_policies, st.sampled_from(["identity", "boundary", "session", "resource", "scps"]), st.data())
def test_a_deny_never_allows(request_: Any, written: dict[str, Any], where: str, data: Any) -> None:
    before = decision(request_, written)
    added = {**data.draw(statements(shared=where == "resource")), "Effect": "Deny"}
    target = written[where]
    if not target:
        return  # a first boundary, session or control policy also limits; that is no Deny added
    while isinstance(target, list):
        target = target[0]
    target["Statement"].append(added)
    after = decision(request_, written)
    assert after is before or after is DecisionKind.EXPLICIT_DENY


@settings(max_examples=400, deadline=None)
@given(requests, written_policies, st.randoms(use_true_random=False))
def test_order_never_matters(request_: Any, written: dict[str, Any], chance: Any) -> None:
    before = decision(request_, written)
    for name in ("identity", "session", "scps", "rcps"):
        chance.shuffle(written[name])
        for entry in written[name]:
            if isinstance(entry, list):
                chance.shuffle(entry)
    every = [*written["identity"], *written["session"], written["boundary"], written["resource"]]
    for document in filter(None, every):
        chance.shuffle(document["Statement"])
        for statement in document["Statement"]:
            for element in ("Action", "Resource", "NotAction", "NotResource"):
                if element in statement:
                    chance.shuffle(statement[element])
    assert decision(request_, written) is before


@settings(max_examples=300, deadline=None)
@given(requests, written_policies)
def test_nothing_attached_allows_nobody_but_root(request_: Any, written: dict[str, Any]) -> None:
    (caller, _), _, arn, _, required = request_
    kind = decision(request_, {**{name: [] for name in written}, "boundary": None, "resource": None})
    own = arn.split(":")[4] == caller.account
    assert (kind is DecisionKind.ALLOWED) is (caller.kind is PrincipalKind.ROOT and own and not required)
