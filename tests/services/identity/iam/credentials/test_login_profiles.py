"""Passwords of users: profiles, the account's policy, and changing one's own."""

from typing import Any

import pytest

from cumulo.services.identity.iam.credentials import passwords
from cumulo.services.identity.iam.credentials.password_policies import PasswordPolicy
from tests.services.identity.iam.conftest import House, document, refused

GOOD = "Correct-Horse-1"


def test_profiles_live_and_die(house: House) -> None:
    iam = house.iam
    house.user("alice")
    missing = ("NoSuchEntity", "Login Profile for User alice cannot be found.", 404)
    assert refused(iam.get_login_profile, UserName="alice") == missing
    made = iam.create_login_profile(UserName="alice", Password=GOOD, PasswordResetRequired=True)["LoginProfile"]
    assert (made["UserName"], made["PasswordResetRequired"]) == ("alice", True)
    assert refused(iam.create_login_profile, UserName="alice", Password=GOOD) == (
        "EntityAlreadyExists", "Login Profile for user alice already exists.", 409,
    )  # fmt: skip
    iam.update_login_profile(UserName="alice", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="alice")["LoginProfile"] == {**made, "PasswordResetRequired": False}
    for key in iam.list_access_keys(UserName="alice")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="alice", AccessKeyId=key["AccessKeyId"])
    code, text, status = refused(iam.delete_user, UserName="alice")
    assert (code, text, status) == ("DeleteConflict", "Cannot delete entity, must delete login profile first.", 409)
    iam.delete_login_profile(UserName="alice")
    assert refused(iam.delete_login_profile, UserName="alice") == missing
    iam.delete_user(UserName="alice")


def test_profiles_need_users(house: House) -> None:
    missing = ("NoSuchEntity", "The user with name nobody cannot be found.", 404)
    assert refused(house.iam.create_login_profile, UserName="nobody", Password=GOOD) == missing
    assert refused(house.iam.get_login_profile) == (
        "ValidationError", "Must specify userName when calling with non-User credentials", 400,
    )  # fmt: skip


def test_a_renamed_user_keeps_its_password(house: House) -> None:
    house.user("alice")
    house.iam.create_login_profile(UserName="alice", Password=GOOD)
    house.iam.update_user(UserName="alice", NewUserName="alicia")
    assert house.iam.get_login_profile(UserName="alicia")["LoginProfile"]["UserName"] == "alicia"


def test_the_default_policy(house: House) -> None:
    house.user("alice")
    iam = house.iam
    code, text, status = refused(iam.create_login_profile, UserName="alice", Password="Ab1!")
    assert (code, text, status) == ("PasswordPolicyViolation", "Password should have a minimum length of 8", 400)
    for weak in ("onlyletters", "alllower1234"):
        assert refused(iam.create_login_profile, UserName="alice", Password=weak)[0] == "PasswordPolicyViolation"
    iam.create_login_profile(UserName="alice", Password="three-Kinds")


def test_the_account_policy(house: House) -> None:
    iam = house.iam
    missing = f"The Password Policy with domain name {house.account} cannot be found."
    assert refused(iam.get_account_password_policy) == ("NoSuchEntity", missing, 404)
    assert refused(iam.delete_account_password_policy)[0] == "NoSuchEntity"
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, MaxPasswordAge=90)
    assert iam.get_account_password_policy()["PasswordPolicy"] == {
        "MinimumPasswordLength": 12, "RequireSymbols": True, "RequireNumbers": False,
        "RequireUppercaseCharacters": False, "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False, "ExpirePasswords": True, "MaxPasswordAge": 90,
    }  # fmt: skip
    iam.update_account_password_policy(RequireNumbers=True)  # what is left out goes back to its default
    policy = iam.get_account_password_policy()["PasswordPolicy"]
    assert (policy["MinimumPasswordLength"], policy["RequireSymbols"], policy["ExpirePasswords"]) == (6, False, False)
    assert refused(iam.update_account_password_policy, MinimumPasswordLength=5)[0] == "ValidationError"
    iam.delete_account_password_policy()
    assert refused(iam.get_account_password_policy)[0] == "NoSuchEntity"


def test_users_change_their_own_password(house: House) -> None:
    alice = house.client("iam", house.user("alice"))
    house.iam.create_login_profile(UserName="alice", Password=GOOD, PasswordResetRequired=True)
    assert refused(alice.change_password, OldPassword=GOOD, NewPassword="Another-Horse-2")[0] == "AccessDenied"
    house.iam.update_account_password_policy(AllowUsersToChangePassword=True, PasswordReusePrevention=2)
    wrong = refused(alice.change_password, OldPassword="no", NewPassword="Another-Horse-2")
    assert wrong == ("AccessDenied", "The old password was incorrect.", 403)
    alice.change_password(OldPassword=GOOD, NewPassword="Another-Horse-2")
    assert not house.iam.get_login_profile(UserName="alice")["LoginProfile"]["PasswordResetRequired"]
    again = refused(alice.change_password, OldPassword="Another-Horse-2", NewPassword=GOOD)
    assert again[0] == "PasswordPolicyViolation"
    alice.change_password(OldPassword="Another-Horse-2", NewPassword="Third-Horse-3")
    alice.change_password(OldPassword="Third-Horse-3", NewPassword=GOOD)
    house.iam.put_user_policy(
        UserName="alice", PolicyName="no", PolicyDocument=document("iam:ChangePassword", effect="Deny")
    )
    assert refused(alice.change_password, OldPassword=GOOD, NewPassword="Fourth-Horse-4")[0] == "AccessDenied"


def test_only_users_have_passwords_to_change(house: House) -> None:
    code, text, _ = refused(house.iam.change_password, OldPassword="x", NewPassword=GOOD)
    assert (code, text) == ("InvalidUserType", "Only IAM Users can change their own password")


@pytest.mark.parametrize(
    ("known", "password", "words"),
    [
        ({"minimum_length": 10}, "short", "Password should have a minimum length of 10"),
        ({"uppercase": True}, "lower-1", "Password should have at least one uppercase letter"),
        ({"lowercase": True}, "UPPER-1", "Password should have at least one lowercase letter"),
        ({"numbers": True}, "letters", "Password should have at least one number"),
        ({"symbols": True}, "letters1", "Password should have at least one symbol"),
        ({"symbols": True, "uppercase": True}, "Letters|", ""),
    ],
)
def test_what_policies_ask(known: dict[str, Any], password: str, words: str) -> None:
    assert passwords.violation(password, PasswordPolicy(**known), "alice", "111122223333") == words
