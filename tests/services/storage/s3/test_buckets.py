"""Buckets: made, found, removed."""

from __future__ import annotations

from typing import Any

from tests.services.storage.s3.conftest import refused


def test_a_bucket_is_there_until_it_is_deleted(s3: Any, bucket: str) -> None:
    answer = s3.head_bucket(Bucket=bucket)
    assert answer["BucketRegion"] == "us-east-1"
    assert answer["BucketArn"] == f"arn:aws:s3:::{bucket}"
    s3.delete_bucket(Bucket=bucket)
    with refused("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=bucket):
        s3.delete_bucket(Bucket=bucket)
