"""What functions find at the cloud's port: the API with the rights of their role, and room for everybody else."""

import json
from typing import Any

import pytest

from cumulo.gateway.inlets import MOST_CONNECTIONS
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.test_events import let
from tests.services.compute.lambda_.test_invocations import Create


def invoke(cloud: Account, create: Create, code: str, event: Any = None) -> Any:
    let(cloud)
    create("hostile", Code={"ZipFile": zip_of({"index.py": code})}, Timeout=30, MemorySize=512)
    answer = cloud.client("lambda").invoke(FunctionName="hostile", Payload=json.dumps(event))
    return json.load(answer["Payload"])


def test_what_is_for_people_and_commands_is_not_there(cloud: Account, create: Create) -> None:
    """The calls of all accounts, work that anybody could order, the folder of the state."""
    code = """
import os, urllib.error, urllib.request
def status(path):
    try:
        return urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + path, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code
def handler(event, context):
    return [status(path) for path in event]
"""
    refused = ["/_cumulo/requests?limit=1000", "/_cumulo/requests/", "/_cumulo/scrub", "/_cumulo/health",
               "/_localstack/init", "/_localstack/info", "/_cumulo/anything"]  # fmt: skip
    allowed = ["/_localstack/health", "/_aws/health", "/_cumulo/coverage"]
    found = invoke(cloud, create, code, [*refused, *allowed])
    assert found == [403] * len(refused) + [200] * len(allowed)


def test_the_way_to_debuggers_of_other_functions_is_not_there(cloud: Account, create: Create) -> None:
    code = """
import os, socket
def handler(event, context):
    port = int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as made:
        made.sendall(f"cumulo-debug {event} us-east-1 hostile\\n".encode())
        return made.recv(100).decode()
"""
    assert invoke(cloud, create, code, cloud.account).startswith("HTTP/1.1 400 ")


def test_connections_of_a_function_leave_room_for_others(cloud: Account, create: Create) -> None:
    code = """
import os, socket, time
def handler(event, context):
    port = int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2])
    made = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(event)]
    time.sleep(0.3)
    refused = 0
    for each in made:
        each.setblocking(False)
        try:
            refused += each.recv(1) == b""
        except ConnectionError:
            refused += 1
        except BlockingIOError:
            pass
        each.close()
    return refused
"""
    assert invoke(cloud, create, code, MOST_CONNECTIONS + 50) == 50
    assert cloud.client("sts").get_caller_identity()["Account"] == cloud.account


@pytest.mark.parametrize("value", ["a\r\nInjected: 1", "a\nInjected: 1", "a\0"])
def test_a_function_url_has_no_headers_in_headers(value: str) -> None:
    from cumulo.services.compute.lambda_.urls.url_answers import MalformedAnswer, interpret

    for document in (
        {"statusCode": 200, "headers": {"x": value}},
        {"statusCode": 200, "headers": {value: "x"}},
        {"statusCode": 200, "cookies": [value]},
    ):
        with pytest.raises(MalformedAnswer):
            interpret(json.dumps(document).encode())
