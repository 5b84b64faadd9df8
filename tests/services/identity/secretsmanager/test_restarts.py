"""What was answered is there after a restart: secrets, their replicas, deletions to come; parameters and theirs."""

from collections.abc import Callable
from pathlib import Path

from tests.conftest import Account, RunningCloud

DAY_S = 86_400


def test_secrets_and_parameters_survive(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    client, ssm = cloud.client("secretsmanager"), cloud.client("ssm")
    arn = client.create_secret(Name="s", SecretString="v", AddReplicaRegions=[{"Region": "eu-west-1"}])["ARN"]
    client.create_secret(Name="going", SecretString="w")
    client.delete_secret(SecretId="going", RecoveryWindowInDays=7)
    ssm.put_parameter(Name="/p", Value="hidden", Type="SecureString")
    ssm.label_parameter_version(Name="/p", Labels=["live"])
    running.stop()

    running = start_cloud(tmp_path)
    cloud = Account(running, "123456789012")
    client, ssm = cloud.client("secretsmanager"), cloud.client("ssm")
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "v"
    there = cloud.client("secretsmanager", region="eu-west-1")
    assert there.get_secret_value(SecretId="s")["SecretString"] == "v"
    assert ssm.get_parameter(Name="/p:live", WithDecryption=True)["Parameter"]["Value"] == "hidden"
    assert "DeletedDate" in client.describe_secret(SecretId="going")
    cloud.advance(7 * DAY_S + 60)
    listed = client.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert [each["Name"] for each in listed] == ["s"]
    running.stop()
