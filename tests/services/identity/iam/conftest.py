"""What IAM's tests share: an account's IAM, its documents, its people."""

import json
from typing import Any

import pytest

from tests import refusals

EC2_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}  # fmt: skip


def document(*actions: str, effect: str = "Allow", resource: Any = "*", **more: Any) -> str:
    """A policy document of one statement."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def trust(principal: Any, *actions: str, **more: Any) -> str:
    """A trust policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions) or "sts:AssumeRole", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


refused = refusals.refusal


class House:
    """An account, its IAM as root sees it, and clients of its people."""

    def __init__(self, cloud: Any) -> None:
        self.cloud = cloud
        self.account = cloud.account
        self.iam = cloud.client("iam")

    def user(self, name: str = "alice", *policies: str, **known: Any) -> dict[str, Any]:
        """A user with inline policies and a key; the key's record."""
        self.iam.create_user(UserName=name, **known)
        for number, text in enumerate(policies):
            self.iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=text)
        return self.iam.create_access_key(UserName=name)["AccessKey"]

    def role(self, name: str, trusting: str, *policies: str, **known: Any) -> str:
        """A role with inline policies; its ARN."""
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusting, **known)["Role"]
        for number, text in enumerate(policies):
            self.iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=text)
        return role["Arn"]

    def policy(self, name: str, text: str, **known: Any) -> str:
        """A managed policy; its ARN."""
        return self.iam.create_policy(PolicyName=name, PolicyDocument=text, **known)["Policy"]["Arn"]

    def client(self, service: str, key: dict[str, Any], **options: Any) -> Any:
        """A client that signs with a key of IAM's, or with a session of STS's."""
        options["aws_access_key_id"] = key["AccessKeyId"]
        options["aws_secret_access_key"] = key["SecretAccessKey"]
        if "SessionToken" in key:
            options["aws_session_token"] = key["SessionToken"]
        return self.cloud.client(service, **options)

    def arn(self, resource: str) -> str:
        """The ARN of an entity of this account."""
        return f"arn:aws:iam::{self.account}:{resource}"


@pytest.fixture
def house(cloud: Any) -> House:
    """A fresh account's IAM."""
    return House(cloud)
