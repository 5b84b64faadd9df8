"""Code signing: which publishers a function's code must come from, and what happens to other code.

Only AWS Signer signs packages, with keys whose root is AWS's own: none can be checked here, so every package counts as
one without a valid signature, and the policy of the configuration is applied to it.
Source: Lambda Developer Guide, "Using code signing to verify code integrity with Lambda".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.core.table import REGION, Record, Table
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.errors import (
    CODE_NOT_VERIFIED,
    CODE_SIGNING_CONFIG_IN_USE,
    CODE_SIGNING_CONFIG_NOT_FOUND,
    IMAGES_NOT_SIGNED,
)
from cumulo.services.compute.lambda_.functions import tagging
from cumulo.services.compute.lambda_.functions.tagging import TAGGABLE, Tagged
from cumulo.services.compute.lambda_.packages.images import IMAGE
from cumulo.services.compute.lambda_.stored import configurations, functions, qualifiers, versions
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, Function

if TYPE_CHECKING:
    from cumulo.core.context import Context

PAGE = 50


class CodeSigningConfig(Record):
    """The publishers that are trusted, as versions of signing profiles. `modified_at`: seconds since 1970."""

    id: str
    modified_at: float
    profiles: list[str]
    policy: str = "Warn"  # or "Enforce"
    description: str = ""
    tags: dict[str, str] = {}


CONFIGS = Table(
    CodeSigningConfig,
    name="lambda.code_signing_configs",
    key="id",
    scope=REGION,
    arn="arn:{partition}:lambda:{region}:{account}:code-signing-config:{id}",
    missing=CODE_SIGNING_CONFIG_NOT_FOUND,
    tags=lambda config: config.tags,
)


def _get(ctx: Context, arn: str) -> CodeSigningConfig:
    """The configuration of an ARN, which must be one of the caller's account and region."""
    parts = arn.split(":")
    if parts[4] != ctx.account or parts[3] != ctx.region or CONFIGS.peek(ctx, parts[-1]) is None:
        if not ctx.trusted(parts[4]):
            ctx.authorize(arn)
        raise CODE_SIGNING_CONFIG_NOT_FOUND(arn=arn)
    return CONFIGS.get(ctx, parts[-1])


def _shown(ctx: Context, config: CodeSigningConfig) -> dict[str, Any]:
    return {
        "CodeSigningConfigId": config.id,
        "CodeSigningConfigArn": CONFIGS.arn(ctx, config.id),
        "Description": config.description,
        "AllowedPublishers": {"SigningProfileVersionArns": config.profiles},
        "CodeSigningPolicies": {"UntrustedArtifactOnDeployment": config.policy},
        "LastModified": configurations.shown_time(config.modified_at),
    }


def set_config(ctx: Context, function: Function, arn: str) -> None:
    """Give a function a configuration, which holds from its next deployment on."""
    parts = arn.split(":")
    found = CONFIGS.peek(ctx, parts[-1]) if parts[4] == ctx.account and parts[3] == ctx.region else None
    if found is None:
        raise CODE_SIGNING_CONFIG_NOT_FOUND(arn=arn)
    function.code_signing_config_arn = arn


def verify(ctx: Context, function: Function) -> None:
    """CodeVerificationFailedException for new code where the function's configuration enforces signatures."""
    if not function.code_signing_config_arn:
        return
    config = CONFIGS.peek(ctx, function.code_signing_config_arn.split(":")[-1], account=function.account)
    if config is None:
        return
    if config.policy == "Enforce":
        raise CODE_NOT_VERIFIED()
    ctx.logger.warning("%s: the code has no signature of an allowed publisher", function.arn)


@operation
def create_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A new configuration; what is not trusted is only warned of, unless it is to be enforced."""
    tagging.check(request.get("Tags", {}))
    config = CodeSigningConfig(
        ctx.new_id("csc-"),
        ctx.now(),
        request["AllowedPublishers"]["SigningProfileVersionArns"],
        request.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", "Warn"),
        request.get("Description", ""),
        dict(request.get("Tags", {})),
    )
    CONFIGS.put(ctx, config)
    return {"CodeSigningConfig": _shown(ctx, config)}


@operation
def get_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A configuration by its ARN."""
    return {"CodeSigningConfig": _shown(ctx, _get(ctx, request["CodeSigningConfigArn"]))}


@operation
def update_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change a configuration; it holds for deployments from now on."""
    config = _get(ctx, request["CodeSigningConfigArn"])
    if "AllowedPublishers" in request:
        config.profiles = request["AllowedPublishers"]["SigningProfileVersionArns"]
    config.policy = request.get("CodeSigningPolicies", {}).get("UntrustedArtifactOnDeployment", config.policy)
    config.description = request.get("Description", config.description)
    config.modified_at = ctx.now()
    CONFIGS.put(ctx, config)
    return {"CodeSigningConfig": _shown(ctx, config)}


@operation
def delete_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a configuration that no function uses."""
    arn = request["CodeSigningConfigArn"]
    config = _get(ctx, arn)
    if any(function.code_signing_config_arn == arn for function in FUNCTIONS.range(ctx)):
        raise CODE_SIGNING_CONFIG_IN_USE()
    CONFIGS.delete(ctx, config)
    return {}


@operation
def list_code_signing_configs(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All configurations."""
    after = markers.read(ctx, request, str)
    found = CONFIGS.range(ctx, after=(after,) if after is not None else None)
    page, marker = markers.cut(ctx, found, min(request.get("MaxItems", PAGE), PAGE), lambda config: config.id)
    return markers.answer("CodeSigningConfigs", [_shown(ctx, config) for config in page], marker)


@operation
def list_functions_by_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The ARNs of the functions that use a configuration."""
    arn = request["CodeSigningConfigArn"]
    _get(ctx, arn)
    after = markers.read(ctx, request, str)
    functions = FUNCTIONS.range(ctx, after=(after,) if after is not None else None)
    found = [function for function in functions if function.code_signing_config_arn == arn]
    page, marker = markers.cut(ctx, found, min(request.get("MaxItems", PAGE), PAGE), lambda function: function.name)
    return markers.answer("FunctionArns", [function.arn for function in page], marker)


@operation
def put_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for signed code of a function's next deployments."""
    arn = request["CodeSigningConfigArn"]
    function = _signable(ctx, request, {"lambda:CodeSigningConfigArn": arn})
    set_config(ctx, function, arn)
    functions.keep(ctx, function)
    return {"CodeSigningConfigArn": arn, "FunctionName": function.name}


@operation
def get_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a function."""
    function = _signable(ctx, request)
    return {"CodeSigningConfigArn": function.code_signing_config_arn, "FunctionName": function.name}


@operation
def delete_function_code_signing_config(ctx: Context, request: dict[str, Any]) -> None:
    """Ask for signed code no more."""
    function = _signable(ctx, request)
    function.code_signing_config_arn = ""
    functions.keep(ctx, function)


def _signable(ctx: Context, request: dict[str, Any], context: dict[str, Any] | None = None) -> Function:
    """A function whose code could be signed. InvalidParameterValueException for one of an image."""
    function = qualifiers.find(ctx, request["FunctionName"], context=context)
    latest = versions.of(ctx, function.account, function.region, function.name)
    if latest is not None and latest.package_type == IMAGE:
        raise IMAGES_NOT_SIGNED()
    return function


def _tagged(ctx: Context, arn: str) -> Tagged:
    config = _get(ctx, arn)

    def keep(tags: dict[str, str]) -> None:
        config.tags = tags
        CONFIGS.put(ctx, config)

    return Tagged(config.tags, keep)


TAGGABLE["code-signing-config"] = _tagged
