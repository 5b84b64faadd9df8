"""GenerateRandom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.identity.kms.conditions import of_caller
from cumulo.services.identity.kms.errors import VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import kms as t


@operation(unsupported=("CustomKeyStoreId", "Recipient"), conditions=of_caller)
def generate_random(ctx: Context, request: t.GenerateRandomRequest) -> t.GenerateRandomResponse:
    """Random bytes, 1 to 1024 of them."""
    if "NumberOfBytes" not in request:
        raise VALIDATION("NumberOfBytes is required.")
    return {"Plaintext": ctx.random_bytes(request["NumberOfBytes"])}
