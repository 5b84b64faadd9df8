"""Policies of browsers' uploads: their form, their conditions, and AWS's words."""

import json
from base64 import b64encode
from typing import Any

import pytest

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.browsers import form_policies

NOW = 1_700_000_000.0
LATER = "2030-01-01T12:00:00.000Z"


def encoded(document: Any) -> str:
    return b64encode(json.dumps(document).encode()).decode()


def policy(*conditions: Any, expiration: Any = LATER) -> form_policies.FormPolicy:
    return form_policies.read(encoded({"expiration": expiration, "conditions": list(conditions)}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("e30=x", "Invalid Policy: Policy missing expiration."),
        ("bm90IGpzb24=", "Invalid Policy: Invalid JSON."),
        ("e", "Invalid Policy: Invalid JSON."),
        (encoded([]), "Invalid Policy: Invalid JSON."),
        (encoded({"conditions": []}), "Invalid Policy: Policy missing expiration."),
        (encoded({"expiration": LATER}), "Invalid Policy: Policy missing conditions."),
        (encoded({"expiration": "2030-13-01T00:00:00Z", "conditions": []}),
         "Invalid Policy: Invalid 'expiration' value: '2030-13-01T00:00:00Z'"),
        (encoded({"expiration": 5, "conditions": []}), "Invalid Policy: Invalid 'expiration' value: '5'"),
        (encoded({"expiration": LATER, "conditions": [{"a": "b", "c": "d"}]}),
         "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
        (encoded({"expiration": LATER, "conditions": [{}]}),
         "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."),
        (encoded({"expiration": LATER, "conditions": [{"a": 1}]}),
         "Invalid Policy: Invalid Simple-Condition: value must be a string."),
        (encoded({"expiration": LATER, "conditions": [["like", "$key", "a"]]}),
         "Invalid Policy: Invalid Condition: unknown operation 'like'."),
        (encoded({"expiration": LATER, "conditions": [["eq", "$key"]]}),
         "Invalid Policy: Invalid Condition: wrong number of arguments to 'eq'."),
        (encoded({"expiration": LATER, "conditions": ["eq"]}),
         "Invalid Policy: Invalid Condition: must be a List or an Object."),
        (encoded({"expiration": LATER, "conditions": {}}),
         "Invalid Policy: Invalid 'conditions' value: must be a List."),
        (encoded({"expiration": LATER, "conditions": [["content-length-range", 1]]}),
         "Invalid Policy: Invalid content-length-range."),
        (encoded({"expiration": LATER, "conditions": [["content-length-range", -1, 0]]}),
         "Invalid Policy: Invalid content-length-range."),
    ],
)  # fmt: skip
def test_what_is_no_policy(text: str, message: str) -> None:
    with pytest.raises(Fault) as raised:
        form_policies.read(text)
    assert (raised.value.code, raised.value.message) == ("InvalidPolicyDocument", message)


def refused(found: form_policies.FormPolicy, fields: dict[str, str], now: float = NOW) -> str:
    with pytest.raises(Fault) as raised:
        form_policies.check(found, fields, now)
    assert (raised.value.code, raised.value.status) == ("AccessDenied", 403)
    return raised.value.message.removeprefix("Invalid according to Policy: ")


def test_conditions_hold_fields() -> None:
    found = policy(
        {"bucket": "b"},
        ["starts-with", "$key", "user/"],
        ["eq", "$Content-Type", "text/plain"],
        ["starts-with", "$x-amz-meta-a", ""],
    )
    fields = {
        "bucket": "b", "key": "user/x", "content-type": "text/plain", "x-amz-meta-a": "any", "policy": "…",
        "x-amz-signature": "…", "x-ignore-this": "y",
    }  # fmt: skip
    form_policies.check(found, fields, NOW)
    assert refused(found, {**fields, "key": "other"}) == 'Policy Condition failed: ["starts-with", "$key", "user/"]'
    assert refused(found, {**fields, "bucket": "c"}) == 'Policy Condition failed: ["eq", "$bucket", "b"]'
    assert refused(found, {**fields, "acl": "public-read"}) == "Extra input fields: acl"
    assert refused(found, fields, 2e9) == "Policy expired."
    assert refused(policy(["eq", "key", "a"]), {"key": "a"}) == 'Policy Condition failed: ["eq", "key", "a"]'
    assert refused(policy({"key": "A"}), {"key": "a"}) == 'Policy Condition failed: ["eq", "$key", "A"]'


def test_a_list_of_content_types_is_held_item_by_item() -> None:
    found = policy(["starts-with", "$Content-Type", "image/"])
    form_policies.check(found, {"content-type": "image/png, image/gif"}, NOW)
    assert "starts-with" in refused(found, {"content-type": "image/png,text/html"})


def test_sizes() -> None:
    found = policy(["content-length-range", "2", 4])
    for size in (2, 3, 4):
        form_policies.check_size(found, size)
    form_policies.check_size(policy(), 10**12)
    with pytest.raises(Fault) as raised:
        form_policies.check_size(found, 5)
    assert (raised.value.code, raised.value.members) == (
        "EntityTooLarge", {"ProposedSize": "5", "MaxSizeAllowed": "4"},
    )  # fmt: skip
    with pytest.raises(Fault) as raised:
        form_policies.check_size(found, 1)
    assert (raised.value.code, raised.value.members) == (
        "EntityTooSmall", {"ProposedSize": "1", "MinSizeAllowed": "2"},
    )  # fmt: skip
