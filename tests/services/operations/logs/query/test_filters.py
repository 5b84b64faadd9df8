"""What filters find: a quick look at the message comes first, and must leave out nothing."""

import pytest

from tests.services.operations.logs.query.running import Event, rows

WRITTEN = ('{"ok": true}', '{"ok": 1}', '{"ok": "true"}', '{"ok": false}', '{"ok": 0}', '{"ok": "True"}', '{"no": 1}')


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("ok = true", WRITTEN[:3]),
        ("true = ok", WRITTEN[:3]),
        ("ok in [true, 'x']", WRITTEN[:3]),
        ("ok = false", WRITTEN[3:5]),
        ("ok in ['True']", WRITTEN[5:6]),
        ("ok = 'true'", (WRITTEN[0], WRITTEN[2])),
    ],
)
def test_truth_is_found_however_it_is_written(condition: str, found: tuple[str, ...]) -> None:
    events = [Event(index, message) for index, message in enumerate(WRITTEN)]
    answer = rows(f"filter {condition} | fields @message | sort @timestamp", events)
    assert tuple(row["@message"] for row in answer) == found
