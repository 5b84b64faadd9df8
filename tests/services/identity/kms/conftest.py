"""Fixtures of the KMS tests, and how a refusal is expected."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from cumulo.core.callers.identities import Nobody, Role
from tests import refusals
from tests.conftest import Account

DAY_S = 86_400


@pytest.fixture
def kms(cloud: Account) -> Any:
    return cloud.client("kms")


@pytest.fixture
def key(kms: Any) -> str:
    """The ARN of a symmetric key."""
    return str(kms.create_key()["KeyMetadata"]["Arn"])


class Roles(Nobody):
    """Roles that a test writes down; everyone in their account may assume them, and they have no policies."""

    def __init__(self) -> None:
        self.known: dict[str, Role] = {}

    def find_role(self, ctx: Any, arn: str) -> Role | None:
        return self.known.get(arn)

    def add(self, account: str, name: str) -> str:
        arn = f"arn:aws:iam::{account}:role/{name}"
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.known[arn] = Role(
            arn=arn, name=name, role_id=f"AROA{name.upper():0<17.17}", account=account, trust_policy=document
        )
        return arn


@pytest.fixture
def role(cloud: Account) -> Iterator[Callable[[str], tuple[str, Any]]]:
    """Makes a role: its ARN, and a KMS client of a session of it."""
    runtime = cloud.running.cloud.runtime
    cloud.client("iam").list_users()  # loads IAM, which would else take this place in the middle of a test
    before, roles = runtime.identities, Roles()
    runtime.identities = roles

    def make(name: str) -> tuple[str, Any]:
        arn = roles.add(cloud.account, name)
        given = cloud.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
        client = cloud.client(
            "kms",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        return arn, client

    yield make
    runtime.identities = before


def add_statement(kms: Any, key: str, **statement: Any) -> None:
    """One more statement in the key's policy."""
    policy = json.loads(kms.get_key_policy(KeyId=key)["Policy"])
    policy["Statement"].append({"Effect": "Allow", "Resource": "*", **statement})
    kms.put_key_policy(KeyId=key, Policy=json.dumps(policy))


def new_key(kms: Any, spec: str = "SYMMETRIC_DEFAULT", usage: str = "", **members: Any) -> str:
    """The ARN of a new key."""
    if usage:
        members["KeyUsage"] = usage
    return str(kms.create_key(KeySpec=spec, **members)["KeyMetadata"]["Arn"])


def state(kms: Any, key: str) -> str:
    return str(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"])


refused = partial(refusals.refused, status=None)
