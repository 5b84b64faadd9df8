"""ListFunctions and ListVersionsByFunction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import markers
from cumulo.services.compute.lambda_.errors import INVALID_PARAMETER
from cumulo.services.compute.lambda_.stored import configurations, qualifiers, versions
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.versions import Version

PAGE = 50  # "even if you set the number higher": Lambda API Reference, ListFunctions, MaxItems


@operation
def list_functions(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """All functions with their $LATEST; with FunctionVersion=ALL every version of each."""
    every = request.get("FunctionVersion") == "ALL"
    after = markers.read(ctx, request, str)
    if "MasterRegion" in request:
        if not every:  # of our own: the rule is the API reference's, the text was not observed
            raise INVALID_PARAMETER("MasterRegion needs FunctionVersion to be ALL.")
        if request["MasterRegion"] != "ALL":
            return {"Functions": []}  # those that Lambda@Edge replicated from there, which are none
    limit = min(request.get("MaxItems", PAGE), PAGE)
    found: list[Version] = []
    name, _, number = (after or "").partition(":")
    if every and number and (number == LATEST or number.isdecimal()):
        found += [each for each in _all(ctx, name) if _order(each.version) > _order(number)]
    place = (name,) if after is not None else None
    for function in FUNCTIONS.range(ctx, after=place, limit=limit + 1):
        if every:
            found += _all(ctx, function.name)
        else:
            latest = versions.of(ctx, function.account, function.region, function.name)
            found += [latest] if latest is not None else []
        if len(found) > limit:
            break
    page, marker = markers.cut(ctx, found, limit, lambda each: f"{each.name}:{each.version}" if every else each.name)
    shown = [configurations.listed(ctx, each, each.qualified_arn if every else "") for each in page]
    return markers.answer("Functions", shown, marker)


def _all(ctx: Context, name: str) -> list[Version]:
    latest = versions.of(ctx, ctx.account, ctx.region, name)
    return [*([latest] if latest is not None else []), *versions.published(ctx, ctx.account, ctx.region, name)]


def _order(number: str) -> int:
    return 0 if number == LATEST else int(number)


@operation
def list_versions_by_function(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """$LATEST, and then the published versions of a function, the oldest first."""
    function = qualifiers.find(ctx, request["FunctionName"])
    account, region, name = function.account, function.region, function.name
    latest = versions.of(ctx, account, region, name)
    found = [*([latest] if latest is not None else []), *versions.published(ctx, account, region, name)]
    after = markers.read(ctx, request, int)
    if after is not None:
        found = [each for each in found if _order(each.version) > after]
    page, marker = markers.cut(ctx, found, min(request.get("MaxItems", PAGE), PAGE), lambda each: _order(each.version))
    return markers.answer("Versions", [configurations.listed(ctx, each, each.qualified_arn) for each in page], marker)
