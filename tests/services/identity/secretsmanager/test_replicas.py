"""Replica regions really hold the secret and follow it."""

from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import token

Refused = Callable[..., Any]


def test_a_replica_holds_the_secret_and_follows_it(cloud: Account, client: Any) -> None:
    made = client.create_secret(
        Name="s", SecretString="v1", ClientRequestToken=token(1), AddReplicaRegions=[{"Region": "eu-west-1"}]
    )
    assert made["ReplicationStatus"] == [
        {
            "Region": "eu-west-1",
            "KmsKeyId": "alias/aws/secretsmanager",
            "Status": "InSync",
            "StatusMessage": "Replication succeeded",
        }
    ]
    there = cloud.client("secretsmanager", region="eu-west-1")
    arn = made["ARN"].replace("us-east-1", "eu-west-1")
    found = there.get_secret_value(SecretId=arn)
    assert (found["SecretString"], found["VersionId"]) == ("v1", token(1))
    client.put_secret_value(SecretId="s", SecretString="v2", ClientRequestToken=token(2))
    client.tag_resource(SecretId="s", Tags=[{"Key": "team", "Value": "red"}])
    assert there.get_secret_value(SecretId="s")["SecretString"] == "v2"
    described = there.describe_secret(SecretId="s")
    assert described["PrimaryRegion"] == "us-east-1" and described["Tags"] == [{"Key": "team", "Value": "red"}]
    assert described["VersionIdsToStages"] == {token(1): ["AWSPREVIOUS"], token(2): ["AWSCURRENT"]}
    assert client.describe_secret(SecretId="s")["PrimaryRegion"] == "us-east-1"


def test_a_replica_is_not_changed_in_its_own_region(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])
    there = cloud.client("secretsmanager", region="eu-west-1")
    for function, more in (
        (there.put_secret_value, {"SecretString": "w"}),
        (there.update_secret, {"Description": "d"}),
        (there.delete_secret, {}),
        (there.put_resource_policy, {"ResourcePolicy": "{}"}),
    ):
        error = refused(function, SecretId="s", **more)
        assert (error.code, error.message) == (
            "InvalidParameterException",
            "Operation not permitted on a replica secret. Call must be made in primary secret's region.",
        )


def test_a_secret_with_replicas_is_not_deleted(client: Any, refused: Refused) -> None:
    arn = client.create_secret(Name="s", SecretString="v")["ARN"]
    client.replicate_secret_to_regions(
        SecretId="s", AddReplicaRegions=[{"Region": "eu-west-1"}, {"Region": "us-west-2"}]
    )
    error = refused(client.delete_secret, SecretId="s")
    assert (error.code, error.message) == (
        "InvalidParameterException",
        f"You can't delete secret {arn} that still has replica regions [eu-west-1, us-west-2].",
    )
    left = client.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=["eu-west-1"])
    assert [each["Region"] for each in left["ReplicationStatus"]] == ["us-west-2"]
    client.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=["us-west-2"])
    client.delete_secret(SecretId="s")


def test_a_removed_replica_is_gone(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])
    there = cloud.client("secretsmanager", region="eu-west-1")
    client.remove_regions_from_replication(SecretId="s", RemoveReplicaRegions=["eu-west-1"])
    assert refused(there.get_secret_value, SecretId="s").code == "ResourceNotFoundException"
    assert refused(
        client.remove_regions_from_replication, SecretId="s", RemoveReplicaRegions=["eu-west-1"]
    ).code == "InvalidParameterException"  # fmt: skip


def test_a_promoted_replica_lives_on_its_own(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])
    there = cloud.client("secretsmanager", region="eu-west-1")
    assert refused(client.stop_replication_to_replica, SecretId="s").code == "InvalidParameterException"
    assert ":eu-west-1:" in there.stop_replication_to_replica(SecretId="s")["ARN"]
    client.put_secret_value(SecretId="s", SecretString="here")
    there.put_secret_value(SecretId="s", SecretString="there")
    assert client.get_secret_value(SecretId="s")["SecretString"] == "here"
    assert there.get_secret_value(SecretId="s")["SecretString"] == "there"
    assert "ReplicationStatus" not in client.describe_secret(SecretId="s")


def test_a_name_that_is_taken_fails_the_replica_alone(cloud: Account, client: Any, refused: Refused) -> None:
    there = cloud.client("secretsmanager", region="eu-west-1")
    there.create_secret(Name="s", SecretString="other")
    made = client.create_secret(Name="s", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])
    assert made["ReplicationStatus"][0]["Status"] == "Failed"
    assert made["ReplicationStatus"][0]["StatusMessage"] == (
        "Replication failed: Secret name s already exists in region eu-west-1."
    )
    assert there.get_secret_value(SecretId="s")["SecretString"] == "other"
    again = client.replicate_secret_to_regions(
        SecretId="s", AddReplicaRegions=[{"Region": "eu-west-1"}], ForceOverwriteReplicaSecret=True
    )
    assert again["ReplicationStatus"][0]["Status"] == "InSync"
    assert there.get_secret_value(SecretId="s")["SecretString"] == "v"
    for region in ("us-east-1", "nowhere"):
        error = refused(client.replicate_secret_to_regions, SecretId="s", AddReplicaRegions=[{"Region": region}])
        assert error.code in ("InvalidParameterException", "ValidationException")
