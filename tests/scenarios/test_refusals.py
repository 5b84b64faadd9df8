"""What is not signed as it should be is refused, with AWS's codes and statuses, in both wires of SQS and in STS.

Every case first shows that the same request passes when nothing is wrong with it.
"""

import datetime
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from botocore import auth
from botocore.credentials import Credentials

from cumulo.core.callers import credentials
from tests.conftest import Account
from tests.scenarios.raw_client import FORM, Answer, form, json_fields, send, signed, written

WIRES = {
    "sqs json": ("sqs", b"{}", json_fields("ListQueues")),
    "sqs query": ("sqs", form("sqs", "ListQueues"), {"Content-Type": FORM}),
    "sts query": ("sts", form("sts", "GetCallerIdentity"), {"Content-Type": FORM}),
}
MISMATCH = {"json": (403, "InvalidSignatureException"), "query": (403, "SignatureDoesNotMatch")}
EXPIRED = {"json": (403, "ExpiredTokenException"), "query": (403, "ExpiredToken")}
UNKNOWN = {"json": (403, "UnrecognizedClientException"), "query": (403, "InvalidClientTokenId")}
INCOMPLETE = {"json": (400, "IncompleteSignatureException"), "query": (400, "IncompleteSignature")}
Request = tuple[str, str, dict[str, str], bytes]
Tamper = Callable[[Request], Request]


class Caller:
    """Sends one wire's sample request to a cloud."""

    def __init__(self, cloud: Account, wire: str) -> None:
        self.cloud = cloud
        self.protocol = wire.partition(" ")[2]
        self.service, self.body, self.fields = WIRES[wire]
        self.port = cloud.running.cloud.port

    def send(
        self, keys: Credentials, *, tamper: Tamper = lambda request: request, offset_s: float = 0, **how: Any
    ) -> Answer:
        """The answer to a request that was signed `offset_s` from now and then changed."""
        moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=offset_s)
        with mock.patch.object(auth, "get_current_datetime", lambda: moment):
            how.setdefault("fields", self.fields)
            how.setdefault("body", self.body)
            request = signed(self.service, host=f"localhost:{self.port}", credentials=keys, **how)
        answer = send(self.port, written(*tamper(request)))
        assert answer is not None
        return answer

    def accepted(self, keys: Credentials, **how: Any) -> None:
        answer = self.send(keys, **how)
        assert answer.status == 200, answer

    def refused(self, expected: dict[str, tuple[int, str]], keys: Credentials, **how: Any) -> Answer:
        answer = self.send(keys, **how)
        assert (answer.status, answer.code) == expected[self.protocol], answer
        return answer


@pytest.fixture(params=WIRES)
def caller(cloud: Account, request: pytest.FixtureRequest) -> Caller:
    return Caller(cloud, request.param)


@pytest.fixture
def session(cloud: Account) -> Credentials:
    """A key of GetSessionToken, good for a quarter of an hour of cloud time."""
    issued = cloud.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    return Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])


@pytest.fixture
def root_key(cloud: Account) -> Credentials:
    """A lasting key of the account's root user."""
    issued = in_transaction(cloud, lambda ctx: credentials.create_root_key(ctx, cloud.account))
    return Credentials(issued.key.access_key_id, issued.secret)


def in_transaction(cloud: Account, work: Callable[[Any], Any]) -> Any:
    runtime = cloud.running.cloud.runtime

    def run(txn: Any) -> Any:
        ctx = runtime.internal_context("sts", "Test", cloud.account, "us-east-1")
        ctx.enter(txn)
        return work(ctx)

    return cloud.running.run(runtime.store.run(run))


def with_field(name: str, value: str) -> Tamper:
    def change(request: Request) -> Request:
        method, target, fields, body = request
        assert name in fields
        return method, target, fields | {name: value}, body

    return change


def with_body(old: bytes, new: bytes) -> Tamper:
    def change(request: Request) -> Request:
        method, target, fields, body = request
        return method, target, fields, body.replace(old, new) if old else body + new

    return change


def test_a_wrong_secret(caller: Caller, session: Credentials, root_key: Credentials) -> None:
    for keys in (session, root_key, Credentials("test", "test")):
        caller.accepted(keys)
        other = "y" if keys.secret_key.endswith("x") else "x"
        wrong = Credentials(keys.access_key, keys.secret_key[:-1] + other, keys.token)
        answer = caller.refused(MISMATCH, wrong)
        assert b"The request signature we calculated does not match the signature you provided" in answer.body


def test_a_tampered_body(caller: Caller, session: Credentials) -> None:
    caller.accepted(session, tamper=with_body(b"nothing", b""))
    caller.refused(MISMATCH, session, tamper=with_body(b"", b" " if caller.protocol == "json" else b"&MaxResults=1"))


def test_a_tampered_header(caller: Caller, session: Credentials) -> None:
    fields = caller.fields | {"X-Amz-Meta": "one"}
    caller.accepted(session, fields=fields)
    caller.refused(MISMATCH, session, fields=fields, tamper=with_field("X-Amz-Meta", "two"))
    caller.refused(MISMATCH, session, tamper=with_field("Host", f"127.0.0.1:{caller.port}"))


def test_another_operation_under_the_same_signature(caller: Caller, session: Credentials) -> None:
    if caller.protocol == "json":
        tamper = with_field("X-Amz-Target", "AmazonSQS.ListMessageMoveTasks")
    else:
        tamper = with_body(b"Action=", b"Action=X")
        answer = caller.send(session, tamper=tamper)
        assert answer.code == "InvalidAction"  # AWS knows no such operation before it looks at the signature
        tamper = with_body(caller.body.split(b"&")[0], b"Action=GetSessionToken")
        if caller.service == "sqs":
            tamper = with_body(b"ListQueues", b"CreateQueue")
    caller.refused(MISMATCH, session, tamper=tamper)


def test_a_changed_query(caller: Caller, session: Credentials) -> None:
    def change(request: Request) -> Request:
        method, target, fields, body = request
        return method, target.replace("a=1", "a=2"), fields, body

    caller.accepted(session, target="/?a=1")
    caller.refused(MISMATCH, session, target="/?a=1", tamper=change)


def test_a_replayed_date(caller: Caller, session: Credentials) -> None:
    """The signature is right; only its time is not: AWS allows a quarter of an hour."""
    caller.accepted(session, offset_s=-840)
    caller.accepted(session, offset_s=840)
    assert b"Signature expired: " in caller.refused(MISMATCH, session, offset_s=-960).body
    assert b"Signature not yet current: " in caller.refused(MISMATCH, session, offset_s=960).body


def test_a_replayed_date_of_a_key_whose_secret_is_not_known(caller: Caller) -> None:
    keys = Credentials("some-key", "some-secret")
    caller.accepted(keys)
    assert b"Signature expired: " in caller.refused(MISMATCH, keys, offset_s=-960).body


@pytest.mark.parametrize(("wire", "good_for_s"), [("sqs query", 60), ("sts query", 900)])
def test_a_presigned_request_that_is_over(cloud: Account, session: Credentials, wire: str, good_for_s: int) -> None:
    """STS takes every presigned request for a quarter of an hour, whatever its X-Amz-Expires says."""
    caller = Caller(cloud, wire)
    how = {"method": "GET", "body": b"", "fields": {}, "target": f"/?{caller.body.decode()}"}

    def presigning(keys: Credentials, service: str, region: str) -> Any:
        return auth.SigV4QueryAuth(keys, service, region, expires=60)

    caller.accepted(session, signer=presigning, offset_s=-good_for_s + 30, **how)
    answer = caller.refused(MISMATCH, session, signer=presigning, offset_s=-good_for_s - 30, **how)
    assert b"Signature expired: " in answer.body


def test_a_session_that_is_over(caller: Caller, session: Credentials) -> None:
    caller.accepted(session)
    caller.cloud.advance(901)
    answer = caller.refused(EXPIRED, session)
    assert b"The security token included in the request is expired" in answer.body


def test_a_session_without_its_token(caller: Caller, session: Credentials) -> None:
    caller.accepted(session)
    for token in (None, "another", session.token[:-4] + "AAAA"):
        keys = Credentials(session.access_key, session.secret_key, token)
        assert b"The security token included in the request is invalid" in caller.refused(UNKNOWN, keys).body


def test_a_deleted_key(caller: Caller, root_key: Credentials) -> None:
    caller.accepted(root_key)
    cloud = caller.cloud
    in_transaction(cloud, lambda ctx: credentials.set_active(ctx, credentials.find(ctx, root_key.access_key), False))
    caller.refused(UNKNOWN, root_key)
    in_transaction(cloud, lambda ctx: credentials.set_active(ctx, credentials.find(ctx, root_key.access_key), True))
    caller.accepted(root_key)
    in_transaction(cloud, lambda ctx: credentials.revoke(ctx, credentials.find(ctx, root_key.access_key)))
    caller.refused(UNKNOWN, root_key)


def test_a_scope_of_another_service(caller: Caller, session: Credentials) -> None:
    def elsewhere(request: Request) -> Request:
        method, target, fields, body = request
        changed = fields["Authorization"].replace("/us-east-1/", "/eu-west-1/")
        return method, target, fields | {"Authorization": changed}, body

    caller.refused(MISMATCH, session, tamper=elsewhere)


def test_an_unreadable_signature(caller: Caller, session: Credentials) -> None:
    for text in ("AWS4-HMAC-SHA256 Credential=x", "AWS4-HMAC-SHA256", "nonsense"):
        caller.refused(INCOMPLETE, session, tamper=with_field("Authorization", text))
