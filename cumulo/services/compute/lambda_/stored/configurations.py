"""What Lambda shows of a version: the FunctionConfiguration of nearly every answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cumulo.services.compute.lambda_.packages import images, packages
from cumulo.services.compute.lambda_.stored import environments

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version


def shown_time(seconds: float) -> str:
    """A time as Lambda writes it: 2024-05-01T12:00:00.123+0000."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def shown_sha256(version: Version) -> str:
    """The hash of a version's code: of an archive in base64, of an image the digest of its manifest."""
    return version.code_sha256 if version.package_type == images.IMAGE else packages.shown(version.code_sha256)


def listed(ctx: Context, version: Version, arn: str = "") -> dict[str, Any]:
    """What lists show: everything but the state. `arn` if the version was asked for by another ARN than its own."""
    shown: dict[str, Any] = {
        "FunctionName": version.name,
        "FunctionArn": arn or version.arn,
        "Role": version.role,
        "CodeSize": version.code_size,
        "Description": version.description,
        "Timeout": version.timeout_s,
        "MemorySize": version.memory_mb,
        "LastModified": shown_time(version.modified_at),
        "CodeSha256": shown_sha256(version),
        "Version": version.version,
        "TracingConfig": {"Mode": version.tracing},
        "RevisionId": version.revision_id,
        "PackageType": version.package_type,
        "Architectures": [version.architecture],
        "EphemeralStorage": {"Size": version.ephemeral_mb},
        "SnapStart": {"ApplyOn": version.snap_start, "OptimizationStatus": version.snap_start_status},
        "LoggingConfig": _logging(version),
    }
    if version.runtime:
        shown |= {"Runtime": version.runtime, "Handler": version.handler}
    if version.image_config:
        shown["ImageConfigResponse"] = {"ImageConfig": version.image_config}
    environment = environments.shown(ctx, version)
    if environment is not None:
        shown["Environment"] = environment
    if version.kms_key_arn:
        shown["KMSKeyArn"] = version.kms_key_arn
    if version.dead_letter_arn:
        shown["DeadLetterConfig"] = {"TargetArn": version.dead_letter_arn}
    if version.tenant_isolation:
        shown["TenancyConfig"] = {"TenantIsolationMode": version.tenant_isolation}
    if version.durable_timeout_s:
        shown["DurableConfig"] = {
            "RetentionPeriodInDays": version.durable_retention_days,
            "ExecutionTimeout": version.durable_timeout_s,
        }
    if version.layers:
        sized = zip(version.layers, version.layer_sizes, strict=True)
        shown["Layers"] = [{"Arn": arn, "CodeSize": size} for arn, size in sized]
    if version.vpc_config is not None:
        shown["VpcConfig"] = version.vpc_config
    return shown


def configuration(ctx: Context, version: Version, arn: str = "") -> dict[str, Any]:
    """What everything else shows."""
    shown = listed(ctx, version, arn)
    if version.runtime_version_arn:
        shown["RuntimeVersionConfig"] = {"RuntimeVersionArn": version.runtime_version_arn}
    shown["State"] = version.state
    for member, value in (
        ("StateReason", version.state_reason),
        ("StateReasonCode", version.state_reason_code),
        ("LastUpdateStatus", version.update_status),
        ("LastUpdateStatusReason", version.update_reason),
        ("LastUpdateStatusReasonCode", version.update_reason_code),
    ):
        if value:
            shown[member] = value
    return shown


def _logging(version: Version) -> dict[str, str]:
    shown = {"LogFormat": version.log_format, "LogGroup": version.log_group}
    if version.application_level:
        shown["ApplicationLogLevel"] = version.application_level
    if version.system_level:
        shown["SystemLogLevel"] = version.system_level
    return shown
