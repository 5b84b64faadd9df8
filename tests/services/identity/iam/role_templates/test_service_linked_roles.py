"""Roles that belong to services."""

import pytest

from cumulo.services.identity.iam.policies import aws_policies
from cumulo.services.identity.iam.role_templates.service_linked_roles import _services
from tests.services.identity.iam.conftest import House, document, refused


@pytest.mark.parametrize(
    ("service", "name", "policy"),
    [
        ("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling", "AutoScalingServiceRolePolicy"),
        ("connect.amazonaws.com", "AWSServiceRoleForAmazonConnect", "AmazonConnectServiceLinkedRolePolicy"),
        ("lexv2.amazonaws.com", "AWSServiceRoleForLexV2Bots", "AmazonLexV2BotPolicy"),
    ],
)
def test_a_role_with_a_suffix(house: House, service: str, name: str, policy: str) -> None:
    iam = house.iam
    made = iam.create_service_linked_role(AWSServiceName=service, CustomSuffix="mine")["Role"]
    assert made["RoleName"] == f"{name}_mine"
    assert made["Path"] == f"/aws-service-role/{service}/"
    found = iam.get_role(RoleName=made["RoleName"])["Role"]
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    assert found["AssumeRolePolicyDocument"] == {"Version": "2012-10-17", "Statement": [statement]}
    attached = iam.list_attached_role_policies(RoleName=made["RoleName"])["AttachedPolicies"]
    arn = f"arn:aws:iam::aws:policy/aws-service-role/{policy}"
    assert attached == [{"PolicyName": policy, "PolicyArn": arn}]
    assert iam.list_role_policies(RoleName=made["RoleName"])["PolicyNames"] == []


def test_only_aws_changes_it(house: House) -> None:
    iam = house.iam
    name = iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")["Role"]["RoleName"]
    text = f"Cannot perform the operation on the protected role '{name}' - this role is only modifiable by AWS"
    no = ("UnmodifiableEntity", text, 400)
    assert refused(iam.delete_role, RoleName=name) == no
    assert refused(iam.put_role_policy, RoleName=name, PolicyName="p", PolicyDocument=document("*")) == no
    assert refused(iam.tag_role, RoleName=name, Tags=[{"Key": "a", "Value": "b"}]) == no
    iam.update_role_description(RoleName=name, Description="ours")
    task = iam.delete_service_linked_role(RoleName=name)["DeletionTaskId"]
    assert task.startswith(f"task/aws-service-role/batch.amazonaws.com/{name}/")
    assert iam.get_service_linked_role_deletion_status(DeletionTaskId=task)["Status"] == "SUCCEEDED"
    assert refused(iam.get_role, RoleName=name)[0] == "NoSuchEntity"


def test_what_is_refused(house: House) -> None:
    iam = house.iam
    iam.create_service_linked_role(AWSServiceName="batch.amazonaws.com")
    text = "Service role name AWSServiceRoleForBatch has been taken in this account, please try a different suffix."
    assert refused(iam.create_service_linked_role, AWSServiceName="batch.amazonaws.com") == ("InvalidInput", text, 400)
    for service in ("acm.amazonaws.com", "cks.kms.amazonaws.com", "wafv2.amazonaws.com"):
        answer = refused(iam.create_service_linked_role, AWSServiceName=service, CustomSuffix="x")
        assert answer == ("InvalidInput", f"Custom suffix is not allowed for {service}", 400)
    assert refused(iam.create_service_linked_role, AWSServiceName="no.amazonaws.com")[0] == "InvalidInput"
    trust = document("sts:AssumeRole", Principal={"Service": "ec2.amazonaws.com"})
    answer = refused(iam.create_role, RoleName="x", Path="/aws-service-role/x/", AssumeRolePolicyDocument=trust)
    assert answer[0] == "ValidationError"


def test_every_service_has_its_policy() -> None:
    for linked in _services().values():
        assert aws_policies.document(f"arn:aws:iam::aws:policy/aws-service-role/{linked.policy}")
