"""Users: made, found, listed, renamed, bounded, deleted."""

import re
from typing import Any

from botocore.exceptions import ClientError

from tests.services.identity.iam.conftest import House, document, refused

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def test_a_user_is_made_and_found(house: House) -> None:
    made = house.iam.create_user(UserName="alice", Path="/people/", Tags=[{"Key": "team", "Value": "shop"}])["User"]
    assert set(made) == {"Path", "UserName", "UserId", "Arn", "CreateDate", "Tags"}
    assert made["Arn"] == house.arn("user/people/alice")
    assert re.fullmatch("AIDA[A-Z2-7]{17}", made["UserId"])
    assert made["CreateDate"].microsecond == 0
    assert house.iam.get_user(UserName="alice")["User"] == made
    plain = house.iam.create_user(UserName="bob")["User"]
    assert set(plain) == {"Path", "UserName", "UserId", "Arn", "CreateDate"}


def test_names_are_unique_whatever_their_case(house: House) -> None:
    house.iam.create_user(UserName="Alice")
    taken = ("EntityAlreadyExists", "User with name ALICE already exists.", 409)
    assert refused(house.iam.create_user, UserName="ALICE") == taken
    assert house.iam.get_user(UserName="alice")["User"]["UserName"] == "Alice"
    gone = ("NoSuchEntity", "The user with name bob cannot be found.", 404)
    assert refused(house.iam.get_user, UserName="bob") == gone


def test_bad_names_and_paths(house: House) -> None:
    text = (
        "The specified value for userName is invalid. It must contain only alphanumeric characters and/or the "
        "following: +=,.@_-"
    )
    assert refused(house.iam.create_user, UserName="no blanks") == ("ValidationError", text, 400)
    text = (
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric "
        "characters and/or / characters."
    )
    assert refused(house.iam.create_user, UserName="bob", Path="people") == ("ValidationError", text, 400)
    code, message, _ = refused(house.iam.create_user, UserName="x" * 65)
    assert code == "ValidationError"
    assert "Member must have length less than or equal to 64" in message


def test_root_is_found_without_a_name(house: House) -> None:
    found = house.iam.get_user()["User"]
    assert (found["UserId"], found["Arn"]) == (house.account, house.arn("root"))
    assert house.client("iam", house.user("alice", document("iam:*"))).get_user()["User"]["UserName"] == "alice"


def test_users_are_listed_by_page_and_path(house: House) -> None:
    for name in ("carol", "alice", "Bob"):
        house.iam.create_user(UserName=name, Path="/people/" if name != "carol" else "/", Tags=[_tag("a", "b")])
    first = house.iam.list_users(MaxItems=2)
    assert [user["UserName"] for user in first["Users"]] == ["alice", "Bob"]
    assert "Tags" not in first["Users"][0]
    assert first["IsTruncated"]
    rest = house.iam.list_users(MaxItems=2, Marker=first["Marker"])
    assert [user["UserName"] for user in rest["Users"]] == ["carol"]
    assert not rest["IsTruncated"]
    assert "Marker" not in rest
    found = house.iam.get_paginator("list_users").paginate(PathPrefix="/peop", PaginationConfig={"PageSize": 1})
    assert [user["UserName"] for user in found.build_full_result()["Users"]] == ["alice", "Bob"]
    assert refused(house.iam.list_users, Marker="nonsense")[0] == "ValidationError"


def _tag(key: str, value: str) -> dict[str, str]:
    return {"Key": key, "Value": value}


def test_a_user_is_renamed_and_moved(house: House) -> None:
    house.iam.create_user(UserName="alice")
    house.iam.create_user(UserName="bob")
    house.iam.create_group(GroupName="staff")
    house.iam.add_user_to_group(GroupName="staff", UserName="alice")
    house.iam.attach_user_policy(UserName="alice", PolicyArn=READ_ONLY)
    assert refused(house.iam.update_user, UserName="alice", NewUserName="BOB")[0] == "EntityAlreadyExists"
    house.iam.update_user(UserName="alice", NewUserName="ALICE")  # the same name but for its case
    house.iam.update_user(UserName="alice", NewUserName="alicia", NewPath="/people/")
    assert house.iam.get_user(UserName="alicia")["User"]["Arn"] == house.arn("user/people/alicia")
    assert refused(house.iam.get_user, UserName="alice")[0] == "NoSuchEntity"
    assert [user["UserName"] for user in house.iam.get_group(GroupName="staff")["Users"]] == ["alicia"]
    used_by = house.iam.list_entities_for_policy(PolicyArn=READ_ONLY)["PolicyUsers"]
    assert [user["UserName"] for user in used_by] == ["alicia"]


def test_a_user_with_something_left_is_not_deleted(house: House) -> None:
    iam = house.iam
    key = house.user("alice", document("sqs:*"))
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName="alice")
    iam.attach_user_policy(UserName="alice", PolicyArn=READ_ONLY)

    def conflict() -> str:
        code, message, status = refused(iam.delete_user, UserName="alice")
        assert (code, status) == ("DeleteConflict", 409)
        return message.removeprefix("Cannot delete entity, must ")

    assert conflict() == "remove users from group first."
    iam.remove_user_from_group(GroupName="staff", UserName="alice")
    assert conflict() == "detach all policies first."
    iam.detach_user_policy(UserName="alice", PolicyArn=READ_ONLY)
    assert conflict() == "delete policies first."
    iam.delete_user_policy(UserName="alice", PolicyName="p0")
    assert conflict() == "delete access keys first."
    iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="alice")
    assert refused(iam.delete_user, UserName="alice")[0] == "NoSuchEntity"
    assert house.iam.list_users()["Users"] == []


def test_a_user_is_bounded(house: House) -> None:
    boundary = house.policy("limit", document("sqs:*"))
    made = house.iam.create_user(UserName="alice", PermissionsBoundary=boundary)["User"]
    assert made["PermissionsBoundary"] == {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    assert house.iam.get_policy(PolicyArn=boundary)["Policy"]["PermissionsBoundaryUsageCount"] == 1
    assert refused(house.iam.delete_policy, PolicyArn=boundary)[0] == "DeleteConflict"
    other = house.policy("other", document("sns:*"))
    house.iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=other)
    house.iam.delete_policy(PolicyArn=boundary)
    house.iam.delete_user_permissions_boundary(UserName="alice")
    assert refused(house.iam.delete_user_permissions_boundary, UserName="alice")[0] == "NoSuchEntity"
    missing = house.arn("policy/none")
    no = ("NoSuchEntity", f"Policy {missing} does not exist or is not attachable.", 404)
    assert refused(house.iam.create_user, UserName="bob", PermissionsBoundary=missing) == no
    assert refused(house.iam.get_user, UserName="bob")[0] == "NoSuchEntity"  # nothing is left of it


def test_the_quota_of_users(house: House, monkeypatch: Any) -> None:
    from cumulo.services.identity.iam import counters

    monkeypatch.setitem(counters.QUOTAS, "Users", 1)
    house.iam.create_user(UserName="alice")
    no = ("LimitExceeded", "Cannot exceed quota for UsersPerAccount: 1", 409)
    assert refused(house.iam.create_user, UserName="bob") == no
    house.iam.delete_user(UserName="alice")
    house.iam.create_user(UserName="bob")


def test_waiters_see_a_user(house: House) -> None:
    house.iam.create_user(UserName="alice")
    house.iam.get_waiter("user_exists").wait(UserName="alice")
    try:
        house.iam.get_user(UserName="bob")
    except ClientError as error:
        assert isinstance(error, house.iam.exceptions.NoSuchEntityException)
