"""Storage class analysis: what is exported."""

import csv
import io
import json
from typing import Any

import pytest

from cumulo.services.storage.s3.reports import analytics_exports
from tests.conftest import Account


@pytest.mark.parametrize(
    ("days", "group"), [(0, "000-014"), (14, "000-014"), (15, "015-029"), (364, "180-364"), (900, "730+")]
)
def test_ages(days: int, group: str) -> None:
    assert analytics_exports.age(days) == group


def test_what_lies_there_is_exported_daily(cloud: Account, s3: Any, bucket: str, new_bucket: Any) -> None:
    target = new_bucket()
    allow = {
        "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{target}/*",
    }  # fmt: skip
    s3.put_bucket_policy(Bucket=target, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    for key, storage_class in (("in/1", "STANDARD"), ("in/2", "STANDARD_IA"), ("out", "STANDARD")):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 2_000_000, StorageClass=storage_class)
    destination = {"Format": "CSV", "Bucket": f"arn:aws:s3:::{target}", "Prefix": "analysis"}
    export = {"OutputSchemaVersion": "V_1", "Destination": {"S3BucketDestination": destination}}
    document = {"Id": "a", "Filter": {"Prefix": "in/"}, "StorageClassAnalysis": {"DataExport": export}}
    s3.put_bucket_analytics_configuration(Bucket=bucket, Id="a", AnalyticsConfiguration=document)
    for ages in ("000-014", "015-029"):
        cloud.advance(86_400 if ages == "000-014" else 16 * 86_400)
        text = s3.get_object(Bucket=target, Key=f"analysis/{bucket}/a.csv")["Body"].read().decode()
        rows = list(csv.DictReader(io.StringIO(text)))
        assert [(row["StorageClass"], row["ObjectAge"], row["ObjectCount"], row["Storage_MB"]) for row in rows] == [
            (name, label, "1", "2.0000") for name in ("STANDARD", "STANDARD_IA") for label in (ages, "ALL")
        ]
        assert {row["GetRequestCount"] for row in rows} == {""}
