"""When a version gets another runtime version: its runtime management config.

There is one version of each runtime here, the one that this machine has: Auto and FunctionUpdate are the same, and
Manual may only name the one. Source: Lambda Developer Guide, "Understanding how Lambda manages runtime version
updates".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER
from cumulo.services.compute.lambda_.stored import runtime_identifiers, versions
from cumulo.services.compute.lambda_.stored.qualifiers import resolve

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version


@operation
def put_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Choose when a version's runtime is updated."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
    version, mode, arn = target.version, request["UpdateRuntimeOn"], request.get("RuntimeVersionArn")
    # The texts are of our own: the rules are the API reference's.
    if mode == "Manual" and not arn:
        raise INVALID_PARAMETER("RuntimeVersionArn is required with the runtime update mode Manual.")
    if mode != "Manual" and arn:
        raise INVALID_PARAMETER(f"RuntimeVersionArn cannot be given with the runtime update mode {mode}.")
    if arn and arn != runtime_identifiers.version_arn(ctx, version.runtime):
        raise INVALID_PARAMETER(f"The runtime version {arn} is not available for {version.runtime}.")
    version.update_runtime_on = mode
    versions.keep(ctx, version)
    return _shown(version, target.arn)


@operation
def get_runtime_management_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """When a version's runtime is updated."""
    target = resolve(ctx, request["FunctionName"], request.get("Qualifier"))
    return _shown(target.version, target.arn)


def _shown(version: Version, arn: str) -> dict[str, Any]:
    shown = {"UpdateRuntimeOn": version.update_runtime_on, "FunctionArn": arn}
    if version.update_runtime_on == "Manual":
        shown["RuntimeVersionArn"] = version.runtime_version_arn
    return shown
