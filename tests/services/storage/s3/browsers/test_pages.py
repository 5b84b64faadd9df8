"""Pages of other origins: preflights and requests, by a bucket's CORS rules and by the settings."""

from typing import Any
from xml.etree import ElementTree

import pytest
import urllib3

from tests.conftest import Account

HTTP = urllib3.PoolManager(retries=False)
ENABLED = "CORSResponse: CORS is not enabled for this bucket."
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
PAGE = "http://www.example.com"


def options(cloud: Account, path: str, **fields: str) -> Any:
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    return HTTP.request("OPTIONS", f"{cloud.url}/{path}", headers=headers)


def error(answer: Any) -> tuple[int, dict[str, str]]:
    found = {part.tag: part.text or "" for part in ElementTree.fromstring(answer.data)}
    found.pop("RequestId")
    found.pop("HostId", None)
    return answer.status, found


def configure(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def told(answer: Any) -> dict[str, str]:
    names = ("vary", *[name for name in map(str.lower, answer.headers) if name.startswith("access-control")])
    return {name: answer.headers[name] for name in names if name in answer.headers}


@pytest.fixture
def page(s3: Any, bucket: str) -> str:
    """A presigned URL of an object."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    return str(s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}))


def test_a_preflight_without_an_origin(cloud: Account, bucket: str) -> None:
    wanted = (400, {"Code": "BadRequest", "Message": "Insufficient information. Origin request header needed."})
    assert error(options(cloud, bucket)) == wanted
    assert error(options(cloud, f"{bucket}-none/k")) == wanted


def test_a_bucket_without_rules(cloud: Account, bucket: str, page: str) -> None:
    answer = options(cloud, bucket, Origin=PAGE, Access_Control_Request_Method="PUT")
    members = {"Method": "PUT", "ResourceType": "BUCKET"}
    assert error(answer) == (403, {"Code": "AccessForbidden", "Message": ENABLED, **members})
    members["Method"] = "OPTIONS"
    assert error(options(cloud, bucket, Origin=PAGE)) == (403, {
        "Code": "AccessForbidden", "Message": ENABLED, **members,
    })  # fmt: skip
    answer = options(cloud, f"{bucket}-none", Origin=PAGE)
    assert error(answer)[1]["Message"] == "CORSResponse: Bucket not found"
    # A page of this machine may ask but is told nothing, as on AWS; any other may not even ask.
    answer = HTTP.request("GET", page, headers={"Origin": "http://localhost:3000"})
    assert (answer.status, told(answer)) == (200, {})
    answer = HTTP.request("GET", page, headers={"Origin": PAGE})
    assert (answer.status, error(answer)[1]["Code"]) == (403, "ForbiddenOrigin")


def test_preflights_by_the_rules(cloud: Account, s3: Any, bucket: str) -> None:
    configure(
        s3, bucket,
        {"AllowedOrigins": ["http://*.example.com"], "AllowedMethods": ["GET", "PUT"], "MaxAgeSeconds": 3000,
         "AllowedHeaders": ["x-amz-*"]},
        {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
    )  # fmt: skip
    answer = options(cloud, bucket, Origin=PAGE, Access_Control_Request_Method="PUT",
                     Access_Control_Request_Headers="X-Amz-Date, x-amz-acl")  # fmt: skip
    assert (answer.status, told(answer), answer.headers["Content-Length"]) == (200, {
        "vary": VARY, "access-control-allow-origin": PAGE, "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-date, x-amz-acl", "access-control-max-age": "3000",
        "access-control-allow-credentials": "true",
    }, "0")  # fmt: skip
    answer = options(cloud, f"{bucket}/k", Origin="https://other", Access_Control_Request_Method="GET")
    assert told(answer) == {
        "vary": VARY, "access-control-allow-origin": "*", "access-control-allow-methods": "GET",
    }  # fmt: skip
    answer = options(cloud, f"{bucket}/k", Origin="https://other", Access_Control_Request_Method="GET",
                     Access_Control_Request_Headers="x-other")  # fmt: skip
    assert error(answer) == (403, {
        "Code": "AccessForbidden", "Message": NOT_ALLOWED, "Method": "GET", "ResourceType": "OBJECT",
    })  # fmt: skip
    assert options(cloud, bucket, Origin=PAGE).status == 400


def test_requests_by_the_rules(s3: Any, bucket: str, page: str) -> None:
    configure(s3, bucket, {"AllowedOrigins": [PAGE], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"]})
    answer = HTTP.request("GET", page, headers={"Origin": PAGE})
    assert (answer.status, answer.data, told(answer)) == (200, b"hello", {
        "vary": VARY, "access-control-allow-origin": PAGE, "access-control-allow-methods": "GET",
        "access-control-expose-headers": "ETag", "access-control-allow-credentials": "true",
    })  # fmt: skip
    wrong = HTTP.request("GET", page.replace("Signature=", "Signature=0"), headers={"Origin": PAGE})
    assert told(wrong)["access-control-allow-origin"] == PAGE
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    assert HTTP.request("PUT", put, body=b"x", headers={"Origin": PAGE}).status == 403
    assert HTTP.request("GET", page, headers={"Origin": "http://other"}).status == 403
    answer = HTTP.request("GET", page, headers={"Origin": "http://localhost:3000"})
    assert (answer.status, told(answer)) == (200, {})


def test_large_answers_carry_the_fields_too(s3: Any, bucket: str, page: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1_000_000)
    configure(s3, bucket, {"AllowedOrigins": ["*"], "AllowedMethods": ["GET", "PUT"]})
    answer = HTTP.request("GET", page, headers={"Origin": PAGE})
    assert (len(answer.data), told(answer)["access-control-allow-origin"]) == (1_000_000, "*")
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    answer = HTTP.request("PUT", put, body=b"y" * 1_000_000, headers={"Origin": PAGE})
    assert (answer.status, told(answer)["access-control-allow-origin"]) == (200, "*")


def test_other_services_are_met_as_before(cloud: Account) -> None:
    page = "http://localhost:3000"
    answer = options(cloud, "", Origin=page, Access_Control_Request_Method="POST")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, page)
    answer = options(cloud, "", Origin=PAGE, Access_Control_Request_Method="POST")
    assert (answer.status, b"ForbiddenOrigin" in answer.data) == (403, False) or answer.status == 403


def test_origins_of_the_settings_need_no_rules(start_cloud: Any, tmp_path: Any) -> None:
    running = start_cloud(allowed_origins=(PAGE,))
    cloud = Account(running, "111122223333")
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="pages")
    s3.put_object(Bucket="pages", Key="k", Body=b"hello")
    answer = options(cloud, "pages/k", Origin=PAGE, Access_Control_Request_Method="GET")
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, PAGE)
    url = s3.generate_presigned_url("get_object", {"Bucket": "pages", "Key": "k"})
    answer = HTTP.request("GET", url, headers={"Origin": PAGE})
    assert (answer.data, answer.headers["Access-Control-Allow-Origin"]) == (b"hello", PAGE)
    configure(s3, "pages", {"AllowedOrigins": ["http://other"], "AllowedMethods": ["GET"]})
    assert options(cloud, "pages/k", Origin=PAGE, Access_Control_Request_Method="GET").status == 403
    assert told(HTTP.request("GET", url, headers={"Origin": PAGE})) == {}
