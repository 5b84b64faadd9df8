"""Many callers at once, whose work leaves the loop and comes back: everyone gets an answer, and the right one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.config import Config

from cumulo.services.identity.kms import encryption, signing
from tests.conftest import Account
from tests.services.identity.kms.conftest import new_key, refused

CALLERS = 8
IMPATIENT = Config(read_timeout=40, retries={"max_attempts": 0})


def everything(kms: Any, rounds: int) -> int:
    """Keys of every way of making, each used at once; how many calls were answered."""
    calls = 0
    for _ in range(rounds):
        symmetric = kms.create_key()["KeyMetadata"]["KeyId"]
        blob = kms.encrypt(KeyId=symmetric, Plaintext=b"x")["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        curve = new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
        signed = kms.sign(KeyId=curve, Message=b"x", SigningAlgorithm="ECDSA_SHA_256")
        named = {"KeyId": curve, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
        assert kms.verify(**named, Signature=signed["Signature"])["SignatureValid"]
        rsa = new_key(kms, "RSA_2048", "ENCRYPT_DECRYPT")
        named = {"KeyId": rsa, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
        blob = kms.encrypt(**named, Plaintext=b"y")["CiphertextBlob"]
        assert kms.decrypt(**named, CiphertextBlob=blob)["Plaintext"] == b"y"
        kms.generate_data_key_pair(KeyId=symmetric, KeyPairSpec="ECC_NIST_P384")
        calls += 10
    return calls


@pytest.mark.parametrize("rounds", [3, pytest.param(300, marks=pytest.mark.soak)])
def test_every_call_is_answered(cloud: Account, rounds: int) -> None:
    clients = [cloud.client("kms", config=IMPATIENT) for _ in range(CALLERS)]
    with ThreadPoolExecutor(CALLERS) as callers:
        answered = list(callers.map(lambda kms: everything(kms, rounds), clients))
    assert sum(answered) == CALLERS * rounds * 10


class Held:
    """Stands in for work in a thread, which it keeps there until it is let go."""

    def __init__(self, work: Any) -> None:
        self.work = work
        self.begun, self.free = threading.Event(), threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        self.begun.set()
        assert self.free.wait(30)
        return self.work(*arguments)


@pytest.mark.parametrize("operation", ["Decrypt", "ReEncrypt", "Sign"])
def test_what_changed_meanwhile_counts(kms: Any, monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    key = new_key(kms, "RSA_2048", "SIGN_VERIFY" if operation == "Sign" else "ENCRYPT_DECRYPT")
    algorithm = "RSAES_OAEP_SHA_256"
    if operation == "Sign":
        held = Held(signing._sign)
        monkeypatch.setattr(signing, "_sign", held)
        request: dict[str, Any] = {"Message": b"x", "SigningAlgorithm": "RSASSA_PSS_SHA_256", "KeyId": key}
        call = kms.sign
    else:
        blob = kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionAlgorithm=algorithm)["CiphertextBlob"]
        held = Held(encryption._decrypt_rsa)
        monkeypatch.setattr(encryption, "_decrypt_rsa", held)
        request = {"CiphertextBlob": blob, "KeyId": key, "EncryptionAlgorithm": algorithm}
        call = kms.decrypt
        if operation == "ReEncrypt":
            request = {"CiphertextBlob": blob, "SourceKeyId": key, "SourceEncryptionAlgorithm": algorithm}
            request["DestinationKeyId"] = kms.create_key()["KeyMetadata"]["KeyId"]
            call = kms.re_encrypt
    with ThreadPoolExecutor(1) as caller:
        answer = caller.submit(call, **request)
        assert held.begun.wait(30)
        kms.disable_key(KeyId=key)  # answered: the loop is free
        held.free.set()
        with refused("DisabledException"):
            answer.result()
