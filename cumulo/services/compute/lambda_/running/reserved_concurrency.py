"""Reserved concurrency: what a function has for itself, and is held to. The texts were observed in AWS's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.running import concurrency, provisioned_configs
from cumulo.services.compute.lambda_.stored import function_names, functions, qualifiers
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, Function
from cumulo.services.compute.lambda_.stored.versions import LATEST

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import lambda_ as t


def _found(ctx: Context, request: Any) -> Function:
    """The function itself: no version or alias has a reservation."""
    asked = function_names.read(ctx, request["FunctionName"])
    if asked.qualifier:
        raise errors.FUNCTIONS_ONLY()
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    qualifiers.authorize(ctx, asked, function)
    if function is None:
        raise errors.FUNCTION_NOT_FOUND(arn=f"{asked.arn}:{LATEST}")
    return function


@operation
def put_function_concurrency(ctx: Context, request: t.PutFunctionConcurrencyRequest) -> t.Concurrency:
    function = _found(ctx, request)
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
    function = _found(ctx, request)
    function.reserved_concurrency = None
    functions.keep(ctx, function)
    concurrency.changed(ctx, function.account, function.region)
