"""Answers of Object Lambda that are made while they are sent."""

from __future__ import annotations

import hashlib
import http.client
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ResponseStreamingError

from tests.conftest import Account
from tests.services.compute.lambda_.test_fleet import until
from tests.services.storage.s3.conftest import refused
from tests.services.storage.s3control.lenses import Json, Lens, create, lens, role, simulated

__all__ = ["create", "lens", "role", "simulated"]


class Unsigned(S3SigV4Auth):
    def payload(self, request: Any) -> str:
        return "UNSIGNED-PAYLOAD"


def stream(cloud: Account, event: Json, pieces: Iterator[bytes]) -> int:
    """WriteGetObjectResponse with a body that is made while it is sent, as SDKs do it over TLS; its status."""
    context = event["getObjectContext"]
    host = f"{context['outputRoute']}.{cloud.url.removeprefix('http://')}"
    headers = {"x-amz-request-route": context["outputRoute"], "x-amz-request-token": context["outputToken"]}
    request = AWSRequest("POST", f"http://{host}/WriteGetObjectResponse", headers=headers)
    Unsigned(Credentials(cloud.account, "test"), "s3-object-lambda", "us-east-1").add_auth(request)
    connection = http.client.HTTPConnection(cloud.url.removeprefix("http://"))
    sent = {**dict(request.headers), "Host": host, "Transfer-Encoding": "chunked"}
    try:
        connection.request("POST", "/WriteGetObjectResponse", pieces, sent, encode_chunked=True)
        return connection.getresponse().status
    finally:
        connection.close()


def test_an_answer_comes_while_it_is_made(cloud: Account, lens: Lens) -> None:
    seen = threading.Event()
    rest = [b"second ", b"x" * 3_000_000]
    outcome: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b"first "
        assert seen.wait(10)  # the client has the first piece before the second is made
        yield from rest

    lens.answers(lambda event: outcome.append(stream(cloud, event, pieces())))
    got = lens.get()
    assert "ContentLength" not in got
    assert got["Body"].read(6) == b"first "
    seen.set()
    assert got["Body"].read() == b"".join(rest)
    until(lambda: bool(outcome))
    assert outcome == [200]


def test_large_answers_with_their_length(lens: Lens) -> None:
    large = bytes(range(256)) * 20_000
    lens.answers(lambda event: lens.respond(event, large))
    got = lens.get()
    assert got["ContentLength"] == len(large)
    assert hashlib.sha256(got["Body"].read()).digest() == hashlib.sha256(large).digest()


def test_an_answer_that_breaks_off(cloud: Account, lens: Lens) -> None:
    begun = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        assert begun.wait(10)
        raise ValueError("no more")

    lens.answers(lambda event: stream(cloud, event, pieces()))
    body = lens.get()["Body"]
    begun.set()
    with pytest.raises(ResponseStreamingError):
        body.read()


def test_an_answer_that_takes_too_long_is_broken_off(cloud: Account, lens: Lens) -> None:
    go_on = threading.Event()
    outcome: list[int] = []

    def pieces() -> Iterator[bytes]:
        yield b"x" * 100_000
        go_on.wait(20)
        yield b"y"

    lens.answers(lambda event: outcome.append(stream(cloud, event, pieces())))
    body = lens.get()["Body"]
    cloud.advance(61)
    with pytest.raises(ResponseStreamingError):
        body.read()
    go_on.set()
    until(lambda: bool(outcome))
    assert outcome == [500]


def test_a_client_that_hangs_up(cloud: Account, lens: Lens) -> None:
    outcome: list[int] = []

    def pieces() -> Iterator[bytes]:
        for _ in range(2000):
            yield b"x" * 100_000

    lens.answers(lambda event: outcome.append(stream(cloud, event, pieces())))
    lens.get()["Body"].close()
    until(lambda: bool(outcome))
    assert outcome == [500]


def test_a_function_that_hangs_up_before_a_byte(cloud: Account, lens: Lens) -> None:
    told = threading.Event()

    def pieces() -> Iterator[bytes]:
        raise ValueError("nothing to say")
        yield b""

    def answer(event: Json) -> None:
        with pytest.raises(ValueError, match="nothing to say"):
            stream(cloud, event, pieces())
        told.wait(20)

    lens.answers(answer)
    with refused("ConnectionClosedByRequester", status=400):
        lens.get()
    told.set()
