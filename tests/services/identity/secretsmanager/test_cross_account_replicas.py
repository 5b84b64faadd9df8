"""A secret and its replica in another account."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members, token

Refused = Callable[..., Any]


class Pair:
    """A primary secret, its account's client, and a replica that waits in another account."""

    def __init__(self, cloud: Account) -> None:
        self.mine, self.theirs = cloud, cloud.another()
        self.client, self.other = self.mine.client("secretsmanager"), self.theirs.client("secretsmanager")
        self.arn = self.client.create_secret(
            Name="db", SecretString="one", Description="the database", ClientRequestToken=token(1)
        )["ARN"]
        self.kms = self.theirs.client("kms")
        self.key = self.kms.create_key(Policy=self.key_policy("kms:*"))["KeyMetadata"]["Arn"]
        self.replica = self.other.create_secret(
            Name="copy", CrossAccountPrimaryARN=self.arn, KmsKeyId=self.key, ClientRequestToken=token(9)
        )["ARN"]
        self.named = {"SecretId": "db", "CrossAccountReplicaARN": self.replica}

    def key_policy(self, mine: str) -> str:
        """The replica's key: its own account may do anything, the primary's what is given."""
        statements = [
            {"Effect": "Allow", "Principal": {"AWS": account}, "Action": action, "Resource": "*"}
            for account, action in ((self.theirs.account, "kms:*"), (self.mine.account, mine))
        ]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def associate(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.associate_cross_account_replica(
            **self.named, ReplicaRestriction="NoRestriction"
        )
        return members(answer)

    def status(self) -> tuple[str, str]:
        """As the primary tells it ("" when it has no replica), and as the replica does."""
        entries = self.client.describe_secret(SecretId="db").get("CrossAccountReplicas", [])
        theirs = self.other.describe_secret(SecretId="copy").get("CrossAccountPrimary", {})
        return "".join(each["ReplicationStatus"] for each in entries), theirs.get("ReplicationStatus", "")


@pytest.fixture
def pair(cloud: Account) -> Pair:
    return Pair(cloud)


def test_a_replica_follows_its_primary(pair: Pair, refused: Refused) -> None:
    assert pair.status() == ("", "Pending")
    assert refused(pair.other.get_secret_value, SecretId="copy").code == "ResourceNotFoundException"
    assert pair.associate() == {
        "ARN": pair.arn, "CrossAccountReplicaARN": pair.replica, "ReplicationStatus": "InSync",
    }  # fmt: skip
    assert pair.status() == ("InSync", "InSync")
    assert pair.other.get_secret_value(SecretId="copy")["SecretString"] == "one"
    assert pair.other.describe_secret(SecretId="copy")["Description"] == "the database"
    pair.client.put_secret_value(SecretId="db", SecretString="two", ClientRequestToken=token(2))
    found = pair.other.get_secret_value(SecretId="copy")
    assert (found["SecretString"], found["VersionId"], found["ARN"]) == ("two", token(2), pair.replica)
    previous = pair.other.get_secret_value(SecretId="copy", VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == "one"


def test_what_is_replicated_is_not_changed_on_the_replica(pair: Pair, refused: Refused) -> None:
    pair.associate()
    assert refused(pair.other.put_secret_value, SecretId="copy", SecretString="x").code == "InvalidParameterException"
    assert refused(pair.other.update_secret, SecretId="copy", Description="x").code == "InvalidParameterException"
    pair.other.tag_resource(SecretId="copy", Tags=[{"Key": "own", "Value": "tag"}])
    pair.client.put_secret_value(SecretId="db", SecretString="two")
    assert pair.other.describe_secret(SecretId="copy")["Tags"] == [{"Key": "own", "Value": "tag"}]
    for client, name in ((pair.client, "db"), (pair.other, "copy")):
        assert refused(client.delete_secret, SecretId=name).code == "InvalidRequestException"


def test_a_replica_that_cannot_be_written_fails_and_is_repaired(pair: Pair) -> None:
    pair.associate()
    pair.kms.put_key_policy(KeyId=pair.key, Policy=pair.key_policy("kms:DescribeKey"))
    pair.client.put_secret_value(SecretId="db", SecretString="two", ClientRequestToken=token(2))
    assert pair.client.get_secret_value(SecretId="db")["SecretString"] == "two"  # the change holds
    assert pair.status() == ("Failed", "Failed")
    message = pair.client.describe_secret(SecretId="db")["CrossAccountReplicas"][0]["StatusMessage"]
    assert message == "Access to KMS is not allowed"
    assert pair.other.get_secret_value(SecretId="copy")["SecretString"] == "one"
    pair.kms.put_key_policy(KeyId=pair.key, Policy=pair.key_policy("kms:*"))
    pair.associate()
    assert pair.status() == ("InSync", "InSync")
    assert pair.other.get_secret_value(SecretId="copy")["SecretString"] == "two"


def test_an_association_that_is_refused_changes_nothing(pair: Pair, refused: Refused) -> None:
    associate = pair.client.associate_cross_account_replica
    free = {"ReplicaRestriction": "NoRestriction"}
    assert refused(associate, **pair.named).code == "InvalidRequestException"  # accounts without an organization
    pair.other.delete_resource_policy(SecretId="copy")
    assert refused(associate, **pair.named, **free).code == "AccessDeniedException"
    allow = {"Effect": "Allow", "Principal": {"AWS": pair.mine.account}, "Resource": "*"}
    action = {"Action": "secretsmanager:AcceptCrossAccountReplication"}
    policy = {"Version": "2012-10-17", "Statement": [allow | action]}
    pair.other.put_resource_policy(SecretId="copy", ResourcePolicy=json.dumps(policy))
    pair.kms.put_key_policy(KeyId=pair.key, Policy=pair.key_policy("kms:DescribeKey"))
    assert refused(associate, **pair.named, **free).message == "Access to KMS is not allowed"
    assert pair.status() == ("", "Pending")
    pair.kms.put_key_policy(KeyId=pair.key, Policy=pair.key_policy("kms:*"))
    pair.client.create_secret(Name="another", SecretString="x")
    wrong = {**pair.named, "SecretId": "another"}
    assert refused(associate, **wrong, **free).code == "InvalidRequestException"
    role = f"arn:aws:iam::{pair.mine.account}:role/replicates"
    assert refused(associate, **pair.named, **free, ReplicationRoleARN=role).code == "NotImplemented"


def test_parted_from_the_primary(pair: Pair, refused: Refused) -> None:
    pair.associate()
    pair.client.disassociate_cross_account_replica(**pair.named)
    assert pair.status() == ("", "Detached")
    assert refused(pair.client.disassociate_cross_account_replica, **pair.named).code == "InvalidRequestException"
    pair.client.put_secret_value(SecretId="db", SecretString="two")
    assert pair.other.get_secret_value(SecretId="copy")["SecretString"] == "one"
    assert refused(pair.other.put_secret_value, SecretId="copy", SecretString="x").code == "InvalidParameterException"
    pair.other.stop_replication_to_replica(SecretId="copy")
    pair.other.put_secret_value(SecretId="copy", SecretString="mine now")
    assert "ResourcePolicy" not in pair.other.get_resource_policy(SecretId="copy")
    pair.client.delete_secret(SecretId="db")


def test_parted_from_the_replica(pair: Pair) -> None:
    pair.associate()
    pair.other.stop_replication_to_replica(SecretId="copy")
    assert pair.status() == ("", "")
    pair.client.delete_secret(SecretId="db")
    pair.other.delete_secret(SecretId="copy")


def test_what_a_replica_cannot_begin_with(pair: Pair, refused: Refused) -> None:
    create = pair.other.create_secret
    base = {"Name": "new", "CrossAccountPrimaryARN": pair.arn, "KmsKeyId": pair.key}
    for wrong in (
        {"SecretString": "x"},
        {"Description": "x"},
        {"AddReplicaRegions": [{"Region": "eu-west-1"}]},
        {"KmsKeyId": ""},
        {"CrossAccountPrimaryARN": pair.replica},  # of the same account
        {"CrossAccountPrimaryARN": pair.arn.replace("us-east-1", "eu-west-1")},
    ):
        assert refused(create, **base | wrong).code in ("InvalidParameterException", "ValidationException"), wrong
