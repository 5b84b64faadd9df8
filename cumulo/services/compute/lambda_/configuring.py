"""Laying the members of a request over a version's configuration, with the checks that creating and updating share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.identities import trusts
from cumulo.services.compute.lambda_ import environments, runtime_identifiers
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER, ROLE_NOT_ASSUMABLE, VALIDATION

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.versions import Version

SERVICE = "lambda.amazonaws.com"
# Source: Lambda Developer Guide, "Lambda quotas". The model's limits are those of Lambda Managed Instances.
TIMEOUT_S = 900
MEMORY_MB = 10_240


def apply(ctx: Context, version: Version, request: dict[str, Any]) -> None:
    """Lay what a request says over a version; inside a transaction, which a refusal undoes."""
    _check_ranges(request)
    if "Role" in request:
        set_role(ctx, version, request["Role"])
    if "Runtime" in request:
        runtime_identifiers.check(request["Runtime"])
        if version.runtime != request["Runtime"]:
            version.runtime = request["Runtime"]
            version.runtime_version_arn = runtime_identifiers.version_arn(ctx, version.runtime)
    version.handler = request.get("Handler", version.handler)
    version.description = request.get("Description", version.description)
    version.timeout_s = request.get("Timeout", version.timeout_s)
    version.memory_mb = request.get("MemorySize", version.memory_mb)
    version.ephemeral_mb = request.get("EphemeralStorage", {}).get("Size", version.ephemeral_mb)
    version.tracing = request.get("TracingConfig", {}).get("Mode", version.tracing)
    if "Environment" in request:
        variables = request["Environment"].get("Variables", {})
        environments.check(variables)
        version.variables = variables
    if "LoggingConfig" in request:
        _set_logging(version, request["LoggingConfig"])


def _check_ranges(request: dict[str, Any]) -> None:
    for member, limit in (("Timeout", TIMEOUT_S), ("MemorySize", MEMORY_MB)):
        if request.get(member, 0) > limit:
            name = member[0].lower() + member[1:]
            raise VALIDATION(
                f"1 validation error detected: Value '{request[member]}' at '{name}' failed to satisfy constraint: "
                f"Member must have value less than or equal to {limit}"
            )


def set_role(ctx: Context, version: Version, role_arn: str) -> None:
    """The execution role: one that the caller may pass, and that Lambda may assume."""
    role = ctx.pass_role(role_arn, SERVICE, resource_arn=version.arn)
    if role is None or not trusts(role, SERVICE, source_arn=version.arn, source_account=version.account):
        raise ROLE_NOT_ASSUMABLE()
    version.role = role_arn


def _set_logging(version: Version, wanted: dict[str, str]) -> None:
    """Levels are of the JSON format only. Source: Lambda Developer Guide, "Configuring advanced logging controls"."""
    log_format = wanted.get("LogFormat", version.log_format)
    if log_format == "Text" and ("ApplicationLogLevel" in wanted or "SystemLogLevel" in wanted):
        raise INVALID_PARAMETER(
            "To configure the log level, you must set the LogFormat to JSON."  # of our own: not observed
        )
    version.log_format = log_format
    version.log_group = wanted.get("LogGroup", version.log_group)
    if log_format == "JSON":
        version.application_level = wanted.get("ApplicationLogLevel", version.application_level or "INFO")
        version.system_level = wanted.get("SystemLogLevel", version.system_level or "INFO")
    else:
        version.application_level = version.system_level = ""
