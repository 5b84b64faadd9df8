"""GenerateMac and VerifyMac."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.identity.kms import materials, permissions, specs
from cumulo.services.identity.kms.errors import INVALID_MAC
from cumulo.services.identity.kms.keys import Key

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


def _mac(ctx: Context, request: Mapping[str, Any]) -> tuple[Key, bytes]:
    algorithm = request["MacAlgorithm"]
    key = permissions.use(ctx, request, specs.GENERATE_VERIFY_MAC, algorithm)
    permissions.finish(ctx, request, key)
    secret = materials.open_(ctx, key.key_id, key.materials[key.current])
    return key, hmac.digest(secret, request["Message"], "sha" + algorithm.removeprefix("HMAC_SHA_"))


@operation
def generate_mac(ctx: Context, request: t.GenerateMacRequest) -> t.GenerateMacResponse:
    """The HMAC of a message."""
    key, mac = _mac(ctx, request)
    return {"Mac": mac, "MacAlgorithm": request["MacAlgorithm"], "KeyId": key.arn}


@operation
def verify_mac(ctx: Context, request: t.VerifyMacRequest) -> t.VerifyMacResponse:
    """True, or KMSInvalidMacException: AWS never answers false."""
    key, mac = _mac(ctx, request)
    if not hmac.compare_digest(mac, request["Mac"]):
        raise INVALID_MAC()
    return {"KeyId": key.arn, "MacValid": True, "MacAlgorithm": request["MacAlgorithm"]}
