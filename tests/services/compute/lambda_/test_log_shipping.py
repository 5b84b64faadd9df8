"""Lines on their way to CloudWatch Logs."""

import asyncio
from types import SimpleNamespace
from typing import Any

from cumulo.engines.environments.builds import LogLine
from cumulo.services.compute.lambda_.running.log_shipping import LogShipping


class Shipping(LogShipping):
    """Sends slowly, to a list."""

    def __init__(self) -> None:
        runtime: Any = SimpleNamespace(registry=SimpleNamespace(names={"logs"}))
        super().__init__(runtime)
        self.sending = asyncio.Event()
        self.sent: list[str] = []

    async def _send(self, shipment: Any, lines: list[LogLine]) -> None:
        self.sending.set()
        await asyncio.sleep(0.01)
        self.sent += [line.text for line in lines]


def test_what_is_on_its_way_at_the_end_arrives() -> None:
    async def run() -> tuple[list[str], int]:
        shipping = Shipping()
        version: Any = SimpleNamespace(account="1", region="r", role="role", name="greeter")
        build: Any = SimpleNamespace(log_group="group", log_stream="stream")
        first, second = shipping.open(version, build), shipping.open(version, build)
        first.add([LogLine(1, "a")])
        second.add([LogLine(1, "b")])
        await shipping.sending.wait()
        first.add([LogLine(2, "c")])
        await shipping.close()
        return shipping.sent, len(asyncio.all_tasks())

    assert asyncio.run(run()) == (["a", "b", "c"], 1)
