"""Imported key material, wrapped here as a customer wraps it."""

import datetime
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key

from tests.conftest import Account
from tests.services.identity.kms.conftest import DAY_S, new_key, refused, state

ALGORITHMS = ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"]


def wrapped(parameters: dict[str, Any], algorithm: str, secret: bytes) -> bytes:
    digest: Any = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    public: Any = load_der_public_key(parameters["PublicKey"])
    scheme = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSAES"):
        return bytes(public.encrypt(secret, scheme))
    aes = os.urandom(32)
    return bytes(public.encrypt(aes, scheme)) + keywrap.aes_key_wrap_with_padding(aes, secret)


def give(kms: Any, key: str, secret: bytes, algorithm: str = "RSA_AES_KEY_WRAP_SHA_256", **members: Any) -> Any:
    """Import the secret as the key's material, for good unless the members say otherwise."""
    parameters = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    members.setdefault("ExpirationModel", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    return kms.import_key_material(
        KeyId=key,
        ImportToken=parameters["ImportToken"],
        EncryptedKeyMaterial=wrapped(parameters, algorithm, secret),
        **members,
    )


def external(kms: Any, **members: Any) -> str:
    return new_key(kms, Origin="EXTERNAL", **members)


def pkcs8(private: Any) -> bytes:
    return bytes(private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def test_a_symmetric_key_waits_for_its_material(kms: Any) -> None:
    key = external(kms)
    before = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (before["KeyState"], before["Enabled"], before["Origin"]) == ("PendingImport", False, "EXTERNAL")
    assert not {"CurrentKeyMaterialId", "ExpirationModel"} & set(before)
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.encrypt(KeyId=key, Plaintext=b"x")
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.rotate_key_on_demand(KeyId=key)
    parameters = kms.get_parameters_for_import(
        KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
    )
    assert parameters["KeyId"] == key and parameters["ParametersValidTo"] and len(parameters["ImportToken"]) <= 6144
    secret = os.urandom(32)
    answer = give(kms, key, secret)
    assert answer["KeyId"] == key
    after = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (after["KeyState"], after["Enabled"]) == ("Enabled", True)
    assert after["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE"
    assert after["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]

    deleted = kms.delete_imported_key_material(KeyId=key)
    assert (deleted["KeyId"], deleted["KeyMaterialId"]) == (key, answer["KeyMaterialId"])
    gone = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (gone["KeyState"], gone["CurrentKeyMaterialId"]) == ("PendingImport", answer["KeyMaterialId"])
    assert "ExpirationModel" not in gone
    with refused("KMSInvalidStateException", f"{key} is pending import."):
        kms.decrypt(CiphertextBlob=blob)
    with refused("IncorrectKeyMaterialException"):
        give(kms, key, os.urandom(32))
    assert give(kms, key, secret)["KeyMaterialId"] == answer["KeyMaterialId"]
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_material_is_what_was_wrapped(kms: Any, algorithm: str) -> None:
    """A ciphertext of an imported key opens outside, with the material that we know."""
    key, secret = external(kms), os.urandom(32)
    give(kms, key, secret, algorithm)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    head, nonce, body = blob[:-29], blob[-29:-17], blob[-17:]
    assert AESGCM(secret).decrypt(nonce, body, head) == b"x"


@pytest.mark.parametrize(("spec", "size"), [("RSA_2048", 2048), ("RSA_3072", 3072)])
def test_rsa_keys(kms: Any, spec: str, size: int) -> None:
    key = external(kms, spec=spec, usage="SIGN_VERIFY")
    with refused("UnsupportedOperationException"):
        give(kms, key, b"x", "RSAES_OAEP_SHA_256")
    private = rsa.generate_private_key(65537, size)
    assert "KeyMaterialId" not in give(kms, key, pkcs8(private))
    signature = kms.sign(KeyId=key, Message=b"x", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    private.public_key().verify(signature, b"x", padding.PKCS1v15(), hashes.SHA256())
    kms.delete_imported_key_material(KeyId=key)
    assert state(kms, key) == "PendingImport"


@pytest.mark.parametrize(("spec", "curve"), [
    ("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P384", ec.SECP384R1()),
    ("ECC_NIST_P521", ec.SECP521R1()), ("ECC_SECG_P256K1", ec.SECP256K1()),
])  # fmt: skip
def test_elliptic_curves(kms: Any, spec: str, curve: Any) -> None:
    key = external(kms, spec=spec, usage="SIGN_VERIFY")
    private = ec.generate_private_key(curve)
    give(kms, key, pkcs8(private))
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert found["ExpirationModel"] == "KEY_MATERIAL_DOES_NOT_EXPIRE" and "CurrentKeyMaterialId" not in found
    algorithm = found["SigningAlgorithms"][0]
    signature = kms.sign(KeyId=key, Message=b"x", SigningAlgorithm=algorithm)["Signature"]
    digest: Any = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    private.public_key().verify(signature, b"x", ec.ECDSA(digest))
    kms.delete_imported_key_material(KeyId=key)
    with refused("IncorrectKeyMaterialException"):
        give(kms, key, pkcs8(ec.generate_private_key(curve)))


def test_what_is_refused(cloud: Account, kms: Any, key: str) -> None:
    with refused("UnsupportedOperationException", f"{key} origin is AWS_KMS which is not valid for this operation."):
        kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=ALGORITHMS[0], WrappingKeySpec="RSA_2048")
    ours, other = external(kms), external(kms)
    text = "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
    with refused("ValidationException", text):
        give(kms, ours, bytes(32), ExpirationModel="KEY_MATERIAL_EXPIRES")
    for secret in (b"short", bytes(33)):
        with refused("IncorrectKeyMaterialException"):
            give(kms, ours, secret)
    with refused("IncorrectKeyMaterialException"):
        give(kms, external(kms, spec="ECC_NIST_P256", usage="SIGN_VERIFY"), b"no key")
    with refused("IncorrectKeyMaterialException"):
        wrong = pkcs8(ec.generate_private_key(ec.SECP384R1()))
        give(kms, external(kms, spec="ECC_NIST_P256", usage="SIGN_VERIFY"), wrong)
    algorithm = "RSAES_OAEP_SHA_256"
    parameters = kms.get_parameters_for_import(KeyId=ours, WrappingAlgorithm=algorithm, WrappingKeySpec="RSA_2048")
    request = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE", "ImportToken": parameters["ImportToken"]}
    good = wrapped(parameters, algorithm, bytes(32))
    for token in (b"nonsense", parameters["ImportToken"][:-1]):
        with refused("InvalidImportTokenException"):
            kms.import_key_material(**{**request, "ImportToken": token}, KeyId=ours, EncryptedKeyMaterial=good)
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**request, KeyId=other, EncryptedKeyMaterial=good)
    with refused("InvalidCiphertextException"):
        kms.import_key_material(**request, KeyId=ours, EncryptedKeyMaterial=bytes(256))
    cloud.advance(DAY_S + 1)
    with refused("ExpiredImportTokenException"):
        kms.import_key_material(**request, KeyId=ours, EncryptedKeyMaterial=good)
    for refused_algorithm in ("SM2PKE", "RSAES_PKCS1_V1_5"):
        with refused("NotImplemented" if "SM2" in refused_algorithm else "UnsupportedOperationException"):
            kms.get_parameters_for_import(KeyId=ours, WrappingAlgorithm=refused_algorithm, WrappingKeySpec="RSA_2048")


def test_material_expires(cloud: Account, kms: Any) -> None:
    key, secret = external(kms), os.urandom(32)
    now = datetime.datetime.fromtimestamp(cloud.running.clock.now(), datetime.UTC)
    valid_to = (now + datetime.timedelta(days=3)).replace(microsecond=0)
    give(kms, key, secret, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=valid_to)
    found = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (found["ExpirationModel"], found["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", valid_to)
    cloud.advance(2 * DAY_S)
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    cloud.advance(DAY_S + 1)
    assert state(kms, key) == "PendingImport"
    give(kms, key, secret)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    for days in (-1, 366):
        with refused("ValidationException"):
            when = datetime.datetime.fromtimestamp(cloud.running.clock.now(), datetime.UTC)
            give(kms, key, secret, ExpirationModel="KEY_MATERIAL_EXPIRES", ValidTo=when + datetime.timedelta(days=days))


def test_rotation_to_imported_material(kms: Any) -> None:
    key = external(kms)
    first = give(kms, key, bytes(32), KeyMaterialDescription="the first")["KeyMaterialId"]
    with refused("KMSInvalidStateException", f"No available key material pending rotation for the key: {key}."):
        kms.rotate_key_on_demand(KeyId=key)
    before = kms.encrypt(KeyId=key, Plaintext=b"before")["CiphertextBlob"]
    second = give(kms, key, b"2" * 32, ImportType="NEW_KEY_MATERIAL")["KeyMaterialId"]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == first
    from cumulo.services.identity.kms.materials import id_of

    third = id_of(key.rpartition("/")[2], b"3" * 32)
    with refused(
        "KMSInvalidStateException",
        f"New key material (id: {third}) cannot be imported into KMS key {key}, because another key material "
        f"(id: {second}) is pending rotation.",
    ):
        give(kms, key, b"3" * 32, ImportType="NEW_KEY_MATERIAL")
    listed = kms.list_key_rotations(KeyId=key, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert [(each["KeyMaterialId"], each["KeyMaterialState"]) for each in listed] == [
        (first, "CURRENT"), (second, "PENDING_ROTATION"),
    ]  # fmt: skip
    assert listed[0]["KeyMaterialDescription"] == "the first" and listed[0]["ImportState"] == "IMPORTED"
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"] == key
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["CurrentKeyMaterialId"] == second
    after = kms.encrypt(KeyId=key, Plaintext=b"after")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=before)["Plaintext"] == b"before"
    assert kms.decrypt(CiphertextBlob=after)["Plaintext"] == b"after"
    kms.delete_imported_key_material(KeyId=key, KeyMaterialId=first)
    assert state(kms, key) == "PendingImport"
    with refused("UnsupportedOperationException", f"{key} origin is EXTERNAL which is not valid for this operation."):
        kms.enable_key_rotation(KeyId=key)
