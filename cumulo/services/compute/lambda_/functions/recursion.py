"""Whether a function may be part of a loop: its recursion config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.operation import operation
from cumulo.services.compute.lambda_.stored import functions, qualifiers

if TYPE_CHECKING:
    from cumulo.core.context import Context


@operation
def put_function_recursion_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """Terminate loops that the function is part of, or allow them."""
    function = qualifiers.find(ctx, request["FunctionName"])
    function.recursive_loop = request["RecursiveLoop"]
    functions.keep(ctx, function)
    return {"RecursiveLoop": function.recursive_loop}


@operation
def get_function_recursion_config(ctx: Context, request: dict[str, Any]) -> dict[str, Any]:
    """What happens to loops that the function is part of."""
    return {"RecursiveLoop": qualifiers.find(ctx, request["FunctionName"]).recursive_loop}
