"""S3 Access Grants: registered, granted, and credentials that reach just as far."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.iam.conftest import House
from tests.services.storage.s3.conftest import refused

EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
)
ASKING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:GetDataAccess", "s3:ListCallerAccessGrants"], "Resource": "*"}
        ],
    }
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "access-grants.s3.amazonaws.com"},
                "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
            }
        ],
    }
)


@pytest.fixture
def role(cloud: Account) -> str:
    """A role that Access Grants may assume, which may do everything in S3."""
    return House(cloud).role("grants", TRUST, EVERYTHING)


@pytest.fixture
def location(cloud: Account, control: Any, bucket: str, role: str) -> str:
    """The bucket as a registered location: its id."""
    control.create_access_grants_instance(AccountId=cloud.account)
    answer = control.create_access_grants_location(
        AccountId=cloud.account, LocationScope=f"s3://{bucket}/", IAMRoleArn=role
    )
    return str(answer["AccessGrantsLocationId"])


def test_the_instance(cloud: Account, control: Any) -> None:
    named = {"AccountId": cloud.account}
    with refused("AccessGrantsInstanceNotExistsError", status=404):
        control.get_access_grants_instance(**named)
    made = control.create_access_grants_instance(**named)
    arn = f"arn:aws:s3:us-east-1:{cloud.account}:access-grants/default"
    assert made["AccessGrantsInstanceArn"] == arn and made["AccessGrantsInstanceId"] == "default"
    with refused("AccessGrantsInstanceAlreadyExists", status=409):
        control.create_access_grants_instance(**named)
    (listed,) = control.list_access_grants_instances(**named)["AccessGrantsInstancesList"]
    assert listed["AccessGrantsInstanceArn"] == arn
    control.delete_access_grants_instance(**named)
    with refused("AccessGrantsInstanceNotExistsError", status=404):
        control.get_access_grants_instance(**named)


def test_locations(cloud: Account, control: Any, bucket: str, role: str, location: str) -> None:
    named = {"AccountId": cloud.account}
    found = control.get_access_grants_location(**named, AccessGrantsLocationId=location)
    assert found["LocationScope"] == f"s3://{bucket}/" and found["IAMRoleArn"] == role
    assert control.get_access_grants_instance_for_prefix(**named, S3Prefix=f"s3://{bucket}/a")
    with refused("AccessGrantsLocationAlreadyExistsError", status=409):
        control.create_access_grants_location(**named, LocationScope=f"s3://{bucket}/", IAMRoleArn=role)
    for scope in ("bucket", f"s3://none-{cloud.account}/*"):
        with refused("InvalidAccessGrantsLocation"):
            control.create_access_grants_location(**named, LocationScope=scope, IAMRoleArn=role)
    with refused("InvalidIamRole"):
        control.create_access_grants_location(**named, LocationScope="s3://", IAMRoleArn=role.replace("grants", "none"))
    everything = control.create_access_grants_location(**named, LocationScope="s3://", IAMRoleArn=role)
    assert everything["AccessGrantsLocationId"] == "default"
    assert len(control.list_access_grants_locations(**named)["AccessGrantsLocationsList"]) == 2
    with refused("AccessGrantsInstanceNotEmptyError"):
        control.delete_access_grants_instance(**named)
    control.delete_access_grants_location(**named, AccessGrantsLocationId=location)
    with refused("NoSuchAccessGrantsLocationError", status=404):
        control.get_access_grants_location(**named, AccessGrantsLocationId=location)


def grant(cloud: Account, control: Any, location: str, permission: str = "READ", of: str = "", **more: Any) -> Any:
    return control.create_access_grant(
        AccountId=cloud.account,
        AccessGrantsLocationId=location,
        AccessGrantsLocationConfiguration={"S3SubPrefix": "logs/*"},
        Grantee={"GranteeType": "IAM", "GranteeIdentifier": f"arn:aws:iam::{of or cloud.account}:user/alice"},
        Permission=permission,
        **more,
    )


def test_grants(cloud: Account, control: Any, bucket: str, location: str) -> None:
    named = {"AccountId": cloud.account}
    made = grant(cloud, control, location)
    assert made["GrantScope"] == f"s3://{bucket}/logs/*"
    found = control.get_access_grant(**named, AccessGrantId=made["AccessGrantId"])
    assert found["Permission"] == "READ" and found["AccessGrantsLocationId"] == location
    tags = [{"Key": "a", "Value": "b"}]
    for arn in (
        made["AccessGrantArn"],
        f"arn:aws:s3:us-east-1:{cloud.account}:access-grants/default/location/{location}",
    ):
        control.tag_resource(**named, ResourceArn=arn, Tags=tags)
        assert control.list_tags_for_resource(**named, ResourceArn=arn)["Tags"] == tags
    with refused("AccessGrantAlreadyExists", status=409):
        grant(cloud, control, location)
    with refused("InvalidAccessGrant", "The specified Access Grant is invalid"):
        control.create_access_grant(
            **named, AccessGrantsLocationId=location, Permission="READ",
            Grantee={"GranteeType": "IAM", "GranteeIdentifier": "somebody"},
        )  # fmt: skip
    grant(cloud, control, location, "WRITE")
    assert len(control.list_access_grants(**named)["AccessGrantsList"]) == 2
    (listed,) = control.list_access_grants(**named, Permission="WRITE")["AccessGrantsList"]
    assert listed["Grantee"]["GranteeType"] == "IAM"
    with refused("AccessGrantsLocationNotEmptyError"):
        control.delete_access_grants_location(**named, AccessGrantsLocationId=location)
    with refused("NoSuchAccessGrantsLocationError", status=404):
        grant(cloud, control, "none")
    with refused("NotImplemented", status=501):
        control.create_access_grant(
            **named,
            AccessGrantsLocationId=location,
            Grantee={"GranteeType": "DIRECTORY_USER", "GranteeIdentifier": "a"},
            Permission="READ",
        )
    control.delete_access_grant(**named, AccessGrantId=made["AccessGrantId"])
    with refused("NoSuchAccessGrantError", status=404):
        control.get_access_grant(**named, AccessGrantId=made["AccessGrantId"])


def test_credentials_reach_as_far_as_the_grant(cloud: Account, control: Any, bucket: str, location: str) -> None:
    s3 = cloud.client("s3")
    for key in ("logs/a", "other/a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    key = House(cloud).user("alice", ASKING)
    secret = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    alice = cloud.client("s3control", **secret)
    asked = {"AccountId": cloud.account, "Target": f"s3://{bucket}/logs/*", "Permission": "READ"}
    with refused(
        "AccessDenied", f"You do not have READ permissions to the requested S3 Prefix: s3://{bucket}/logs/*", 403
    ):
        alice.get_data_access(**asked)
    grant(cloud, control, location)
    answer = alice.get_data_access(**asked)
    assert answer["MatchedGrantTarget"] == f"s3://{bucket}/logs/*"
    given = answer["Credentials"]
    reader = cloud.client(
        "s3",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert reader.get_object(Bucket=bucket, Key="logs/a")["Body"].read() == b"x"
    assert [each["Key"] for each in reader.list_objects_v2(Bucket=bucket, Prefix="logs/")["Contents"]] == ["logs/a"]
    for call, more in (
        (reader.get_object, {"Key": "other/a"}),
        (reader.put_object, {"Key": "logs/b"}),
        (reader.list_objects_v2, {}),
    ):
        with refused("AccessDenied", status=403):
            call(Bucket=bucket, **more)
    with refused("AccessDenied", status=403):
        alice.get_data_access(**{**asked, "Permission": "READWRITE"})
    (mine,) = alice.list_caller_access_grants(AccountId=cloud.account)["CallerAccessGrantsList"]
    assert mine["GrantScope"] == f"s3://{bucket}/logs/*" and mine["Permission"] == "READ"


def test_a_role_that_does_not_trust_gives_nothing(
    cloud: Account, control: Any, bucket: str, role: str, location: str
) -> None:
    grant(cloud, control, location)
    key = House(cloud).user("alice", ASKING)
    trust = json.loads(TRUST)
    trust["Statement"][0]["Principal"] = {"Service": "ec2.amazonaws.com"}
    cloud.client("iam").update_assume_role_policy(RoleName="grants", PolicyDocument=json.dumps(trust))
    alice = cloud.client(
        "s3control", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    with refused("StsNotAuthorizedError", status=403):
        alice.get_data_access(AccountId=cloud.account, Target=f"s3://{bucket}/logs/a", Permission="READ")


def test_a_resource_policy_is_kept(cloud: Account, control: Any, location: str) -> None:
    named = {"AccountId": cloud.account}
    with refused(
        "AccessGrantsInstanceResourcePolicyNotExists", "Access Grants Instance Resource Policy does not exist", 404
    ):
        control.get_access_grants_instance_resource_policy(**named)
    arn = f"arn:aws:s3:us-east-1:{cloud.account}:access-grants/default"
    statement = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetDataAccess", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    organization = "o-abcdefghij"
    put = control.put_access_grants_instance_resource_policy(**named, Policy=policy, Organization=organization)
    assert (put["Policy"], put["Organization"]) == (policy, organization) and put["CreatedAt"]
    found = control.get_access_grants_instance_resource_policy(**named)
    assert (found["Policy"], found["Organization"], found["CreatedAt"]) == (policy, organization, put["CreatedAt"])
    for bad in ("no policy", "{}", json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]})):
        with refused("InvalidResourcePolicy", "The specified Resource Policy is invalid"):
            control.put_access_grants_instance_resource_policy(**named, Policy=bad)
    control.delete_access_grants_instance_resource_policy(**named)
    with refused("AccessGrantsInstanceResourcePolicyNotExists", status=404):
        control.get_access_grants_instance_resource_policy(**named)


def test_other_accounts_by_the_resource_policy(cloud: Account, control: Any, bucket: str, location: str) -> None:
    other = cloud.another()
    key = House(other).user("alice", EVERYTHING)
    secret = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    alice = other.client("s3control", **secret)
    grant(cloud, control, location, of=other.account)
    cloud.client("s3").put_object(Bucket=bucket, Key="logs/a", Body=b"x")
    asked = {"AccountId": cloud.account, "Target": f"s3://{bucket}/logs/*", "Permission": "READ"}
    for refusal in (
        lambda: alice.get_data_access(**asked),
        lambda: alice.list_caller_access_grants(AccountId=cloud.account),
        lambda: alice.get_access_grants_instance_for_prefix(AccountId=other.account, S3Prefix=f"s3://{bucket}/logs"),
    ):
        with refused("AccessDenied", status=403):
            refusal()
    arn = f"arn:aws:s3:us-east-1:{cloud.account}:access-grants/default"
    actions = ["s3:GetDataAccess", "s3:ListCallerAccessGrants", "s3:GetAccessGrantsInstanceForPrefix"]
    statement = {"Effect": "Allow", "Principal": {"AWS": other.account}, "Action": actions, "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    control.put_access_grants_instance_resource_policy(AccountId=cloud.account, Policy=policy)
    answer = alice.get_data_access(**asked)
    assert answer["MatchedInstanceArn"] == arn
    given = answer["Credentials"]
    reader = other.client(
        "s3",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert reader.get_object(Bucket=bucket, Key="logs/a")["Body"].read() == b"x"
    (mine,) = alice.list_caller_access_grants(AccountId=cloud.account)["CallerAccessGrantsList"]
    assert mine["AccessGrantsInstanceArn"] == arn
    found = alice.get_access_grants_instance_for_prefix(AccountId=other.account, S3Prefix=f"s3://{bucket}/logs")
    assert found["AccessGrantsInstanceArn"] == arn
