"""SSH public keys, in both forms, with the fingerprints that ssh-keygen prints."""

import base64
import hashlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from tests.services.identity.iam.conftest import House, refused

OPENSSH = (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def key() -> Any:
    return rsa.generate_private_key(65537, 2048).public_key()


def fingerprint(key: Any) -> str:
    blob = base64.b64decode(key.public_bytes(*OPENSSH).split()[1])
    digest = hashlib.md5(blob).hexdigest()
    return ":".join(digest[place : place + 2] for place in range(0, 32, 2))


def test_a_key_is_told_in_both_forms(house: House, key: Any, tmp_path: Path) -> None:
    iam = house.iam
    iam.create_user(UserName="alice")
    line = key.public_bytes(*OPENSSH).decode() + " alice@example.com"
    made = iam.upload_ssh_public_key(UserName="alice", SSHPublicKeyBody=line)["SSHPublicKey"]
    assert made["SSHPublicKeyId"].startswith("APKA")
    assert (made["Status"], made["SSHPublicKeyBody"]) == ("Active", line)
    # Of a key that it did not make, the model wants 48 letters: 47 and no more is what 16 bytes take.
    assert made["Fingerprint"] == fingerprint(key)
    if shutil.which("ssh-keygen"):
        (tmp_path / "key.pub").write_text(line)
        told = subprocess.run(
            ["ssh-keygen", "-l", "-E", "md5", "-f", tmp_path / "key.pub"], capture_output=True, text=True, check=True
        )
        assert f"MD5:{made['Fingerprint']}" in told.stdout
    named = {"UserName": "alice", "SSHPublicKeyId": made["SSHPublicKeyId"]}
    assert iam.get_ssh_public_key(**named, Encoding="SSH")["SSHPublicKey"]["SSHPublicKeyBody"] == line
    pem = iam.get_ssh_public_key(**named, Encoding="PEM")["SSHPublicKey"]["SSHPublicKeyBody"]
    assert serialization.load_pem_public_key(pem.encode()).public_numbers() == key.public_numbers()
    twice = refused(iam.upload_ssh_public_key, UserName="alice", SSHPublicKeyBody=key.public_bytes(*PEM).decode())
    assert twice[0] == "DuplicateSSHPublicKey"
    iam.update_ssh_public_key(**named, Status="Inactive")
    (listed,) = iam.list_ssh_public_keys(UserName="alice")["SSHPublicKeys"]
    assert (listed["SSHPublicKeyId"], listed["Status"]) == (made["SSHPublicKeyId"], "Inactive")
    assert refused(iam.delete_user, UserName="alice")[0] == "DeleteConflict"
    iam.delete_ssh_public_key(**named)
    gone = ("NoSuchEntity", f"The Public Key with id {made['SSHPublicKeyId']} cannot be found.", 404)
    assert refused(iam.get_ssh_public_key, **named, Encoding="SSH") == gone


def test_a_pem_key_becomes_a_line(house: House, key: Any) -> None:
    house.user("alice")
    made = house.iam.upload_ssh_public_key(UserName="alice", SSHPublicKeyBody=key.public_bytes(*PEM).decode())
    named = {"UserName": "alice", "SSHPublicKeyId": made["SSHPublicKey"]["SSHPublicKeyId"]}
    line = house.iam.get_ssh_public_key(**named, Encoding="SSH")["SSHPublicKey"]["SSHPublicKeyBody"]
    assert line == key.public_bytes(*OPENSSH).decode()
    assert made["SSHPublicKey"]["Fingerprint"] == fingerprint(key)


def test_other_keys_are_refused(house: House) -> None:
    house.user("alice")
    upload = house.iam.upload_ssh_public_key
    no_key = refused(upload, UserName="alice", SSHPublicKeyBody="ssh-rsa hello")
    assert no_key == ("UnrecognizedPublicKeyEncoding", "Invalid public key uploaded.", 400)
    short = rsa.generate_private_key(65537, 1024).public_key().public_bytes(*OPENSSH).decode()
    assert refused(upload, UserName="alice", SSHPublicKeyBody=short)[0] == "InvalidPublicKey"
    curve = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(*OPENSSH).decode()
    assert refused(upload, UserName="alice", SSHPublicKeyBody=curve)[0] == "InvalidPublicKey"
