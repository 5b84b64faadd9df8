"""Lines of functions as PutLogEvents takes them."""

from cumulo.engines.environments.builds import LogLine
from cumulo.services.compute.lambda_.running.log_batches import batches

DAY_MS = 86_400_000


def test_lines_of_several_days_go_in_several_calls() -> None:
    """The computer slept in the midst of an invocation: no call spans more than 24 hours."""
    times = [0, 1, DAY_MS - 1, DAY_MS, 3 * DAY_MS, 3 * DAY_MS + 5]
    found = batches([LogLine(at, f"{at}\n") for at in reversed(times)])
    assert [[event["timestamp"] for event in batch] for batch in found] == [times[:3], times[3:4], times[4:]]
