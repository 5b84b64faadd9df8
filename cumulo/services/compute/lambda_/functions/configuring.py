"""Laying the members of a request over a version's configuration, with the checks that creating and updating share.

Texts observed in AWS's answers, or reported by users of AWS, unless they are called our own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cumulo.core.callers.identities import trusts
from cumulo.core.errors import not_implemented
from cumulo.services.compute.lambda_.errors import (
    IMAGE_BRINGS_ALL,
    INVALID_PARAMETER,
    NOT_FOR_TENANTS,
    ROLE_NOT_ASSUMABLE,
)
from cumulo.services.compute.lambda_.layers import layers
from cumulo.services.compute.lambda_.packages import images, packages
from cumulo.services.compute.lambda_.stored import environments, runtime_identifiers
from cumulo.services.compute.lambda_.stored.runtime_identifiers import SNAP_START_ON

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.layers.layers import LayerVersion
    from cumulo.services.compute.lambda_.stored.versions import Version

SERVICE = "lambda.amazonaws.com"
LAYERS = 5  # Source: Lambda Developer Guide, "Lambda quotas"
RETENTION_DAYS = 30  # Lambda API Reference, GetDurableExecutionHistory
_DEAD_LETTER = re.compile(r"arn:aws[a-zA-Z-]*:(?P<service>sqs|sns):[a-z0-9-]+:\d{12}:\S+")


def condition_keys(request: dict[str, Any]) -> dict[str, Any]:
    """What policies may ask about a configuration. Source: Service Authorization Reference, AWS Lambda."""
    vpc = request.get("VpcConfig", {})
    keys = {
        "lambda:Layer": request.get("Layers"),
        "lambda:SubnetIds": vpc.get("SubnetIds"),
        "lambda:SecurityGroupIds": vpc.get("SecurityGroupIds"),
        "lambda:CodeSigningConfigArn": request.get("CodeSigningConfigArn"),
    }
    return {key: value for key, value in keys.items() if value}


def apply(ctx: Context, version: Version, request: dict[str, Any]) -> None:
    """Lay what a request says over a version; inside a transaction, which a refusal undoes."""
    _refuse_what_is_not_there(ctx, request)
    _set_image(ctx, version, request)
    if "Runtime" in request:
        runtime_identifiers.check(request["Runtime"])
        if version.runtime != request["Runtime"]:
            version.runtime = request["Runtime"]
            version.runtime_version_arn = runtime_identifiers.version_arn(ctx, version.runtime)
    if "Role" in request:
        _set_role(ctx, version, request["Role"])
    version.handler = request.get("Handler", version.handler)
    version.description = request.get("Description", version.description)
    version.timeout_s = request.get("Timeout", version.timeout_s)
    version.memory_mb = request.get("MemorySize", version.memory_mb)
    version.ephemeral_mb = request.get("EphemeralStorage", {}).get("Size", version.ephemeral_mb)
    if "Layers" in request:
        _set_layers(ctx, version, request["Layers"])
    _set_environment(ctx, version, request)
    _set_snap_start(version, request)
    if "LoggingConfig" in request:
        _set_logging(version, request["LoggingConfig"])
    if "TracingConfig" in request:
        version.tracing = request["TracingConfig"].get("Mode", version.tracing)
    if version.tracing == "Active" and ("TracingConfig" in request or "Role" in request):
        _check_role(ctx, version, "xray:PutTraceSegments", "*", "PutTraceSegments on XRAY")
    _set_vpc(version, request)
    if "DurableConfig" in request:
        _set_durability(ctx, version, request["DurableConfig"])
    if "TargetArn" in request.get("DeadLetterConfig", {}):  # "" ends it; a configuration of nothing changes nothing
        _set_dead_letters(ctx, version, request["DeadLetterConfig"]["TargetArn"])


def _refuse_what_is_not_there(ctx: Context, request: dict[str, Any]) -> None:
    """What belongs to services that are still to come; asking for none of it is well."""
    vpc = request.get("VpcConfig", {})
    if vpc.get("SubnetIds") or vpc.get("SecurityGroupIds"):
        raise not_implemented("lambda", ctx.operation, "VpcConfig")
    if vpc.get("Ipv6AllowedForDualStack"):
        raise not_implemented("lambda", ctx.operation, "VpcConfig.Ipv6AllowedForDualStack")
    if request.get("FileSystemConfigs"):
        raise not_implemented("lambda", ctx.operation, "FileSystemConfigs")


def _set_image(ctx: Context, version: Version, request: dict[str, Any]) -> None:
    if version.package_type != images.IMAGE:
        if any(request.get("ImageConfig", {}).values()):
            raise INVALID_PARAMETER("Please don't provide ImageConfig when the packageType is not set to Image.")
        return
    if "Runtime" in request or "Handler" in request or request.get("Layers"):
        raise IMAGE_BRINGS_ALL()
    if request.get("SnapStart", {}).get("ApplyOn") == SNAP_START_ON:
        raise not_implemented("lambda", ctx.operation, "SnapStart of container images")
    if "ImageConfig" in request:
        images.set_config(version, request["ImageConfig"])


def _set_role(ctx: Context, version: Version, role_arn: str) -> None:
    """The execution role: one that the caller may pass, and that Lambda may assume."""
    role = ctx.pass_role(role_arn, SERVICE, resource_arn=version.arn)
    if role is None or not trusts(role, SERVICE, source_arn=version.arn, source_account=version.account):
        raise ROLE_NOT_ASSUMABLE()
    if version.role != role_arn:
        version.role = role_arn
        if version.kms_grant_id:  # the key was opened to the role before
            environments.drop_grant(ctx, version)
            environments.grant(ctx, version)


def _check_role(ctx: Context, version: Version, action: str, resource_arn: str, what: str) -> None:
    """The role must be allowed to do what the configuration makes Lambda do in its name."""
    request = {"PolicySourceArn": version.role, "ActionNames": [action], "ResourceArns": [resource_arn]}
    answer = ctx.call("iam", "SimulatePrincipalPolicy", request, internal=True)
    if any(result["EvalDecision"] != "allowed" for result in answer["EvaluationResults"]):
        raise INVALID_PARAMETER(f"The provided execution role does not have permissions to call {what}")


def _set_layers(ctx: Context, version: Version, arns: list[str]) -> None:
    """The layers in the order in which they are laid: each found, let be used by its owner, and none twice."""
    if len(arns) > LAYERS:
        raise INVALID_PARAMETER(f"Cannot reference more than {LAYERS} layers.")
    found: list[LayerVersion] = []
    for arn in arns:
        asked = layers.read(ctx, arn)
        if asked.region != version.region:
            raise INVALID_PARAMETER(
                "Layers are not in the same region as the function. Layers are expected to be in region "
                f"{version.region}."
            )
        layer = layers.peek(ctx, asked)
        layers.authorize(ctx, asked, layer.policy if layer is not None else "", action="lambda:GetLayerVersion")
        if layer is None:
            raise INVALID_PARAMETER(f"Layer version {asked.arn} does not exist.")
        other = next((each for each in found if (each.account, each.name) == (layer.account, layer.name)), None)
        if other is not None:
            raise INVALID_PARAMETER(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{other.arn} and {layer.arn}"
            )
        found.append(layer)
    version.layers = [layer.arn for layer in found]
    version.layer_sha256s = [layer.sha256 for layer in found]
    version.layer_sizes = [layer.size for layer in found]
    if version.code_sha256:
        package = packages.PACKAGES.peek(ctx, version.code_sha256)
        check_unpacked(ctx, version, package.unpacked_size if package is not None else 0)


def check_unpacked(ctx: Context, version: Version, size: int) -> None:
    """InvalidParameterValueException when code of this size and the layers are too large together."""
    for sha256 in version.layer_sha256s:
        package = packages.PACKAGES.peek(ctx, sha256)
        size += package.unpacked_size if package is not None else 0
    if size > packages.UNZIPPED_BYTES:
        raise INVALID_PARAMETER(
            f"Function code combined with layers exceeds the maximum allowed size of {packages.UNZIPPED_BYTES} bytes. "
            f"The actual size is {size} bytes."
        )


def _set_environment(ctx: Context, version: Version, request: dict[str, Any]) -> None:
    if "Environment" in request:
        variables = request["Environment"].get("Variables", {})
        environments.check(variables)
        if request.get("KMSKeyArn", version.kms_key_arn) == version.kms_key_arn:
            environments.set_variables(ctx, version, variables)
        else:
            version.variables, version.variables_sealed = variables, b""
    if request.get("KMSKeyArn", version.kms_key_arn) != version.kms_key_arn:
        environments.set_key(ctx, version, request["KMSKeyArn"])


def _set_snap_start(version: Version, request: dict[str, Any]) -> None:
    if "SnapStart" in request:
        version.snap_start = request["SnapStart"].get("ApplyOn", "None")
    if version.snap_start != SNAP_START_ON:
        return
    if version.runtime not in runtime_identifiers.SNAP_START:
        raise INVALID_PARAMETER(f"{version.runtime} is not supported for SnapStart enabled functions.")
    if version.tenant_isolation:
        raise NOT_FOR_TENANTS(what="SnapStart is")
    if version.ephemeral_mb > 512:  # of our own: the rule is the guide's, the text was not observed
        raise INVALID_PARAMETER("SnapStart does not support ephemeral storage greater than 512 MB.")


def _set_logging(version: Version, wanted: dict[str, str]) -> None:
    """Levels are of the JSON format only. Source: Lambda Developer Guide, "Configuring advanced logging controls"."""
    log_format = wanted.get("LogFormat", version.log_format)
    if log_format == "Text" and ("ApplicationLogLevel" in wanted or "SystemLogLevel" in wanted):
        # Of our own: not observed.
        raise INVALID_PARAMETER("To configure the log level, you must set the LogFormat to JSON.")
    version.log_format = log_format
    version.log_group = wanted.get("LogGroup", version.log_group)
    if version.log_group.lower().startswith("aws/"):  # the words are those of CloudWatch Logs
        raise INVALID_PARAMETER("Log groups starting with AWS/ are reserved for AWS.")
    if log_format == "JSON":
        version.application_level = wanted.get("ApplicationLogLevel", version.application_level or "INFO")
        version.system_level = wanted.get("SystemLogLevel", version.system_level or "INFO")
    else:
        version.application_level = version.system_level = ""


def _set_dead_letters(ctx: Context, version: Version, target_arn: str) -> None:
    if target_arn:
        found = _DEAD_LETTER.fullmatch(target_arn)
        if found is None or target_arn.endswith(".fifo"):
            # Of our own; the rule is the guide's: "Adding a dead-letter queue".
            raise INVALID_PARAMETER(
                f"The provided target {target_arn} is invalid: it must be a standard SQS queue or SNS topic."
            )
        if found["service"] == "sqs":
            _check_role(ctx, version, "sqs:SendMessage", target_arn, "SendMessage on SQS")
        else:
            _check_role(ctx, version, "sns:Publish", target_arn, "Publish on SNS")
    version.dead_letter_arn = target_arn


def _set_durability(ctx: Context, version: Version, wanted: dict[str, Any]) -> None:
    """How long executions of the function may last, and are remembered: what makes it a durable one."""
    if wanted.get("KMSKeyArn"):
        raise not_implemented("lambda", ctx.operation, "DurableConfig.KMSKeyArn")
    timeout_s = wanted.get("ExecutionTimeout", version.durable_timeout_s)
    if not timeout_s:  # reported by users of AWS (aws/aws-extensions-for-dotnet-cli 450)
        raise INVALID_PARAMETER("You cannot create a function with a durable configuration without an executionTimeout")
    version.durable_timeout_s = timeout_s
    version.durable_retention_days = wanted.get(
        "RetentionPeriodInDays", version.durable_retention_days or RETENTION_DAYS
    )


def _set_vpc(version: Version, request: dict[str, Any]) -> None:
    """Out of every VPC: what AWS shows of a function that was told so."""
    if "VpcConfig" in request:
        version.vpc_config = {
            "SubnetIds": [],
            "SecurityGroupIds": [],
            "VpcId": "",
            "Ipv6AllowedForDualStack": False,
        }
