"""UpdateFunctionCode and UpdateFunctionConfiguration: changes of $LATEST, one at a time."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import DURABLE_FROM_THE_BEGINNING, NEEDS_IMAGE, NEEDS_NO_IMAGE
from cumulo.services.compute.lambda_.functions import configuring, publishing, settling
from cumulo.services.compute.lambda_.functions.creating import check_runtime, check_size, put_code
from cumulo.services.compute.lambda_.packages import packages, sources, storage
from cumulo.services.compute.lambda_.packages.images import IMAGE, Pulled
from cumulo.services.compute.lambda_.stored import configurations, qualifiers, revisions

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages.packages import Upload
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.services.compute.lambda_.stored.versions import Version


@operation(unsupported=("CapacityProviderConfig", "RuntimeConfig", "AcceleratorConfig"))
async def update_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the settings of $LATEST; those that are not named stay."""
    await check_runtime(ctx, request)
    return await ctx.transact(partial(_configure, request=request))


def _configure(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    keys = configuring.condition_keys(request)
    _, version = qualifiers.changeable(ctx, request["FunctionName"], context=keys)
    revisions.check(version.revision_id, request.get("RevisionId"))
    revisions.check_quiet(version)
    if "DurableConfig" in request and not version.durable_timeout_s:
        raise DURABLE_FROM_THE_BEGINNING()
    before = msgspec.structs.replace(version)
    configuring.apply(ctx, version, request)
    if version.layer_sha256s != before.layer_sha256s:
        storage.hold_layers(ctx, version)
        storage.let_go_layers(ctx, before)
    settling.begin_update(ctx, version)
    return configurations.configuration(ctx, version)


@operation(unsupported=("PublishTo",))
async def update_function_code(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Change the code of $LATEST; with Publish a version is published of it, with DryRun nothing is changed."""
    check_size(ctx)
    package_type = await ctx.transact(partial(_package_type, request=request))  # who may not uploads nothing
    async with sources.fetched(ctx, request, package_type) as code:
        return await ctx.transact(partial(_update, request=request, code=code))


def _package_type(ctx: Context, request: dict[str, Any]) -> str:
    return _changeable(ctx, request)[1].package_type


def _changeable(ctx: Context, request: dict[str, Any]) -> tuple[Function, Version]:
    function, version = qualifiers.changeable(ctx, request["FunctionName"])
    revisions.check(version.revision_id, request.get("RevisionId"))
    revisions.check_quiet(version)
    if version.package_type == IMAGE and not request.get("ImageUri"):
        raise NEEDS_IMAGE(doing="updating")
    if version.package_type != IMAGE and request.get("ImageUri"):
        raise NEEDS_NO_IMAGE()
    return function, version


def _update(ctx: Context, request: dict[str, Any], code: Upload | Pulled) -> dict[str, Any]:
    function, version = _changeable(ctx, request)
    if "Architectures" in request:
        version.architecture = request["Architectures"][0]
    if request.get("DryRun"):
        if isinstance(code, Pulled):
            version.code_sha256 = code.digest
        else:
            version.code_sha256, version.code_size = code.sha256, code.size
            ctx.txn.on_commit(partial(packages.discard, ctx, code))
        return configurations.configuration(ctx, version)
    put_code(ctx, function, version, code)
    settling.begin_update(ctx, version)
    if request.get("Publish"):
        version = publishing.publish(ctx, function, version, pending=True)
    return configurations.configuration(ctx, version)
