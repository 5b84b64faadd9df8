"""Reserved concurrency: what a function has for itself, and is held to. The texts were observed in AWS's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.running import concurrency, provisioned_configs
from cumulo.services.compute.lambda_.stored import functions, qualifiers
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import lambda_ as t


@operation
def put_function_concurrency(ctx: Context, request: t.PutFunctionConcurrencyRequest) -> t.Concurrency:
    function = qualifiers.find(ctx, request["FunctionName"], missing=LATEST)
    wanted = request["ReservedConcurrentExecutions"]
    place = (function.account, function.region, function.name)
    provisioned = provisioned_configs.total(ctx, *place)
    if wanted < provisioned:
        raise errors.RESERVED_UNDER_PROVISIONED(wanted=wanted, provisioned=provisioned)
    function.reserved_concurrency = None  # what it has now counts as free
    functions.keep(ctx, function)
    left = concurrency.unreserved(ctx, function.account, function.region) + provisioned - wanted
    if left < concurrency.UNRESERVED_LEAST:
        raise errors.RESERVED_LEAVES_TOO_LITTLE(least=concurrency.UNRESERVED_LEAST)
    function.reserved_concurrency = wanted
    functions.keep(ctx, function)
    concurrency.changed(ctx, function.account, function.region)
    return {"ReservedConcurrentExecutions": wanted}


@operation
def get_function_concurrency(
    ctx: Context, request: t.GetFunctionConcurrencyRequest
) -> t.GetFunctionConcurrencyResponse:
    reserved = qualifiers.find(ctx, request["FunctionName"]).reserved_concurrency
    return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}


@operation
def delete_function_concurrency(ctx: Context, request: t.DeleteFunctionConcurrencyRequest) -> None:
    function = qualifiers.find(ctx, request["FunctionName"], missing=LATEST)
    function.reserved_concurrency = None
    functions.keep(ctx, function)
    concurrency.changed(ctx, function.account, function.region)
