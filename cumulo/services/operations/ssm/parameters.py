"""PutParameter, DeleteParameter and DeleteParameters.

The order of checks in PutParameter: the name, permission, whether it may be created or overwritten, then the value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core import tags as tag_rules
from cumulo.core.errors import not_implemented
from cumulo.core.operation import operation
from cumulo.engines.regexes import Regex, RegexError, Unsupported
from cumulo.services.operations.ssm import data_types, expirations, parameter_names, parameter_policies, sealing, tiers
from cumulo.services.operations.ssm.errors import (
    ALREADY_EXISTS,
    INVALID_PATTERN,
    INVALID_TAG,
    KEY_WITHOUT_SECURE_STRING,
    NESTED,
    NOT_FOUND,
    OLDEST_IS_LABELLED,
    PATTERN_MISMATCH,
    TAGS_AND_OVERWRITE,
    TOO_MANY_TAGS,
    TYPE_CHANGE,
    TYPE_MISSING,
    VALIDATION,
)
from cumulo.services.operations.ssm.parameter_records import (
    ADVANCED,
    DEFAULT_KEY,
    PARAMETERS,
    SECURE,
    STRING_LIST,
    VERSIONS,
    Parameter,
    Version,
    authorize,
    authorize_name,
    find,
    peek,
    put,
    remove,
)

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import ssm as t

KEPT_VERSIONS = 100
_NESTED = re.compile(r"\{\{.*\}\}", re.DOTALL)


@operation
def put_parameter(ctx: Context, request: t.PutParameterRequest) -> t.PutParameterResult:
    name = parameter_names.check_new(request["Name"])
    overwrite = request.get("Overwrite", False)
    given = {"ssm:Overwrite": str(overwrite).lower(), "ssm:Policies": "Policies" in request}
    there = PARAMETERS.peek(ctx, name)
    if there is not None:
        authorize(ctx, there, context=given)
    else:
        authorize_name(ctx, name, context=given)
    if overwrite and request.get("Tags"):
        raise TAGS_AND_OVERWRITE()
    if there is not None and not overwrite:
        raise ALREADY_EXISTS()
    kind = _type(request, there)
    data_type = _data_type(request, there)
    _check_value(request, kind, data_type)
    policies = _policies(ctx, request, there)
    tier = tiers.choose(ctx, request, there, policies)
    version = Version(
        name=name,
        number=there.latest.number + 1 if there is not None else 1,
        type=kind,
        value=request["Value"],
        modified_at=ctx.now(),
        modified_by=ctx.principal.arn,
        description=request.get("Description", ""),
        key_id=request.get("KeyId", DEFAULT_KEY) if kind == SECURE else "",
        allowed_pattern=request.get("AllowedPattern", ""),
        tier=tier,
        data_type=data_type,
        policies=[policy.text for policy in policies],
    )
    parameter = there or _new(ctx, request, version)
    if kind == SECURE:
        version.value = sealing.seal(ctx, parameter.arn, version.key_id, version.value, advanced=tier == ADVANCED)
    _keep(ctx, parameter, version, policies, new=there is None)
    return {"Version": version.number, "Tier": tier}


def _new(ctx: Context, request: Any, version: Version) -> Parameter:
    parameter = Parameter(version.name, ctx.account, ctx.region, ctx.partition, version)
    parameter_names.check_length(parameter.arn)
    if request.get("Tags"):
        parameter.tags = tag_rules.from_list(request["Tags"])
        tag_rules.check(parameter.tags, invalid=INVALID_TAG, too_many=TOO_MANY_TAGS)
        authorize(ctx, parameter, action="ssm:AddTagsToResource")
    return parameter


def _keep(
    ctx: Context, parameter: Parameter, version: Version, policies: list[parameter_policies.Policy], *, new: bool
) -> None:
    if not new and version.number - parameter.oldest >= KEPT_VERSIONS:
        if parameter.labels_of(parameter.oldest):
            raise OLDEST_IS_LABELLED(name=parameter.name, version=parameter.oldest)
        VERSIONS.delete(ctx, Version(parameter.name, parameter.oldest, "", "", 0.0, ""))
        parameter.oldest += 1
    tiers.count(ctx, version.tier, None if new else parameter.latest.tier)
    parameter.latest = version
    VERSIONS.put(ctx, version)
    expirations.plan(ctx, parameter, policies)
    put(ctx, parameter)


def _type(request: Any, there: Parameter | None) -> str:
    kind: str | None = request.get("Type")
    if there is None:
        if kind is None:
            raise TYPE_MISSING()
    elif kind is None:
        kind = there.latest.type
    elif kind != there.latest.type and "/" in there.name:
        raise TYPE_CHANGE()
    if "KeyId" in request and kind != SECURE:
        raise KEY_WITHOUT_SECURE_STRING()
    return kind


def _data_type(request: Any, there: Parameter | None) -> str:
    data_type: str = request.get("DataType") or (there.latest.data_type if there is not None else data_types.TEXT)
    if data_type in data_types.UNCHECKED:
        raise not_implemented("ssm", "PutParameter", f"DataType={data_type}")
    return data_type


def _check_value(request: Any, kind: str, data_type: str) -> None:
    value = request["Value"]
    if not value:
        constraint = "Member must have length greater than or equal to 1"
        raise VALIDATION(f"1 validation error detected: Value '' at 'value' failed to satisfy constraint: {constraint}")
    if _NESTED.search(value):
        raise NESTED(value=value)
    if kind == STRING_LIST and data_type != data_types.TEXT:
        for item in value.split(","):
            data_types.check(data_type, item)
    else:
        data_types.check(data_type, value)
    pattern = request.get("AllowedPattern")
    if pattern:
        try:
            matched = Regex(pattern, java=True).fills(value)
        except Unsupported as lacking:
            raise not_implemented("ssm", "PutParameter", str(lacking)) from None
        except RegexError:
            raise INVALID_PATTERN() from None
        if not matched:
            raise PATTERN_MISMATCH(pattern=pattern)


def _policies(ctx: Context, request: Any, there: Parameter | None) -> list[parameter_policies.Policy]:
    """The policies of the request, else those that the parameter has: they stay until others are sent."""
    if "Policies" in request:
        found = parameter_policies.parse(request["Policies"])
        expirations.check(found, ctx.now())
        return found
    texts = there.latest.policies if there is not None else []
    return parameter_policies.parse(f"[{','.join(texts)}]")


@operation
def delete_parameter(ctx: Context, request: t.DeleteParameterRequest) -> None:
    name = request["Name"].strip()
    remove(ctx, find(ctx, name, NOT_FOUND))


@operation
def delete_parameters(ctx: Context, request: t.DeleteParametersRequest) -> t.DeleteParametersResult:
    deleted, invalid = [], []
    for text in dict.fromkeys(request["Names"]):
        reference = parameter_names.parse(text)
        parameter = peek(ctx, reference)
        if parameter is None:
            authorize_name(ctx, reference.name, account=reference.account)
            invalid.append(text)
            continue
        authorize(ctx, parameter)
        remove(ctx, parameter)
        deleted.append(text)
    return {"DeletedParameters": deleted, "InvalidParameters": invalid}
