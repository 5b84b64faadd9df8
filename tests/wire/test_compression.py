"""Requests whose body came gzipped."""

import gzip

import pytest

from cumulo.wire import routing
from cumulo.wire.faults import Fault
from cumulo.wire.http import Headers, Request
from tests.wire.calls import written

ROUTER = routing.Router(["cloudwatch"])
PARAMS = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.5}] * 100}


def compressed(spoken: str, body: bytes | None = None) -> Request:
    sent = written("cloudwatch", "PutMetricData", PARAMS, spoken)
    raw = [*sent.headers.raw, (b"Content-Encoding", b"gzip")]
    return Request("POST", sent.target, Headers(raw), body=gzip.compress(sent.body) if body is None else body)


@pytest.mark.parametrize("spoken", ["", "json"])
def test_gzipped_bodies_are_read(spoken: str) -> None:
    assert ROUTER.route(compressed(spoken)).parse() == PARAMS


def test_log_events_may_come_gzipped() -> None:
    params = {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "é"}]}
    sent = written("logs", "PutLogEvents", params, "")
    raw = [*sent.headers.raw, (b"Content-Encoding", b"gzip")]
    request = Request("POST", sent.target, Headers(raw), body=gzip.compress(sent.body))
    assert routing.Router(["logs"]).route(request).parse() == params


def test_what_is_no_gzip_is_refused() -> None:
    for body in (b"junk", gzip.compress(b"x" * 100)[:-9]):
        with pytest.raises(Fault, match=r"SerializationException.*gzip"):
            ROUTER.route(compressed("json", body)).parse()


def test_a_body_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routing, "UNPACKED_LIMIT", 1000)
    with pytest.raises(Fault, match="too large"):
        ROUTER.route(compressed("json", gzip.compress(b" " * 100_000))).parse()
