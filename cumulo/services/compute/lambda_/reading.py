"""GetFunction and GetFunctionConfiguration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import configurations, downloads, images
from cumulo.services.compute.lambda_.qualifiers import resolve

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.versions import Version


@operation
def get_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A version of a function, with its tags, its reserved concurrency and where its code is."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
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


@operation
def get_function_configuration(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a version of a function."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
    return configurations.configuration(ctx, target.version, target.arn)
