"""Lines on their way to CloudWatch Logs."""

import asyncio
from types import SimpleNamespace
from typing import Any

from cumulo.engines.environments.builds import LogLine
from cumulo.services.compute.lambda_.running.log_shipping import LogShipping, Shipment, shipped


class Shipping(LogShipping):
    """Sends slowly, to a list."""

    def __init__(self) -> None:
        runtime: Any = SimpleNamespace(registry=SimpleNamespace(names={"logs"}), memory={})
        super().__init__(runtime)
        self.runtime = runtime
        self.sending = asyncio.Event()
        self.sent: list[str] = []

    async def _send(self, shipment: Any, lines: list[LogLine]) -> None:
        self.sending.set()
        await asyncio.sleep(0.01)
        self.sent += [line.text for line in lines]


def opened(shipping: LogShipping) -> Shipment:
    """The stream of one environment."""
    version: Any = SimpleNamespace(account="1", region="r", role="role", name="greeter")
    build: Any = SimpleNamespace(log_group="group", log_stream="stream")
    return shipping.open(version, build)


def test_what_was_written_until_now_is_waited_for() -> None:
    async def run() -> list[list[str]]:
        shipping = Shipping()
        stream, seen = opened(shipping), []
        for text in "ab":  # a: nothing is on its way; b: something is
            stream.add([LogLine(1, text)])
            if text == "b":
                await shipping.sending.wait()
                stream.add([LogLine(2, "c")])
            await shipped(shipping.runtime)
            seen.append(list(shipping.sent))
            shipping.sending.clear()
        await shipping.close()
        return seen

    assert asyncio.run(run()) == [["a"], ["a", "b", "c"]]
    asyncio.run(shipped(SimpleNamespace(memory={})))  # no function has run: there is nothing to wait for


def test_what_is_on_its_way_at_the_end_arrives() -> None:
    async def run() -> tuple[list[str], int]:
        shipping = Shipping()
        first, second = opened(shipping), opened(shipping)
        first.add([LogLine(1, "a")])
        second.add([LogLine(1, "b")])
        await shipping.sending.wait()
        first.add([LogLine(2, "c")])
        await shipping.close()
        return shipping.sent, len(asyncio.all_tasks())

    assert asyncio.run(run()) == (["a", "b", "c"], 1)
