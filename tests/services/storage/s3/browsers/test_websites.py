"""Website configurations: what is kept and what is refused; what they do is in test_website_hosting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.storage.s3.conftest import refused

MALFORMED = "The XML you provided was not well-formed or did not validate against our published schema"


def test_website(s3: Any, bucket: str) -> None:
    configuration = {
        "IndexDocument": {"Suffix": "index.html"},
        "ErrorDocument": {"Key": "error.html"},
        "RoutingRules": [
            {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}}
        ],
    }
    s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)
    answer = s3.get_bucket_website(Bucket=bucket)
    assert {name: answer[name] for name in configuration} == configuration
    s3.delete_bucket_website(Bucket=bucket)
    with refused("NoSuchWebsiteConfiguration", status=404):
        s3.get_bucket_website(Bucket=bucket)


INDEX = {"IndexDocument": {"Suffix": "index.html"}}


@pytest.mark.parametrize(
    ("configuration", "code", "message", "members"),
    [
        (
            {"IndexDocument": {"Suffix": "/index.html"}},
            "InvalidArgument",
            "The IndexDocument Suffix is not well formed",
            {"ArgumentName": "IndexDocument", "ArgumentValue": "/index.html"},
        ),
        (
            {"IndexDocument": {"Suffix": ""}},
            "InvalidArgument",
            "The IndexDocument Suffix is not well formed",
            {"ArgumentName": "IndexDocument"},
        ),
        (
            {**INDEX, "RedirectAllRequestsTo": {"HostName": "example.com"}},
            "InvalidArgument",
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
            {"ArgumentName": "RedirectAllRequestsTo", "ArgumentValue": "not null"},
        ),
        (
            {"ErrorDocument": {"Key": "error.html"}},
            "InvalidArgument",
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            {"ArgumentName": "IndexDocument", "ArgumentValue": "null"},
        ),
        (
            {"RedirectAllRequestsTo": {"HostName": "example.com", "Protocol": "ftp"}},
            "InvalidRequest",
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
            "automatically.",
            {},
        ),
        (
            {**INDEX, "RoutingRules": [{"Redirect": {"ReplaceKeyPrefixWith": "a", "ReplaceKeyWith": "b"}}]},
            "InvalidRequest",
            "You can only define ReplaceKeyPrefix or ReplaceKey but not both.",
            {},
        ),
        (
            {**INDEX, "RoutingRules": [{"Condition": {}, "Redirect": {"HostName": "a"}}]},
            "InvalidRequest",
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't "
            "be present.",
            {},
        ),
        ({**INDEX, "RoutingRules": [{"Redirect": {}}]}, "MalformedXML", MALFORMED, {}),
        ({**INDEX, "RoutingRules": []}, "MalformedXML", MALFORMED, {}),
        (
            {**INDEX, "RoutingRules": [{"Redirect": {"HttpRedirectCode": "200"}}]},
            "InvalidRequest",
            "The provided HTTP redirect code (200) is not valid. Valid codes are 3XX except 300.",
            {},
        ),
    ],
)
def test_websites_that_cannot_be(
    s3: Any, bucket: str, configuration: dict[str, Any], code: str, message: str, members: dict[str, str]
) -> None:
    with refused(code, message, **members):
        s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=configuration)
