"""Role templates and the roles that AcquireRole makes from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.identity.iam.conftest import House, document, refused

POWER = "arn:aws:iam::aws:role-template/iam.amazonaws.com/PowerUserRoleTemplate:1"
CUSTOM = "arn:aws:iam::aws:role-template/reports.amazonaws.com/ReportsRoleTemplate:2"
LAMBDA = {"AWSServiceName": {"Values": ["lambda.amazonaws.com"]}}
TEMPLATE: dict[str, Any] = {
    "TemplateArn": CUSTOM,
    "TemplateName": "ReportsRoleTemplate",
    "MajorVersion": 2,
    "DefaultMinorVersion": 1,
    "MinorVersion": 1,
    "Enabled": True,
    "VersionEnabled": True,
    "RoleNamePattern": "reports-@{bucketName}",
    "RolePathPattern": "/made/@{bucketName}/",
    "RoleDescriptionPattern": "Reports of @{bucketName}",
    "AssumeRolePolicyDocumentTemplate": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":'
    '{"Service":"glue.amazonaws.com"},"Action":"sts:AssumeRole"}]}',
    "InlinePolicyTemplates": [
        {
            "PolicyName": "read",
            "PolicyDocument": '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject",'
            '"Resource":["arn:aws:s3:::@{bucketName}/*","@{more}"]}]}',
        }
    ],
    "ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
    "PermissionBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess",
    "ParametersDefinition": [
        {"Name": "bucketName", "Type": "String", "IsRequired": True},
        {"Name": "more", "Type": "ArnList", "IsRequired": False, "DefaultValue": "arn:aws:s3:::other"},
        {"Name": "days", "Type": "Number", "IsRequired": False},
    ],
    "RoleTagsTemplate": [{"Key": "bucket", "Value": "@{bucketName}"}],
    "MaxSessionDuration": 7200,
}


@pytest.fixture
def folder(house: House) -> Iterator[Path]:
    """The folder of templates, empty again afterwards: the cloud is shared."""
    folder: Path = house.cloud.data_dir / "iam" / "role-templates"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()


def test_a_role_from_the_template_that_aws_documents(house: House) -> None:
    template = house.iam.get_role_template_version(TemplateArn=POWER)["RoleTemplateVersion"]
    assert [each["Name"] for each in template["ParametersDefinition"]] == ["AWSServiceName", "RoleName"]
    role = house.iam.acquire_role(TemplateArn=POWER, ReplacementValues=LAMBDA)["Role"]
    assert (role["RoleName"], role["Path"], role["Arn"]) == ("PowerUserRole", "/", house.arn("role/PowerUserRole"))
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    assert role["SourceRoleTemplate"] == {"TemplateArn": POWER, "TemplateMinorVersion": 0}
    attached = house.iam.list_attached_role_policies(RoleName="PowerUserRole")["AttachedPolicies"]
    assert [each["PolicyName"] for each in attached] == ["PowerUserAccess"]
    assert house.iam.get_role(RoleName="PowerUserRole")["Role"]["SourceRoleTemplate"]["TemplateArn"] == POWER
    again = house.iam.acquire_role(TemplateArn=POWER, ReplacementValues=LAMBDA)["Role"]
    assert again["RoleId"] == role["RoleId"]


def test_a_role_that_is_not_the_templates_is_left_alone(house: House) -> None:
    house.iam.acquire_role(TemplateArn=POWER, ReplacementValues=LAMBDA)
    house.iam.put_role_policy(RoleName="PowerUserRole", PolicyName="more", PolicyDocument=document("s3:*"))
    assert refused(house.iam.acquire_role, TemplateArn=POWER, ReplacementValues=LAMBDA)[0::2] == ("NameConflict", 409)
    values = LAMBDA | {"RoleName": {"Values": ["another"]}}
    assert house.iam.acquire_role(TemplateArn=POWER, ReplacementValues=values)["Role"]["RoleName"] == "another"


def test_parameters_are_checked(house: House) -> None:
    for values in (
        {},
        LAMBDA | {"Unknown": {"Values": ["x"]}},
        {"AWSServiceName": {"Values": ["a.amazonaws.com", "b.amazonaws.com"]}},
    ):
        assert refused(house.iam.acquire_role, TemplateArn=POWER, ReplacementValues=values)[0] == "InvalidInput"
    assert refused(house.iam.get_role_template_version, TemplateArn=CUSTOM)[0] == "NoSuchEntity"
    assert refused(house.iam.get_role_template_version, TemplateArn=POWER, MinorVersion=7)[0] == "NoSuchEntity"


def test_a_template_whose_content_is_not_known_says_so(house: House) -> None:
    backup = "arn:aws:iam::aws:role-template/backup.amazonaws.com/AWSBackupDefaultServiceRoleTemplate:1"
    code, text, _ = refused(house.iam.get_role_template_version, TemplateArn=backup)
    assert code == "NotImplemented" and "does not publish" in text
    assert refused(house.iam.acquire_role, TemplateArn=backup)[0] == "NotImplemented"


def test_a_template_from_the_data_directory(house: House, folder: Path) -> None:
    (folder / "reports.json").write_text(json.dumps(TEMPLATE))
    values = {"bucketName": {"Values": ["sales"]}, "more": {"Values": ["arn:aws:s3:::a", "arn:aws:s3:::b"]}}
    role = house.iam.acquire_role(TemplateArn=CUSTOM, ReplacementValues=values)["Role"]
    assert (role["RoleName"], role["Path"]) == ("reports-sales", "/made/sales/")
    found = house.iam.get_role(RoleName="reports-sales")["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("Reports of sales", 7200)
    assert found["Tags"] == [{"Key": "bucket", "Value": "sales"}]
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("PowerUserAccess")
    policy = house.iam.get_role_policy(RoleName="reports-sales", PolicyName="read")["PolicyDocument"]
    assert policy["Statement"][0]["Resource"] == ["arn:aws:s3:::sales/*", "arn:aws:s3:::a", "arn:aws:s3:::b"]
    quoting = {"bucketName": {"Values": ['x"],"Action":"*"']}}
    assert refused(house.iam.acquire_role, TemplateArn=CUSTOM, ReplacementValues=quoting)[0] == "ValidationError"
    for wrong in ({"days": {"Values": ["two"]}}, {"more": {"Values": ["no arn"]}}):
        assert refused(
            house.iam.acquire_role, TemplateArn=CUSTOM, ReplacementValues=values | wrong
        )[0] == "InvalidInput"  # fmt: skip
    (folder / "reports.json").write_text(json.dumps(TEMPLATE | {"VersionEnabled": False}))
    assert refused(house.iam.acquire_role, TemplateArn=CUSTOM)[0] == "RoleTemplateDisabled"
    (folder / "broken.json").write_text("{")
    assert "broken.json" in refused(house.iam.acquire_role, TemplateArn=CUSTOM)[1]


def test_each_part_needs_its_own_permission(house: House) -> None:
    parts = ("iam:GetRoleTemplateVersion", "iam:CreateRole", "iam:AttachRolePolicy")
    for number, missing in enumerate(parts):
        allowed = [document(part) for part in parts if part != missing]
        caller = house.client("iam", house.user(f"u{number}", *allowed))
        code, text, _ = refused(caller.acquire_role, TemplateArn=POWER, ReplacementValues=LAMBDA)
        assert code == "AccessDenied" and f"is not authorized to perform: {missing} on" in text
    maker = house.client("iam", house.user("maker", *[document(part) for part in parts]))
    maker.acquire_role(TemplateArn=POWER, ReplacementValues=LAMBDA)
    code, text, _ = refused(maker.acquire_role, TemplateArn=POWER, ReplacementValues=LAMBDA)
    assert code == "AccessDenied" and "iam:GetRole on" in text
    # AWS's documented way to forbid templated roles alone.
    deny = document("iam:*", effect="Deny", Condition={"Null": {"iam:RoleTemplateARN": "false"}})
    other = house.client("iam", house.user("other", document("iam:*"), deny))
    assert refused(other.acquire_role, TemplateArn=POWER, ReplacementValues=LAMBDA)[0] == "AccessDenied"
    other.create_role(RoleName="byhand", AssumeRolePolicyDocument=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": house.account}, "Action": "sts:AssumeRole"}],
    }))  # fmt: skip
