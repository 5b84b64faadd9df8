"""The context of a request that comes through a face, before it is known who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import credentials
from cumulo.core.context import Context
from cumulo.wire import models

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.gateway.exchange import Exchange


def anonymous(
    cloud: Cloud, exchange: Exchange, request_id: str, *, service: str, operation: str, called: str, region: str
) -> Context:
    """Nobody's, in no account, for an operation that the API does not have; `called`: the one that does its work."""
    runtime, request = cloud.runtime, exchange.request
    return Context(
        runtime,
        service=service,
        operation=operation,
        account="",
        region=region,
        principal=credentials.ANONYMOUS,
        request_id=request_id,
        handler=runtime.registry.service(service).handler(called),
        endpoint=f"{request.scheme}://{request.host}",
        headers=request.headers,
        protocol=models.load(service).metadata.protocol,
        source_ip=request.peer,
    )
