"""Parameter tiers: how large a value and how many parameters each takes, and which one a request means.

Source: Systems Manager User Guide, "Managing parameter tiers"; "AWS Systems Manager endpoints and quotas".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.services.operations.ssm import parameter_records as records
from cumulo.services.operations.ssm.errors import (
    DOWNGRADE,
    TOO_LONG_FOR_ADVANCED,
    TOO_LONG_FOR_STANDARD,
    TOO_MANY_ADVANCED,
    TOO_MANY_STANDARD,
    VALIDATION,
)
from cumulo.services.operations.ssm.parameter_records import ADVANCED, STANDARD

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_policies import Policy
    from cumulo.services.operations.ssm.parameter_records import Parameter

STANDARD_B, ADVANCED_B = 4096, 8192
STANDARD_COUNT, ADVANCED_COUNT = 10_000, 100_000
INTELLIGENT = "Intelligent-Tiering"


def choose(ctx: Context, request: Any, there: Parameter | None, policies: list[Policy]) -> str:
    """The tier that a PutParameter means. ValidationException for what does not fit into it."""
    size = len(request["Value"].encode())
    if size > ADVANCED_B:
        raise TOO_LONG_FOR_ADVANCED()
    wanted: str | None = request.get("Tier")
    current = there.latest.tier if there is not None else None
    if wanted == INTELLIGENT:
        full = there is None and records.count(ctx, STANDARD, 0) >= STANDARD_COUNT
        tier = ADVANCED if size > STANDARD_B or policies or full or current == ADVANCED else STANDARD
    else:
        tier = wanted or current or STANDARD
    if tier == ADVANCED:
        return tier
    if current == ADVANCED:
        raise DOWNGRADE()
    if size > STANDARD_B:
        raise TOO_LONG_FOR_STANDARD()
    if policies:
        raise VALIDATION("Parameter policies are supported only for parameters of the advanced-parameter tier.")
    return tier


def count(ctx: Context, tier: str, before: str | None) -> None:
    """Note a parameter of a tier, new (`before` None) or changed. Raises ParameterLimitExceeded."""
    if tier == before:
        return
    if before is not None:
        records.count(ctx, before, -1)
    there = records.count(ctx, tier, 1)
    if tier == STANDARD and there >= STANDARD_COUNT:
        raise TOO_MANY_STANDARD()
    if tier == ADVANCED and there >= ADVANCED_COUNT:
        raise TOO_MANY_ADVANCED()
