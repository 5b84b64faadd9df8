"""DescribeParameters: the parameters of an account, or those that others share with it, without their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core import paging
from cumulo.core.operation import operation
from cumulo.services.operations.ssm import parameter_filters, parameter_policies
from cumulo.services.operations.ssm.errors import INVALID_NEXT_TOKEN
from cumulo.services.operations.ssm.parameter_records import PARAMETERS, SECURE, SHARES

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.ssm.parameter_records import Parameter, Version
    from cumulo.stubs import ssm as t

PAGE = 10
_SCAN = 200


@operation
def describe_parameters(ctx: Context, request: t.DescribeParametersRequest) -> t.DescribeParametersResult:
    filters = parameter_filters.for_descriptions(request)
    shared = request.get("Shared", False)

    def fetch(after: Any, limit: int) -> list[Parameter]:
        found: list[Parameter] = []
        while True:
            some = _shared(ctx, after) if shared else PARAMETERS.range(ctx, after=after, limit=_SCAN)
            for parameter in some:
                if all(each.accepts(parameter, parameter.latest) for each in filters):
                    found.append(parameter)
                    if len(found) == limit:
                        return found
            if shared or len(some) < _SCAN:
                return found
            after = (some[-1].name,)

    found, token = paging.page(
        ctx,
        fetch,
        lambda parameter: (parameter.account, parameter.name) if shared else (parameter.name,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    answer: t.DescribeParametersResult = {"Parameters": [_described(each) for each in found]}
    if token:
        answer["NextToken"] = token
    return answer


def _shared(ctx: Context, after: Any) -> list[Parameter]:
    place = (ctx.region, ctx.account)
    shares = SHARES.range(ctx, *place, after=(*place, *after) if after is not None else None)
    found = [PARAMETERS.peek(ctx, share.name, account=share.owner) for share in shares]
    return [parameter for parameter in found if parameter is not None]


def _described(parameter: Parameter) -> Any:
    answer = metadata(parameter.latest, parameter.policy_states)
    answer["ARN"] = parameter.arn
    return answer


def metadata(version: Version, states: list[str]) -> dict[str, Any]:
    """What DescribeParameters and GetParameterHistory both say of a version."""
    answer: dict[str, Any] = {
        "Name": version.name,
        "Type": version.type,
        "LastModifiedDate": version.modified_at,
        "LastModifiedUser": version.modified_by,
        "Version": version.number,
        "Tier": version.tier,
        "DataType": version.data_type,
        "Policies": [
            {"PolicyText": text, "PolicyType": msgspec.json.decode(text)["Type"], "PolicyStatus": state}
            for text, state in zip(
                version.policies, states or [parameter_policies.FINISHED] * len(version.policies), strict=True
            )
        ],
    }
    if version.type == SECURE:
        answer["KeyId"] = version.key_id
    if version.description:
        answer["Description"] = version.description
    if version.allowed_pattern:
        answer["AllowedPattern"] = version.allowed_pattern
    return answer
