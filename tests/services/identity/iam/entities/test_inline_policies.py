"""Inline policies of users, groups and roles: the same rules for each."""

import json
from typing import Any

import pytest

from tests.services.identity.iam.conftest import EC2_TRUST, House, document, refused

KINDS = [("user", 2048), ("group", 5120), ("role", 10240)]


class Owner:
    """One entity, and the operations on its policies."""

    def __init__(self, house: House, kind: str) -> None:
        self.iam = house.iam
        self.kind = kind
        self.name = {f"{kind.capitalize()}Name": "owner"}
        if kind == "role":
            house.role("owner", json.dumps(EC2_TRUST))
        else:
            getattr(house.iam, f"create_{kind}")(**self.name)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self.iam, f"{verb}_{self.kind}_{'policies' if verb == 'list' else 'policy'}")


@pytest.mark.parametrize("kind", [kind for kind, _ in KINDS])
def test_policies_are_written_read_and_deleted(house: House, kind: str) -> None:
    owner = Owner(house, kind)
    text = document("apigateway:PUT", resource=["arn:aws:apigateway:us-east-1::/tags/arn%3Aaws%3Aapigateway"])
    for name in ("b", "a", "c"):
        owner.put(**owner.name, PolicyName=name, PolicyDocument=text)
    found = owner.get(**owner.name, PolicyName="a")
    found.pop("ResponseMetadata")
    assert found == owner.name | {"PolicyName": "a", "PolicyDocument": json.loads(text)}
    page = owner.list(**owner.name, MaxItems=2)
    assert (page["PolicyNames"], page["IsTruncated"]) == (["a", "b"], True)
    assert owner.list(**owner.name, Marker=page["Marker"])["PolicyNames"] == ["c"]
    owner.put(**owner.name, PolicyName="a", PolicyDocument=document("sqs:*"))
    assert owner.get(**owner.name, PolicyName="a")["PolicyDocument"] == json.loads(document("sqs:*"))
    owner.delete(**owner.name, PolicyName="a")
    gone = ("NoSuchEntity", f"The {kind} policy with name a cannot be found.", 404)
    assert refused(owner.get, **owner.name, PolicyName="a") == gone
    assert refused(owner.delete, **owner.name, PolicyName="a") == gone


@pytest.mark.parametrize(("kind", "limit"), KINDS)
def test_all_policies_of_an_entity_share_a_quota(house: House, kind: str, limit: int) -> None:
    owner = Owner(house, kind)
    half = document("sqs:*", resource="arn:aws:sqs:*:*:" + "x" * (limit // 2))
    owner.put(**owner.name, PolicyName="a", PolicyDocument=half)
    no = ("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {kind} owner", 409)
    assert refused(owner.put, **owner.name, PolicyName="b", PolicyDocument=half) == no
    owner.put(**owner.name, PolicyName="a", PolicyDocument=half)
    assert owner.list(**owner.name)["PolicyNames"] == ["a"]


def test_documents_are_checked(house: House) -> None:
    owner = Owner(house, "user")
    for text in ("{", "[]", document("sqs:*").replace("Allow", "allow"), json.dumps({"Version": "2012-10-17"})):
        answer = refused(owner.put, **owner.name, PolicyName="p", PolicyDocument=text)
        assert answer == ("MalformedPolicyDocument", "Syntax errors in policy.", 400)
    answer = refused(owner.put, **owner.name, PolicyName="p", PolicyDocument=document("sqs:*", Principal="*"))
    assert answer[1] == "Policy document should not specify a principal."
