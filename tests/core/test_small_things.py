"""ARNs, identifiers, errors, page tokens and tag rules."""

from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.core import paging, tags
from cumulo.core.arns import Arn, partition_of
from cumulo.core.errors import Error, not_implemented
from cumulo.core.ids import Ids
from cumulo.wire.faults import Fault

LISTING: Any = Mock(operation="ListThings")


def test_an_arn_keeps_colons_in_its_resource() -> None:
    text = "arn:aws:sns:us-east-1:123456789012:topic:subscription"
    arn = Arn.parse(text)
    assert (arn.service, arn.account, arn.resource) == ("sns", "123456789012", "topic:subscription")
    assert str(arn) == text


@pytest.mark.parametrize("text", ["", "arn", "arn:aws:sqs:us-east-1:1", "urn:aws:sqs:r:a:b", "arn::sqs:r:a:b"])
def test_what_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an ARN"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("region", "partition"), [("eu-west-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")]
)
def test_partitions(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_a_seed_repeats_identifiers() -> None:
    assert [Ids(7).uuid(), Ids(7).new_id("i-")] == [Ids(7).uuid(), Ids(7).new_id("i-")]
    assert Ids().uuid() != Ids().uuid()


def test_uuids_are_version_4() -> None:
    ids = Ids()
    for _ in range(200):
        text = ids.uuid()
        assert len(text) == 36 and text[14] == "4" and text[19] in "89ab"


def test_an_error_fills_its_text() -> None:
    fault = Error("InvalidThing", "{what} is not a thing.", status=404)(what="x")
    assert (fault.code, fault.message, fault.status) == ("InvalidThing", "x is not a thing.", 404)


def test_a_refusal_names_the_operation_and_the_member() -> None:
    fault = not_implemented("sqs", "SendMessage", "Foo")
    assert fault.status == 501 and "Foo" in fault.message and "sqs:SendMessage" in fault.message


@given(st.lists(st.one_of(st.text(), st.integers(-(2**63), 2**63 - 1)), min_size=1).map(tuple))
def test_page_tokens_carry_any_key(key: tuple[str | int, ...]) -> None:
    assert paging.decode(LISTING, paging.encode(LISTING, key)) == key


def test_a_page_token_is_good_for_one_operation() -> None:
    token = paging.encode(LISTING, ("a",))
    for other in (Mock(operation="ListOthers"), Mock(operation="a")):
        with pytest.raises(Fault, match="not valid"):
            paging.decode(other, token)
    assert paging.decode(LISTING, paging.encode(Mock(operation="Start"), ("a",), of="ListThings")) == ("a",)


@given(st.text())
def test_a_made_up_token_is_a_fault_or_a_key(token: str) -> None:
    try:
        assert isinstance(paging.decode(LISTING, token), tuple)
    except Fault as fault:
        assert fault.code == "InvalidNextToken"


def test_pages_end_exactly() -> None:
    rows = [(number,) for number in range(5)]

    def fetch(after: tuple[str | int, ...] | None, limit: int) -> list[tuple[int]]:
        return [row for row in rows if after is None or row > after][:limit]

    seen, token, pages = [], None, 0
    while True:
        items, token = paging.page(LISTING, fetch, lambda row: row, token=token, limit=5)
        seen += items
        pages += 1
        if token is None:
            break
    assert seen == rows and pages == 1


INVALID = Error("InvalidTag", "no")


@pytest.mark.parametrize(
    "bad", [{"": "x"}, {"k" * 129: "x"}, {"k": "v" * 257}, {"aws:k": "v"}, {"k<": "v"}, {"k": "v;"}]
)
def test_tag_rules(bad: dict[str, str]) -> None:
    with pytest.raises(Fault, match="InvalidTag"):
        tags.check(bad, invalid=INVALID)


def test_good_tags_of_any_script() -> None:
    tags.check({"größe": "名前 + - = . _ : / @"}, invalid=INVALID)
    with pytest.raises(Fault):
        tags.check({str(number): "" for number in range(51)}, invalid=INVALID)
