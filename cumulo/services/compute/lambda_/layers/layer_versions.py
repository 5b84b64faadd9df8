"""Publishing, listing and deleting layers' versions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.layers import layers
from cumulo.services.compute.lambda_.layers.layers import LAYER_VERSIONS, LAYERS, Layer, LayerVersion
from cumulo.services.compute.lambda_.packages import packages, sources, storage

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.packages.packages import Upload

PAGE = 50


@operation
async def publish_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The next version of a layer, which is made with its first one."""
    await ctx.transact(lambda ctx: layers.authorize(ctx, layers.read(ctx, request["LayerName"])))
    upload = await sources.fetch(ctx, request["Content"])
    try:
        return await ctx.transact(partial(_publish, request=request, upload=upload))
    except BaseException:
        packages.discard(ctx, upload)
        raise


def _publish(ctx: Context, request: dict[str, Any], upload: Upload) -> dict[str, Any]:
    asked = layers.read(ctx, request["LayerName"])
    layers.authorize(ctx, asked)
    layer = LAYERS.peek(ctx, asked.name, account=asked.account)
    layer = layer or Layer(asked.account, asked.region, asked.name)
    package = packages.use(ctx, upload)
    storage.add(ctx, layer.account, layer.region, package.size)
    version = LayerVersion(
        layer.account,
        layer.region,
        layer.name,
        layer.next_version,
        ctx.now(),
        package.sha256,
        package.size,
        description=request.get("Description", ""),
        license=request.get("LicenseInfo", ""),
        runtimes=request.get("CompatibleRuntimes"),
        architectures=request.get("CompatibleArchitectures"),
    )
    layer.next_version += 1
    LAYERS.put(ctx, layer, account=layer.account)
    layers.keep(ctx, version)
    return layers.shown(ctx, version)


@operation
def get_layer_version(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A version of a layer, and where its content can be read for ten minutes."""
    return layers.shown(ctx, layers.get(ctx, layers.read(ctx, request["LayerName"], request["VersionNumber"])))


@operation
def get_layer_version_by_arn(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The same by the version's ARN."""
    return layers.shown(ctx, layers.get(ctx, layers.read(ctx, request["Arn"]), action="lambda:GetLayerVersion"))


@operation
def delete_layer_version(ctx: Context, request: dict[str, Any]) -> None:
    """A version can be chosen no more; functions that have it keep it. One that is not there is no error."""
    asked = layers.read(ctx, request["LayerName"], request["VersionNumber"])
    layers.authorize(ctx, asked)
    version = layers.peek(ctx, asked)
    if version is not None:
        packages.release(ctx, version.sha256)
        storage.add(ctx, version.account, version.region, -version.size)
        LAYER_VERSIONS.delete(ctx, version, account=version.account, region=version.region)


@operation
def list_layer_versions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The versions of a layer, the newest first."""
    asked = layers.read(ctx, request["LayerName"])
    layers.authorize(ctx, asked)
    found = LAYER_VERSIONS.range(ctx, asked.name, account=asked.account, region=asked.region)[::-1]
    before = markers.read(ctx, request, int)
    if before is not None:
        found = [version for version in found if version.version < before]
    found = [version for version in found if _matches(version, request)]
    page, marker = markers.cut(ctx, found, request.get("MaxItems", PAGE), lambda version: version.version)
    return markers.answer("LayerVersions", [layers.listed(version) for version in page], marker)


@operation
def list_layers(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All layers with the newest version of each that fits."""
    after = markers.read(ctx, request, str)
    shown = []
    for layer in LAYERS.range(ctx, after=(after,) if after is not None else None):
        versions = LAYER_VERSIONS.range(ctx, layer.name, reverse=True)
        newest = next((version for version in versions if _matches(version, request)), None)
        if newest is not None:
            shown.append((layer, newest))
    page, marker = markers.cut(ctx, shown, request.get("MaxItems", PAGE), lambda pair: pair[0].name)
    items = [
        {"LayerName": layer.name, "LayerArn": layer.arn, "LatestMatchingVersion": layers.listed(newest)}
        for layer, newest in page
    ]
    return markers.answer("Layers", items, marker)


def _matches(version: LayerVersion, request: dict[str, Any]) -> bool:
    runtime, architecture = request.get("CompatibleRuntime"), request.get("CompatibleArchitecture")
    return (runtime is None or runtime in (version.runtimes or ())) and (
        architecture is None or architecture in (version.architectures or ())
    )
