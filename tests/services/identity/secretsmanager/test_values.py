"""PutSecretValue and GetSecretValue."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from cumulo.services.identity.secretsmanager.secret_records import seen_on
from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members, token

Refused = Callable[..., Any]


@pytest.mark.parametrize(("put", "updated"), [(b"\x00\x01\x02\xff", b"\xfe\xfd"), (b"footest", b"updated1")])
def test_binary_values_come_back_as_they_went(client: Any, put: bytes, updated: bytes) -> None:
    client.create_secret(Name="s", SecretBinary=b"initial", ClientRequestToken=token(1))
    first = members(client.get_secret_value(SecretId="s"))
    assert set(first) == {"ARN", "CreatedDate", "Name", "SecretBinary", "VersionId", "VersionStages"}
    assert (first["SecretBinary"], first["VersionStages"]) == (b"initial", ["AWSCURRENT"])
    client.put_secret_value(SecretId="s", SecretBinary=put, ClientRequestToken=token(2))
    assert client.get_secret_value(SecretId="s")["SecretBinary"] == put
    client.update_secret(SecretId="s", SecretBinary=updated, ClientRequestToken=token(3))
    found = client.get_secret_value(SecretId="s")
    assert (found["SecretBinary"], found["VersionId"]) == (updated, token(3))


def test_missing_and_mismatched_versions(client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v", ClientRequestToken=token(1))
    error = refused(client.get_secret_value, SecretId="s", VersionStage="AWSPREVIOUS")
    assert (error.code, error.message) == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
    )
    error = refused(client.get_secret_value, SecretId="s", VersionId=token(1), VersionStage="AWSPREVIOUS")
    assert (error.code, error.message) == (
        "InvalidRequestException",
        "You provided a VersionStage that is not associated to the provided VersionId.",
    )
    error = refused(client.get_secret_value, SecretId="s", VersionId=token(9))
    assert error.message == f"Secrets Manager can't find the specified secret value for VersionId: {token(9)}"


def test_the_same_put_again_changes_nothing(client: Any, refused: Refused) -> None:
    client.create_secret(Name="s", SecretString="v1", ClientRequestToken=token(1))
    request = {"SecretId": "s", "SecretString": "v2", "ClientRequestToken": token(2)}
    first = members(client.put_secret_value(**request))
    assert members(client.put_secret_value(**request)) == first
    error = refused(client.put_secret_value, **{**request, "SecretString": "v3"})
    assert error.code == "ResourceExistsException"
    assert error.message == (
        f"You can't use ClientRequestToken {token(2)} because that value is already in use for a version of secret "
        f"{first['ARN']}."
    )
    assert refused(client.put_secret_value, SecretId="s").code == "InvalidRequestException"


def test_the_day_of_the_last_access_is_kept(cloud: Account, client: Any) -> None:
    client.create_secret(Name="s", SecretString="v")
    assert "LastAccessedDate" not in client.describe_secret(SecretId="s")
    client.get_secret_value(SecretId="s")
    seen = client.describe_secret(SecretId="s")["LastAccessedDate"].astimezone(UTC)
    assert (seen.hour, seen.minute, seen.second) == (0, 0, 0)
    moments = [cloud.running.clock.now() // 86_400 * 86_400 + number * 0.123457 for number in range(1000)]
    assert len({seen_on(moment) for moment in moments}) == 1  # else every read would be a write
    assert seen.date() == datetime.fromtimestamp(cloud.running.clock.now(), UTC).date()
