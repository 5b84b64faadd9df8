"""Requests to events, results to answers: values to values, held against Python's own readers."""

import base64
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.compute.lambda_.urls import url_cors
from cumulo.services.compute.lambda_.urls.url_answers import HEAD_END, MalformedAnswer, StreamedHead, interpret
from cumulo.services.compute.lambda_.urls.url_events import UrlContext, UrlRequest, event, parameters

CONTEXT = UrlContext(
    "abc", "abc.lambda-url.us-east-1.on.aws", "https", "443", "id", "Root=1", 1_583_348_638.39, "1" * 12
)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def made(**parts: Any) -> dict[str, Any]:
    given = {"method": "GET", "path": "/", "query": "", "headers": [], "body": b"", "source_ip": "10.0.0.1", **parts}
    return event(UrlRequest(**given), CONTEXT)


@given(st.binary(), st.sampled_from(["", "text/plain", "application/json; charset=utf-8", "image/png", "a/b+json"]))
def test_a_body_can_be_had_back(body: bytes, kind: str) -> None:
    found = made(method="POST", body=body, headers=[("content-type", kind)] if kind else [])
    text = found.get("body", "")
    assert (base64.b64decode(text) if found["isBase64Encoded"] else text.encode()) == body
    json.dumps(found)


@given(st.text(alphabet="ab=&+%20/é?", max_size=30))
def test_parameters_are_what_the_query_says(query: str) -> None:
    wanted: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, separator="&"):
        wanted[name] = f"{wanted[name]},{value}" if name in wanted else value
    found = parameters(query)
    assert found == wanted


def test_the_moment() -> None:
    context = made()["requestContext"]
    assert (context["time"], context["timeEpoch"]) == ("04/Mar/2020:19:03:58 +0000", 1_583_348_638_390)


def test_what_is_not_there_is_left_out() -> None:
    found = made(headers=[("user-agent", "me")])
    assert not found.keys() & {"body", "cookies", "queryStringParameters", "pathParameters", "stageVariables"}
    assert not found["requestContext"].keys() & {"authentication", "authorizer"}
    assert found["requestContext"]["http"]["userAgent"] == "me"


@given(st.binary() | JSONS.map(lambda value: json.dumps(value).encode()))
def test_any_result_is_an_answer_or_refused(payload: bytes) -> None:
    try:
        answer = interpret(payload)
    except MalformedAnswer:
        return
    assert 100 <= answer.status <= 599


@given(
    st.fixed_dictionaries(
        {"statusCode": st.integers() | st.text() | st.none()},
        optional={
            "headers": st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()) | st.text(),
            "cookies": st.lists(st.text()) | st.text(),
            "body": st.text() | st.none() | st.integers(),
            "isBase64Encoded": st.booleans(),
        },
    )
)
def test_no_result_breaks_the_head_of_an_answer(result: dict[str, Any]) -> None:
    try:
        answer = interpret(json.dumps(result).encode())
    except MalformedAnswer:
        return
    for name, value in answer.headers:
        assert not set(name + value) & set("\r\n\0")
        (name + value).encode("latin-1")


@given(st.binary(), st.integers(1, 5))
def test_a_streamed_head_comes_in_any_pieces(body: bytes, size: int) -> None:
    data = b'{"statusCode":201,"headers":{"a":"b"},"cookies":["c=d"]}' + HEAD_END + body
    head = StreamedHead()
    found = None
    rest = b""
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        if found is None:
            found = head.feed(piece)
        else:
            rest += piece
    assert found is not None
    assert (found[0], found[2] + rest) == (201, body)
    assert found[1] == [("a", "b"), ("Set-Cookie", "c=d"), ("Content-Type", "application/json")]


def test_fields_of_the_connection_get_another_name() -> None:
    answer = interpret(b'{"statusCode":200,"headers":{"Content-Length":"3","X":true}}')
    assert ("x-amzn-remapped-Content-Length", "3") in answer.headers
    assert ("X", "true") in answer.headers


@pytest.mark.parametrize(
    ("cors", "wanted"),
    [
        ({"AllowOrigins": ["*"]}, [("Access-Control-Allow-Origin", "*")]),
        ({"AllowOrigins": ["https://b"]}, []),
        (
            {"AllowOrigins": ["*"], "AllowCredentials": True, "ExposeHeaders": ["x", "y"]},
            [
                ("Access-Control-Allow-Origin", "https://a"),
                ("Vary", "Origin"),
                ("Access-Control-Allow-Credentials", "true"),
                ("Access-Control-Expose-Headers", "x,y"),
            ],
        ),
    ],
)
def test_what_pages_are_told(cors: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    assert url_cors.fields(cors, "https://a") == wanted


def test_configured_fields_win() -> None:
    configured = [("Access-Control-Allow-Origin", "*")]
    given = [("access-control-allow-origin", "https://x"), ("A", "1")]
    assert url_cors.over(configured, given) == [("A", "1"), ("Access-Control-Allow-Origin", "*")]
