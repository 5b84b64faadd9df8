"""Streams whose reader is slow: the function waits in its write, and the cloud holds little of its answer."""

import http.client
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_fleet import until
from tests.services.compute.lambda_.test_function_urls import open_url

# bash's own sockets; one chunk is as long as the answer
BOOTSTRAP = r"""#!/bin/bash
set -euo pipefail
API=${AWS_LAMBDA_RUNTIME_API/:/\/}
while true; do
  exec 3<>"/dev/tcp/$API"
  printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
  ID=$(cat <&3 | grep -i '^Lambda-Runtime-Aws-Request-Id' | tr -d '\r' | cut -d' ' -f2)
  exec 3<>"/dev/tcp/$API"
  printf 'POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' "$ID" >&3
  printf 'Lambda-Runtime-Function-Response-Mode: streaming\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' "$SIZE" >&3
  head -c "$SIZE" /dev/zero >&3
  printf '\r\n0\r\n\r\n' >&3
  cat <&3 >/dev/null
done
"""
MOST_HELD_B = 24 << 20  # mostly what the kernel keeps between the function, the cloud and the client
Pieces = Iterator[bytes]
Open = Callable[[Account], Pieces]


def by_invoke(cloud: Account) -> Pieces:
    answer = cloud.client("lambda").invoke_with_response_stream(FunctionName="greeter")
    for event in answer["EventStream"]:
        if "PayloadChunk" in event:
            yield event["PayloadChunk"]["Payload"]
        else:
            assert event["InvokeComplete"].get("ErrorCode", "Sandbox.Timedout") == "Sandbox.Timedout"


def by_url(cloud: Account) -> Pieces:
    parts = urlsplit(open_url(cloud, InvokeMode="RESPONSE_STREAM"))
    connection = http.client.HTTPConnection("127.0.0.1", parts.port)
    connection.request("GET", "/", headers={"Host": parts.netloc})
    answer = connection.getresponse()
    assert answer.status == 200
    try:
        while piece := answer.read1(1 << 16):
            yield piece
    except http.client.IncompleteRead:
        pass  # cut off, as its function was
    finally:
        connection.close()


def make(create: Create, size: int, timeout_s: int) -> None:
    code = zip_of({"bootstrap": BOOTSTRAP}, mode=0o755)
    options: dict[str, Any] = {"Runtime": "provided.al2023", "Code": {"ZipFile": code}, "Timeout": timeout_s}
    create(Environment={"Variables": {"SIZE": str(size)}}, **options)


@pytest.mark.parametrize("opened", [by_invoke, by_url])
def test_a_function_waits_for_its_reader(cloud: Account, create: Create, opened: Open) -> None:
    """Until it is timed out, here: whatever comes then is all that was held."""
    let(cloud)
    make(create, 100 << 20, timeout_s=2)
    pieces = opened(cloud)
    taken = len(next(pieces))
    logs = cloud.client("logs")

    def timed_out() -> bool:
        found = logs.filter_log_events(logGroupName="/aws/lambda/greeter", filterPattern='"Task timed out"')
        return bool(found["events"])

    until(lambda: bool(logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/greeter")["logGroups"]))
    until(timed_out)
    taken += sum(len(piece) for piece in pieces)
    assert 1 << 16 < taken < MOST_HELD_B


@pytest.mark.parametrize("opened", [by_invoke, by_url])
def test_a_long_answer_comes_whole(cloud: Account, create: Create, opened: Open) -> None:
    make(create, 20 << 20, timeout_s=60)
    answer = b"".join(opened(cloud))
    assert answer == bytes(20 << 20)
