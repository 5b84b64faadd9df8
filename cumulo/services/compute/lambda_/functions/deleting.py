"""DeleteFunction: a version, or the function with all that belongs to it.

Source: Lambda API Reference, DeleteFunction; texts observed in AWS's answers, or reported by users of AWS.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.errors import ALIASES_REFER, FUNCTION_NOT_FOUND, INVALID_PARAMETER
from cumulo.services.compute.lambda_.invocations import event_invoke_configs
from cumulo.services.compute.lambda_.running import fleet, provisioned_concurrency
from cumulo.services.compute.lambda_.stored import environments, policies, qualifiers, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, Function
from cumulo.services.compute.lambda_.stored.versions import LATEST, VERSIONS
from cumulo.services.compute.lambda_.urls import function_urls

if TYPE_CHECKING:
    from cumulo.core.context import Context


@operation
def delete_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a function with its versions, aliases and policies; or, with a qualifier, one version of it."""
    asked, function = qualifiers.named(ctx, request["FunctionName"], request.get("Qualifier"))
    if function is None:
        raise FUNCTION_NOT_FOUND(arn=asked.function_arn)
    if asked.qualifier:
        _delete_version(ctx, function, asked.qualifier)
    else:
        _delete(ctx, function)
    return {"StatusCode": 204}


def _delete_version(ctx: Context, function: Function, number: str) -> None:
    """One that is not there is no error (measured by users of AWS: floci-io/floci 2824)."""
    if number == LATEST:
        raise INVALID_PARAMETER("$LATEST version cannot be deleted without deleting the function.")
    if not number.isdigit():
        raise INVALID_PARAMETER("Deletion of aliases is not currently supported.")
    account, region, name = function.account, function.region, function.name
    aliases = ALIASES.range(ctx, name, account=account, region=region)
    names = [alias.alias for alias in aliases if number == alias.version or number in alias.weights]
    if names:
        raise ALIASES_REFER(names=", ".join(names))
    version = versions.of(ctx, account, region, name, number)
    if version is not None:
        versions.drop(ctx, version)
        forget_qualifier(ctx, account, region, name, number)
        ctx.txn.on_commit(partial(fleet.of(ctx).forget, account, region, name, number))


def forget_qualifier(ctx: Context, account: str, region: str, name: str, qualifier: str) -> None:
    """What belongs to a version or an alias goes with it."""
    policies.drop_all(ctx, account, region, name, qualifier)
    event_invoke_configs.forget(ctx, account, region, name, qualifier)
    provisioned_concurrency.forget(ctx, account, region, name, qualifier)
    function_urls.forget(ctx, account, region, name, qualifier)


def _delete(ctx: Context, function: Function) -> None:
    account, region, name = function.account, function.region, function.name
    for version in VERSIONS.range(ctx, name, account=account, region=region):
        environments.drop_grant(ctx, version)
        versions.drop(ctx, version)
    for alias in ALIASES.range(ctx, name, account=account, region=region):
        ALIASES.delete(ctx, alias, account=account, region=region)
    policies.drop_all(ctx, account, region, name)
    event_invoke_configs.forget(ctx, account, region, name)
    provisioned_concurrency.forget(ctx, account, region, name)
    function_urls.forget(ctx, account, region, name)
    ctx.txn.on_commit(partial(fleet.of(ctx).forget, account, region, name))
    FUNCTIONS.delete(ctx, function, account=account, region=region)
