"""Websites: documents, redirects and the pages of errors, over the website's own hosts."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3

from tests.conftest import Account

HTTP = urllib3.PoolManager(retries=False)


class Site:
    """A public bucket with a website, and a browser for it."""

    def __init__(self, cloud: Account, s3: Any, bucket: str) -> None:
        self.url = cloud.url
        self.s3 = s3
        self.bucket = bucket
        self.host = f"{bucket}.s3-website-us-east-1.amazonaws.com"

    def configure(self, **configuration: Any) -> None:
        configuration.setdefault("IndexDocument", {"Suffix": "index.html"})
        self.s3.put_bucket_website(Bucket=self.bucket, WebsiteConfiguration=configuration)

    def put(self, key: str, body: bytes = b"", **options: Any) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType="text/html", **options)

    def publish(self, *actions: str) -> None:
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": False})
        arn = f"arn:aws:s3:::{self.bucket}"
        allow = {"Effect": "Allow", "Principal": "*", "Action": list(actions), "Resource": [arn, f"{arn}/*"]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)

    def get(self, path: str = "/", method: str = "GET", **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return HTTP.request(method, self.url + path, headers={"Host": self.host, **given}, redirect=False)


@pytest.fixture
def site(cloud: Account, s3: Any, bucket: str) -> Site:
    """A bucket that anybody may read and list, without a configuration yet."""
    found = Site(cloud, s3, bucket)
    found.publish("s3:GetObject", "s3:ListBucket")
    return found


def page(status: str, *items: str, second: tuple[str, ...] = ()) -> str:
    lists = "".join([f"<li>{item}</li>\n" for item in items])
    more = ""
    if second:
        more = "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>\n<ul>\n"
        more += "".join([f"<li>{item}</li>\n" for item in second]) + "</ul>\n"
    return (
        f"<html>\n<head><title>{status}</title></head>\n<body>\n<h1>{status}</h1>\n<ul>\n{lists}"
        f"<li>RequestId: …</li>\n<li>HostId: …</li>\n</ul>\n{more}<hr/>\n</body>\n</html>\n"
    )


def shown(answer: Any) -> str:
    return re.sub(r"(RequestId|HostId): [^<]+", r"\1: …", answer.data.decode())


MISSING = ("Code: NoSuchKey", "Message: The specified key does not exist.")


def test_documents_are_found(site: Site) -> None:
    site.configure()
    site.put("index.html", b"home")
    site.put("a/index.html", b"folder")
    site.put("a/b c.html", b"page")
    assert (site.get().status, site.get().data, site.get().headers["Content-Type"]) == (200, b"home", "text/html")
    assert site.get("/a/").data == b"folder"
    assert site.get("/a/b%20c.html?x=1").data == b"page"
    answer = site.get("/a")
    assert (answer.status, answer.headers["Location"]) == (302, "/a/")
    assert site.get("/", Range="bytes=1-2").status == 206
    head = site.get("/", "HEAD")
    assert (head.status, head.headers["Content-Length"], head.data) == (200, "4", b"")
    assert site.get("/", If_None_Match=head.headers["ETag"]).status == 304


@pytest.mark.parametrize("form", ["{}.s3-website.localhost", "{}.s3-website.us-east-1.amazonaws.com",
                                  "{}.s3-website-us-east-1.localhost.localstack.cloud"])  # fmt: skip
def test_hosts_of_websites(site: Site, form: str) -> None:
    site.configure()
    site.put("index.html", b"x" * 1_000_000)
    site.host = f"{form.format(site.bucket)}:{urlsplit(site.url).port}"
    assert site.get().data == b"x" * 1_000_000


def test_missing_documents(site: Site) -> None:
    site.configure()
    answer = site.get()
    assert (answer.status, shown(answer)) == (404, page("404 Not Found", *MISSING, "Key: index.html"))
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["x-amz-error-code"] == "NoSuchKey"
    site.configure(ErrorDocument={"Key": "error.html"})
    expected = page("404 Not Found", *MISSING, "Key: index.html", second=(*MISSING, "Key: error.html"))
    assert shown(site.get()) == expected
    site.put("error.html", b"sorry")
    answer = site.get("/nothing")
    assert (answer.status, answer.data, answer.headers["Content-Type"]) == (404, b"sorry", "text/html")
    assert site.get("/nothing", "HEAD").status == 404


def test_what_has_no_website(cloud: Account, site: Site) -> None:
    message = "Message: The specified bucket does not have a website configuration"
    expected = page("404 Not Found", "Code: NoSuchWebsiteConfiguration", message, f"BucketName: {site.bucket}")
    assert shown(site.get()) == shown(site.get("/key")) == expected
    site.host = f"none-{cloud.account}.s3-website-us-east-1.amazonaws.com"
    name = f"BucketName: none-{cloud.account}"
    assert shown(site.get()) == page(
        "404 Not Found", "Code: NoSuchBucket", "Message: The specified bucket does not exist", name
    )


def test_what_is_not_public(site: Site) -> None:
    site.configure()
    site.put("index.html", b"home")
    site.s3.delete_bucket_policy(Bucket=site.bucket)
    answer = site.get()
    assert (answer.status, shown(answer)) == (
        403, page("403 Forbidden", "Code: AccessDenied", "Message: Access Denied"),
    )  # fmt: skip
    site.publish("s3:GetObject")
    assert site.get().data == b"home"
    assert site.get("/gone").status == 403  # who may not list is not told that there is nothing


def test_only_reading(site: Site) -> None:
    site.configure()
    for method in ("POST", "PUT", "DELETE"):
        answer = site.get("/index.html", method)
        assert (answer.status, "MethodNotAllowed" in answer.data.decode()) == (405, True)


def test_redirects(site: Site) -> None:
    site.configure(
        RoutingRules=[
            {"Condition": {"KeyPrefixEquals": "docs/"}, "Redirect": {"ReplaceKeyPrefixWith": "documents/"}},
            {
                "Condition": {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "old/"},
                "Redirect": {"HostName": "example.com", "Protocol": "https", "HttpRedirectCode": "302"},
            },
        ]
    )
    site.put("docs/a", b"never seen")
    site.put("old/kept", b"kept")
    site.put("moved", b"", WebsiteRedirectLocation="/elsewhere")
    for path, status, location in (
        ("/docs/a", 301, f"http://{site.host}/documents/a"),
        ("/old/gone", 302, "https://example.com/old/gone"),
        ("/moved", 301, "/elsewhere"),
    ):
        answer = site.get(path)
        assert (answer.status, answer.headers["Location"]) == (status, location)
    assert site.get("/old/kept").data == b"kept"
    site.s3.put_bucket_website(
        Bucket=site.bucket, WebsiteConfiguration={"RedirectAllRequestsTo": {"HostName": "example.com"}}
    )
    answer = site.get("/a%20b?c=d")
    assert (answer.status, answer.headers["Location"]) == (301, "http://example.com/a%20b?c=d")


def test_pages_of_other_origins(site: Site) -> None:
    site.configure()
    site.put("index.html", b"home")
    rule = {"AllowedOrigins": ["http://a.example"], "AllowedMethods": ["GET"]}
    site.s3.put_bucket_cors(Bucket=site.bucket, CORSConfiguration={"CORSRules": [rule]})
    answer = site.get("/", Origin="http://a.example")
    assert (answer.data, answer.headers["Access-Control-Allow-Origin"]) == (b"home", "http://a.example")
    answer = site.get("/", Origin="http://b.example", Sec_Fetch_Site="cross-site")
    assert (answer.data, "Access-Control-Allow-Origin" in answer.headers) == (b"home", False)
    assert site.get("/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors").data == b"home"
