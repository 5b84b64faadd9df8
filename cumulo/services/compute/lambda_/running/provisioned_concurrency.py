"""Provisioned concurrency: environments that a version or an alias keeps ready.

The texts were observed in AWS's answers.
"""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING, Any

from cumulo.core.background import standing
from cumulo.core.errors import Fault
from cumulo.core.operation import operation, reconciler
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.running import concurrency, fleet
from cumulo.services.compute.lambda_.running.pools import Place
from cumulo.services.compute.lambda_.running.provisioned_configs import (
    PROVISIONED,
    ProvisionedConfig,
    of_function,
    total,
)
from cumulo.services.compute.lambda_.stored import function_pages, qualifiers, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, arn_of
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.stubs import lambda_ as t

STARTS = 4  # environments of one version that are started at a time
READY, IN_PROGRESS, FAILED = "READY", "IN_PROGRESS", "FAILED"


def forget(ctx: Context, account: str, region: str, name: str, qualifier: str = "") -> None:
    """A function, or one qualifier of it, is deleted."""
    for config in of_function(ctx, account, region, name):
        if qualifier in ("", config.qualifier):
            PROVISIONED.delete(ctx, config)
            concurrency.changed(ctx, account, region)
            ctx.signal(fleet.REPLENISH)


def _asked(ctx: Context, request: Any, unpublished: Any) -> tuple[FunctionName, Function]:
    """The version or alias that a request names: found, authorized, and no $LATEST."""
    asked, function = qualifiers.named(ctx, request["FunctionName"], request["Qualifier"])
    if asked.qualifier == LATEST:
        raise unpublished()
    missing = errors.FUNCTION_NOT_FOUND if asked.qualifier.isdigit() else errors.ALIAS_NOT_FOUND
    there: Any = None
    if function is not None and asked.qualifier.isdigit():
        there = versions.of(ctx, asked.account, asked.region, asked.name, asked.qualifier)
    elif function is not None:
        there = ALIASES.peek(ctx, asked.name, asked.qualifier, account=asked.account)
    if function is None or there is None:
        raise missing(arn=asked.arn)
    return asked, function


@operation
def put_provisioned_concurrency_config(
    ctx: Context, request: t.PutProvisionedConcurrencyConfigRequest
) -> t.PutProvisionedConcurrencyConfigResponse:
    asked, function = _asked(ctx, request, errors.PROVISIONED_UNPUBLISHED)
    versions.refuse_tenants(ctx, function, "Provisioned concurrency is")
    wanted = request["ProvisionedConcurrentExecutions"]
    _check_conflict(ctx, asked)
    old = PROVISIONED.peek(ctx, asked.account, asked.region, asked.name, asked.qualifier)
    _check_limits(ctx, function, wanted, old.requested if old is not None else 0)
    config = ProvisionedConfig(asked.account, asked.region, asked.name, asked.qualifier, wanted, ctx.now())
    if old is not None:
        config.allocated = min(old.allocated, wanted)
    PROVISIONED.put(ctx, config)
    concurrency.changed(ctx, config.account, config.region)
    standing.stand(ctx, "lambda")
    ctx.signal(fleet.REPLENISH)
    shown: t.PutProvisionedConcurrencyConfigResponse = _shown(config)
    return shown


def _check_conflict(ctx: Context, asked: FunctionName) -> None:
    """A version is provisioned by itself or through one alias, not both."""
    for config in of_function(ctx, asked.account, asked.region, asked.name):
        if config.qualifier == asked.qualifier:
            continue
        if asked.qualifier.isdigit() and not config.qualifier.isdigit():
            if _version_behind(ctx, config) == asked.qualifier:
                raise errors.VERSION_BEHIND_ALIAS()
        elif config.qualifier.isdigit() and not asked.qualifier.isdigit():
            alias = ALIASES.peek(ctx, asked.name, asked.qualifier, account=asked.account)
            if alias is not None and alias.version == config.qualifier:
                raise errors.ALIAS_OF_PROVISIONED()


def _version_behind(ctx: Context, config: ProvisionedConfig) -> str:
    """The version that a configuration provisions, "" when there is none."""
    if config.qualifier.isdigit():
        return config.qualifier
    alias = ALIASES.peek(ctx, config.name, config.qualifier, account=config.account, region=config.region)
    return "" if alias is None else alias.version


def _check_limits(ctx: Context, function: Function, wanted: int, before: int) -> None:
    """Provisioned environments come out of the function's reservation, or of what is unreserved in the account."""
    if function.reserved_concurrency is not None:
        others = total(ctx, function.account, function.region, function.name) - before
        if others + wanted > function.reserved_concurrency:
            raise errors.PROVISIONED_OVER_RESERVED()
        return
    unreserved = concurrency.unreserved(ctx, function.account, function.region) + before
    if wanted > unreserved:
        raise errors.PROVISIONED_OVER_UNRESERVED(unreserved=unreserved)
    if unreserved - wanted < concurrency.UNRESERVED_LEAST:
        raise errors.PROVISIONED_LEAVES_TOO_LITTLE(least=concurrency.UNRESERVED_LEAST)


@operation
def get_provisioned_concurrency_config(
    ctx: Context, request: t.GetProvisionedConcurrencyConfigRequest
) -> t.GetProvisionedConcurrencyConfigResponse:
    asked, _ = _asked(ctx, request, errors.NOT_PUBLISHED)
    config = PROVISIONED.peek(ctx, asked.account, asked.region, asked.name, asked.qualifier)
    if config is None:
        raise errors.NO_PROVISIONED_CONCURRENCY()
    shown: t.GetProvisionedConcurrencyConfigResponse = _shown(config)
    return shown


@operation
def delete_provisioned_concurrency_config(ctx: Context, request: t.DeleteProvisionedConcurrencyConfigRequest) -> None:
    asked, _ = _asked(ctx, request, errors.NOT_PUBLISHED)
    forget(ctx, *asked)


@operation
def list_provisioned_concurrency_configs(
    ctx: Context, request: t.ListProvisionedConcurrencyConfigsRequest
) -> t.ListProvisionedConcurrencyConfigsResponse:
    function = qualifiers.find(ctx, request["FunctionName"])
    place = (function.account, function.region, function.name)
    answer: t.ListProvisionedConcurrencyConfigsResponse = function_pages.page(
        ctx,
        request,
        lambda after, limit: PROVISIONED.range(ctx, *place, after=after, limit=limit),
        lambda config: {"FunctionArn": arn_of(*place, config.qualifier), **_shown(config)},
        key=place,
        member="ProvisionedConcurrencyConfigs",
    )
    return answer


def _shown(config: ProvisionedConfig) -> Any:
    answer: dict[str, Any] = {
        "RequestedProvisionedConcurrentExecutions": config.requested,
        "AvailableProvisionedConcurrentExecutions": config.allocated,
        "AllocatedProvisionedConcurrentExecutions": config.allocated,
        "Status": config.status,
        "LastModified": datetime.datetime.fromtimestamp(config.modified_at, datetime.UTC).strftime(
            "%Y-%m-%dT%H:%M:%S+0000"
        ),
    }
    if config.reason:
        answer["StatusReason"] = config.reason
    return answer


# --- keeping them ready ---------------------------------------------------------------------------


@reconciler(every_s=60, signal=fleet.REPLENISH)
async def keep_provisioned(ctx: Context) -> None:
    """Start what is missing and stop what nobody wants any more."""
    wanted = await ctx.transact(_wanted)
    mine = fleet.of(ctx)
    places = {Place(*config_of[:3], target.version.version) for config_of, target, _ in wanted}
    for place in mine.provisioned_places():
        if place not in places:
            mine.release(place)
    await asyncio.gather(*[_provide(ctx, key, target, count) for key, target, count in wanted])


_Key = tuple[str, str, str, str]


def _wanted(ctx: Context) -> list[tuple[_Key, Target, int]]:
    """All configurations whose versions can run."""
    found = []
    for config in PROVISIONED.range(ctx):
        arn = arn_of(config.account, config.region, config.name, config.qualifier)
        function = FUNCTIONS.peek(ctx, config.name, account=config.account, region=config.region)
        number = _version_behind(ctx, config)
        version = versions.of(ctx, config.account, config.region, config.name, number) if number else None
        if function is not None and version is not None and version.state == "Active":
            key = (config.account, config.region, config.name, config.qualifier)
            found.append((key, qualifiers.Target(function, version, None, arn), config.requested))
    return found


async def _provide(ctx: Context, key: _Key, target: Target, count: int) -> None:
    mine = fleet.of(ctx)
    there = mine.provision(target, count)
    reason = ""
    while not reason and (there < count or mine.drop_old(target)):
        there = mine.provision(target, count)
        starts = [mine.replenish(target) for _ in range(min(STARTS, count - there))]
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, BaseException):
                reason = result.message if isinstance(result, Fault) else str(result)
        there = mine.provision(target, count)
    await ctx.transact(lambda ctx: _note(ctx, key, count, there, reason))


def _note(ctx: Context, key: _Key, count: int, there: int, reason: str) -> None:
    """Write down how far it has come, unless something else was asked for meanwhile."""
    config = PROVISIONED.peek(ctx, *key)
    if config is None or config.requested != count:
        return
    status = READY if there >= count else FAILED if reason else IN_PROGRESS
    if (config.status, config.allocated, config.reason) != (status, there, reason):
        config.status, config.allocated, config.reason = status, there, reason
        PROVISIONED.put(ctx, config)
