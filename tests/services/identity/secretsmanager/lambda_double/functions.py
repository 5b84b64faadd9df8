"""Invoke, answered by what a test put into FUNCTIONS."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from cumulo.core.context import Context
from cumulo.core.errors import Error
from cumulo.core.operation import operation

FUNCTIONS: dict[str, Callable[[dict[str, str]], None]] = {}
CALLERS: list[tuple[str, str]] = []

_MISSING = Error("ResourceNotFoundException", "Function not found")


@operation
async def invoke(ctx: Context, request: Any) -> Any:
    ctx.authorized = True
    function = FUNCTIONS.get(request["FunctionName"])
    if function is None:
        raise _MISSING()
    CALLERS.append((ctx.principal.arn, ctx.source_arn))
    if request["InvocationType"] == "DryRun":
        return {"StatusCode": 204}
    try:
        await asyncio.to_thread(function, json.loads(request["Payload"]))
    except Exception as error:
        return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": str(error).encode()}
    return {"StatusCode": 200, "Payload": b"null"}
