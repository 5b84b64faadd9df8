"""GetParameterHistory: all versions that are kept, the oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.services.operations.ssm.descriptions import metadata
from cumulo.services.operations.ssm.errors import INVALID_NEXT_TOKEN, NOT_FOUND_BY_NAME
from cumulo.services.operations.ssm.parameter_records import VERSIONS, find, value_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_records import Parameter, Version
    from cumulo.stubs import ssm as t

PAGE = 50


@operation
def get_parameter_history(ctx: Context, request: t.GetParameterHistoryRequest) -> t.GetParameterHistoryResult:
    parameter = find(ctx, request["Name"], NOT_FOUND_BY_NAME)
    decrypt = request.get("WithDecryption", False)

    def fetch(after: Any, limit: int) -> list[Version]:
        start = (int(after[0]) + 1,) if after is not None else None
        return VERSIONS.range(ctx, parameter.name, start=start, limit=limit, account=parameter.account)

    found, token = paging.page(
        ctx,
        fetch,
        lambda version: (version.number,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.GetParameterHistoryResult = {
        "Parameters": [_entry(ctx, parameter, version, decrypt=decrypt) for version in found]
    }
    if token:
        answer["NextToken"] = token
    return answer


def _entry(ctx: Context, parameter: Parameter, version: Version, *, decrypt: bool) -> Any:
    states = parameter.policy_states if version.number == parameter.latest.number else []
    return {
        **metadata(version, states),
        "Value": value_of(ctx, parameter, version, decrypt=decrypt),
        "Labels": parameter.labels_of(version.number),
    }
