"""STS against a cloud of root users: what boto3 sees."""

import base64
import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from cumulo.core.callers import authorization_messages, credentials
from cumulo.core.context import Context
from tests import refusals

refused = refusals.refusal


def in_cloud(cloud: Any, work: Any) -> Any:
    """Run `work(ctx)` as a transaction of the cloud itself."""
    runtime = cloud.running.cloud.runtime
    ctx = runtime.internal_context("sts", "Test", cloud.account, "us-east-1")

    async def run() -> Any:
        return await Context.transact(ctx, work)

    return cloud.running.run(run())


def client_with(cloud: Any, answer: dict[str, Any], service: str = "sts", **changes: str) -> Any:
    given = answer["Credentials"]
    options = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
        **changes,
    }
    return cloud.client(service, **options)


def test_the_caller_is_root_of_its_account(cloud: Any) -> None:
    answer = cloud.client("sts").get_caller_identity()
    assert answer["Account"] == answer["UserId"] == cloud.account
    assert answer["Arn"] == f"arn:aws:iam::{cloud.account}:root"


@pytest.mark.parametrize("key", ["test", "anything", "AKIAIOSFODNN7EXAMPLE"])
def test_free_keys_are_root_of_the_default_account(cloud: Any, key: str) -> None:
    answer = cloud.client("sts", account=key).get_caller_identity()
    assert answer["Account"] == "000000000000"


def test_the_secret_of_test_is_checked(cloud: Any) -> None:
    sts = cloud.client("sts", account="test", aws_secret_access_key="wrong")
    code, message, status = refused(sts.get_caller_identity)
    assert (code, status) == ("SignatureDoesNotMatch", 403)
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_unsigned_calls_are_refused(cloud: Any) -> None:
    sts = cloud.client("sts", config=Config(signature_version=UNSIGNED))
    assert refused(sts.get_caller_identity) == (
        "MissingAuthenticationToken", "Request is missing Authentication Token", 403,
    )  # fmt: skip
    assert refused(sts.get_session_token)[0] == "MissingAuthenticationToken"


def test_presigned_caller_identity(cloud: Any) -> None:
    import urllib.request

    url = cloud.client("sts").generate_presigned_url("get_caller_identity", ExpiresIn=60)
    with urllib.request.urlopen(url) as answer:
        assert cloud.account.encode() in answer.read()


def test_session_tokens(cloud: Any) -> None:
    answer = cloud.client("sts").get_session_token(DurationSeconds=900)
    given = answer["Credentials"]
    assert given["AccessKeyId"].startswith("ASIA")
    assert len(given["AccessKeyId"]) == 20
    assert len(given["SecretAccessKey"]) == 40
    assert answer["SessionTokenSize"] == len(given["SessionToken"])
    sts = client_with(cloud, answer)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{cloud.account}:root"
    assert refused(sts.get_session_token) == (
        "AccessDenied", "Cannot call GetSessionToken with session credentials", 403,
    )  # fmt: skip


def test_sessions_need_their_secret_and_their_token(cloud: Any) -> None:
    answer = cloud.client("sts").get_session_token()
    invalid = ("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
    wrong = client_with(cloud, answer, aws_session_token="bm90IHRoaXMgb25l")
    assert refused(wrong.get_caller_identity) == invalid
    given = answer["Credentials"]
    bare = boto3.client(
        "sts", endpoint_url=cloud.url, region_name="us-east-1", aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
    )  # fmt: skip
    assert refused(bare.get_caller_identity) == invalid
    wrong = client_with(cloud, answer, aws_secret_access_key="x")
    assert refused(wrong.get_caller_identity)[0] == "SignatureDoesNotMatch"


def test_sessions_end(cloud: Any) -> None:
    sts = cloud.client("sts")
    answer = sts.get_session_token(DurationSeconds=900)
    again = sts.get_session_token()
    cloud.advance(901)
    expired = client_with(cloud, answer)
    assert refused(expired.get_caller_identity) == (
        "ExpiredToken", "The security token included in the request is expired", 403,
    )  # fmt: skip
    client_with(cloud, again).get_caller_identity()  # root's 12 hours are one
    cloud.advance(2700)
    assert refused(client_with(cloud, again).get_caller_identity)[0] == "ExpiredToken"


def test_forgotten_sessions_are_still_refused(cloud: Any) -> None:
    answer = cloud.client("sts").get_session_token(DurationSeconds=900)
    cloud.advance(credentials.KEEP_EXPIRED_S + 1000)
    while in_cloud(cloud, credentials.forget_expired):
        pass
    assert in_cloud(cloud, lambda ctx: credentials.find(ctx, answer["Credentials"]["AccessKeyId"])) is None
    assert refused(client_with(cloud, answer).get_caller_identity)[0] == "InvalidClientTokenId"


def test_mfa_needs_a_device(cloud: Any) -> None:
    sts = cloud.client("sts")
    code, message, status = refused(
        sts.get_session_token, SerialNumber=f"arn:aws:iam::{cloud.account}:mfa/root", TokenCode="123456"
    )
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith("MultiFactorAuthentication failed, unable to validate MFA code.")
    _, message, _ = refused(sts.get_session_token, SerialNumber="GAHT12345678")
    assert message == "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code."


def test_the_session_token_can_be_made_larger(cloud: Any) -> None:
    answer = cloud.client("sts").get_session_token(MinimumSessionTokenSize=2000)
    assert 2000 <= answer["SessionTokenSize"] == len(answer["Credentials"]["SessionToken"]) <= 2004
    assert answer["SessionTokenUtilization"] == 49
    largest = cloud.client("sts").get_session_token(MinimumSessionTokenSize=4096)
    assert largest["SessionTokenSize"] == 4096


def test_federation_tokens(cloud: Any) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}]}
    answer = cloud.client("sts").get_federation_token(
        Name="bob", Policy=json.dumps(policy), Tags=[{"Key": "team", "Value": "blue"}]
    )
    arn = f"arn:aws:sts::{cloud.account}:federated-user/bob"
    assert answer["FederatedUser"] == {"FederatedUserId": f"{cloud.account}:bob", "Arn": arn}
    assert 0 < answer["PackedPolicySize"] < 100
    sts = client_with(cloud, answer)
    assert sts.get_caller_identity()["Arn"] == arn
    assert refused(sts.get_federation_token, Name="eve")[1] == "Cannot call GetFederationToken with session credentials"
    denied = refused(sts.decode_authorization_message, EncodedMessage="x")
    assert denied == (
        "AccessDenied",
        f"User: {arn} is not authorized to perform: sts:DecodeAuthorizationMessage because no session policy allows "
        "the sts:DecodeAuthorizationMessage action",
        403,
    )


def test_federation_tokens_check_policies_and_tags(cloud: Any) -> None:
    sts = cloud.client("sts")
    assert refused(sts.get_federation_token, Name="bob", Policy="{}")[0] == "MalformedPolicyDocument"
    huge = json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Sid": base64.b32encode(bytes([n]) * 9)[:12].decode()}
        for n in range(15)]})  # fmt: skip
    assert sts.get_federation_token(Name="bob", Policy=huge[:2048])["PackedPolicySize"] <= 100
    assert refused(sts.get_federation_token, Name="bob", PolicyArns=[{"arn": "arn:aws:iam::aws:policy/None"}])[0] == (
        "ValidationError"
    )
    tags = [{"Key": "team", "Value": "a"}, {"Key": "TEAM", "Value": "b"}]
    assert refused(sts.get_federation_token, Name="bob", Tags=tags) == (
        "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.", 400,
    )  # fmt: skip


def test_access_key_info(cloud: Any) -> None:
    sts = cloud.client("sts")
    answer = sts.get_session_token()
    other = cloud.another()
    assert other.client("sts").get_access_key_info(AccessKeyId=answer["Credentials"]["AccessKeyId"])["Account"] == (
        cloud.account
    )
    assert sts.get_access_key_info(AccessKeyId="AKIAIOSFODNN7EXAMPLE")["Account"] == "000000000000"
    assert refused(sts.get_access_key_info, AccessKeyId="short")[0] == "ValidationError"


def test_authorization_messages(cloud: Any) -> None:
    decision = {"allowed": False, "explicitDeny": True, "context": {"action": "ec2:RunInstances"}}

    def seal(ctx: Context) -> str:
        authorization_messages.ensure_key(ctx)
        return authorization_messages.encode(ctx, decision)

    message = in_cloud(cloud, seal)
    sts = cloud.client("sts")
    assert json.loads(sts.decode_authorization_message(EncodedMessage=message)["DecodedMessage"]) == decision
    for broken in (message[:-3], "A" + message[1:], "x", "!!!", "é"):
        assert refused(sts.decode_authorization_message, EncodedMessage=broken) == (
            "InvalidAuthorizationMessageException", "Message is not valid", 400,
        )  # fmt: skip


def test_a_missing_role_is_denied(cloud: Any) -> None:
    arn = f"arn:aws:iam::{cloud.account}:role/nobody"
    sts = cloud.client("sts")
    assert refused(sts.assume_role, RoleArn=arn, RoleSessionName="me") == (
        "AccessDenied",
        f"User: arn:aws:iam::{cloud.account}:root is not authorized to perform: sts:AssumeRole on resource: {arn}",
        403,
    )
    assert refused(sts.assume_role, RoleArn="arn:aws:s3:::not-a-role-at-all", RoleSessionName="me") == (
        "ValidationError", "arn:aws:s3:::not-a-role-at-all is invalid", 400,
    )  # fmt: skip


def test_providers_that_do_not_exist(cloud: Any) -> None:
    arn = f"arn:aws:iam::{cloud.account}:role/nobody"
    sts = cloud.client("sts", config=Config(signature_version=UNSIGNED))
    claims = base64.urlsafe_b64encode(json.dumps({"iss": "https://id.example.com", "sub": "me"}).encode()).decode()
    token = f"e30.{claims.rstrip('=')}.c2ln"
    web = sts.assume_role_with_web_identity
    assert refused(web, RoleArn=arn, RoleSessionName="me", WebIdentityToken=token) == (
        "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://id.example.com", 400,
    )  # fmt: skip
    assert refused(web, RoleArn=arn, RoleSessionName="me", WebIdentityToken="no token")[1].startswith(
        "The ID Token provided is not a valid JWT."
    )
    saml = {"RoleArn": arn, "PrincipalArn": f"arn:aws:iam::{cloud.account}:saml-provider/none"}
    assert refused(sts.assume_role_with_saml, **saml, SAMLAssertion="PHg+") == (
        "InvalidIdentityToken", "Specified provider doesn't exist", 400,
    )  # fmt: skip
    assert refused(sts.assume_role_with_saml, **saml, SAMLAssertion="<saml>")[1] == "Invalid base64 SAMLResponse"


def test_root_sessions_need_an_organization(cloud: Any) -> None:
    other = cloud.another().account
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    code, message, status = refused(cloud.client("sts").assume_root, TargetPrincipal=other, TaskPolicyArn=task)
    assert (code, status) == ("AccessDenied", 403)
    assert f"is not authorized to perform: sts:AssumeRoot on resource: arn:aws:iam::{other}:root" in message
    assert refused(cloud.client("sts").assume_root, TargetPrincipal=cloud.account, TaskPolicyArn=task)[0] == (
        "AccessDenied"
    )


def test_outbound_federation_is_off(cloud: Any) -> None:
    sts = cloud.client("sts")
    call = refused(sts.get_web_identity_token, Audience=["https://a.example.com"], SigningAlgorithm="RS256")
    assert call[0] == "OutboundWebIdentityFederationDisabledException"
    assert call[2] == 403


def test_no_delegation_was_granted(cloud: Any) -> None:
    assert refused(cloud.client("sts").get_delegated_access_token, TradeInToken="abcd") == (
        "ValidationError", "The provided trade-in token is invalid.", 400,
    )  # fmt: skip


def test_issued_root_keys_are_real(cloud: Any) -> None:
    issued = in_cloud(cloud, lambda ctx: credentials.create_root_key(ctx, cloud.account))
    key = {"aws_access_key_id": issued.key.access_key_id, "aws_secret_access_key": issued.secret}
    sts = cloud.client("sts", **key)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{cloud.account}:root"
    arn = f"arn:aws:iam::{cloud.account}:role/any"
    assert (
        refused(sts.assume_role, RoleArn=arn, RoleSessionName="me")[1] == "Roles may not be assumed by root accounts."
    )
    assert refused(cloud.client("sts", **{**key, "aws_secret_access_key": "x"}).get_caller_identity)[0] == (
        "SignatureDoesNotMatch"
    )
    assert [k.access_key_id for k in in_cloud(cloud, lambda ctx: credentials.keys_of(ctx, issued.key.arn))] == [
        issued.key.access_key_id
    ]
    in_cloud(cloud, lambda ctx: credentials.set_active(ctx, issued.key, False))
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    in_cloud(cloud, lambda ctx: credentials.revoke(ctx, issued.key))
    assert refused(sts.get_caller_identity)[0] == "InvalidClientTokenId"
