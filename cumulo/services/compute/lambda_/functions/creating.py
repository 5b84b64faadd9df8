"""CreateFunction."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import RuntimeMissing
from cumulo.services.compute.lambda_.errors import (
    FUNCTION_EXISTS,
    FUNCTIONS_ONLY,
    IMAGES_NOT_SIGNED,
    INVALID_PARAMETER,
    NEEDS_IMAGE,
    REQUEST_TOO_LARGE,
    VALIDATION,
)
from cumulo.services.compute.lambda_.functions import code_signing, configuring, publishing, settling, tagging
from cumulo.services.compute.lambda_.packages import images, packages, sources, storage
from cumulo.services.compute.lambda_.packages.images import IMAGE, Pulled
from cumulo.services.compute.lambda_.stored import (
    configurations,
    function_names,
    functions,
    qualifiers,
    runtime_identifiers,
    versions,
)
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, Function
from cumulo.services.compute.lambda_.stored.versions import LATEST, Version

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages.packages import Upload

NAME_LENGTH = 64
REQUEST_BYTES = 70_167_211


@operation(
    unsupported=(
        "PublishTo", "CapacityProviderConfig", "RuntimeConfig", "AcceleratorConfig",
    )
)  # fmt: skip
async def create_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A new function of a zip archive or an image; it is Pending, and Active a little later."""
    check_size(ctx)
    await check_runtime(ctx, request)
    await ctx.transact(partial(_check, request=request))  # who may not, or not so, uploads nothing
    package_type = request.get("PackageType", "Zip")
    if package_type == IMAGE:
        await images.check_machine(ctx)
    async with sources.fetched(ctx, request["Code"], package_type) as code:
        return await ctx.transact(partial(_create, request=request, code=code))


async def check_runtime(ctx: Context, request: dict[str, Any]) -> None:
    """InvalidParameterValueException for a runtime that this machine has not got; it says how to install it."""
    runtime = request.get("Runtime", "")
    if runtime not in runtime_identifiers.ACCEPTED:
        return  # refused in its own words later
    try:
        await ctx.in_thread(partial(runtimes.find, runtime))
    except RuntimeMissing as missing:
        text = str(missing)
        raise INVALID_PARAMETER(f"cumulo cannot run this function: {text}") from None


class _Undone(Exception):
    """Ends a transaction's part that was only to see what it comes to."""


def _check(ctx: Context, request: dict[str, Any]) -> None:
    with contextlib.suppress(_Undone), ctx.txn.savepoint():
        _new(ctx, request)
        raise _Undone


def check_size(ctx: Context) -> None:
    """RequestEntityTooLargeException for a body beyond what Lambda reads."""
    if len(ctx.document) > REQUEST_BYTES:
        raise REQUEST_TOO_LARGE(limit=REQUEST_BYTES, operation=ctx.operation)


def _new(ctx: Context, request: dict[str, Any]) -> tuple[Function, Version]:
    """The function as the request has it, not kept yet."""
    asked = function_names.read(ctx, request["FunctionName"])
    if asked.qualifier:
        raise FUNCTIONS_ONLY()
    if len(asked.name) > NAME_LENGTH:
        raise VALIDATION(
            f"1 validation error detected: Value '{asked.name}' at 'functionName' failed to satisfy constraint: "
            f"Member must have length less than or equal to {NAME_LENGTH}"
        )
    now = ctx.now()
    function = Function(asked.account, asked.region, asked.name, now, tags=dict(request.get("Tags", {})))
    present = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    qualifiers.authorize(ctx, asked, present, context=configuring.condition_keys(request))
    package_type = request.get("PackageType", "Zip")
    if package_type == IMAGE:
        _check_image(request)
    elif "Runtime" not in request or "Handler" not in request:
        raise INVALID_PARAMETER(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages."
        )
    version = Version(asked.account, asked.region, asked.name, LATEST, "", now, ctx.uuid())
    version.log_group = f"/aws/lambda/{asked.name}"
    version.package_type = package_type
    version.architecture = request.get("Architectures", ["x86_64"])[0]
    if "TenancyConfig" in request:
        version.tenant_isolation = request["TenancyConfig"]["TenantIsolationMode"]
    tagging.check(function.tags)
    configuring.apply(ctx, version, request)
    if "CodeSigningConfigArn" in request:
        code_signing.set_config(ctx, function, request["CodeSigningConfigArn"])
    if present is not None:
        raise FUNCTION_EXISTS(name=asked.name)
    return function, version


def _check_image(request: dict[str, Any]) -> None:
    if not request["Code"].get("ImageUri"):
        raise NEEDS_IMAGE(doing="creating")  # of our own: as AWS says it when updating
    if "CodeSigningConfigArn" in request:
        raise IMAGES_NOT_SIGNED()


def _create(ctx: Context, request: dict[str, Any], code: Upload | Pulled) -> dict[str, Any]:
    function, version = _new(ctx, request)
    put_code(ctx, function, version, code)
    version.state, version.state_reason, version.state_reason_code = "Pending", *settling.CREATING
    storage.hold_layers(ctx, version)
    versions.keep(ctx, version)
    settling.begin(ctx, version)
    functions.keep(ctx, function)
    if request.get("Publish"):
        version = publishing.publish(ctx, function, version, pending=True)
    return configurations.configuration(ctx, version, function.arn)


def put_code(ctx: Context, function: Function, version: Version, code: Upload | Pulled) -> None:
    """Give a version its code: signed if the function asks for it, and not too large with its layers; or its image."""
    if isinstance(code, Pulled):
        images.use(ctx, code.digest)
        storage.let_go_code(ctx, version)
        version.image_uri, version.code_sha256 = code.uri, code.digest
        return
    code_signing.verify(ctx, function)
    configuring.check_unpacked(ctx, version, code.unpacked_size)
    package = packages.use(ctx, code)
    storage.let_go_code(ctx, version)
    version.code_sha256, version.code_size = package.sha256, package.size
    storage.add(ctx, version.account, version.region, package.size)
