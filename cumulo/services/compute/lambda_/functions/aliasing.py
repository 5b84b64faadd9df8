"""CreateAlias, UpdateAlias and their neighbours.

Sources: Lambda API Reference, CreateAlias; Developer Guide, "Implement Lambda canary deployments using a weighted
alias"; texts observed in AWS's answers or reported by users of AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.errors import (
    ALIAS_EXISTS,
    ALIAS_MISSING,
    ALIAS_NOT_FOUND,
    FUNCTION_NOT_FOUND,
    INVALID_PARAMETER,
)
from cumulo.services.compute.lambda_.functions import deleting
from cumulo.services.compute.lambda_.running import provisioned_configs
from cumulo.services.compute.lambda_.running.fleet import REPLENISH
from cumulo.services.compute.lambda_.stored import aliases, functions, qualifiers, revisions, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES, Alias
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.services.compute.lambda_.stored.versions import Version

PAGE = 50


@operation
def create_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """A name for a version, and maybe for a second one that gets a share of its calls."""
    function = qualifiers.find(ctx, request["FunctionName"])
    if _alias(ctx, function, request["Name"]) is not None:
        raise ALIAS_EXISTS(arn=functions.arn_of(function.account, function.region, function.name, request["Name"]))
    alias = Alias(
        function.account,
        function.region,
        function.name,
        request["Name"],
        request["FunctionVersion"],
        "",
        request.get("Description", ""),
    )
    return _kept(ctx, alias, request)


@operation
def update_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Point an alias elsewhere; an empty RoutingConfig ends the sharing."""
    function = qualifiers.find(ctx, request["FunctionName"])
    alias = _alias(ctx, function, request["Name"])
    if alias is None:
        raise ALIAS_MISSING(arn=functions.arn_of(function.account, function.region, function.name, request["Name"]))
    revisions.check(alias.revision_id, request.get("RevisionId"))
    if request.get("FunctionVersion", alias.version) != alias.version:
        alias.version = request["FunctionVersion"]
        provisioned_configs.move(ctx, alias)
    alias.description = request.get("Description", alias.description)
    return _kept(ctx, alias, request)


def _alias(ctx: Context, function: Function, name: str) -> Alias | None:
    return ALIASES.peek(ctx, function.name, name, account=function.account, region=function.region)


def _kept(ctx: Context, alias: Alias, request: dict[str, Any]) -> dict[str, Any]:
    if "RoutingConfig" in request:
        alias.weights = request["RoutingConfig"].get("AdditionalVersionWeights", {})
    version = _version(ctx, alias, alias.version)
    if alias.weights:
        _check_weights(ctx, alias, version)
    alias.revision_id = ctx.uuid()
    aliases.keep(ctx, alias)
    ctx.signal(REPLENISH)  # provisioned environments move with it
    return _shown(alias)


def _version(ctx: Context, alias: Alias, number: str) -> Version:
    version = versions.of(ctx, alias.account, alias.region, alias.name, number)
    if version is None:
        raise FUNCTION_NOT_FOUND(arn=functions.arn_of(alias.account, alias.region, alias.name, number))
    return version


def _check_weights(ctx: Context, alias: Alias, version: Version) -> None:
    """One second version, both published, with the same role and the same dead letters."""
    if len(alias.weights) > 1:
        raise INVALID_PARAMETER("Number of items in AdditionalVersionWeights cannot be greater than 1")
    (other,) = alias.weights
    if LATEST in (alias.version, other):
        raise INVALID_PARAMETER("$LATEST is not supported for an alias pointing to more than 1 version")
    if other == alias.version:
        raise INVALID_PARAMETER(
            f"Invalid function version {other}. Function version {other} is already included in routing configuration."
        )
    second = _version(ctx, alias, other)
    # Of our own: the rules are the guide's, their texts were not observed.
    if second.role != version.role:
        raise INVALID_PARAMETER("The versions of an alias must have the same execution role.")
    if second.dead_letter_arn != version.dead_letter_arn:
        raise INVALID_PARAMETER("The versions of an alias must have the same dead-letter queue configuration.")


@operation
def get_alias(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """An alias of a function."""
    function = qualifiers.find(ctx, request["FunctionName"])
    alias = _alias(ctx, function, request["Name"])
    if alias is None:
        raise ALIAS_NOT_FOUND(arn=functions.arn_of(function.account, function.region, function.name, request["Name"]))
    return _shown(alias)


@operation
def delete_alias(ctx: Context, request: dict[str, Any]) -> None:
    """Take an alias away, with its policy; one that is not there is no error."""
    function = qualifiers.find(ctx, request["FunctionName"])
    alias = _alias(ctx, function, request["Name"])
    if alias is not None:
        ALIASES.delete(ctx, alias, account=alias.account, region=alias.region)
        deleting.forget_qualifier(ctx, alias.account, alias.region, alias.name, alias.alias)


@operation
def list_aliases(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """The aliases of a function in order of their names; those of one version if it is named."""
    function = qualifiers.find(ctx, request["FunctionName"])
    after = markers.read(ctx, request, str)
    place = (function.name, after) if after is not None else None
    found = ALIASES.range(ctx, function.name, after=place, account=function.account, region=function.region)
    number = request.get("FunctionVersion")
    found = [alias for alias in found if number is None or number == alias.version or number in alias.weights]
    page, marker = markers.cut(ctx, found, min(request.get("MaxItems", PAGE), PAGE), lambda alias: alias.alias)
    return markers.answer("Aliases", [_shown(alias) for alias in page], marker)


def _shown(alias: Alias) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "AliasArn": alias.arn,
        "Name": alias.alias,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision_id,
    }
    if alias.weights:
        shown["RoutingConfig"] = {"AdditionalVersionWeights": alias.weights}
    return shown
