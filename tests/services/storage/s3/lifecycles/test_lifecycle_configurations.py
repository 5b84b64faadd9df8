"""Lifecycle configurations: what is kept and what is refused; what they do is in test_lifecycle_runs."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.storage.s3.conftest import refused

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def test_lifecycle(s3: Any, bucket: str) -> None:
    rules = [
        {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}},
        {
            "Status": "Disabled",
            "Filter": {"And": {"Prefix": "a", "ObjectSizeGreaterThan": 5}},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}, {"Days": 60, "StorageClass": "GLACIER"}],
            "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
        },
    ]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    answer = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    assert answer["Rules"][0] == rules[0]
    assert answer["Rules"][1].pop("ID")
    assert answer["Rules"][1] == rules[1]
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", status=404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        ({"Expiration": {"Days": 7}}, "MalformedXML", MALFORMED),
        ({"Filter": {}, "Prefix": "", "Expiration": {"Days": 7}}, "MalformedXML", MALFORMED),
        ({"Filter": {}}, "InvalidRequest", "At least one action needs to be specified in a rule"),
        (
            {"Filter": {"Prefix": "a", "ObjectSizeLessThan": 9}, "Expiration": {"Days": 7}},
            "MalformedXML",
            MALFORMED,
        ),
        ({"Filter": {"And": {"Prefix": "a"}}, "Expiration": {"Days": 7}}, "MalformedXML", MALFORMED),
        (
            {
                "Filter": {"And": {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}},
                "Expiration": {"Days": 7},
            },
            "InvalidRequest",
            "Duplicate Tag Keys are not allowed.",
        ),
        (
            {"Filter": {}, "Expiration": {"Days": 7, "ExpiredObjectDeleteMarker": True}},
            "MalformedXML",
            MALFORMED,
        ),
        (
            {"Filter": {}, "Expiration": {"Days": 0}},
            "InvalidArgument",
            "'Days' for Expiration action must be a positive integer",
        ),
        (
            {"Filter": {}, "Expiration": {"Date": "2030-01-01T07:00:00Z"}},
            "InvalidArgument",
            "'Date' must be at midnight GMT",
        ),
        ({"Filter": {}, "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 3}}, "MalformedXML", MALFORMED),
        ({"Filter": {}, "NoncurrentVersionExpiration": {}}, "MalformedXML", MALFORMED),
        ({"Filter": {}}, "InvalidRequest", "At least one action needs to be specified in a rule"),
        (
            {
                "Filter": {"Tag": {"Key": "a", "Value": "b"}},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
            },
            "InvalidRequest",
            "AbortIncompleteMultipartUpload cannot be specified with Tags.",
        ),
        (
            {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
            "InvalidRequest",
            "ExpiredObjectDeleteMarker cannot be specified with Tags.",
        ),
        (
            {"Filter": {}, "Transitions": [{"Days": 10, "StorageClass": "STANDARD_IA"}]},
            "InvalidArgument",
            "'Days' in Transition action must be greater than or equal to 30 for storageClass 'STANDARD_IA'",
        ),
        (
            {"Filter": {}, "Transitions": [{"Days": 40, "StorageClass": "GLACIER"}], "Expiration": {"Days": 40}},
            "InvalidArgument",
            "'Days' in the Expiration action for filter '(prefix=)' must be greater than 'Days' in the Transition "
            "action",
        ),
        (
            {
                "Filter": {},
                "Transitions": [{"Date": "2030-01-01T00:00:00Z", "StorageClass": "GLACIER"}],
                "Expiration": {"Days": 40},
            },
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration and Transition actions in lifecycle rule for filter "
            "'(prefix=)'",
        ),
        ({"ID": "x" * 256, "Filter": {}, "Expiration": {"Days": 1}}, "InvalidArgument", None),
        ({"Filter": {}, "Transitions": [{"Days": 40}]}, "MalformedXML", MALFORMED),
    ],
)
def test_lifecycle_rules_that_cannot_be(
    s3: Any, bucket: str, rule: dict[str, Any], code: str, message: str | None
) -> None:
    with refused(code, message):
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [{"Status": "Enabled", **rule}]}
        )


def test_lifecycle_ids_are_unique(s3: Any, bucket: str) -> None:
    rule = {"ID": "one", "Status": "Enabled", "Filter": {}, "Expiration": {"Days": 7}}
    with refused("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule"):
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule, rule]})
