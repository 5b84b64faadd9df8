"""Keys at rest: wrapped by a file that only the owner reads, there again after a restart, in no log."""

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cumulo.services.identity.kms import root_keys
from tests.conftest import Account, RunningCloud
from tests.postgres_server import PostgresServer
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


def test_the_file_is_made_before_a_transaction_needs_it(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = start_cloud(tmp_path)
    running.run(running.cloud.prepare_root_key(0))
    made = (tmp_path / "kms" / "root.key").read_bytes()

    def on_the_loop(*_: Any) -> None:
        raise AssertionError("the loop waits for the disk")

    monkeypatch.setattr(root_keys, "_write", on_the_loop)
    monkeypatch.setattr(root_keys, "_settle", on_the_loop)
    sqs = Account(running, ACCOUNT).client("sqs")
    queue = sqs.create_queue(QueueName="sealed", Attributes={"KmsMasterKeyId": "alias/aws/sqs"})["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="x")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "x"
    assert (tmp_path / "kms" / "root.key").read_bytes() == made
    running.stop()


def test_a_lost_file_is_not_made_anew(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    running = start_cloud(tmp_path)
    new_key(Account(running, ACCOUNT).client("kms"))
    running.stop()
    (tmp_path / "kms" / "root.key").unlink()
    running = start_cloud(tmp_path)
    running.run(running.cloud.prepare_root_key(0))
    assert not (tmp_path / "kms" / "root.key").exists()
    running.stop()


@pytest.mark.postgres
def test_nodes_of_one_cloud_share_their_keys(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    one, two = (start_cloud(tmp_path / name, store=url) for name in ("one", "two"))
    first, second = (Account(node, ACCOUNT).client("kms") for node in (one, two))
    key = new_key(first)
    blob = first.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert second.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert not (tmp_path / "one" / "kms").exists()
    one.stop()
    two.stop()


@pytest.mark.postgres
def test_a_file_that_every_node_has_stays_out_of_the_database(
    start_cloud: Callable[..., RunningCloud], tmp_path: Path, postgres: PostgresServer
) -> None:
    url = postgres.create_database()
    for name in ("one", "two"):
        (tmp_path / name / "kms").mkdir(parents=True)
        (tmp_path / name / "kms" / "root.key").write_bytes(SECRET)
    one, two, three = (start_cloud(tmp_path / name, store=url) for name in ("one", "two", "three"))
    key = new_key(Account(one, ACCOUNT).client("kms"))
    blob = Account(one, ACCOUNT).client("kms").encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert Account(two, ACCOUNT).client("kms").decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    with refused("KMSInternalException"):
        Account(three, ACCOUNT).client("kms").decrypt(CiphertextBlob=blob)
    for node in (one, two, three):
        node.stop()
