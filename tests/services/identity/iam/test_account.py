"""The account as a whole: its alias, its summary, its credential report, everything in it, its organization."""

import csv
import io

import pytest

from tests.services.identity.iam.certificates import Made
from tests.services.identity.iam.conftest import EC2_TRUST, House, document, refused, trust


def test_one_alias_that_nobody_else_has(house: House) -> None:
    mine, other = f"shop-{house.account}", f"store-{house.account}"
    iam = house.iam
    assert iam.list_account_aliases()["AccountAliases"] == []
    iam.create_account_alias(AccountAlias=mine)
    assert iam.list_account_aliases()["AccountAliases"] == [mine]
    taken = ("EntityAlreadyExists", f"The account alias {mine} already exists.", 409)
    stranger = house.cloud.another().client("iam")
    assert refused(stranger.create_account_alias, AccountAlias=mine) == taken
    iam.create_account_alias(AccountAlias=other)  # the new one takes the place of the old
    assert iam.list_account_aliases()["AccountAliases"] == [other]
    stranger.create_account_alias(AccountAlias=mine)
    assert refused(iam.delete_account_alias, AccountAlias=mine)[0] == "NoSuchEntity"
    iam.delete_account_alias(AccountAlias=other)
    assert iam.list_account_aliases()["AccountAliases"] == []
    assert refused(iam.create_account_alias, AccountAlias="Not-Good")[0] == "ValidationError"


def test_the_summary_counts(house: House) -> None:
    iam = house.iam
    house.user("alice")
    house.role("worker", trust({"Service": "ec2.amazonaws.com"}))
    house.policy("send", document("sqs:SendMessage"))
    iam.create_group(GroupName="staff")
    iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")
    iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    summary = iam.get_account_summary()["SummaryMap"]
    counted = {key: summary[key] for key in ("Users", "Roles", "Policies", "Groups", "MFADevices", "MFADevicesInUse")}
    assert counted == {"Users": 1, "Roles": 1, "Policies": 1, "Groups": 1, "MFADevices": 1, "MFADevicesInUse": 0}
    assert (summary["UsersQuota"], summary["GroupsQuota"], summary["GlobalEndpointTokenVersion"]) == (5000, 300, 2)
    assert (summary["PolicyVersionsInUse"], summary["AccessKeysPerUserQuota"], summary["Providers"]) == (1, 2, 0)


def test_the_credential_report(house: House) -> None:
    iam = house.iam
    missing = refused(iam.get_credential_report)
    assert (missing[0], missing[2]) == ("ReportNotPresent", 410)
    key = house.user("alice")
    iam.create_login_profile(UserName="alice", Password="Correct-Horse-1")
    iam.update_account_password_policy(MaxPasswordAge=90)
    iam.upload_signing_certificate(UserName="alice", CertificateBody=Made("alice").pem)
    refused(house.client("sqs", key).list_queues)
    started = iam.generate_credential_report()
    assert (started["State"], started["Description"]) == (
        "STARTED", "No report exists. Starting a new report generation task",
    )  # fmt: skip
    assert iam.generate_credential_report()["State"] == "COMPLETE"
    report = iam.get_credential_report()
    assert report["ReportFormat"] == "text/csv"
    root, alice = csv.DictReader(io.StringIO(report["Content"].decode()))
    assert (root["user"], root["arn"], root["mfa_active"]) == ("<root_account>", house.arn("root"), "false")
    assert root["password_last_changed"] == "not_supported"
    assert (alice["user"], alice["arn"], alice["password_enabled"]) == ("alice", house.arn("user/alice"), "true")
    assert alice["password_last_used"] == "no_information"
    assert alice["password_next_rotation"] > alice["password_last_changed"]
    assert (alice["access_key_1_active"], alice["access_key_2_active"]) == ("true", "false")
    assert (alice["access_key_1_last_used_service"], alice["access_key_1_last_used_region"]) == ("sqs", "us-east-1")
    assert alice["access_key_1_last_used_date"].endswith("+00:00")
    assert (alice["cert_1_active"], alice["cert_2_last_rotated"]) == ("true", "N/A")
    house.cloud.advance(5 * 3600)
    assert refused(iam.get_credential_report)[0] == "ReportExpired"
    assert iam.generate_credential_report()["State"] == "STARTED"


def test_everything_at_once(house: House) -> None:
    iam = house.iam
    arn = house.policy("send", document("sqs:SendMessage"))
    aws = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    house.user("alice", document("sqs:*"), Tags=[{"Key": "team", "Value": "shop"}])
    iam.create_group(GroupName="staff")
    iam.attach_group_policy(GroupName="staff", PolicyArn=aws)
    iam.add_user_to_group(UserName="alice", GroupName="staff")
    house.role("worker", trust({"Service": "ec2.amazonaws.com"}))
    iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="worker")
    details = iam.get_account_authorization_details()
    (alice,), (staff,), (worker,) = details["UserDetailList"], details["GroupDetailList"], details["RoleDetailList"]
    assert (alice["GroupList"], alice["Tags"]) == (["staff"], [{"Key": "team", "Value": "shop"}])
    assert alice["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["sqs:*"]
    assert staff["AttachedManagedPolicies"] == [{"PolicyName": "ReadOnlyAccess", "PolicyArn": aws}]
    assert worker["AttachedManagedPolicies"] == [{"PolicyName": "send", "PolicyArn": arn}]
    assert worker["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == EC2_TRUST["Statement"][0]["Principal"]
    assert worker["InstanceProfileList"][0]["InstanceProfileName"] == "machine"
    assert {policy["Arn"] for policy in details["Policies"]} == {arn, aws}
    (local,) = (policy for policy in details["Policies"] if policy["Arn"] == arn)
    assert (local["AttachmentCount"], local["PolicyVersionList"][0]["IsDefaultVersion"]) == (1, True)
    assert details["IsTruncated"] is False
    filtered = iam.get_account_authorization_details(Filter=["Group", "LocalManagedPolicy"])
    assert (filtered["UserDetailList"], len(filtered["GroupDetailList"]), len(filtered["Policies"])) == ([], 1, 1)
    page = iam.get_account_authorization_details(MaxItems=2)
    assert (len(page["UserDetailList"]), len(page["GroupDetailList"]), page["IsTruncated"]) == (1, 1, True)
    rest = iam.get_account_authorization_details(Marker=page["Marker"])
    assert (len(rest["RoleDetailList"]), len(rest["Policies"]), rest["IsTruncated"]) == (1, 2, False)


@pytest.mark.parametrize(
    "name",
    [
        "enable_organizations_root_credentials_management",
        "disable_organizations_root_credentials_management",
        "enable_organizations_root_sessions",
        "disable_organizations_root_sessions",
        "list_organizations_features",
    ],
)
def test_without_an_organization(house: House, name: str) -> None:
    code, text, status = refused(getattr(house.iam, name))
    assert code == "OrganizationNotFoundException"
    assert text == "The request failed because your account isn't part of an organization."
    assert status == 400


def test_no_reports_of_organizations(house: House) -> None:
    path = "o-a1b2c3d4e5/r-f6g7h8i9j0example/ou-1a2b3c-k9l8m7n6o5example"
    assert refused(house.iam.generate_organizations_access_report, EntityPath=path)[0] == "ValidationError"
    job = "a8b6c06f-aaa4-8xmp-28bc-81da71836359"
    assert refused(house.iam.get_organizations_access_report, JobId=job)[0] == "NoSuchEntity"


def test_account_properties(house: House) -> None:
    iam, switch = house.iam, "RoleManager/Enabled"
    assert iam.get_account_properties()["Properties"] == {switch: "false"}
    iam.put_account_properties(Properties={switch: "true"})
    assert iam.get_account_properties()["Properties"] == {switch: "true"}
    for wrong in (
        {switch: "yes"},
        {"RoleManager": "true"},
        {"Other/Thing": "true"},
        {switch: "true", "A/B": "true"},
    ):
        assert refused(iam.put_account_properties, Properties=wrong)[0] == "InvalidInput"
    # The service control policy of AWS's own documentation, as an identity's.
    deny = {"ForAnyValue:StringEquals": {"iam:AccountPropertyNamespaces": "RoleManager"}}
    denied = document("iam:PutAccountProperties", effect="Deny", Condition=deny)
    alice = house.client("iam", house.user("alice", document("iam:*"), denied))
    assert alice.get_account_properties()["Properties"] == {switch: "true"}
    assert refused(alice.put_account_properties, Properties={switch: "false"})[0] == "AccessDenied"
