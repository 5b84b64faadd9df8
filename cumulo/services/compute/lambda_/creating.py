"""CreateFunction, and what brings a new or changed version into service."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core import tags as tag_rules
from cumulo.core.operation import operation, task
from cumulo.services.compute.lambda_ import (
    archives,
    configurations,
    configuring,
    function_names,
    functions,
    packages,
    publishing,
    qualifiers,
    versions,
)
from cumulo.services.compute.lambda_.errors import FUNCTION_EXISTS, INVALID_PARAMETER, VALIDATION
from cumulo.services.compute.lambda_.functions import FUNCTIONS, Function
from cumulo.services.compute.lambda_.versions import LATEST, Version

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages import Upload

NAME_LENGTH = 64
IN_PROGRESS = ("The function is being created.", "Creating")
INVALID_TAGS = INVALID_PARAMETER


@operation(
    unsupported=(
        "PublishTo", "VpcConfig", "DeadLetterConfig", "KMSKeyArn", "Layers", "FileSystemConfigs",
        "CodeSigningConfigArn", "ImageConfig", "SnapStart", "TenancyConfig", "CapacityProviderConfig", "DurableConfig",
        "RuntimeConfig", "AcceleratorConfig",
    )
)  # fmt: skip
async def create_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A new function of a zip archive; it is Pending, and Active a little later."""
    await ctx.transact(partial(_new, request=request))  # who may not, or not so, uploads nothing
    upload = await packages.upload(ctx, request["Code"].get("ZipFile", b""))
    try:
        return await ctx.transact(partial(_create, request=request, upload=upload))
    except BaseException:
        packages.discard(ctx, upload)
        raise


def _new(ctx: Context, request: dict[str, Any]) -> tuple[Function, Version]:
    """The function as the request has it, not kept yet."""
    asked = function_names.read(ctx, request["FunctionName"])
    if len(asked.name) > NAME_LENGTH:
        raise VALIDATION(
            f"1 validation error detected: Value '{asked.name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {NAME_LENGTH}"
        )
    now = ctx.now()
    function = Function(asked.account, asked.region, asked.name, now, tags=dict(request.get("Tags", {})))
    present = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    qualifiers.authorize(ctx, asked._replace(qualifier=""), present)
    version = Version(asked.account, asked.region, asked.name, LATEST, "", now, ctx.uuid())
    version.log_group = f"/aws/lambda/{asked.name}"
    version.architecture = request.get("Architectures", ["x86_64"])[0]
    version.package_type = request.get("PackageType", "Zip")
    if "Runtime" not in request or "Handler" not in request:
        raise INVALID_PARAMETER(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    tag_rules.check(function.tags, invalid=INVALID_TAGS)
    configuring.apply(ctx, version, request)
    if present is not None:
        raise FUNCTION_EXISTS(name=asked.name)
    return function, version


def _create(ctx: Context, request: dict[str, Any], upload: Upload) -> dict[str, Any]:
    function, version = _new(ctx, request)
    package = packages.use(ctx, upload)
    version.code_sha256, version.code_size = package.sha256, package.size
    version.state, version.state_reason, version.state_reason_code = "Pending", *IN_PROGRESS
    versions.keep(ctx, version)
    begin(ctx, version)
    functions.keep(ctx, function)
    if request.get("Publish"):
        version = publishing.publish(ctx, function, version)
        begin(ctx, version)
    return configurations.configuration(version, function.arn)


# --- into service -------------------------------------------------------------------------------


def begin(ctx: Context, version: Version) -> None:
    """Start what makes a kept version ready; inside the transaction that keeps it."""
    payload = {
        "account": version.account,
        "region": version.region,
        "name": version.name,
        "version": version.version,
        "revision_id": version.revision_id,
    }
    ctx.later(settle_version, payload)


@task
async def settle_version(ctx: Context, payload: dict[str, Any]) -> None:
    """Unpack the code of a version that was made or changed, and put it into service."""
    version = await ctx.transact(partial(_pending, payload=payload))
    if version is None:
        return
    failure: tuple[str, str] | None = None
    try:
        await packages.unpacked(ctx, version.code_sha256)
    except archives.BadArchive as error:
        failure = (f"The code of the function cannot be unpacked: {error}", "InvalidZipFileException")
    await ctx.transact(partial(_settle, payload=payload, failure=failure))


def _pending(ctx: Context, payload: dict[str, Any]) -> Version | None:
    """The version, if it still is what the task was started for."""
    version = versions.of(ctx, payload["account"], payload["region"], payload["name"], payload["version"])
    return version if version is not None and version.revision_id == payload["revision_id"] else None


def _settle(ctx: Context, payload: dict[str, Any], failure: tuple[str, str] | None) -> None:
    version = _pending(ctx, payload)
    if version is None:
        return
    if version.state == "Pending":
        version.state = "Failed" if failure else "Active"
        version.state_reason, version.state_reason_code = failure or ("", "")
    version.update_status = "Failed" if failure else "Successful"
    version.update_reason, version.update_reason_code = failure or ("", "")
    version.revision_id = ctx.uuid()
    versions.keep(ctx, version)
