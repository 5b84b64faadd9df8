"""CORS configurations: what is kept and what is refused; what they do is in test_pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.storage.s3.conftest import refused

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def test_cors(s3: Any, bucket: str) -> None:
    rule = {
        "AllowedHeaders": ["x-amz-*"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedOrigins": ["https://*.example.com"],
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": 3000,
        "ID": "one",
    }
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == [rule]


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        (None, "MalformedXML", MALFORMED),
        ({"AllowedMethods": ["GET"]}, "MalformedXML", MALFORMED),
        (
            {"AllowedMethods": ["PATCH"], "AllowedOrigins": ["*"]},
            "InvalidRequest",
            "Found unsupported HTTP method in CORS config. Unsupported method is PATCH",
        ),
        (
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["http*://*"]},
            "InvalidRequest",
            'AllowedOrigin "http*://*" can not have more than one wildcard.',
        ),
        (
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*-*"]},
            "InvalidRequest",
            'AllowedHeader "*-*" can not have more than one wildcard.',
        ),
        (
            {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"], "ExposeHeaders": ["x-*"]},
            "InvalidRequest",
            'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
        ),
    ],
)
def test_cors_rules_that_cannot_be(s3: Any, bucket: str, rule: Any, code: str, message: str) -> None:
    with refused(code, message):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule] if rule else []})
