"""Where a website sends requests. The rules are the examples of AWS's documentation."""

from typing import Any

from cumulo.services.storage.s3.browsers import website_routes
from cumulo.services.storage.s3.browsers.website_routes import Redirect


def website(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"IndexDocument": {"Suffix": "index.html"}, "RoutingRules": list(rules)}


def route(rule: dict[str, Any], key: str, status: int | None = None) -> Redirect | None:
    return website_routes.redirect(website(rule), key, status, "http", "b.s3-website.localhost:4566")


def test_a_folder_is_its_index_document() -> None:
    assert website_routes.object_key(website(), "") == "index.html"
    assert website_routes.object_key(website(), "a/b/") == "a/b/index.html"
    assert website_routes.object_key(website(), "a/b") == "a/b"
    assert website_routes.folder_redirect("ä b/c") == Redirect(302, "/%C3%A4%20b/c/")


def test_everything_is_sent_to_another_host() -> None:
    site = {"RedirectAllRequestsTo": {"HostName": "example.com"}}
    assert website_routes.redirect_all(site, "/a%20b", "x=1", "http") == Redirect(301, "http://example.com/a%20b?x=1")
    site["RedirectAllRequestsTo"]["Protocol"] = "https"
    assert website_routes.redirect_all(site, "/", "", "http") == Redirect(301, "https://example.com/")
    assert website_routes.redirect_all(website(), "/", "", "http") is None


def test_a_renamed_prefix() -> None:
    rule = {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}}
    assert route(rule, "docs/a b") == Redirect(301, "http://b.s3-website.localhost:4566/documents/a%20b")
    assert route(rule, "other") is None
    assert route(rule, "docs/a", 404) is None  # a rule without an error code is asked before


def test_a_deleted_folder() -> None:
    rule = {"Condition": {"KeyPrefixEquals": "images/"}, "Redirect": {"ReplaceKeyWith": "folderdeleted.html"}}
    assert route(rule, "images/1.jpg") == Redirect(301, "http://b.s3-website.localhost:4566/folderdeleted.html")


def test_an_error_sends_elsewhere() -> None:
    rule = {
        "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "a/"},
        "Redirect": {
            "HostName": "ec2.example.com", "ReplaceKeyPrefixWith": "report-404/", "Protocol": "https",
            "HttpRedirectCode": "307",
        },
    }  # fmt: skip
    assert route(rule, "a/x", 404) == Redirect(307, "https://ec2.example.com/report-404/x")
    assert route(rule, "a/x", 403) is None
    assert route(rule, "b/x", 404) is None
    assert route(rule, "a/x") is None


def test_a_rule_without_condition_is_for_all() -> None:
    assert route({"Redirect": {"HostName": "example.com"}}, "k") == Redirect(301, "http://example.com/k")
