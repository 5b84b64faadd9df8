from collections.abc import Callable

import pytest

from cumulo.gateway.hosts import Hosts
from cumulo.wire.http import Headers, Request
from tests.gateway.served import Served, read_answer

Serve = Callable[..., Served]


def _request(method: str = "GET", target: str = "/", scheme: str = "http", **fields: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return Request(method, target, Headers(raw), scheme=scheme)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:4566",
        "LocalHost:4566",
        "127.0.0.1:4566",
        "127.1.2.3",
        "[::1]:4566",
        "192.168.1.20:4566",
        "bucket.s3.localhost:4566",
        "localhost.localstack.cloud:4566",
        "b.s3.localhost.localstack.cloud",
        "sqs.us-east-1.amazonaws.com",
        "sqs.cn-north-1.amazonaws.com.cn",
        "my.bucket.s3.amazonaws.com:443",
        "sqs.us-east-1.api.aws",
        "abc.lambda-url.us-east-1.on.aws",
        "host.docker.internal:4566",
        "localhost.",
        "mine.example",
        "x.wild.example:1",
    ],
)
def test_ours(host: str) -> None:
    assert Hosts(allowed_hosts=["mine.example", "*.wild.example"]).is_ours(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "notlocalhost",
        "amazonaws.com.evil.example",
        "evilamazonaws.com",
        "127.0.0.1.evil.example",
        "999.0.0.1",
        "localhost:4566:1",
        "localhost:x",
        "evil.example/.localhost",
        "evil.example,localhost",
        "evil@localhost",
        "a b.localhost",
        "[evil]",
        "wild.example",
        "ü.localhost",
    ],
)
def test_not_ours(host: str) -> None:
    assert not Hosts(allowed_hosts=["*.wild.example"]).is_ours(host)


def test_every_host_is_ours_when_asked_for() -> None:
    assert Hosts(allowed_hosts=["*"]).is_ours("anything.example")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://localhost:3000", True),
        ("https://localhost", True),
        ("http://127.0.0.1:8080", True),
        ("http://[::1]:8080", True),
        ("http://app.localhost:4566", True),
        ("http://cloud.lan:4566", True),  # the request's own host
        ("https://cloud.lan:4566", False),
        ("http://app.example", True),
        ("https://app.example", False),
        ("http://evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://evil.example:4566", False),
        ("null", False),
        ("", False),
        ("file://localhost", False),
    ],
)
def test_origins(origin: str, allowed: bool) -> None:
    hosts = Hosts(allowed_hosts=["cloud.lan"], allowed_origins=["http://app.example/"])
    request = _request("POST", host="cloud.lan:4566", origin=origin)
    assert hosts.allows_origin(origin, request) is allowed
    if origin:
        assert (hosts.refuse(request) is None) is allowed


@pytest.mark.parametrize(
    ("fields", "target", "allowed"),
    [
        ({"sec_fetch_site": "none"}, "/?Action=DeleteQueue", True),
        ({"sec_fetch_site": "same-origin"}, "/?Action=DeleteQueue", True),
        ({"sec_fetch_site": "same-site"}, "/?Action=DeleteQueue", True),
        ({"sec_fetch_site": "cross-site"}, "/?Action=DeleteQueue", False),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, "/?Action=DeleteQueue", False),
        ({"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate"}, "/_console", True),
        ({"sec_fetch_site": "cross-site", "referer": "http://app.example/page"}, "/?Action=x", True),
        ({"sec_fetch_site": "cross-site", "referer": "http://evil.example/page"}, "/?Action=x", False),
    ],
)
def test_pages_without_an_origin(fields: dict[str, str], target: str, allowed: bool) -> None:
    hosts = Hosts(allowed_origins=["http://app.example"])
    assert (hosts.refuse(_request("GET", target, host="localhost:4566", **fields)) is None) is allowed


def test_the_refusal_names_the_setting(serve: Serve) -> None:
    served = serve()
    answer = served.ask(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"allowed_hosts" in answer
    answer = served.ask(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"allowed_origins" in answer
    assert b'{"__type":"ForbiddenOrigin"' in answer
    assert b"Access-Control-Allow-Origin" not in answer
    assert served.call(lambda: served.toy.seen) == []


def test_a_preflight_and_its_request(serve: Serve) -> None:
    served = serve(hosts=Hosts(allowed_origins=["https://app.example"]))
    with served.connect() as client:
        client.sendall(
            b"OPTIONS /q HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
            b"Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-amz-target,authorization\r\n"
            b"Access-Control-Request-Private-Network: true\r\n\r\n"
        )
        status, headers, _ = read_answer(client)
        assert status == 204
        assert headers["access-control-allow-origin"] == "https://app.example"
        assert headers["access-control-allow-headers"] == "x-amz-target,authorization"
        assert "POST" in headers["access-control-allow-methods"]
        assert headers["access-control-allow-private-network"] == "true"
        assert headers["vary"] == "Origin"
        client.sendall(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\nContent-Length: 0\r\n\r\n"
        )
        status, headers, _ = read_answer(client)
        assert status == 200
        assert headers["access-control-allow-origin"] == "https://app.example"
        assert headers["access-control-expose-headers"] == "*"
    assert served.call(lambda: served.toy.seen) == ["/"]
