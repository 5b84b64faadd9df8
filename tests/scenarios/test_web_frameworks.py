"""Web applications behind function URLs, all unmodified.

FastAPI through Mangum, Flask through apig-wsgi, Express through serverless-http, and Hono, which streams.
"""

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.scenarios.lambda_code import from_npm, installed, make_function, make_role, with_requirements
from tests.server_process import Server

HERE = Path(__file__).parent / "web"


def open_url(server: Server, name: str, *packages: str) -> str:
    """The URL of a function made of a module of `web/` and the packages that it needs."""
    code = {**installed(*with_requirements(*packages), under=""), f"{name}.py": (HERE / f"{name}.py").read_bytes()}
    return published(server, name, code)


def published(server: Server, name: str, code: dict[str, bytes], mode: str = "BUFFERED", **options: Any) -> str:
    """The URL of a function that anyone may call."""
    role = make_role(server, name, [])
    make_function(server, name, role, code, Handler=f"{name}.handler", MemorySize=512, **options)
    lambda_ = server.client("lambda")
    made = lambda_.create_function_url_config(FunctionName=name, AuthType="NONE", InvokeMode=mode)
    url: str = made["FunctionUrl"]
    for action, more in (
        ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        lambda_.add_permission(
            FunctionName=name, StatementId=action.replace(":", "-"), Action=action, Principal="*", **more
        )
    return url


class Answer:
    """What came back."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def document(self) -> Any:
        return json.loads(self.body)


def call(url: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """One request; the URL's name need not resolve on this machine."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    fields = {"Host": parts.netloc, "User-Agent": "scenario", **headers}
    if body is not None:
        fields["Content-Type"] = "application/json"
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None, fields)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def test_fastapi_behind_a_function_url(server: Server) -> None:
    url = open_url(server, "fast", "fastapi", "mangum")
    answer = call(url, "GET", "/items/7?q=a&q=b%20c")
    assert answer.status == 200
    assert answer.document == {"id": 7, "query": [["q", "a"], ["q", "b c"]], "agent": "scenario"}
    answer = call(url, "GET", "/items/404")
    assert (answer.status, answer.document) == (404, {"detail": "no such item"})
    assert call(url, "GET", "/items/seven").status == 422
    answer = call(url, "POST", "/items", {"name": "tea", "price": 2.5})
    assert (answer.status, answer.document) == (201, {"name": "tea", "price": 2.5})
    cookies = answer.headers.get_all("set-cookie") or []
    assert [cookie.partition(";")[0] for cookie in cookies] == ["last=tea", "seen=yes"]
    assert call(url, "GET", "/cookies", Cookie="last=tea; seen=yes").body == b"last: tea"
    answer = call(url, "GET", "/picture")
    assert (answer.headers["content-type"], answer.body) == ("image/png", bytes(range(256)))
    assert call(url, "GET", "/openapi.json").document["info"]["title"] == "shop"


def test_flask_behind_a_function_url(server: Server) -> None:
    url = open_url(server, "model", "flask", "apig-wsgi")
    answer = call(url, "POST", "/predict", {"samples": [[1, 1], [0, 1], [1, 0]]})
    assert (answer.status, answer.document) == (200, {"predictions": [1, 0, 0]})
    answer = call(url, "GET", "/health")
    assert (answer.headers["x-model"], answer.body) == ("logistic", b"fine")
    assert call(url, "GET", "/nothing").status == 404
    assert call(url, "POST", "/health").status == 405


def javascript(name: str) -> dict[str, bytes]:
    return {**from_npm("web", HERE / "package.json"), f"{name}.mjs": (HERE / f"{name}.mjs").read_bytes()}


def test_express_behind_a_function_url(server: Server) -> None:
    url = published(server, "shop", javascript("shop"), Runtime="nodejs20.x")
    answer = call(url, "GET", "/items/7?q=a&r=b%20c")
    assert (answer.status, answer.document) == (200, {"id": "7", "query": {"q": "a", "r": "b c"}})
    cookies = answer.headers.get_all("set-cookie") or []
    assert [cookie.partition(";")[0] for cookie in cookies] == ["last=7", "seen=yes"]
    answer = call(url, "POST", "/items", {"name": "tea"})
    assert (answer.status, answer.document) == (201, {"name": "tea"})
    answer = call(url, "GET", "/picture")
    assert (answer.headers["content-type"], answer.body) == ("image/png", b"\x00\xff\x01\xfe")
    assert call(url, "GET", "/nothing").status == 404


def test_hono_streams_from_a_function_url(server: Server) -> None:
    url = published(server, "ticker", javascript("ticker"), "RESPONSE_STREAM", Runtime="nodejs20.x")
    assert call(url, "GET", "/").document == {"ready": True}
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    connection.request("GET", "/ticks", headers={"Host": parts.netloc})
    response = connection.getresponse()
    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
    first = response.readline()
    began = time.monotonic()
    rest = response.read()
    assert (first, rest) == (b"data: 0\n", b"\ndata: 1\n\ndata: 2\n\n")
    assert time.monotonic() - began > 0.3, "all of it came at once"
    connection.close()
