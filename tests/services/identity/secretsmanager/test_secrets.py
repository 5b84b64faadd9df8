"""CreateSecret, DescribeSecret, UpdateSecret: members, texts and idempotency as AWS has them."""

import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.identity.secretsmanager.conftest import members, token

Refused = Callable[..., Any]


def test_a_secret_is_created_with_a_complete_arn(cloud: Account, client: Any) -> None:
    made = members(client.create_secret(Name="prod/db", SecretString="s", ClientRequestToken=token(1)))
    pattern = rf"arn:aws:secretsmanager:us-east-1:{cloud.account}:secret:prod/db-[A-Za-z0-9]{{6}}"
    assert re.fullmatch(pattern, made["ARN"])
    assert made == {"ARN": made["ARN"], "Name": "prod/db", "VersionId": token(1)}


def test_an_empty_secret_has_no_version_until_it_gets_a_value(client: Any) -> None:
    made = members(client.create_secret(Name="empty"))
    assert set(made) == {"ARN", "Name"}
    described = members(client.describe_secret(SecretId="empty"))
    assert set(described) == {"ARN", "Name", "CreatedDate", "LastChangedDate"}
    put = members(client.put_secret_value(SecretId="empty", SecretString="s", ClientRequestToken=token(1)))
    assert put == {**made, "VersionId": token(1), "VersionStages": ["AWSCURRENT"]}


def test_description_and_value_are_updated(client: Any) -> None:
    client.create_secret(Name="s", SecretString="v1", ClientRequestToken=token(1))
    described = client.describe_secret(SecretId="s")
    assert described["VersionIdsToStages"] == {token(1): ["AWSCURRENT"]} and "Description" not in described
    answer = members(client.update_secret(SecretId="s", Description="Mine"))
    assert set(answer) == {"ARN", "Name"}
    answer = client.update_secret(SecretId="s", SecretString="v2", Description="New", ClientRequestToken=token(2))
    assert answer["VersionId"] == token(2)
    client.update_secret(SecretId="s", SecretString="v3", ClientRequestToken=token(3))
    described = client.describe_secret(SecretId="s")
    assert described["Description"] == "New"
    assert described["VersionIdsToStages"] == {token(2): ["AWSPREVIOUS"], token(3): ["AWSCURRENT"]}


def test_the_same_creation_again_is_the_same_secret(client: Any, refused: Refused) -> None:
    request = {"Name": "s", "SecretString": "v", "ClientRequestToken": token(1)}
    made = members(client.create_secret(**request))
    assert members(client.create_secret(**request)) == made
    error = refused(client.create_secret, **{**request, "SecretString": "other"})
    assert error.code == "ResourceExistsException" and token(1) in error.message and made["ARN"] in error.message
    error = refused(client.create_secret, **{**request, "ClientRequestToken": token(2)})
    assert (error.code, error.message, error.status) == (
        "ResourceExistsException",
        "The operation failed because the secret s already exists.",
        400,
    )


def test_names_are_checked(client: Any, refused: Refused) -> None:
    error = refused(client.create_secret, Name="a b", SecretString="s")
    assert error.code == "ValidationException"
    assert error.message == (
        "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"
    )
    assert refused(client.describe_secret, SecretId="nobody").message == (
        "Secrets Manager can't find the specified secret."
    )


def test_values_have_one_kind_and_a_limit(client: Any, refused: Refused) -> None:
    error = refused(client.create_secret, Name="s", SecretString="a", SecretBinary=b"b")
    assert error.code == "InvalidParameterException"
    assert refused(client.create_secret, Name="s", SecretString="a" * 65_537).code == "ValidationException"
    assert refused(client.create_secret, Name="s", SecretString="é" * 40_000).code == "ValidationException"
    client.create_secret(Name="s", SecretString="a" * 65_536)
    assert len(client.get_secret_value(SecretId="s")["SecretString"]) == 65_536


def test_managed_external_secrets_and_foreign_primaries_are_refused_by_name(client: Any, refused: Refused) -> None:
    error = refused(client.create_secret, Name="s", Type="Partner")
    assert error.code == "NotImplemented" and "Type" in error.message


def test_a_secret_is_found_by_name_and_by_complete_and_partial_arn(client: Any, refused: Refused) -> None:
    arn = client.create_secret(Name="partial", SecretString="v")["ARN"]
    for secret_id in ("partial", arn, arn[:-7]):
        assert client.get_secret_value(SecretId=secret_id)["SecretString"] == "v"
    assert refused(client.get_secret_value, SecretId=arn[:-1] + "!").code == "ResourceNotFoundException"
    # Six characters after a hyphen are taken for those of a complete ARN.
    arn = client.create_secret(Name="my-secret", SecretString="v")["ARN"]
    assert refused(client.get_secret_value, SecretId=arn[:-7]).code == "ResourceNotFoundException"
    assert client.get_secret_value(SecretId=arn)["SecretString"] == "v"


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("CreateSecret", "InvalidRequestException"),
        ("UpdateSecret", "InvalidRequestException"),
        ("PutSecretValue", "InvalidRequestException"),
        ("RotateSecret", "InvalidParameterException"),
    ],
)
def test_a_raw_request_must_bring_a_token(cloud: Account, client: Any, operation: str, code: str) -> None:
    client.create_secret(Name="s", SecretString="v")
    body = {"Name" if operation == "CreateSecret" else "SecretId": "s", "SecretString": "v"}
    if operation == "RotateSecret":
        del body["SecretString"]
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={cloud.account}/20260101/us-east-1/secretsmanager/aws4_request, "
        "SignedHeaders=host, Signature=00"
    )
    request = urllib.request.Request(
        cloud.url,
        json.dumps(body).encode(),
        {
            "X-Amz-Target": f"secretsmanager.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": authorization,
            "X-Amz-Date": "20260101T000000Z",
        },
    )
    signed = _signed(cloud, request)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(signed)
    with caught.value as response:
        answer = json.loads(response.read())
    assert caught.value.code == 400
    assert answer["__type"].rpartition("#")[2] == code
    assert answer["Message"] == "You must provide a ClientRequestToken value. We recommend a UUID-type value."


def _signed(cloud: Account, request: urllib.request.Request) -> urllib.request.Request:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    headers = {
        name: value for name, value in request.header_items() if name.lower() not in ("authorization", "x-amz-date")
    }
    made = AWSRequest("POST", cloud.url + "/", data=request.data, headers=headers)
    SigV4Auth(Credentials(cloud.account, "test"), "secretsmanager", "us-east-1").add_auth(made)
    return urllib.request.Request(cloud.url + "/", made.data, dict(made.headers.items()))
