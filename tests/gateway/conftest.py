import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from cumulo.gateway.limits import Limits
from tests.gateway.served import Served


def _loops() -> list[Any]:
    loops = [pytest.param(asyncio.new_event_loop, id="asyncio")]
    if os.name != "nt":
        import uvloop

        loops.append(pytest.param(uvloop.new_event_loop, id="uvloop"))
    return loops


@pytest.fixture(params=_loops())
def serve(request: pytest.FixtureRequest) -> Iterator[Callable[..., Served]]:
    """serve(limits={…}, hosts=Hosts(…), authority=…) -> a running server, on either event loop."""
    running: list[Served] = []

    def start(limits: dict[str, Any] | None = None, **options: Any) -> Served:
        served = Served({"limits": Limits(**(limits or {})), **options}, request.param).start()
        running.append(served)
        return served

    yield start
    for served in running:
        served.stop()
