"""Parameters shared with other accounts."""

import json
from collections.abc import Callable
from typing import Any

from tests.conftest import Account

Call = Callable[..., Any]


def policy(account: str, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_shared_parameter_is_seen_and_read(cloud: Account, ssm: Any, put: Call, refused: Call) -> None:
    put("/shared", "v", Tier="Advanced")
    arn = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/shared"
    other = cloud.another()
    there = other.client("ssm")
    error = refused(there.get_parameter, Name=arn)
    assert error.code == "AccessDeniedException" and f"on resource: {arn}" in error.message
    text = policy(other.account, "ssm:GetParameter", "ssm:GetParameters", "ssm:DescribeParameters")
    kept = ssm.put_resource_policy(ResourceArn=arn, Policy=text)
    assert there.get_parameter(Name=arn)["Parameter"]["Value"] == "v"
    shared = there.describe_parameters(Shared=True)["Parameters"]
    assert [each["ARN"] for each in shared] == [arn]
    assert refused(there.delete_parameter, Name=arn).code == "AccessDeniedException"
    listed = ssm.get_resource_policies(ResourceArn=arn)["Policies"]
    assert listed == [{"PolicyId": kept["PolicyId"], "PolicyHash": kept["PolicyHash"], "Policy": text}]
    stale = {"ResourceArn": arn, "PolicyId": kept["PolicyId"], "PolicyHash": "0"}
    assert refused(ssm.delete_resource_policy, **stale).code == "ResourcePolicyConflictException"
    ssm.delete_resource_policy(ResourceArn=arn, PolicyId=kept["PolicyId"], PolicyHash=kept["PolicyHash"])
    assert there.describe_parameters(Shared=True)["Parameters"] == []
    assert refused(there.get_parameter, Name=arn).code == "AccessDeniedException"


def test_what_cannot_be_shared(cloud: Account, ssm: Any, put: Call, refused: Call) -> None:
    put("standard")
    put("secret", Type="SecureString", Tier="Advanced")
    base = f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/"
    text = policy("111122223333", "ssm:GetParameter")
    for name in ("standard", "secret"):
        error = refused(ssm.put_resource_policy, ResourceArn=base + name, Policy=text)
        assert error.code == "ResourcePolicyInvalidParameterException"
    assert refused(ssm.put_resource_policy, ResourceArn=base + "none", Policy=text).code == "ResourceNotFoundException"
    put("advanced", Tier="Advanced")
    broken = refused(ssm.put_resource_policy, ResourceArn=base + "advanced", Policy="{")
    assert broken.code == "MalformedResourcePolicyDocumentException"
    ssm.put_resource_policy(ResourceArn=base + "advanced", Policy=text)
    second = refused(ssm.put_resource_policy, ResourceArn=base + "advanced", Policy=text)
    assert second.code == "ResourcePolicyLimitExceededException"
    document = base.replace("parameter/", "document/d")
    assert refused(ssm.get_resource_policies, ResourceArn=document).code == "NotImplemented"
