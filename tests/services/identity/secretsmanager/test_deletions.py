"""DeleteSecret and RestoreSecret: recovery windows by the clock."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members

pytestmark = pytest.mark.usefixtures("still")

Refused = Callable[..., Any]
DAY_S = 86_400
MARKED = "You can't perform this operation on the secret because it was marked for deletion."


def test_a_deleted_secret_can_be_described_but_not_used(cloud: Account, client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v")
    answer = members(client.delete_secret(SecretId="s", RecoveryWindowInDays=7))
    assert set(answer) == {"ARN", "Name", "DeletionDate"}
    assert abs(answer["DeletionDate"].timestamp() - cloud.running.clock.now() - 7 * DAY_S) < 60
    assert "DeletedDate" in client.describe_secret(SecretId="s")
    for function, more in (
        (client.tag_resource, {"Tags": [{"Key": "a", "Value": "b"}]}),
        (client.untag_resource, {"TagKeys": ["a"]}),
        (client.get_secret_value, {}),
        (client.put_secret_value, {"SecretString": "w"}),
    ):
        error = refused(function, SecretId="s", **more)
        assert (error.code, error.message) == ("InvalidRequestException", MARKED)
    assert refused(client.delete_secret, SecretId="s").code == "InvalidRequestException"


def test_the_name_is_taken_until_the_window_ends(cloud: Account, client: Any, refused: Refused) -> None:
    first = client.create_secret(Name="s", SecretString="v")["ARN"]
    client.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    error = refused(client.create_secret, Name="s", SecretString="v")
    assert (error.code, error.message) == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    cloud.advance(7 * DAY_S - 100)
    assert client.describe_secret(SecretId="s")["ARN"] == first
    cloud.advance(200)
    assert refused(client.describe_secret, SecretId="s").code == "ResourceNotFoundException"
    assert client.create_secret(Name="s", SecretString="v")["ARN"] != first


def test_a_restored_secret_stays(cloud: Account, client: Any) -> None:
    client.create_secret(Name="s", SecretString="v")
    client.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    assert set(members(client.restore_secret(SecretId="s"))) == {"ARN", "Name"}
    assert "DeletedDate" not in client.describe_secret(SecretId="s")
    cloud.advance(40 * DAY_S)
    assert client.get_secret_value(SecretId="s")["SecretString"] == "v"


def test_deletion_by_force_is_final_and_never_fails(client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v")
    client.delete_secret(SecretId="s")
    assert set(members(client.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True))) == {
        "ARN", "Name", "DeletionDate",
    }  # fmt: skip
    assert refused(client.describe_secret, SecretId="s").code == "ResourceNotFoundException"
    assert client.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)["Name"] == "s"
    assert refused(client.delete_secret, SecretId="s").code == "ResourceNotFoundException"
    client.create_secret(Name="s", SecretString="w")
    assert len(client.list_secret_version_ids(SecretId="s")["Versions"]) == 1


def test_windows_are_checked(client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v")
    error = refused(client.delete_secret, SecretId="s", RecoveryWindowInDays=6)
    assert (error.code, error.message) == (
        "InvalidParameterException",
        "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
    )
    error = refused(client.delete_secret, SecretId="s", RecoveryWindowInDays=7, ForceDeleteWithoutRecovery=True)
    assert error.message == "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
