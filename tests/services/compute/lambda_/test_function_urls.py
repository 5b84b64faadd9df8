"""Function URLs: their configurations, and calls of them."""

import base64
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_invocations import FAILS, Create, error_of

ECHO = "import json\ndef handler(event, context):\n    return {'statusCode': 200, 'body': json.dumps(event)}\n"


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def call(url: str, method: str = "GET", path: str = "/", body: bytes = b"", **headers: str) -> Answer:
    """One request to a URL, whose name this machine need not resolve."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    try:
        fields = {"Host": parts.netloc, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, path, body or None, fields)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def open_url(cloud: Account, auth_type: str = "NONE", **options: Any) -> str:
    """A URL that everybody may call."""
    lambda_ = cloud.client("lambda")
    answer = lambda_.create_function_url_config(FunctionName="greeter", AuthType=auth_type, **options)
    if auth_type == "NONE":
        let_everybody(cloud)
    url: str = answer["FunctionUrl"]
    return url


def let_everybody(cloud: Account) -> None:
    lambda_ = cloud.client("lambda")
    lambda_.add_permission(
        FunctionName="greeter",
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    lambda_.add_permission(
        FunctionName="greeter",
        StatementId="function",
        Action="lambda:InvokeFunction",
        Principal="*",
        InvokedViaFunctionUrl=True,
    )


def make(create: Create, code: str = ECHO, **options: Any) -> None:
    create(Code={"ZipFile": zip_of({"index.py": code})}, **options)


def test_the_life_of_a_url(cloud: Account, create: Create) -> None:
    make(create)
    lambda_ = cloud.client("lambda")
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    missing = error_of(lambda_.get_function_url_config, FunctionName="greeter")
    assert missing["Error"] == {
        "Code": "ResourceNotFoundException",
        "Message": "The resource you requested does not exist.",
    }
    created = lambda_.create_function_url_config(FunctionName="greeter", AuthType="NONE")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert sorted(created.keys() - {"ResponseMetadata"}) == ["AuthType", "CreationTime", "FunctionArn", "FunctionUrl"]
    assert created["FunctionArn"] == arn
    assert ".lambda-url.us-east-1.localhost:" in created["FunctionUrl"]
    again = error_of(lambda_.create_function_url_config, FunctionName="greeter", AuthType="NONE")
    assert again["Error"] == {
        "Code": "ResourceConflictException",
        "Message": f"Failed to create function url config for [functionArn = {arn}]. Error message:  FunctionUrlConfig "
        "exists for this Lambda function",
    }
    got = lambda_.get_function_url_config(FunctionName="greeter")
    assert (got["InvokeMode"], got["FunctionUrl"]) == ("BUFFERED", created["FunctionUrl"])
    cors = {"AllowOrigins": ["https://a.example"], "MaxAge": 5}
    updated = lambda_.update_function_url_config(FunctionName="greeter", AuthType="AWS_IAM", Cors=cors)
    assert (updated["AuthType"], updated["Cors"]) == ("AWS_IAM", cors)
    assert "InvokeMode" not in updated
    updated = lambda_.update_function_url_config(FunctionName="greeter", InvokeMode="RESPONSE_STREAM")
    assert (updated["AuthType"], updated["InvokeMode"]) == ("AWS_IAM", "RESPONSE_STREAM")
    [listed] = lambda_.list_function_url_configs(FunctionName="greeter")["FunctionUrlConfigs"]
    assert listed["FunctionUrl"] == created["FunctionUrl"]
    lambda_.delete_function_url_config(FunctionName="greeter")
    assert lambda_.list_function_url_configs(FunctionName="greeter")["FunctionUrlConfigs"] == []
    assert call(created["FunctionUrl"]).status == 404


def test_urls_that_are_refused(cloud: Account, create: Create) -> None:
    make(create)
    lambda_ = cloud.client("lambda")
    nobody = error_of(lambda_.list_function_url_configs, FunctionName="nobody")
    assert nobody["Error"]["Message"] == "Function does not exist"
    for request in ({"FunctionName": "nobody"}, {"FunctionName": "greeter", "Qualifier": "alias"}):
        answer = error_of(lambda_.create_function_url_config, AuthType="NONE", **request)
        assert answer["Error"]["Message"] == "Function does not exist"
    mode = error_of(lambda_.create_function_url_config, FunctionName="greeter", AuthType="NONE", InvokeMode="UNKNOWN")
    assert mode["Error"] == {
        "Code": "ValidationException",
        "Message": "1 validation error detected: Value 'UNKNOWN' at 'invokeMode' failed to satisfy constraint: Member "
        "must satisfy enum value set: [RESPONSE_STREAM, BUFFERED]",
    }


def test_a_request_becomes_an_event(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    url = open_url(cloud)
    answer = call(
        url,
        "POST",
        "/a%20b/c?q=1&q=%2F2&r",
        b'{"foo": "bar"}',
        Content_Type="application/json",
        Cookie="a=1; b=2",
        X_Mixed="Case",
    )
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    event = answer.document
    assert (event["version"], event["routeKey"]) == ("2.0", "$default")
    assert (event["rawPath"], event["rawQueryString"]) == ("/a%20b/c", "q=1&q=%2F2&r")
    assert event["queryStringParameters"] == {"q": "1,/2", "r": ""}
    assert event["cookies"] == ["a=1", "b=2"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"foo": "bar"}', False)
    headers = event["headers"]
    assert headers["x-mixed"] == "Case"
    assert headers["x-forwarded-proto"] == "http"
    context = event["requestContext"]
    domain = urlsplit(url).hostname
    assert (context["accountId"], context["domainName"]) == ("anonymous", domain)
    assert context["http"]["method"] == "POST"
    assert context["requestId"] == answer.headers["x-amzn-requestid"]


def test_a_form_comes_in_base64(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    kind = "application/x-www-form-urlencoded"
    event = call(open_url(cloud), "POST", "/", b"a=1", Content_Type=kind).document
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"a=1", True)


@pytest.mark.parametrize(
    ("code", "status", "kind", "body"),
    [
        ("return 'hello'", 200, "application/json", b'"hello"'),
        ("return {'message': 'hello'}", 200, "application/json", b'{"message": "hello"}'),
        ("return {'statusCode': 201, 'body': 'x', 'headers': {'Content-Type': 'text/plain'}}", 201, "text/plain", b"x"),
        ("return {'statusCode': 200, 'body': 'AAE=', 'isBase64Encoded': True}", 200, "application/json", b"\0\1"),
        ("return {'statusCode': 204}", 204, "application/json", b""),
        ("return {'statusCode': 'no'}", 502, "application/json", b"Internal Server Error"),
        (
            "return {'statusCode': 200, 'headers': {'a': 'b\\r\\nc: d'}}",
            502,
            "application/json",
            b"Internal Server Error",
        ),
        ("raise ValueError('no')", 502, "application/json", b"Internal Server Error"),
    ],
)
def test_what_a_function_gives_back(
    cloud: Account, create: Create, simulated: Environments, code: str, status: int, kind: str, body: bytes
) -> None:
    make(create, f"def handler(event, context):\n    {code}\n")
    answer = call(open_url(cloud))
    assert (answer.status, answer.headers["content-type"], answer.body) == (status, kind, body)


def test_cookies(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create, "def handler(event, context):\n    return {'statusCode': 200, 'cookies': ['a=1', 'b=2; Secure']}\n")
    assert call(open_url(cloud)).headers.get_all("set-cookie") == ["a=1", "b=2; Secure"]


def test_nobody_is_let_in_without_a_policy(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    lambda_ = cloud.client("lambda")
    url = lambda_.create_function_url_config(FunctionName="greeter", AuthType="NONE")["FunctionUrl"]
    answer = call(url)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
    assert answer.document["Message"].startswith("Forbidden. ")
    lambda_.add_permission(
        FunctionName="greeter",
        StatementId="url",
        Action="lambda:InvokeFunctionUrl",
        Principal="*",
        FunctionUrlAuthType="NONE",
    )
    assert call(url).status == 403
    lambda_.remove_permission(FunctionName="greeter", StatementId="url")
    let_everybody(cloud)
    assert call(url).status == 200


def signed(url: str, credentials: Credentials) -> dict[str, str]:
    request = AWSRequest("GET", url)
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)
    return {name.replace("-", "_"): value for name, value in request.headers.items()}


def test_callers_sign(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    url = open_url(cloud, "AWS_IAM")
    assert call(url).status == 403
    event = call(url, **signed(url, Credentials(cloud.account, "test"))).document
    iam = event["requestContext"]["authorizer"]["iam"]
    assert (event["requestContext"]["accountId"], iam["accountId"]) == (cloud.account, cloud.account)
    assert iam["userArn"] == f"arn:aws:iam::{cloud.account}:root"
    client = cloud.client("iam")
    client.create_user(UserName="ann")
    key = client.create_access_key(UserName="ann")["AccessKey"]
    ann = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    assert call(url, **signed(url, ann)).status == 403
    allow = {"Effect": "Allow", "Action": ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    client.put_user_policy(UserName="ann", PolicyName="p", PolicyDocument=document)
    iam = call(url, **signed(url, ann)).document["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == f"arn:aws:iam::{cloud.account}:user/ann"
    assert iam["accessKey"] == key["AccessKeyId"]
    forged = signed(url, Credentials(key["AccessKeyId"], "x" * 40))
    answer = call(url, **forged)
    assert answer.status == 403
    assert "signature" in answer.document["message"]


def test_pages_of_other_origins(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    url = open_url(
        cloud,
        Cors={"AllowOrigins": ["https://a.example"], "AllowMethods": ["POST"], "AllowHeaders": ["x-a"], "MaxAge": 9},
    )
    preflight = call(
        url,
        "OPTIONS",
        Origin="https://a.example",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="x-a",
    )
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == "https://a.example"
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-max-age"] == "9"
    assert not simulated.started
    answer = call(url, Origin="https://a.example")
    assert answer.headers["access-control-allow-origin"] == "https://a.example"
    other = call(url, Origin="https://b.example")
    assert other.status == 200
    assert "access-control-allow-origin" not in other.headers


def test_a_function_that_is_shut_off(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    url = open_url(cloud)
    cloud.client("lambda").put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=0)
    answer = call(url)
    assert answer.status == 429
    assert answer.document["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"


def test_a_head_has_no_body(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    answer = call(open_url(cloud), "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["content-length"]) > 100


def test_streams(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create, "def handler(event, context):\n    return 'a' * 2500\n")
    answer = call(open_url(cloud, InvokeMode="RESPONSE_STREAM"))
    assert (answer.status, len(answer.document)) == (200, 2500)
    make_failing = cloud.client("lambda").update_function_code
    make_failing(FunctionName="greeter", ZipFile=zip_of({"index.py": FAILS}))
    cloud.settle()


def test_the_names_of_aws(cloud: Account, create: Create, simulated: Environments) -> None:
    make(create)
    url = open_url(cloud)
    parts = urlsplit(url)
    assert parts.hostname is not None
    own = f"http://{parts.hostname.removesuffix('.localhost')}.on.aws:{parts.port}/"
    assert call(own).status == 200
    unknown = f"http://{'a' * 32}.lambda-url.us-east-1.localhost:{parts.port}/"
    answer = call(unknown)
    assert (answer.status, answer.document) == (404, {"Message": None})
