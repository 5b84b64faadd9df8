"""Condition operators, one row a fact. The pages are sections of the IAM User Guide."""

from typing import Any

import pytest

from cumulo.core.policy.conditions import compile_condition, instant, operator

OPERATORS = "IAM JSON policy elements: Condition operators"
MULTIPLE = "Conditions with multiple context keys or values"
SETS = "Set operators for multivalued context keys"
VARIABLES = "IAM policy elements: Variables and tags"
SOURCE_TOPIC = "arn:aws:sns:us-east-1:123456789012:news"

# operator, values in the policy, value in the request (None: absent), outcome, page
CASES: list[tuple[str, Any, Any, bool, str]] = [
    # String
    ("StringEquals", "iamuser-admin", "iamuser-admin", True, OPERATORS),
    ("StringEquals", "iamuser-admin", "iamuser-Admin", False, OPERATORS),
    ("StringEquals", "iamuser-admin", None, False, OPERATORS),
    ("StringEquals", ["a", "b"], "b", True, MULTIPLE),
    ("StringEquals", ["a", "b"], "c", False, MULTIPLE),
    ("StringEquals", "home/*", "home/x", False, OPERATORS),
    ("StringEquals", "home/*", "home/*", True, OPERATORS),
    ("StringEquals", "", "", True, OPERATORS),
    ("StringEquals", [], "x", False, OPERATORS),
    ("StringEquals", "true", "true", True, OPERATORS),
    ("StringNotEquals", "a", "b", True, OPERATORS),
    ("StringNotEquals", "a", "a", False, OPERATORS),
    ("StringNotEquals", "a", None, True, OPERATORS),
    ("StringNotEquals", ["a", "b"], "b", False, MULTIPLE),
    ("StringNotEquals", ["a", "b"], "c", True, MULTIPLE),
    ("StringNotEquals", [], "c", True, MULTIPLE),
    ("StringEqualsIgnoreCase", "Finance", "fInAnCe", True, OPERATORS),
    ("StringEqualsIgnoreCase", "Finance", "finances", False, OPERATORS),
    ("StringEqualsIgnoreCase", "Finance", None, False, OPERATORS),
    ("StringNotEqualsIgnoreCase", "Finance", "FINANCE", False, OPERATORS),
    ("StringNotEqualsIgnoreCase", "Finance", "sales", True, OPERATORS),
    ("StringNotEqualsIgnoreCase", "Finance", None, True, OPERATORS),
    ("StringLike", ["", "home/", "home/David/*"], "", True, OPERATORS),
    ("StringLike", ["", "home/", "home/David/*"], "home/", True, OPERATORS),
    ("StringLike", ["", "home/", "home/David/*"], "home/David/x", True, OPERATORS),
    ("StringLike", ["", "home/", "home/David/*"], "home/Eva/x", False, OPERATORS),
    ("StringLike", "t?.*", "t2.micro", True, OPERATORS),
    ("StringLike", "t?.*", "T2.micro", False, OPERATORS),
    (
        "StringLike",
        "arn:aws:someservice:*:111122223333:finance/*",
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        True,
        OPERATORS,
    ),
    ("StringLike", "*", None, False, OPERATORS),
    ("StringLike", "*", "", True, OPERATORS),
    ("StringNotLike", "home/*", "away/x", True, OPERATORS),
    ("StringNotLike", "home/*", "home/x", False, OPERATORS),
    ("StringNotLike", "home/*", None, True, OPERATORS),
    ("StringNotLike", ["home/*", "pub/*"], "pub/x", False, MULTIPLE),
    # Numeric
    ("NumericEquals", "10", "10", True, OPERATORS),
    ("NumericEquals", "10", "10.0", True, OPERATORS),
    ("NumericEquals", "10", "9", False, OPERATORS),
    ("NumericEquals", "10", None, False, OPERATORS),
    ("NumericEquals", "10", "ten", False, OPERATORS),
    ("NumericEquals", "ten", "10", False, OPERATORS),
    ("NumericEquals", ["1", "2"], "2", True, MULTIPLE),
    ("NumericNotEquals", "10", "9", True, OPERATORS),
    ("NumericNotEquals", "10", "10", False, OPERATORS),
    ("NumericNotEquals", "10", None, True, OPERATORS),
    ("NumericNotEquals", ["1", "2"], "2", False, MULTIPLE),
    ("NumericLessThan", "10", "9.99", True, OPERATORS),
    ("NumericLessThan", "10", "10", False, OPERATORS),
    ("NumericLessThanEquals", "10", "10", True, OPERATORS),
    ("NumericLessThanEquals", "10", "11", False, OPERATORS),
    ("NumericLessThanEquals", "10", None, False, OPERATORS),
    ("NumericLessThanEquals", ["5", "10"], "7", True, MULTIPLE),
    ("NumericGreaterThan", "10", "11", True, OPERATORS),
    ("NumericGreaterThan", "10", "10", False, OPERATORS),
    ("NumericGreaterThan", "-3", "-2", True, OPERATORS),
    ("NumericGreaterThanEquals", "10", "10", True, OPERATORS),
    ("NumericGreaterThanEquals", "10", "9", False, OPERATORS),
    ("NumericEquals", "1e3", "1000", True, OPERATORS),
    ("NumericEquals", "12345678901234567890", "12345678901234567891", False, OPERATORS),
    ("NumericEquals", "nan", "nan", False, OPERATORS),
    # Date
    ("DateEquals", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", True, OPERATORS),
    ("DateEquals", "2020-01-01T00:00:01Z", "1577836801", True, OPERATORS),
    ("DateEquals", "1577836801", "2020-01-01T00:00:01Z", True, OPERATORS),
    ("DateEquals", "2020-01-01", "2020-01-01T00:00:00Z", True, OPERATORS),
    ("DateEquals", "2020-01", "2020-01-01T00:00:00Z", True, OPERATORS),
    ("DateEquals", "2020", "2020-01-01T00:00:00Z", True, OPERATORS),
    ("DateEquals", "2020-01-01T01:00+01:00", "2020-01-01T00:00:00Z", True, OPERATORS),
    ("DateEquals", "2020-01-01T00:00:00.000Z", "2020-01-01T00:00:00Z", True, OPERATORS),
    ("DateEquals", "2020-13-01", "2020-01-01T00:00:00Z", False, OPERATORS),
    ("DateEquals", "2020-01-01", None, False, OPERATORS),
    ("DateNotEquals", "2020-01-01", "2020-01-02", True, OPERATORS),
    ("DateNotEquals", "2020-01-01", "2020-01-01", False, OPERATORS),
    ("DateNotEquals", "2020-01-01", None, True, OPERATORS),
    ("DateLessThan", "2020-04-01T00:00:00Z", "2020-03-31T23:59:59Z", True, OPERATORS),
    ("DateLessThan", "2020-04-01T00:00:00Z", "2020-04-01T00:00:00Z", False, OPERATORS),
    ("DateLessThanEquals", "2020-06-30T23:59:59Z", "2020-06-30T23:59:59Z", True, OPERATORS),
    ("DateLessThanEquals", "2020-06-30T23:59:59Z", "2020-07-01T00:00:00Z", False, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", "2020-01-01T00:00:02Z", True, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", "2019-12-31T00:00:00Z", False, OPERATORS),
    ("DateGreaterThan", "2020-01-01T00:00:01Z", None, False, OPERATORS),
    ("DateGreaterThanEquals", "2020-01-01T00:00:01Z", "2020-01-01T00:00:01Z", True, OPERATORS),
    # Bool
    ("Bool", "true", "true", True, OPERATORS),
    ("Bool", "false", "true", False, OPERATORS),
    ("Bool", "false", "false", True, OPERATORS),
    ("Bool", "True", "true", True, OPERATORS),
    ("Bool", "false", None, False, OPERATORS),
    ("Bool", "yes", "yes", False, OPERATORS),
    ("BoolIfExists", "false", None, True, OPERATORS),
    ("BoolIfExists", "false", "true", False, OPERATORS),
    # Binary
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True, OPERATORS),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5", False, OPERATORS),
    ("BinaryEquals", "not base64!", "not base64!", False, OPERATORS),
    ("BinaryEquals", "QQ==", None, False, OPERATORS),
    # IP
    ("IpAddress", "203.0.113.0/24", "203.0.113.77", True, OPERATORS),
    ("IpAddress", "203.0.113.0/24", "203.0.114.1", False, OPERATORS),
    ("IpAddress", "203.0.113.5", "203.0.113.5", True, OPERATORS),
    ("IpAddress", "203.0.113.5", "203.0.113.6", False, OPERATORS),
    ("IpAddress", "203.0.113.0/24", None, False, OPERATORS),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5678::1", True, OPERATORS),
    ("IpAddress", ["203.0.113.0/24", "2001:DB8:1234:5678::/64"], "2001:db8:1234:5679::1", False, OPERATORS),
    ("IpAddress", "0.0.0.0/0", "8.8.8.8", True, OPERATORS),
    ("IpAddress", "0.0.0.0/0", "::1", False, OPERATORS),
    ("IpAddress", "::/0", "::1", True, OPERATORS),
    ("IpAddress", "::/0", "8.8.8.8", False, OPERATORS),
    ("IpAddress", "203.0.113.9/24", "203.0.113.77", True, OPERATORS),
    ("IpAddress", "203.0.113.0/33", "203.0.113.0", False, OPERATORS),
    ("IpAddress", "nonsense", "203.0.113.0", False, OPERATORS),
    ("IpAddress", "203.0.113.0/24", "nonsense", False, OPERATORS),
    ("IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", True, OPERATORS),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.77", False, OPERATORS),
    ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True, OPERATORS),
    ("NotIpAddress", ["203.0.113.0/24", "198.51.100.0/24"], "198.51.100.1", False, MULTIPLE),
    ("NotIpAddress", "203.0.113.0/24", None, True, OPERATORS),
    # ARN
    ("ArnEquals", SOURCE_TOPIC, SOURCE_TOPIC, True, OPERATORS),
    ("ArnEquals", "arn:aws:sns:*:123456789012:n*", SOURCE_TOPIC, True, OPERATORS),
    ("ArnEquals", "arn:aws:sns:*:123456789012:N*", SOURCE_TOPIC, False, OPERATORS),
    ("ArnEquals", SOURCE_TOPIC, None, False, OPERATORS),
    ("ArnLike", "arn:aws:sns:*:*:*", SOURCE_TOPIC, True, OPERATORS),
    ("ArnLike", "arn:aws:sns:*:news", SOURCE_TOPIC, False, OPERATORS),
    (
        "ArnLike",
        "arn:aws:someservice:*:111122223333:finance/*",
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        False,
        OPERATORS,
    ),
    ("ArnLike", ["arn:aws:sqs:*:*:*", "arn:aws:sns:*:*:*"], SOURCE_TOPIC, True, MULTIPLE),
    ("ArnNotEquals", SOURCE_TOPIC, SOURCE_TOPIC, False, OPERATORS),
    ("ArnNotLike", "arn:aws:sns:*:999999999999:*", SOURCE_TOPIC, True, OPERATORS),
    ("ArnNotLike", "arn:aws:sns:*:999999999999:*", None, True, OPERATORS),
    # IfExists
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], None, True, OPERATORS),
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], "t2.large", True, OPERATORS),
    ("StringLikeIfExists", ["t1.*", "t2.*", "m3.*"], "c5.large", False, OPERATORS),
    ("StringNotEqualsIfExists", "a", None, True, OPERATORS),
    ("StringNotEqualsIfExists", "a", "a", False, OPERATORS),
    ("NumericLessThanIfExists", "3600", None, True, OPERATORS),
    ("NumericLessThanIfExists", "3600", "4000", False, OPERATORS),
    ("IpAddressIfExists", "203.0.113.0/24", None, True, OPERATORS),
    ("ArnEqualsIfExists", SOURCE_TOPIC, None, True, OPERATORS),
    ("DateLessThanIfExists", "2020-01-01", None, True, OPERATORS),
    ("BinaryEqualsIfExists", "QQ==", None, True, OPERATORS),
    # Null
    ("Null", "true", None, True, OPERATORS),
    ("Null", "true", "2020-01-01T00:00:00Z", False, OPERATORS),
    ("Null", "false", None, False, OPERATORS),
    ("Null", "false", "x", True, OPERATORS),
    ("Null", ["true", "false"], "x", True, OPERATORS),
    # Set operators
    ("ForAllValues:StringLike", ["PostDateTime", "Message", "Tags"], ["PostDateTime", "Message"], True, SETS),
    ("ForAllValues:StringLike", ["PostDateTime", "Message", "Tags"], ["PostDateTime", "ID"], False, SETS),
    ("ForAllValues:StringLike", ["PostDateTime", "Message", "Tags"], ["PostDateTime", "UserName"], False, SETS),
    ("ForAllValues:StringLike", ["PostDateTime", "Message", "Tags"], None, True, SETS),
    ("ForAllValues:StringLike", ["PostDateTime"], [], True, SETS),
    ("ForAllValues:StringLike", ["PostDateTime"], "", True, SETS),
    ("ForAllValues:StringEquals", ["a"], "a", True, SETS),
    ("ForAllValues:StringEquals", ["a"], "b", False, SETS),
    ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True, SETS),
    ("ForAllValues:StringNotEquals", ["a"], ["a", "c"], False, SETS),
    ("ForAllValues:StringNotEquals", ["a"], None, True, SETS),
    ("ForAllValues:ArnLike", "arn:aws:sns:*:*:*", [SOURCE_TOPIC, SOURCE_TOPIC], True, SETS),
    ("ForAllValues:NumericLessThan", "5", ["1", "4"], True, SETS),
    ("ForAllValues:NumericLessThan", "5", ["1", "6"], False, SETS),
    ("ForAnyValue:StringLike", ["ID", "PostDateTime"], ["PostDateTime", "Message"], True, SETS),
    ("ForAnyValue:StringLike", ["ID", "PostDateTime"], ["UserName"], False, SETS),
    ("ForAnyValue:StringLike", ["ID", "PostDateTime"], ["UserName", "Message", "PostDateTime"], True, SETS),
    ("ForAnyValue:StringLike", ["ID"], None, False, SETS),
    ("ForAnyValue:StringLike", ["*"], [], False, SETS),
    ("ForAnyValue:StringLike", ["*"], "", False, SETS),
    ("ForAnyValue:StringEquals", ["a", "b"], "b", True, SETS),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True, SETS),
    ("ForAnyValue:StringNotEquals", ["a"], ["a"], False, SETS),
    ("ForAnyValue:StringNotEquals", ["a"], None, False, SETS),
    ("ForAnyValue:StringLikeIfExists", ["a*"], None, True, SETS),
    ("ForAnyValue:StringLikeIfExists", ["a*"], ["b"], False, SETS),
    ("ForAnyValue:IpAddress", "10.0.0.0/8", ["192.168.0.1", "10.1.1.1"], True, SETS),
    ("ForAllValues:StringEqualsIgnoreCase", ["Team"], ["team", "TEAM"], True, SETS),
    # a key with several values and no set operator
    ("StringEquals", "b", ["a", "b"], True, SETS),
    ("StringNotEquals", "b", ["a", "b"], False, SETS),
    # names of operators in any case
    ("stringequals", "a", "a", True, OPERATORS),
    ("forallvalues:stringlike", "a*", ["ab"], True, SETS),
]


@pytest.mark.parametrize(("name", "wanted", "found", "outcome", "page"), CASES)
def test_operator(name: str, wanted: Any, found: Any, outcome: bool, page: str) -> None:
    wanted = wanted if isinstance(wanted, list) else [wanted]
    condition = compile_condition(name, "test:Key", wanted, with_variables=True)
    assert condition({"test:key": found}.get) is outcome


ALICE = {"aws:username": "alice", "aws:principaltag/team": "red", "aws:tagkeys": ["a", "b"], "x:star": "*"}

# operator, value in the policy, value in the request, outcome with variables
WITH_VARIABLES = [
    ("StringEquals", "${aws:username}", "alice", True),
    ("StringEquals", "${AWS:UserName}", "alice", True),
    ("StringEquals", "${aws:username}", "bob", False),
    ("StringEquals", "${aws:PrincipalTag/team}", "red", True),
    ("StringEquals", "${aws:PrincipalTag/unknown}", "red", False),
    ("StringNotEquals", "${aws:PrincipalTag/unknown}", "red", False),
    ("StringNotEquals", "${aws:PrincipalTag/team}", "blue", True),
    ("StringEquals", "${aws:PrincipalTag/unknown, 'company-wide'}", "company-wide", True),
    ("StringEquals", "${aws:PrincipalTag/team, 'company-wide'}", "red", True),
    ("StringEquals", "${aws:PrincipalTag/team,'company-wide'}", "company-wide", False),
    ("StringEquals", "${aws:PrincipalTag/unknown, ''}", "", True),
    ("StringLike", "${aws:username}/*", "alice/x", True),
    ("StringLike", "home/${aws:username}/*", "home/bob/x", False),
    ("StringLike", "https://example.com/${aws:username}/", "https://example.com/alice/", True),
    ("StringLike", "${*}", "*", True),
    ("StringLike", "${*}", "anything", False),
    ("StringLike", "a${?}", "a?", True),
    ("StringLike", "a${?}", "ab", False),
    ("StringLike", "${$}{aws:username}", "${aws:username}", True),
    ("StringLike", "${x:star}", "anything", False),
    ("StringLike", "${x:star}", "*", True),
    ("StringEquals", "${aws:TagKeys}", "a", False),
    ("StringEqualsIgnoreCase", "${aws:username}", "ALICE", True),
    ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::111122223333:user/alice", True),
    ("ArnLike", "arn:aws:iam::*:user/${aws:username}", "arn:aws:iam::111122223333:user/bob", False),
    ("NumericEquals", "${aws:username}", "alice", False),
    ("StringEquals", "${aws:username", "${aws:username", True),
    ("StringEquals", "$aws:username", "$aws:username", True),
    ("StringEqualsIfExists", "${aws:username}", None, True),
    ("ForAnyValue:StringEquals", "${aws:username}", ["x", "alice"], True),
    ("ForAllValues:StringEquals", "${aws:username}", ["x", "alice"], False),
]


@pytest.mark.parametrize(("name", "wanted", "found", "outcome"), WITH_VARIABLES)
def test_variable(name: str, wanted: str, found: Any, outcome: bool) -> None:
    """Page: "IAM policy elements: Variables and tags"."""
    condition = compile_condition(name, "test:Key", [wanted], with_variables=True)
    assert condition({**ALICE, "test:key": found}.get) is outcome


def test_variables_are_plain_text_before_2012() -> None:
    """Page: "Variables and tags": without the Version, "${aws:username}" is treated as a literal string."""
    condition = compile_condition("StringEquals", "test:Key", ["${aws:username}"], with_variables=False)
    assert not condition({**ALICE, "test:key": "alice"}.get)
    assert condition({**ALICE, "test:key": "${aws:username}"}.get)


def test_one_resolvable_value_is_enough() -> None:
    values = ["${aws:PrincipalTag/unknown}", "red"]
    condition = compile_condition("StringEquals", "test:Key", values, with_variables=True)
    assert condition({"test:key": "red"}.get)


@pytest.mark.parametrize("key", ["aws:CurrentTime", "AWS:currenttime"])
def test_keys_in_any_case(key: str) -> None:
    """Page: "Variables and tags": key names are case-insensitive."""
    assert compile_condition("StringEquals", key, ["x"], with_variables=True)({"aws:currenttime": "x"}.get)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Equals",
        "StringEqual",
        "NullIfExists",
        "ForAnyValue:Null",
        "ForEachValue:StringEquals",
        "IfExists",
        "StringEqualsIfExistsIfExists",
        "ForAnyValue:",
        "NotBool",
        "BinaryNotEquals",
        "IpAddressNot",
    ],
)
def test_no_such_operator(name: str) -> None:
    assert operator(name) is None


@pytest.mark.parametrize("text", ["", "x", "2020-02-30", "2020-1-1", "99999-01-01", "0000", "1" * 500])
def test_no_date(text: str) -> None:
    assert instant(text) is None
