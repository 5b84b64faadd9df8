"""Tags: the same rules for users, roles, policies and instance profiles."""

import json
from typing import Any

import pytest

from tests.services.identity.iam.conftest import EC2_TRUST, House, document, refused


class Tagged:
    """One entity and the operations on its tags."""

    def __init__(self, house: House, kind: str) -> None:
        self.iam = house.iam
        self.kind = kind
        self.name: dict[str, Any] = {"".join(part.capitalize() for part in kind.split("_")) + "Name": "thing"}
        if kind == "role":
            house.role("thing", json.dumps(EC2_TRUST))
        elif kind == "policy":
            self.name = {"PolicyArn": house.policy("thing", document("sqs:*"))}
        else:
            getattr(house.iam, f"create_{kind}")(**self.name)

    def tag(self, **tags: str) -> Any:
        given = [{"Key": key, "Value": value} for key, value in tags.items()]
        return getattr(self.iam, f"tag_{self.kind}")(**self.name, Tags=given)

    def untag(self, *keys: str) -> Any:
        return getattr(self.iam, f"untag_{self.kind}")(**self.name, TagKeys=list(keys))

    def list(self, **request: Any) -> Any:
        return getattr(self.iam, f"list_{self.kind}_tags")(**self.name, **request)

    @property
    def tags(self) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in self.list()["Tags"]}


@pytest.mark.parametrize("kind", ["user", "role", "policy", "instance_profile"])
def test_tags_come_and_go(house: House, kind: str) -> None:
    thing = Tagged(house, kind)
    thing.tag(team="shop", stage="test")
    thing.tag(Team="search")  # keys are alike whatever their case: the newest spelling stays
    assert thing.tags == {"Team": "search", "stage": "test"}
    page = thing.list(MaxItems=1)
    assert page["IsTruncated"]
    assert len(thing.list(Marker=page["Marker"])["Tags"]) == 1
    thing.untag("STAGE", "none")
    assert thing.tags == {"Team": "search"}
    assert refused(thing.tag, **{"aws:team": "x"})[0] == "InvalidInput"
    thing.tag(**{f"k{number}": "v" for number in range(49)})
    assert refused(thing.tag, more="x")[0] == "LimitExceeded"


def test_a_key_given_twice(house: House) -> None:
    tags = [{"Key": "team", "Value": "a"}, {"Key": "Team", "Value": "b"}]
    text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    assert refused(house.iam.create_user, UserName="alice", Tags=tags) == ("InvalidInput", text, 400)


def test_tags_of_the_resource_decide(house: House) -> None:
    text = document("iam:GetUser", Condition={"StringEquals": {"iam:ResourceTag/team": "shop"}})
    iam = house.client("iam", house.user("alice", text))
    house.iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "shop"}])
    house.iam.create_user(UserName="carol", Tags=[{"Key": "team", "Value": "search"}])
    assert iam.get_user(UserName="bob")["User"]["UserName"] == "bob"
    assert refused(iam.get_user, UserName="carol")[0] == "AccessDenied"


def test_tags_of_the_request_decide(house: House) -> None:
    text = document("iam:CreateUser", "iam:TagUser", Condition={"StringEquals": {"aws:RequestTag/team": "shop"}})
    iam = house.client("iam", house.user("alice", text))
    iam.create_user(UserName="bob", Tags=[{"Key": "team", "Value": "shop"}])
    assert refused(iam.create_user, UserName="carol", Tags=[{"Key": "team", "Value": "x"}])[0] == "AccessDenied"
    assert refused(iam.create_user, UserName="carol")[0] == "AccessDenied"
