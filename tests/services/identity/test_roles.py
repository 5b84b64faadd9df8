"""Roles through the seam: a test's own identities stand in for IAM."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cumulo.core.callers import credentials
from cumulo.core.callers.identities import Nobody, Role, SamlIdentity, WebIdentity
from cumulo.core.policy.principals import PrincipalKind
from tests.services.identity.test_sts import client_with, in_cloud, refused

PROVIDER = "id.example.com"


class Few(Nobody):
    """Identities that a test writes down."""

    def __init__(self) -> None:
        self.roles: dict[str, Role] = {}
        self.policies: dict[str, str] = {}

    def find_role(self, ctx: Any, arn: str) -> Role | None:
        return self.roles.get(arn)

    def managed_policy(self, ctx: Any, arn: str, account: str) -> str:
        return self.policies[arn] if arn in self.policies else super().managed_policy(ctx, arn, account)

    def check_mfa(self, ctx: Any, serial: str, code: str) -> None:
        if code != "123456":
            super().check_mfa(ctx, serial, code)

    def web_identity(self, ctx: Any, account: str, token: str, provider_id: str) -> WebIdentity:
        arn = f"arn:aws:iam::{account}:oidc-provider/{PROVIDER}"
        return WebIdentity(provider_arn=arn, provider=PROVIDER, subject="alice", audience="app", tags={"team": "red"})

    def saml_identity(self, ctx: Any, provider_arn: str, assertion: str) -> SamlIdentity:
        return SamlIdentity(
            provider_arn=provider_arn, subject="alice", subject_type="persistent", issuer="https://idp",
            audience="https://signin.aws.amazon.com/saml", name_qualifier="nq", session_name="alice",
            role_arns=tuple(self.roles), duration_s=1800,
        )  # fmt: skip


class House:
    """An account with roles, in a cloud that knows them."""

    def __init__(self, cloud: Any, few: Few) -> None:
        self.cloud = cloud
        self.few = few
        self.sts = cloud.client("sts")

    def role(self, name: str, *statements: dict[str, Any], account: str = "", **known: Any) -> str:
        account = account or self.cloud.account
        arn = f"arn:aws:iam::{account}:role/{name}"
        trust = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.few.roles[arn] = Role(
            arn=arn, name=name.rpartition("/")[2], role_id=f"AROA{name.upper():0<17.17}", account=account,
            trust_policy=trust, **known,
        )  # fmt: skip
        return arn

    def trusts(self, principal: Any = None, *actions: str, **condition: Any) -> dict[str, Any]:
        found = {
            "Effect": "Allow",
            "Principal": principal or {"AWS": self.cloud.account},
            "Action": list(actions) or ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
        }
        return {**found, "Condition": condition} if condition else found


@pytest.fixture
def house(cloud: Any) -> Iterator[House]:
    runtime = cloud.running.cloud.runtime
    cloud.client("iam").list_users()  # loads IAM, which would else take this place in the middle of a test
    before, few = runtime.identities, Few()
    runtime.identities = few
    yield House(cloud, few)
    runtime.identities = before


def test_a_session_of_a_role(house: House) -> None:
    arn = house.role("reader", house.trusts())
    answer = house.sts.assume_role(RoleArn=arn, RoleSessionName="me")
    account = house.cloud.account
    session = f"arn:aws:sts::{account}:assumed-role/reader/me"
    assert answer["AssumedRoleUser"] == {"Arn": session, "AssumedRoleId": "AROAREADER00000000000:me"}
    assert set(answer) == {
        "Credentials", "AssumedRoleUser", "SessionTokenSize", "SessionTokenUtilization", "ResponseMetadata",
    }  # fmt: skip
    caller = client_with(house.cloud, answer).get_caller_identity()
    assert (caller["Arn"], caller["UserId"], caller["Account"]) == (session, "AROAREADER00000000000:me", account)
    house.cloud.advance(3601)
    assert refused(client_with(house.cloud, answer).get_caller_identity)[0] == "ExpiredToken"


def test_roles_of_other_accounts_and_paths(house: House) -> None:
    other = house.cloud.another().account
    arn = house.role("team/deploy", house.trusts(), account=other)
    answer = house.sts.assume_role(RoleArn=arn, RoleSessionName="me")
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{other}:assumed-role/deploy/me"


def test_a_role_that_trusts_somebody_else(house: House) -> None:
    arn = house.role("closed", house.trusts({"AWS": "999999999999"}))
    code, message, status = refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me")
    assert (code, status) == ("AccessDenied", 403)
    assert message.startswith(
        f"User: arn:aws:iam::{house.cloud.account}:root is not authorized to perform: sts:AssumeRole on resource: {arn}"
    )


def test_external_ids(house: House) -> None:
    arn = house.role("vendor", house.trusts(None, StringEquals={"sts:ExternalId": "our secret".replace(" ", "-")}))
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", ExternalId="other")[0] == "AccessDenied"
    house.sts.assume_role(RoleArn=arn, RoleSessionName="me", ExternalId="our-secret")


def test_session_names(house: House) -> None:
    arn = house.role("named", house.trusts(None, StringLike={"sts:RoleSessionName": "ok-*"}))
    house.sts.assume_role(RoleArn=arn, RoleSessionName="ok-1")
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="no-1")[0] == "AccessDenied"
    for name in ("a", "x" * 65, "with space", "slash/"):
        assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName=name)[0] == "ValidationError"


def test_durations(house: House) -> None:
    arn = house.role("short", house.trusts(), max_session_s=7200)
    house.sts.assume_role(RoleArn=arn, RoleSessionName="me", DurationSeconds=7200)
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", DurationSeconds=7201) == (
        "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", 400,
    )  # fmt: skip
    for wrong in (899, 43201):
        assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", DurationSeconds=wrong)[0] == (
            "ValidationError"
        )


def chained(house: House, arn: str, **request: Any) -> Any:
    first = house.role("first", house.trusts())
    answer = house.sts.assume_role(RoleArn=first, RoleSessionName="one", **request)
    return client_with(house.cloud, answer)


def test_a_chain_lasts_an_hour_at_most(house: House) -> None:
    second = house.role(
        "second", house.trusts({"AWS": f"arn:aws:iam::{house.cloud.account}:role/first"}), max_session_s=43200
    )
    sts = chained(house, second)
    assert sts.assume_role(RoleArn=second, RoleSessionName="two")["AssumedRoleUser"]["Arn"].endswith("/second/two")
    assert refused(sts.assume_role, RoleArn=second, RoleSessionName="two", DurationSeconds=3601) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        400,
    )


def test_transitive_tags_and_the_source_identity_travel_on(house: House) -> None:
    session = f"arn:aws:iam::{house.cloud.account}:role/first"
    second = house.role(
        "second",
        house.trusts({"AWS": session}, StringEquals={"aws:PrincipalTag/Team": "blue", "aws:SourceIdentity": "alice"}),
        tags={"Kind": "role"},
    )
    sts = chained(
        house, second, Tags=[{"Key": "Team", "Value": "blue"}, {"Key": "Loud", "Value": "1"}],
        TransitiveTagKeys=["team"], SourceIdentity="alice",
    )  # fmt: skip
    answer = sts.assume_role(RoleArn=second, RoleSessionName="two", Tags=[{"Key": "New", "Value": "2"}])
    assert answer["SourceIdentity"] == "alice"
    key = in_cloud(house.cloud, lambda ctx: credentials.find(ctx, answer["Credentials"]["AccessKeyId"]))
    assert key.tags == {"Kind": "role", "Team": "blue", "New": "2"}
    assert key.transitive_keys == ["Team"]
    assert len(key.issuer_keys) == 1
    assert refused(sts.assume_role, RoleArn=second, RoleSessionName="two", Tags=[{"Key": "TEAM", "Value": "x"}])[1] == (
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from "
        "the calling session."
    )
    assert refused(sts.assume_role, RoleArn=second, RoleSessionName="two", SourceIdentity="bob")[0] == "AccessDenied"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
         "Duplicate tag keys found. Please note that Tag keys are case insensitive."),
        ({"Tags": [{"Key": "a", "Value": "1"}], "TransitiveTagKeys": ["b"]},
         "The specified transitive tag key must be included in the requested tags."),
    ],
)  # fmt: skip
def test_tags_are_checked(house: House, request_: dict[str, Any], message: str) -> None:
    arn = house.role("tagged", house.trusts())
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", **request_) == (
        "InvalidParameterValue", message, 400,
    )  # fmt: skip


def test_tags_need_their_own_permission(house: House) -> None:
    arn = house.role("untagged", house.trusts(None, "sts:AssumeRole"))
    house.sts.assume_role(RoleArn=arn, RoleSessionName="me")
    if house.cloud.account:  # root of the same account may tag by itself: another account's trust policy must allow it
        other = house.role("untagged", house.trusts(None, "sts:AssumeRole"), account=house.cloud.another().account)
        tags = [{"Key": "a", "Value": "1"}]
        assert "sts:TagSession" in refused(house.sts.assume_role, RoleArn=other, RoleSessionName="me", Tags=tags)[1]
        assert (
            "sts:SetSourceIdentity"
            in (refused(house.sts.assume_role, RoleArn=other, RoleSessionName="me", SourceIdentity="me")[1])
        )


def test_mfa_conditions(house: House) -> None:
    arn = house.role("careful", house.trusts(None, Bool={"aws:MultiFactorAuthPresent": "true"}))
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me")[0] == "AccessDenied"
    device = {"SerialNumber": f"arn:aws:iam::{house.cloud.account}:mfa/me", "TokenCode": "123456"}
    house.sts.assume_role(RoleArn=arn, RoleSessionName="me", **device)
    assert refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", **{**device, "TokenCode": "000000"})[
        1
    ].startswith("MultiFactorAuthentication failed")


def test_session_policies_limit(house: House) -> None:
    arn = house.role("limited", house.trusts())
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}
    managed = f"arn:aws:iam::{house.cloud.account}:policy/limits"
    house.few.policies[managed] = json.dumps(allow)
    answer = house.sts.assume_role(
        RoleArn=arn, RoleSessionName="me", Policy=json.dumps(allow), PolicyArns=[{"arn": managed}]
    )
    assert 0 < answer["PackedPolicySize"] < 100
    key = in_cloud(house.cloud, lambda ctx: credentials.find(ctx, answer["Credentials"]["AccessKeyId"]))
    assert key.session_policies == [json.dumps(allow), json.dumps(allow)]
    assert key.session_policy_arns == [managed]
    assert key.principal().kind is PrincipalKind.ROLE
    assert (
        refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", Policy="{}")[0] == "MalformedPolicyDocument"
    )
    noise = "".join(f'"s3:{hash((n, "salt")) & 0xFFFFFFFFFFFFFFF:x}",' for n in range(400))
    huge = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Resource":"*","Action":[' + noise + '"s3:*"]}]}'
    code, message, _ = refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", Policy=huge)
    assert code == "PackedPolicyTooLarge"
    assert message.endswith("% of allotted space, please use smaller policy.")


def test_web_identities(house: House) -> None:
    account = house.cloud.account
    provider = f"arn:aws:iam::{account}:oidc-provider/{PROVIDER}"
    trust = house.trusts(
        {"Federated": provider},
        "sts:AssumeRoleWithWebIdentity",
        "sts:TagSession",
        StringEquals={f"{PROVIDER}:sub": "alice"},
    )
    arn = house.role("web", trust)
    answer = house.sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="me", WebIdentityToken="a.b.c")
    assert answer["SubjectFromWebIdentityToken"] == "alice"
    assert (answer["Provider"], answer["Audience"]) == (provider, "app")
    assert client_with(house.cloud, answer).get_caller_identity()["Arn"].endswith("assumed-role/web/me")
    closed = house.role("closed", house.trusts({"Federated": "accounts.google.com"}, "sts:AssumeRoleWithWebIdentity"))
    code, _, status = refused(
        house.sts.assume_role_with_web_identity, RoleArn=closed, RoleSessionName="me", WebIdentityToken="a.b.c"
    )
    assert (code, status) == ("AccessDenied", 403)


def test_saml_identities(house: House) -> None:
    provider = f"arn:aws:iam::{house.cloud.account}:saml-provider/corp"
    arn = house.role("saml", house.trusts({"Federated": provider}, "sts:AssumeRoleWithSAML"))
    answer = house.sts.assume_role_with_saml(RoleArn=arn, PrincipalArn=provider, SAMLAssertion="PHg+")
    assert answer["AssumedRoleUser"]["Arn"].endswith("assumed-role/saml/alice")
    assert (answer["Subject"], answer["SubjectType"], answer["Issuer"]) == ("alice", "persistent", "https://idp")


def test_provided_contexts_are_refused_by_name(house: House) -> None:
    arn = house.role("context", house.trusts())
    contexts = [{"ProviderArn": "arn:aws:iam::aws:contextProvider/IdentityCenter", "ContextAssertion": "abcd"}]
    code, message, _ = refused(house.sts.assume_role, RoleArn=arn, RoleSessionName="me", ProvidedContexts=contexts)
    assert code == "NotImplemented"
    assert "ProvidedContexts" in message
