"""The cloud as functions reach it: the API and its faces, nothing of what is for people and our own commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo import dropin

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from cumulo.gateway.exchange import Application, Exchange


class Inside:
    """The gateway's application for connections from inside functions' environments."""

    def __init__(self, cloud: Application) -> None:
        self._cloud = cloud
        self.wants_stream = cloud.wants_stream
        self.continue_ = cloud.continue_

    def handle(self, exchange: Exchange) -> Coroutine[Any, Any, None] | None:
        """Answer one request: as the cloud, but for paths that tell what others do."""
        path = exchange.request.path
        if path.startswith(dropin.PREFIXES) and not dropin.is_for_functions(path):
            exchange.respond(403, [("Content-Type", "application/json")], b'{"message":"not for functions"}')
            return None
        return self._cloud.handle(exchange)
