"""Metrics of event source mappings, for those that ask for them.

Source: Lambda Developer Guide, "Event source mapping metrics": namespace AWS/Lambda, dimension EventSourceMappingUUID.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.event_sources.source_calls import SourceCalls

NAMESPACE = "AWS/Lambda"


async def count(calls: SourceCalls, counts: dict[str, int]) -> None:
    """Add to counters of a mapping (`PolledEventCount` …); nothing where they were not asked for."""
    mapping = calls.mapping
    found = {name: number for name, number in counts.items() if number}
    if mapping.metrics and "EventCount" in mapping.metrics and found:
        await calls.transact(partial(_put, uuid=mapping.uuid, counts=found))


def _put(ctx: Context, uuid: str, counts: dict[str, int]) -> None:
    data: list[Any] = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "EventSourceMappingUUID", "Value": uuid}],
            "Value": float(number),
            "Unit": "Count",
            "Timestamp": ctx.now(),
        }
        for name, number in counts.items()
    ]
    ctx.call("cloudwatch", "PutMetricData", {"Namespace": NAMESPACE, "MetricData": data}, internal=True)
