"""GetFunction and GetFunctionConfiguration."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import Wait, operation
from cumulo.services.compute.lambda_.functions import settling
from cumulo.services.compute.lambda_.packages import downloads, images
from cumulo.services.compute.lambda_.stored import configurations
from cumulo.services.compute.lambda_.stored.qualifiers import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.services.compute.lambda_.stored.versions import Version


@operation
def get_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A version of a function, with its tags, its reserved concurrency and where its code is."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
    if settling.is_under_way(target.version):
        raise Wait(partial(_when_settled, version=target.version, shown=_function))
    return _function(ctx, target)


@operation
def get_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a version of a function."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
    if settling.is_under_way(target.version):
        raise Wait(partial(_when_settled, version=target.version, shown=_configuration))
    return _configuration(ctx, target)


async def _when_settled(
    ctx: Context, version: Version, shown: Callable[[Context, Target], dict[str, Any]]
) -> dict[str, Any]:
    """The version as it is a moment later: see settling.settled."""
    await settling.settled(ctx, version)
    request = ctx.request
    return await ctx.transact(lambda ctx: shown(ctx, resolve(ctx, request["FunctionName"], request.get("Qualifier"))))


def _configuration(ctx: Context, target: Target) -> dict[str, Any]:
    return configurations.configuration(ctx, target.version, target.arn)


def _function(ctx: Context, target: Target) -> dict[str, Any]:
    shown: dict[str, Any] = {"Configuration": configurations.configuration(ctx, target.version, target.arn)}
    shown["Code"] = _code(ctx, target.version)
    if target.function.tags:
        shown["Tags"] = target.function.tags
    if target.function.reserved_concurrency is not None:
        shown["Concurrency"] = {"ReservedConcurrentExecutions": target.function.reserved_concurrency}
    return shown


def _code(ctx: Context, version: Version) -> dict[str, Any]:
    if version.package_type == images.IMAGE:
        resolved = images.resolved_uri(version)
        return {"RepositoryType": "ECR", "ImageUri": version.image_uri, "ResolvedImageUri": resolved}
    return {"RepositoryType": "S3", "Location": downloads.url(ctx, version.code_sha256)}
