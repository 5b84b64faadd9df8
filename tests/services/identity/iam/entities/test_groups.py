"""Groups and who is in them."""

from tests.services.identity.iam.conftest import House, document, refused


def test_a_group_and_its_users(house: House) -> None:
    iam = house.iam
    made = iam.create_group(GroupName="Staff", Path="/all/")["Group"]
    assert set(made) == {"Path", "GroupName", "GroupId", "Arn", "CreateDate"}
    assert made["Arn"] == house.arn("group/all/Staff")
    assert made["GroupId"].startswith("AGPA")
    taken = ("EntityAlreadyExists", "Group with name staff already exists.", 409)
    assert refused(iam.create_group, GroupName="staff") == taken
    for name in ("bob", "alice"):
        iam.create_user(UserName=name)
        iam.add_user_to_group(GroupName="staff", UserName=name)
    iam.add_user_to_group(GroupName="staff", UserName="bob")  # twice is no error
    answer = iam.get_group(GroupName="staff", MaxItems=1)
    assert answer["Group"] == made
    assert [user["UserName"] for user in answer["Users"]] == ["alice"]
    assert answer["IsTruncated"]
    rest = iam.get_group(GroupName="staff", Marker=answer["Marker"])
    assert [user["UserName"] for user in rest["Users"]] == ["bob"]
    assert iam.list_groups_for_user(UserName="bob")["Groups"] == [made]
    assert iam.list_groups(PathPrefix="/all/")["Groups"] == [made]
    assert iam.list_groups(PathPrefix="/some/")["Groups"] == []


def test_what_is_not_there(house: House) -> None:
    iam = house.iam
    no_group = ("NoSuchEntity", "The group with name none cannot be found.", 404)
    assert refused(iam.get_group, GroupName="none") == no_group
    assert refused(iam.add_user_to_group, GroupName="none", UserName="bob") == no_group
    iam.create_group(GroupName="staff")
    no_user = ("NoSuchEntity", "The user with name bob cannot be found.", 404)
    assert refused(iam.add_user_to_group, GroupName="staff", UserName="bob") == no_user
    iam.create_user(UserName="bob")
    iam.remove_user_from_group(GroupName="staff", UserName="bob")


def test_a_group_with_something_left_is_not_deleted(house: House) -> None:
    iam = house.iam
    arn = house.policy("some", document("sqs:*"))
    iam.create_group(GroupName="staff")
    iam.create_user(UserName="bob")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn)
    iam.put_group_policy(GroupName="staff", PolicyName="own", PolicyDocument=document("sqs:*"))
    texts = []
    for remedy in (
        lambda: iam.remove_user_from_group(GroupName="staff", UserName="bob"),
        lambda: iam.detach_group_policy(GroupName="staff", PolicyArn=arn),
        lambda: iam.delete_group_policy(GroupName="staff", PolicyName="own"),
    ):
        texts.append(refused(iam.delete_group, GroupName="staff"))
        remedy()
    assert [text[1] for text in texts] == [
        "Cannot delete entity, must remove users from group first.",
        "Cannot delete entity, must detach all policies first.",
        "Cannot delete entity, must delete policies first.",
    ]
    iam.delete_group(GroupName="staff")
    assert iam.list_groups()["Groups"] == []


def test_a_group_is_renamed(house: House) -> None:
    iam = house.iam
    iam.create_group(GroupName="staff")
    iam.create_group(GroupName="board")
    iam.create_user(UserName="bob")
    iam.add_user_to_group(GroupName="staff", UserName="bob")
    assert refused(iam.update_group, GroupName="staff", NewGroupName="BOARD")[0] == "EntityAlreadyExists"
    iam.update_group(GroupName="staff", NewGroupName="crew", NewPath="/ship/")
    found = iam.list_groups_for_user(UserName="bob")["Groups"]
    assert [group["Arn"] for group in found] == [house.arn("group/ship/crew")]
    assert [user["UserName"] for user in iam.get_group(GroupName="crew")["Users"]] == ["bob"]


def test_ten_groups_are_enough(house: House) -> None:
    house.iam.create_user(UserName="bob")
    for number in range(11):
        house.iam.create_group(GroupName=f"g{number}")
    for number in range(10):
        house.iam.add_user_to_group(GroupName=f"g{number}", UserName="bob")
    no = ("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409)
    assert refused(house.iam.add_user_to_group, GroupName="g10", UserName="bob") == no
