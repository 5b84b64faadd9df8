"""What is on people's disks must stay readable: a record changes by fields at its end, or by a new form."""

import json

from tests.house.records import KEPT, KEPT_NAMES, forms, names


def test_records_change_only_in_ways_that_old_bytes_survive() -> None:
    kept: dict[str, list[str]] = json.loads(KEPT.read_text())
    now = forms()
    for name, fields in kept.items():
        assert name in now, f"{name} is gone: records on disk need it (keep it as the `previous` of the new form)"
        assert now[name][: len(fields)] == fields, (
            f"{name} has changed: make a new class with `previous` and `migrate`, and leave this one as it was"
        )
        for field in now[name][len(fields) :]:
            assert field.endswith("="), f"{name}: the new field {field} needs a default, old bytes do not have it"


def test_all_records_are_noted() -> None:
    kept: dict[str, list[str]] = json.loads(KEPT.read_text())
    assert forms() == kept, "run: python -m tests.house.records"


def test_what_has_a_name_in_the_store_keeps_it() -> None:
    kept: dict[str, list[str]] = json.loads(KEPT_NAMES.read_text())
    now = names()
    for kind, known in kept.items():
        gone = set(known) - set(now[kind])
        assert not gone, f"{kind} on disk need these names: {sorted(gone)}"
    assert now == kept, "run: python -m tests.house.records"
