"""Keys at rest: wrapped by a file that only the owner reads, there again after a restart, in no log."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Account, RunningCloud
from tests.services.identity.kms.conftest import new_key, refused
from tests.services.identity.kms.test_imports import give

ACCOUNT = "123456789012"
SECRET = bytes(range(100, 132))


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_keys_survive_a_restart_and_lie_there_wrapped(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    running = start_cloud(tmp_path)
    kms: Any = Account(running, ACCOUNT).client("kms")
    key, signing = new_key(kms, Origin="EXTERNAL"), new_key(kms, "ECC_NIST_P256", "SIGN_VERIFY")
    give(kms, key, SECRET)
    kms.create_alias(AliasName="alias/kept", TargetKeyId=key)
    blob = kms.encrypt(KeyId="alias/kept", Plaintext=b"the plaintext of somebody")["CiphertextBlob"]
    message = {"KeyId": signing, "Message": b"x", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**message)["Signature"]
    running.stop()
    root = tmp_path / "kms" / "root.key"
    assert stat.S_IMODE(root.stat().st_mode) == 0o600 and root.stat().st_size == 32
    assert [file.name for file in root.parent.iterdir()] == ["root.key"]
    everything = contents(tmp_path)
    assert SECRET not in everything and SECRET.hex().encode() not in everything
    assert b"the plaintext of somebody" not in everything
    assert everything.count(root.read_bytes()) == 1

    running = start_cloud(tmp_path)
    kms = Account(running, ACCOUNT).client("kms")
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"the plaintext of somebody"
    assert kms.verify(**message, Signature=signature)["SignatureValid"]
    running.stop()

    root.rename(tmp_path / "elsewhere")
    running = start_cloud(tmp_path)
    kms = Account(running, ACCOUNT).client("kms")
    with refused("KMSInternalException"):
        kms.decrypt(CiphertextBlob=blob)
    root.write_bytes(bytes(32))
    with refused("KMSInternalException"):
        kms.decrypt(CiphertextBlob=blob)
    (tmp_path / "elsewhere").rename(root)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"the plaintext of somebody"
    running.stop()
