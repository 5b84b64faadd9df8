"""Events of a service as the bytes of an event stream. Apart, as mypyc compiles no asynchronous generators."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.wire.routing import Route

_RPC = frozenset(("json", "smithy-rpc-v2-cbor"))  # whose first message holds the members beside the stream


async def framed(route: Route, events: AsyncIterator[dict[str, Any]]) -> AsyncIterator[bytes]:
    """Events as the messages of an event stream; a fault among them ends it as AWS does."""
    from cumulo.wire import eventstream

    encode = eventstream.event_encoder(route.operation, route.protocol)
    if route.protocol in _RPC:
        yield eventstream.initial_response(route.operation, route.protocol, {})
    try:
        async for event in events:
            yield encode(event)
    except Fault as fault:
        yield eventstream.error_message(fault.code, fault.message)
