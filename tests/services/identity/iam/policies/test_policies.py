"""Managed policies and their versions; attachments; AWS's own."""

import json

import pytest

from cumulo.core.policy.documents import Kind
from cumulo.core.policy.statements import compile_policy
from cumulo.services.identity.iam.policies import aws_policies
from tests.services.identity.iam.conftest import EC2_TRUST, House, document, refused

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def test_a_policy_is_made_and_found(house: House) -> None:
    made = house.iam.create_policy(
        PolicyName="Senders", Path="/app/", PolicyDocument=document("sqs:SendMessage"), Description="may send"
    )["Policy"]
    members = {
        "PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount", "PermissionsBoundaryUsageCount",
        "IsAttachable", "CreateDate", "UpdateDate",
    }  # fmt: skip
    assert set(made) == members | {"Description"}
    assert (made["Arn"], made["DefaultVersionId"]) == (house.arn("policy/app/Senders"), "v1")
    assert made["PolicyId"].startswith("ANPA")
    assert house.iam.get_policy(PolicyArn=made["Arn"])["Policy"] == made | {"Tags": []}
    listed = house.iam.list_policies(Scope="Local")["Policies"]
    assert set(listed[0]) == members
    text = "A policy called senders already exists. Duplicate names are not allowed."
    taken = ("EntityAlreadyExists", text, 409)
    assert refused(house.iam.create_policy, PolicyName="senders", PolicyDocument=document("sqs:*")) == taken
    broken = document("sqs:*").replace("Effect", "Efect")
    malformed = ("MalformedPolicyDocument", "Syntax errors in policy.", 400)
    assert refused(house.iam.create_policy, PolicyName="x", PolicyDocument=broken) == malformed
    large = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": f"sqs:{'x' * 90}{n}", "Resource": "*"} for n in range(60)],
    })  # fmt: skip
    no = ("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409)
    assert refused(house.iam.create_policy, PolicyName="x", PolicyDocument=large) == no


def test_policies_that_are_not_there(house: House) -> None:
    arn = house.arn("policy/none")
    assert refused(house.iam.delete_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.", 404)
    assert refused(house.iam.get_policy, PolicyArn=arn) == ("NoSuchEntity", f"Policy {arn} was not found.", 404)
    house.iam.create_user(UserName="alice")
    no = ("NoSuchEntity", f"Policy {arn} does not exist or is not attachable.", 404)
    assert refused(house.iam.attach_user_policy, UserName="alice", PolicyArn=arn) == no
    unparsed = ("ValidationError", "Invalid ARN:  Could not be parsed!", 400)
    assert refused(house.iam.attach_user_policy, UserName="alice", PolicyArn="longpolicynamebutnoarn") == unparsed
    foreign = "arn:aws:iam::999988887777:policy/theirs"
    assert refused(house.iam.attach_user_policy, UserName="alice", PolicyArn=foreign)[0] == "NoSuchEntity"
    assert refused(house.iam.detach_user_policy, UserName="alice", PolicyArn=ADMINISTRATOR) == (
        "NoSuchEntity", f"Policy {ADMINISTRATOR} was not found.", 404,
    )  # fmt: skip


def test_five_versions(house: House) -> None:
    iam = house.iam
    arn = house.policy("p", document("sqs:A"))
    for letter in "BCD":
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(f"sqs:{letter}"))
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("sqs:E"), SetAsDefault=True)
    assert made["PolicyVersion"]["VersionId"] == "v5"
    assert made["PolicyVersion"]["IsDefaultVersion"]
    assert "Document" not in made["PolicyVersion"]
    text = (
        "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing "
        "version."
    )
    again = refused(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document("sqs:F"))
    assert again == ("LimitExceeded", text, 409)
    assert [each["VersionId"] for each in iam.list_policy_versions(PolicyArn=arn)["Versions"]] == [
        "v5", "v4", "v3", "v2", "v1",
    ]  # fmt: skip
    found = iam.get_policy_version(PolicyArn=arn, VersionId="v2")["PolicyVersion"]
    assert found["Document"]["Statement"][0]["Action"] == ["sqs:B"]
    default = refused(iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
    assert default == ("DeleteConflict", "Cannot delete the default version of a policy.", 409)
    assert refused(iam.delete_policy, PolicyArn=arn)[1].startswith("This policy has more than one version.")
    for number in range(1, 5):
        iam.delete_policy_version(PolicyArn=arn, VersionId=f"v{number}")
    gone = ("NoSuchEntity", f"Policy {arn} version v1 does not exist or is not attachable.", 404)
    assert refused(iam.get_policy_version, PolicyArn=arn, VersionId="v1") == gone
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("sqs:G"))
    assert made["PolicyVersion"]["VersionId"] == "v6"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v6")
    iam.delete_policy_version(PolicyArn=arn, VersionId="v5")
    iam.delete_policy(PolicyArn=arn)


def test_attachments_are_counted_and_listed(house: House) -> None:
    iam = house.iam
    arn = house.policy("p", document("sqs:*"), Path="/app/")
    iam.create_user(UserName="alice", Path="/people/")
    iam.create_group(GroupName="staff")
    house.role("worker", json.dumps(EC2_TRUST))
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    iam.attach_user_policy(UserName="alice", PolicyArn=arn)  # twice is no error
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn)
    iam.attach_role_policy(RoleName="worker", PolicyArn=arn)
    iam.attach_role_policy(RoleName="worker", PolicyArn=ADMINISTRATOR)
    iam.put_role_permissions_boundary(RoleName="worker", PermissionsBoundary=arn)
    found = iam.get_policy(PolicyArn=arn)["Policy"]
    assert (found["AttachmentCount"], found["PermissionsBoundaryUsageCount"]) == (3, 1)
    shown = {"PolicyName": "p", "PolicyArn": arn}
    assert iam.list_attached_user_policies(UserName="alice")["AttachedPolicies"] == [shown]
    assert iam.list_attached_group_policies(GroupName="staff")["AttachedPolicies"] == [shown]
    assert iam.list_attached_role_policies(RoleName="worker", PathPrefix="/app/")["AttachedPolicies"] == [shown]
    assert len(iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]) == 2
    entities = iam.list_entities_for_policy(PolicyArn=arn)
    assert [entities[f"Policy{kind}s"][0][f"{kind}Name"] for kind in ("User", "Group", "Role")] == [
        "alice", "staff", "worker",
    ]  # fmt: skip
    bounded = iam.list_entities_for_policy(PolicyArn=arn, PolicyUsageFilter="PermissionsBoundary")
    assert (len(bounded["PolicyUsers"]), len(bounded["PolicyRoles"])) == (0, 1)
    people = iam.list_entities_for_policy(PolicyArn=arn, PathPrefix="/people/")
    assert (len(people["PolicyUsers"]), len(people["PolicyRoles"])) == (1, 0)
    assert [each["Arn"] for each in iam.list_policies(OnlyAttached=True)["Policies"]] == [arn, ADMINISTRATOR]
    iam.detach_user_policy(UserName="alice", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 2


def test_ten_attached_policies_are_enough(house: House) -> None:
    house.iam.create_user(UserName="alice")
    arns = [house.policy(f"p{number}", document("sqs:*")) for number in range(11)]
    for arn in arns[:10]:
        house.iam.attach_user_policy(UserName="alice", PolicyArn=arn)
    no = ("LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", 409)
    assert refused(house.iam.attach_user_policy, UserName="alice", PolicyArn=arns[10]) == no


def test_the_policies_of_aws(house: House) -> None:
    iam = house.iam
    found = iam.get_policy(PolicyArn=ADMINISTRATOR)["Policy"]
    assert (found["Path"], found["CreateDate"].year) == ("/", 2015)
    version = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId=found["DefaultVersionId"])["PolicyVersion"]
    assert version["Document"]["Statement"] == [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    every = iam.get_paginator("list_policies").paginate(Scope="AWS").build_full_result()["Policies"]
    assert len(every) > 1400
    assert len({policy["Arn"] for policy in every}) == len(every)
    jobs = iam.list_policies(Scope="AWS", PathPrefix="/job-function/")["Policies"]
    assert {"DatabaseAdministrator", "SupportUser"} <= {policy["PolicyName"] for policy in jobs}
    code, message, status = refused(iam.create_policy_version, PolicyArn=ADMINISTRATOR, PolicyDocument=document("*"))
    assert (code, status) == ("AccessDenied", 403)
    assert ADMINISTRATOR in message


@pytest.mark.parametrize(
    "name",
    [
        "AdministratorAccess", "PowerUserAccess", "ReadOnlyAccess", "SecurityAudit", "job-function/ViewOnlyAccess",
        "AmazonS3FullAccess", "AmazonSQSFullAccess", "AmazonDynamoDBReadOnlyAccess", "AmazonEC2FullAccess",
        "IAMFullAccess", "service-role/AWSLambdaBasicExecutionRole", "service-role/AWSLambdaVPCAccessExecutionRole",
        "service-role/AmazonECSTaskExecutionRolePolicy", "AmazonSSMManagedInstanceCore", "AmazonEKSClusterPolicy",
        "CloudWatchLogsFullAccess", "aws-service-role/AutoScalingServiceRolePolicy",
    ],
)  # fmt: skip
def test_policies_that_everyone_attaches(house: House, name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    version = house.iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert house.iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]["Statement"]


def test_every_document_of_aws_compiles() -> None:
    for path in aws_policies._entries():
        compile_policy(aws_policies.document(f"arn:aws:iam::aws:policy{path}"), Kind.MANAGED)
