"""Calls that a service makes by itself, beside any request: in the name of a role it was given, or in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.context import Context
from cumulo.core.delivery import TRACE
from cumulo.wire.http import Headers

if TYPE_CHECKING:
    from cumulo.core.policy.principals import Principal
    from cumulo.core.runtime import Runtime


def calling(
    runtime: Runtime,
    principal: Principal,
    service: str,
    operation: str,
    *,
    caller: str,
    account: str = "",
    region: str,
    internal: bool = False,
    source_arn: str = "",
    trace_header: str = "",
) -> Context:
    """The context of one call with a new request id; `caller` as in "lambda": it comes from lambda.amazonaws.com.

    `internal`: the cloud's own work, for which nobody is asked. `trace_header` is what X-Ray follows a request by.
    """
    headers = Headers([(TRACE, trace_header.encode())]) if trace_header else None
    return Context(
        runtime,
        service=service,
        operation=operation,
        account=account or principal.account,
        region=region,
        principal=principal,
        request_id=runtime.ids.uuid(),
        handler=runtime.registry.service(service).handler(operation),
        headers=headers,
        source_ip=f"{caller}.amazonaws.com",
        source_arn=source_arn,
        internal=internal,
        depth=1,
    )
