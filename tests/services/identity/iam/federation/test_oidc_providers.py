"""OpenID providers, and roles for those whom they vouch for: a real provider on this machine signs real tokens."""

import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cumulo.services.identity.iam.federation import json_web_tokens, web_identities
from tests.services.identity.iam.certificates import Made
from tests.services.identity.iam.conftest import House, document, refused, trust

THUMBPRINT = "a" * 40


class Provider:
    """An OpenID provider that serves its discovery document and its keys over http."""

    def __init__(self, tls: Made | None = None, folder: Path | None = None) -> None:
        self.keys = {
            "rsa": ("RS256", rsa.generate_private_key(65537, 2048)),
            "ec": ("ES384", ec.generate_private_key(ec.SECP384R1())),
        }
        self.published = ["rsa", "ec"]
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                body = json.dumps(outer.page(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self.server.server_port}/realm"
        self.url = f"http{'s' if tls else ''}://{self.host}"
        if tls is not None and folder is not None:
            (folder / "tls.pem").write_text(tls.pem + tls.private())
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(folder / "tls.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def page(self, path: str) -> Any:
        if path == "/realm/.well-known/openid-configuration":
            return {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
        return {
            "keys": [
                json_web_tokens.public_key_document(self.keys[name][1].public_key(), name, self.keys[name][0])
                for name in self.published
            ]
        }

    def token(self, house: House, key: str = "rsa", **claims: Any) -> str:
        now = int(house.cloud.running.clock.now())
        known = {"iss": self.url, "sub": "alice", "aud": "app", "iat": now, "exp": now + 600, **claims}
        algorithm, private = self.keys[key]
        return json_web_tokens.sign({k: v for k, v in known.items() if v is not None}, algorithm, key, private)


@pytest.fixture
def provider() -> Iterator[Provider]:
    web_identities.forget_keys()
    made = Provider()
    yield made
    made.server.shutdown()
    made.server.server_close()


def enter(house: House, role: str, token: str, **more: Any) -> Any:
    sts = house.cloud.client("sts", config=Config(signature_version=UNSIGNED))
    return sts.assume_role_with_web_identity(RoleArn=role, RoleSessionName="me", WebIdentityToken=token, **more)


def no_entry(house: House, role: str, token: str) -> tuple[str, str, int]:
    return refused(lambda **_: enter(house, role, token))


def federated(house: House, provider: Provider, **condition: Any) -> str:
    made = house.iam.create_open_id_connect_provider(
        Url=provider.url, ClientIDList=["app"], ThumbprintList=[THUMBPRINT]
    )
    trusting = trust(
        {"Federated": made["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity", "sts:TagSession",
        **({"Condition": condition} if condition else {}),
    )  # fmt: skip
    return house.role("web", trusting, document("sqs:ListQueues"))


def test_providers_come_and_go(house: House) -> None:
    iam, url = house.iam, "https://id.example.com/realm"
    tags = [{"Key": "team", "Value": "web"}]
    made = iam.create_open_id_connect_provider(Url=url, ClientIDList=["a"], ThumbprintList=[THUMBPRINT], Tags=tags)
    arn = made["OpenIDConnectProviderArn"]
    assert (arn, made["Tags"]) == (house.arn("oidc-provider/id.example.com/realm"), tags)
    exists = ("EntityAlreadyExists", f"Provider with url {url} already exists.", 409)
    assert refused(iam.create_open_id_connect_provider, Url=url, ThumbprintList=[THUMBPRINT]) == exists
    named = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="b")
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="b")
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="a")
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="never")
    iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(**named, Tags=[{"Key": "stage", "Value": "test"}])
    iam.untag_open_id_connect_provider(**named, TagKeys=["team"])
    found = iam.get_open_id_connect_provider(**named)
    assert (found["Url"], found["ClientIDList"], found["ThumbprintList"]) == (
        "id.example.com/realm", ["b"], ["b" * 40],
    )  # fmt: skip
    assert found["Tags"] == iam.list_open_id_connect_provider_tags(**named)["Tags"] == [
        {"Key": "stage", "Value": "test"}
    ]  # fmt: skip
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == [{"Arn": arn}]
    iam.delete_open_id_connect_provider(**named)
    missing = ("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    assert refused(iam.get_open_id_connect_provider, **named) == missing


def test_urls_and_lists_are_checked(house: House) -> None:
    create: Any = house.iam.create_open_id_connect_provider
    for url in ("http://id.example.com", "id.example.com", "https://id.example.com?x=1"):
        bad = refused(create, Url=url, ThumbprintList=[THUMBPRINT])
        assert bad == ("ValidationError", "Invalid Open ID Connect Provider URL", 400)
    many = [f"{number:040d}" for number in range(6)]
    assert refused(create, Url="https://id.example.com", ThumbprintList=many)[0] == "InvalidInput"


def test_a_thumbprint_is_fetched(house: House, tmp_path: Path) -> None:
    tls = Made("localhost")
    provider = Provider(tls, tmp_path)
    arn = house.iam.create_open_id_connect_provider(Url=provider.url)["OpenIDConnectProviderArn"]
    from cryptography.hazmat.primitives.hashes import SHA1

    (found,) = house.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ThumbprintList"]
    assert found == tls.certificate.fingerprint(SHA1()).hex()
    provider.server.shutdown()
    provider.server.server_close()
    gone = refused(house.iam.create_open_id_connect_provider, Url=provider.url + "/gone")
    assert gone[0] == "OpenIdIdpCommunicationError"


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_token_opens_a_role(house: House, provider: Provider, key: str) -> None:
    role = federated(house, provider, StringEquals={f"{provider.host}:sub": "alice", f"{provider.host}:aud": "app"})
    answer = enter(house, role, provider.token(house, key))
    assert (answer["SubjectFromWebIdentityToken"], answer["Audience"]) == ("alice", "app")
    assert answer["Provider"] == house.arn(f"oidc-provider/{provider.host}")
    house.client("sqs", answer["Credentials"]).list_queues()
    other = no_entry(house, role, provider.token(house, key, sub="bob"))
    assert other == ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)


def test_tokens_that_do_not_hold(house: House, provider: Provider) -> None:
    role = federated(house, provider)
    now = int(house.cloud.running.clock.now())
    expired = no_entry(house, role, provider.token(house, exp=now - 10, iat=now - 600))
    assert (expired[0], expired[2]) == ("ExpiredTokenException", 400)
    assert expired[1].startswith("Token expired: current date/time ")
    assert no_entry(house, role, provider.token(house, aud="other"))[:2] == (
        "InvalidIdentityToken", "Incorrect token audience",
    )  # fmt: skip
    assert no_entry(house, role, provider.token(house, iat=None))[1] == "Missing a required claim: iat"
    assert no_entry(house, role, provider.token(house, iat=now + 3000))[0] == "InvalidIdentityToken"
    head, claims, signature = provider.token(house).split(".")
    forged = json_web_tokens.encode(json_web_tokens.decode(claims).replace(b"alice", b"admin"))
    assert no_entry(house, role, f"{head}.{forged}.{signature}")[0] == "InvalidIdentityToken"
    none = json_web_tokens.encode(b'{"alg":"none"}')
    assert no_entry(house, role, f"{none}.{claims}.")[0] == "InvalidIdentityToken"
    stranger = provider.token(house, iss="https://other.example.com")
    assert no_entry(house, role, stranger)[:2] == (
        "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://other.example.com",
    )  # fmt: skip


def test_keys_are_kept_and_fetched_anew(house: House, provider: Provider) -> None:
    role = federated(house, provider)
    provider.published = ["rsa"]
    for _ in range(3):
        enter(house, role, provider.token(house))
    assert len(provider.asked) == 2
    text = (
        "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity "
        "documentation for requirements"
    )
    assert no_entry(house, role, provider.token(house, "ec"))[:2] == ("InvalidIdentityToken", text)
    provider.published = ["rsa", "ec"]
    enter(house, role, provider.token(house, "ec"))  # a key that nobody knew yet
    house.cloud.advance(2 * 3600)
    before = len(provider.asked)
    enter(house, role, provider.token(house))
    assert len(provider.asked) == before + 2


def test_tokens_bring_tags(house: House, provider: Provider) -> None:
    role = federated(house, provider)
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    house.iam.put_role_policy(
        RoleName="web", PolicyName="p0", PolicyDocument=document("sqs:ListQueues", Condition=condition)
    )
    tags = {"principal_tags": {"team": ["red"]}, "transitive_tag_keys": ["team"]}
    answer = enter(house, role, provider.token(house, **{web_identities.TAGS: tags}))
    house.client("sqs", answer["Credentials"]).list_queues()
    flat = {f"{web_identities.TAGS}/principal_tags/team": ["blue"]}
    answer = enter(house, role, provider.token(house, **flat))
    assert refused(house.client("sqs", answer["Credentials"]).list_queues)[0] == "AccessDenied"


def test_an_account_vouches_for_its_own(house: House) -> None:
    """Outbound federation: another account believes the tokens that this one gives its users."""
    web_identities.forget_keys()
    iam = house.iam
    key = house.user("alice", document("sts:GetWebIdentityToken"))
    sts = house.client("sts", key)
    wish = {"Audience": ["app"], "SigningAlgorithm": "ES384", "DurationSeconds": 300}
    assert refused(iam.get_outbound_web_identity_federation_info)[0] == "FeatureDisabled"
    assert refused(iam.disable_outbound_web_identity_federation)[0] == "FeatureDisabled"
    assert refused(sts.get_web_identity_token, **wish)[0] == "OutboundWebIdentityFederationDisabledException"
    issuer = iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert refused(iam.enable_outbound_web_identity_federation)[0] == "FeatureEnabled"
    info = iam.get_outbound_web_identity_federation_info()
    assert (info["IssuerIdentifier"], info["JwtVendingEnabled"]) == (issuer, True)
    other = House(house.cloud.another())
    made = other.iam.create_open_id_connect_provider(Url=issuer, ClientIDList=["app"])
    host = issuer.partition("://")[2]
    condition = {"StringEquals": {f"{host}:sub": house.arn("user/alice")}}
    arn = other.role(
        "guest",
        trust({"Federated": made["OpenIDConnectProviderArn"]}, "sts:AssumeRoleWithWebIdentity", Condition=condition),
        document("sqs:ListQueues"),
    )
    for algorithm in ("ES384", "RS256"):
        token = sts.get_web_identity_token(**{**wish, "SigningAlgorithm": algorithm})["WebIdentityToken"]
        claims = json_web_tokens.parse(token).claims
        assert claims["https://sts.amazonaws.com/"]["aws_account"] == house.account
        other.client("sqs", enter(other, arn, token)["Credentials"]).list_queues()
    iam.disable_outbound_web_identity_federation()
    assert refused(sts.get_web_identity_token, **wish)[0] == "OutboundWebIdentityFederationDisabledException"
    assert iam.enable_outbound_web_identity_federation()["IssuerIdentifier"] == issuer
