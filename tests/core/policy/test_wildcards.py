"""Wildcards. Pages: "IAM JSON policy elements: Resource", "... Action", "... Condition operators"."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.core.policy.wildcards import arn_matcher, like, resource_matcher, tokens
from tests.core.policy import naive

LIKE = [
    # pattern, value, whether it matches; "IAM JSON policy elements: Action" and StringLike
    ("*", "", True),
    ("*", "anything", True),
    ("", "", True),
    ("", "a", False),
    ("a", "a", True),
    ("a", "A", False),
    ("a*", "a", True),
    ("a*", "abc", True),
    ("*c", "abc", True),
    ("*c", "abd", False),
    ("a*c", "ac", True),
    ("a*c", "abcbc", True),
    ("a*c", "abcb", False),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("a?c", "abbc", False),
    ("??", "ab", True),
    ("??", "a", False),
    ("?*", "", False),
    ("?*", "a", True),
    ("*?", "abc", True),
    ("ab*ba", "aba", False),
    ("ab*ba", "abba", True),
    ("*a*b*c*", "xaybzc", True),
    ("*a*b*c*", "xaybz", False),
    ("sqs:*", "sqs:sendmessage", True),
    ("iam:*accesskey*", "iam:createaccesskey", True),
    ("iam:*accesskey*", "iam:createuser", False),
    ("iam:*report", "iam:getorganizationsaccessreport", True),
    ("iam:*report", "iam:getreports", False),
    ("a.c", "abc", False),
    ("a\nb*", "a\nbc", True),
    ("[a]*", "[a]b", True),
    ("a**b", "ab", True),
    ("*?*?*", "a", False),
    ("*?*?*", "ab", True),
]


@pytest.mark.parametrize(("pattern", "value", "expected"), LIKE)
def test_like(pattern: str, value: str, expected: bool) -> None:
    assert like(pattern)(value) is expected


RESOURCES = [
    ("arn:aws:sqs:us-east-2:111122223333:queue1", "arn:aws:sqs:us-east-2:111122223333:queue1", True),
    ("arn:aws:sqs:us-east-2:111122223333:queue1", "arn:aws:sqs:us-east-2:111122223333:Queue1", False),
    ("arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/accounting/Bob", True),
    ("arn:aws:iam::111122223333:user/accounting/*", "arn:aws:iam::111122223333:user/sales/Bob", False),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*", "arn:aws:s3:::amzn-s3-demo-bucket/a/b/c", True),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*", "arn:aws:s3:::amzn-s3-demo-bucket", False),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/test/object.jpg", True),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/1/2/test/3/o.jpg", True),
    ("arn:aws:s3:::amzn-s3-demo-bucket/*/test/*", "arn:aws:s3:::amzn-s3-demo-bucket/test/object.jpg", False),
    ("arn:aws:s3:::*log*", "arn:aws:s3:::carlossalazar-logs", True),
    ("arn:aws:sqs:*:111122223333:*", "arn:aws:sqs:eu-west-1:111122223333:q", True),
    ("arn:aws:sqs:*:*:q", "arn:aws:sqs:eu-west-1:111122223333:q", True),
    ("arn:aws:sqs:us-*-1:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", True),
    ("arn:aws:sqs:us-*-1:111122223333:q", "arn:aws:sqs:us-east-2:111122223333:q", False),
    # a star inside a segment stays in it; one that ends a segment may go on
    ("arn:aws:sqs:us*1:q", "arn:aws:sqs:us-east-1:111122223331:q", False),
    ("arn:aws:sqs:us*:q", "arn:aws:sqs:us-east-1:111122223331:q", True),
    ("arn:aws:sqs:us-east-?:111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", True),
    ("arn:aws:sqs:us-east-1?111122223333:q", "arn:aws:sqs:us-east-1:111122223333:q", False),
    ("arn:aws:logs:*:*:log-group:a*b:*", "arn:aws:logs:us-east-1:111122223333:log-group:a:b:log-stream:x", True),
    ("arn:aws:logs:*:*:log-group:a?b:*", "arn:aws:logs:us-east-1:111122223333:log-group:a:b:c", True),
    ("arn:aws:s3*", "arn:aws:s3:::b", True),
    ("arn:*", "arn:aws:s3:::b", True),
    ("*", "arn:aws:s3:::b", True),
    ("arn:aws:sns:us-east-1:123456789012:a*", "arn:aws:sns:us-east-1:123456789012:abc", True),
    ("arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:us-east-1:123456789012:volume/vol-1", False),
]


@pytest.mark.parametrize(("pattern", "arn", "expected"), RESOURCES)
def test_resource(pattern: str, arn: str, expected: bool) -> None:
    """Page: "IAM JSON policy elements: Resource", "Using wildcards in resource ARNs"."""
    assert resource_matcher(tokens(pattern))(arn) is expected


ARNS = [
    # the page's own example: one asterisk does not reach over the colons
    (
        "arn:aws:someservice:*:111122223333:finance/*",
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        False,
    ),
    ("arn:aws:someservice:*:111122223333:finance/*", "arn:aws:someservice:us-east-2:111122223333:finance/d", True),
    ("arn:aws:sns:*:123456789012:TOPIC-ID", "arn:aws:sns:eu-west-1:123456789012:TOPIC-ID", True),
    ("arn:aws:sns:*:123456789012:TOPIC-ID", "arn:aws:sns:eu-west-1:123456789012:topic-id", False),
    ("arn:aws:s3:*:*:bucket", "arn:aws:s3:::bucket", True),
    ("arn:aws:s3:::buck?t", "arn:aws:s3:::bucket", True),
    ("arn:aws:s3:::bucket", "bucket", False),
    ("bucket*", "bucket", False),
    ("*", "arn:aws:s3:::bucket", True),
    ("arn:*:*:*:*:*", "arn:aws:s3:::bucket", True),
    ("arn:aws:iam::*:role/*", "arn:aws:iam::123456789012:role/a/b", True),
    ("arn:aws:lambda:us-east-1:123456789012:function:*", "arn:aws:lambda:us-east-1:123456789012:function:f:1", True),
]


@pytest.mark.parametrize(("pattern", "arn", "expected"), ARNS)
def test_arn(pattern: str, arn: str, expected: bool) -> None:
    """Page: "Condition operators", "Amazon Resource Name (ARN) condition operators"."""
    assert arn_matcher(tokens(pattern))(arn) is expected


patterns = st.text("ab:*?", max_size=12)
values = st.text("ab:", max_size=14)


@settings(max_examples=400, deadline=None)
@given(patterns, values)
def test_like_is_the_regular_expression(pattern: str, value: str) -> None:
    assert like(pattern)(value) is naive.glob(naive.characters(pattern), value)


@settings(max_examples=600, deadline=None)
@given(patterns, values)
def test_resource_is_the_regular_expression(pattern: str, value: str) -> None:
    assert resource_matcher(tokens(pattern))(value) is naive.resource_matches(naive.characters(pattern), value)


@settings(max_examples=300, deadline=None)
@given(st.text("a:*?", max_size=14), st.text("a:", max_size=14))
def test_arn_is_segment_by_segment(pattern: str, value: str) -> None:
    assert arn_matcher(tokens(pattern))(value) is naive.arn_matches(naive.characters(pattern), value)


@pytest.mark.parametrize("make", [like, lambda pattern: resource_matcher(tokens(pattern))])
@pytest.mark.parametrize("pattern", ["*a" * 60 + "b", "?*a" * 40 + "b", "arn:aws:s3:x" + "*a" * 50 + "b:q:*"])
def test_no_pattern_is_slow(make, pattern: str) -> None:
    """A stranger's pattern costs time in proportion to its length and the value's."""
    match = make(pattern)
    begin = time.process_time()
    assert not match("arn:aws:s3:x" + "a" * 5000)
    assert time.process_time() - begin < 2
