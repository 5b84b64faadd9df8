"""What an access key id stands for: local keys, issued keys, sessions; on loopback and beyond."""

from hashlib import sha256
from typing import Any

import pytest

from cumulo.core.callers import access_key_ids, credentials
from cumulo.core.callers.credentials import AccessKey, resolve
from cumulo.core.policy.principals import PrincipalKind
from cumulo.wire.faults import Fault

OURS = access_key_ids.new_access_key_id("ASIA", "111122223333", bytes)


def nobody(access_key_id: str) -> AccessKey | None:
    return None


def session(**changes: Any) -> AccessKey:
    fields: dict[str, Any] = {
        "access_key_id": OURS, "secret": "secret", "account": "111122223333", "kind": "role",
        "arn": "arn:aws:sts::111122223333:assumed-role/r/s", "user_id": "AROA:s", "created_at": 1000,
        "expires_at": 2000, "token_digest": sha256(b"token").digest(), "tags": {"team": "blue"},
    }  # fmt: skip
    return AccessKey(**{**fields, **changes})


def code_of(key: AccessKey | None, token: str = "token", now: float = 1500.0, **known: Any) -> str:
    with pytest.raises(Fault) as caught:
        resolve(lambda _: key, OURS, token, now, **{"local_keys": True, **known})
    return caught.value.code


def test_local_keys() -> None:
    for key_id, account, secret in (
        ("test", "000000000000", "test"),
        ("123456789012", "123456789012", None),
        ("whatever", "000000000000", None),
        ("AKIAIOSFODNN7EXAMPLE", "000000000000", None),
    ):
        found = resolve(nobody, key_id, "", 0.0, local_keys=True)
        assert (found.principal.account, found.secret) == (account, secret)
        assert found.principal.kind is PrincipalKind.ROOT
        assert found.principal.access_key_id == key_id


@pytest.mark.parametrize("key_id", ["test", "123456789012", "whatever", "AKIAIOSFODNN7EXAMPLE", OURS])
def test_beyond_loopback_only_issued_keys_count(key_id: str) -> None:
    with pytest.raises(Fault, match="InvalidClientTokenId: The security token included in the request is invalid"):
        resolve(nobody, key_id, "", 0.0, local_keys=False)


def test_an_id_of_ours_is_never_a_local_key() -> None:
    assert code_of(None) == "InvalidClientTokenId"
    assert code_of(None, s3=True) == "InvalidAccessKeyId"


def test_sessions() -> None:
    found = resolve(lambda _: session(), OURS, "token", 1999.9, local_keys=False)
    assert found.secret == "secret"
    principal = found.principal
    assert (principal.kind, principal.token_issued_at, principal.tags) == (PrincipalKind.ROLE, 1000.0, {"team": "blue"})
    assert code_of(session(), now=2000.0) == "ExpiredToken"
    assert code_of(session(), "") == "InvalidClientTokenId"
    assert code_of(session(), "other") == "InvalidClientTokenId"
    assert code_of(session(), "öther") == "InvalidClientTokenId"
    assert code_of(session(), "other", s3=True) == "InvalidToken"
    assert code_of(session(active=False)) == "InvalidClientTokenId"


def test_lasting_keys_have_no_token() -> None:
    key = session(token_digest=b"", expires_at=0)
    assert resolve(lambda _: key, OURS, "", 1e12, local_keys=False).principal.token_issued_at is None
    assert code_of(key, "token") == "InvalidClientTokenId"


def test_the_default_account() -> None:
    assert credentials.root(credentials.DEFAULT_ACCOUNT).arn == "arn:aws:iam::000000000000:root"
