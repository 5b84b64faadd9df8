"""What lifecycle rules want: filters, days that end at midnight, and which rule wins."""

from typing import Any

import pytest

from cumulo.services.storage.s3.lifecycles import lifecycle_rules
from cumulo.services.storage.s3.lifecycles.lifecycle_rules import DAY_S, Rule, due, expiration, transition

MIDNIGHT = 20_000 * DAY_S  # some midnight


def rule(**document: Any) -> Rule:
    return lifecycle_rules.rules_of({"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {}, **document}]})[0]


def test_days_end_at_the_next_midnight() -> None:
    assert due(MIDNIGHT + 10 * 3600, 3) == MIDNIGHT + 4 * DAY_S
    assert due(MIDNIGHT, 3) == MIDNIGHT + 3 * DAY_S


def test_disabled_rules_are_no_rules() -> None:
    assert lifecycle_rules.rules_of({"Rules": [{"ID": "r", "Status": "Disabled", "Expiration": {"Days": 1}}]}) == []


@pytest.mark.parametrize(
    ("filtered", "key", "size", "tags", "matches"),
    [
        ({"Filter": {}}, "any", 0, {}, True),
        ({"Filter": {"Prefix": "logs/"}}, "logs/a", 0, {}, True),
        ({"Filter": {"Prefix": "logs/"}}, "log", 0, {}, False),
        ({"Prefix": "logs/", "Filter": None}, "logs/a", 0, {}, True),
        ({"Prefix": "logs/", "Filter": None}, "a", 0, {}, False),
        ({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}, "a", 0, {"k": "v", "x": "y"}, True),
        ({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}, "a", 0, {"k": "w"}, False),
        ({"Filter": {"ObjectSizeGreaterThan": 10}}, "a", 10, {}, False),
        ({"Filter": {"ObjectSizeGreaterThan": 10}}, "a", 11, {}, True),
        ({"Filter": {"ObjectSizeLessThan": 10}}, "a", 10, {}, False),
        ({"Filter": {"ObjectSizeLessThan": 10}}, "a", 9, {}, True),
        ({"Filter": {"And": {"Prefix": "l", "Tags": [{"Key": "k", "Value": "v"}]}}}, "log", 0, {"k": "v"}, True),
        ({"Filter": {"And": {"Prefix": "l", "Tags": [{"Key": "k", "Value": "v"}]}}}, "log", 0, {}, False),
        ({"Filter": {"And": {"ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 3}}}, "log", 2, {}, True),
        ({"Filter": {"And": {"ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 3}}}, "log", 3, {}, False),
    ],
)
def test_filters(filtered: dict[str, Any], key: str, size: int, tags: dict[str, str], matches: bool) -> None:
    assert rule(**filtered).matches(key, size, tags) is matches


def test_the_earliest_expiration_wins() -> None:
    rules = lifecycle_rules.rules_of(
        {
            "Rules": [
                {"ID": "late", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 30}},
                {"ID": "early", "Status": "Enabled", "Filter": {"Prefix": "a"}, "Expiration": {"Days": 3}},
                {"ID": "date", "Status": "Enabled", "Filter": {}, "Expiration": {"Date": MIDNIGHT + 9 * DAY_S}},
            ]
        }
    )
    assert expiration(rules, "a", 0, {}, MIDNIGHT + 1) == (MIDNIGHT + 4 * DAY_S, "early")
    assert expiration(rules, "b", 0, {}, MIDNIGHT + 1) == (MIDNIGHT + 9 * DAY_S, "date")
    assert expiration([rule(Expiration={"ExpiredObjectDeleteMarker": True})], "b", 0, {}, MIDNIGHT) is None


def moved(rules: list[Rule], days: int, size: int = 1 << 20, at: str = "STANDARD", minimum: str = "") -> str:
    now = MIDNIGHT + days * DAY_S
    return transition(rules, "a", size, {}, MIDNIGHT, now=now, storage_class=at, minimum=minimum)


def test_transitions_go_down_and_the_coldest_wins() -> None:
    rules = [
        rule(Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 90, "StorageClass": "DEEP_ARCHIVE"}]),
        rule(Transitions=[{"Days": 60, "StorageClass": "GLACIER"}]),
    ]
    assert [moved(rules, days) for days in (29, 30, 59, 60, 90)] == [
        "",
        "STANDARD_IA",
        "STANDARD_IA",
        "GLACIER",
        "DEEP_ARCHIVE",
    ]
    assert moved(rules, 60, at="GLACIER") == ""
    assert moved(rules, 60, at="DEEP_ARCHIVE") == ""
    assert moved([rule(Transitions=[{"Date": MIDNIGHT + 5, "StorageClass": "GLACIER_IR"}])], 1) == "GLACIER_IR"
    assert moved([rule(Transitions=[{"Days": 0, "StorageClass": "GLACIER_IR"}])], 1, at="ONEZONE_IA") == ""


def test_small_objects_stay_unless_a_size_is_named() -> None:
    to_infrequent = [rule(Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}])]
    to_glacier = [rule(Transitions=[{"Days": 0, "StorageClass": "GLACIER"}])]
    assert moved(to_infrequent, 30, size=128 * 1024) == "STANDARD_IA"
    assert moved(to_infrequent, 30, size=128 * 1024 - 1) == ""
    assert moved(to_glacier, 30, size=10) == ""
    assert moved(to_glacier, 30, size=10, minimum="varies_by_storage_class") == "GLACIER"
    assert moved(to_infrequent, 30, size=10, minimum="varies_by_storage_class") == ""
    named = [rule(Filter={"ObjectSizeGreaterThan": 5}, Transitions=[{"Days": 30, "StorageClass": "STANDARD_IA"}])]
    assert moved(named, 30, size=10) == "STANDARD_IA"


def test_noncurrent_versions_go_but_for_the_newest() -> None:
    rules = [rule(NoncurrentVersionExpiration={"NoncurrentDays": 2, "NewerNoncurrentVersions": 3})]

    def goes(newer: int, days: int) -> bool:
        now = MIDNIGHT + days * DAY_S
        return lifecycle_rules.noncurrent_expires(rules, "a", 0, {}, MIDNIGHT, newer, now=now)

    assert not goes(2, 100)
    assert not goes(3, 1)
    assert goes(3, 2)
    transitions = [{"NoncurrentDays": 5, "StorageClass": "GLACIER", "NewerNoncurrentVersions": 1}]
    moving = [rule(NoncurrentVersionTransitions=transitions)]

    def moves(newer: int, days: int) -> str:
        return lifecycle_rules.noncurrent_transition(
            moving, "a", 1 << 20, {}, MIDNIGHT, newer, now=MIDNIGHT + days * DAY_S, storage_class="STANDARD"
        )

    assert moves(0, 9) == ""
    assert moves(1, 4) == ""
    assert moves(1, 5) == "GLACIER"


def test_markers_alone_are_removed() -> None:
    def goes(days: int, **document: Any) -> bool:
        return lifecycle_rules.marker_goes([rule(**document)], "a", MIDNIGHT, now=MIDNIGHT + days * DAY_S)

    assert goes(0, Expiration={"ExpiredObjectDeleteMarker": True})
    assert not goes(0, Expiration={"ExpiredObjectDeleteMarker": True}, Filter={"Prefix": "b"})
    assert not goes(2, Expiration={"Days": 3})
    assert goes(3, Expiration={"Days": 3})
    assert goes(3, Expiration={"Date": MIDNIGHT + DAY_S})
    assert not goes(3, Expiration={"Days": 3}, Filter={"Tag": {"Key": "k", "Value": "v"}})


def test_uploads_are_aborted() -> None:
    rules = [rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7}, Filter={"Prefix": "a"})]
    assert lifecycle_rules.upload_abort(rules, "abc", MIDNIGHT + 5) == (MIDNIGHT + 8 * DAY_S, "r")
    assert lifecycle_rules.upload_abort(rules, "b", MIDNIGHT) is None
