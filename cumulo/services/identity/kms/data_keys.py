"""Data keys and data key pairs: for the caller's own use, with a copy that only KMS can open."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.services.identity.kms import materials, permissions, specs
from cumulo.services.identity.kms.encryption import seal
from cumulo.services.identity.kms.errors import VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.identity.kms.keys import Key
    from cumulo.stubs import kms as t

SPEC_BYTES = {"AES_128": 16, "AES_256": 32}


def _use(ctx: Context, request: Mapping[str, Any]) -> Key:
    return permissions.use(
        ctx,
        request,
        specs.ENCRYPT_DECRYPT,
        specs.SYMMETRIC,
        context=request.get("EncryptionContext"),
        more={"kms:EncryptionAlgorithm": specs.SYMMETRIC},
    )


def _new_data_key(ctx: Context, request: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The plaintext of a new data key, and the answer without it."""
    if ("KeySpec" in request) == ("NumberOfBytes" in request):
        raise VALIDATION("Please specify either number of bytes or key spec.")
    key = _use(ctx, request)
    permissions.finish(ctx, request, key)
    plaintext = ctx.random_bytes(SPEC_BYTES.get(request.get("KeySpec", ""), request.get("NumberOfBytes", 0)))
    answer = {
        "CiphertextBlob": seal(ctx, key, plaintext, request.get("EncryptionContext")),
        "KeyId": key.arn,
        "KeyMaterialId": key.materials[key.current].id,
    }
    return plaintext, answer


@operation(unsupported=("Recipient",))
def generate_data_key(ctx: Context, request: t.GenerateDataKeyRequest) -> t.GenerateDataKeyResponse:
    """A data key, in plaintext and under the key."""
    plaintext, answer = _new_data_key(ctx, request)
    return {**answer, "Plaintext": plaintext}  # type: ignore[typeddict-item]


@operation
def generate_data_key_without_plaintext(
    ctx: Context, request: t.GenerateDataKeyWithoutPlaintextRequest
) -> t.GenerateDataKeyWithoutPlaintextResponse:
    """A data key under the key only."""
    return _new_data_key(ctx, request)[1]  # type: ignore[return-value]


async def _new_pair(ctx: Context, request: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """The private key of a new data key pair, and the answer without it."""
    spec = request["KeyPairSpec"]
    if spec in specs.REFUSED or not materials.available(specs.SPECS[spec]):
        raise not_implemented("kms", ctx.operation, f"KeyPairSpec {spec}")

    def check(ctx: Context) -> None:  # nobody without the right makes this machine work
        key = _use(ctx, request)
        if request.get("DryRun"):
            permissions.finish(ctx, request, key)

    await ctx.transact(check)
    private, public = await ctx.in_thread(lambda: materials.make_pair(spec))

    def answer(ctx: Context) -> dict[str, Any]:
        key = _use(ctx, request)
        permissions.finish(ctx, request, key)
        return {
            "PrivateKeyCiphertextBlob": seal(ctx, key, private, request.get("EncryptionContext")),
            "PublicKey": public,
            "KeyId": key.arn,
            "KeyPairSpec": spec,
            "KeyMaterialId": key.materials[key.current].id,
        }

    return private, await ctx.transact(answer)


@operation(unsupported=("Recipient",))
async def generate_data_key_pair(ctx: Context, request: t.GenerateDataKeyPairRequest) -> t.GenerateDataKeyPairResponse:
    """A key pair in DER: the public key, and the private key in plaintext and under the key."""
    private, answer = await _new_pair(ctx, request)
    return {**answer, "PrivateKeyPlaintext": private}  # type: ignore[typeddict-item]


@operation
async def generate_data_key_pair_without_plaintext(
    ctx: Context, request: t.GenerateDataKeyPairWithoutPlaintextRequest
) -> t.GenerateDataKeyPairWithoutPlaintextResponse:
    """A key pair in DER: the public key, and the private key under the key only."""
    return (await _new_pair(ctx, request))[1]  # type: ignore[return-value]
