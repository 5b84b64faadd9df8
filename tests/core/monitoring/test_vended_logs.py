"""Records on their way to log groups."""

from cumulo.core.monitoring import vended_logs
from cumulo.core.monitoring.vended_logs import VendedDelivery, VendedRecord

DAY_MS = 86_400_000


def test_records_of_several_days_go_in_several_calls() -> None:
    """PutLogEvents takes no batch that spans more than 24 hours; the computer may have slept between two records."""
    delivery = VendedDelivery("arn", "S3_SERVER_ACCESS_LOGS", "id", "arn", "arn", ["key"])
    times = [0, 1, DAY_MS - 1, DAY_MS, 3 * DAY_MS, 3 * DAY_MS + 5]
    batches = vended_logs._batches(delivery, [VendedRecord(at, {"key": at}) for at in times])
    assert [[event["timestamp"] for event in batch] for batch in batches] == [times[:3], times[3:4], times[4:]]
