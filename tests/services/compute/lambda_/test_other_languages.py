"""Functions in Java and Ruby as their users make them: a zip archive, boto3, logs, layers, hostile code."""

import base64
import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.sandboxes.probe import abilities
from tests.conftest import Account
from tests.engines.environments import java_code
from tests.services.compute.lambda_.conftest import Create, zip_of

RUBY = shutil.which("ruby")
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def ruby() -> Iterator[str]:
    """The identifier of Ruby's runtime; whatever Ruby is here stands in for it."""
    if RUBY is None:
        pytest.skip("needs Ruby")
    runtimes.configure({"ruby3.2": RUBY})
    yield "ruby3.2"
    runtimes.configure({})


@pytest.fixture
def java(create: Create) -> Any:
    """Makes functions of the compiled classes."""
    if java_code.MISSING:
        pytest.skip(java_code.MISSING)

    def make(name: str, handler: str, **options: Any) -> None:
        code: dict[str, str | bytes] = {**java_code.compiled()}
        given = {"Runtime": java_code.RUNTIME, "MemorySize": 256, "Timeout": 30, **options}
        create(name, Handler=handler, Code={"ZipFile": zip_of(code)}, **given)

    return make


def invoke(cloud: Account, name: str, event: Any) -> tuple[Any, dict[str, Any]]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
    return json.loads(answer["Payload"].read()), answer


def test_a_function_in_java(cloud: Account, java: Any) -> None:
    java("orders", "example.Orders$Typed")
    found, answer = invoke(cloud, "orders", {"id": "7", "count": 1})
    assert found == {"id": "7", "count": 2, "price": 0.0, "paid": False}
    tail = base64.b64decode(answer["LogResult"]).decode()
    assert "REPORT RequestId: " in tail and "Init Duration: " in tail
    java("broken", "example.Failures::fails")
    found, answer = invoke(cloud, "broken", {})
    assert answer["FunctionError"] == "Unhandled"
    assert (found["errorType"], found["errorMessage"]) == ("java.lang.IllegalStateException", "not now")
    found, answer = invoke(cloud, "broken", {})
    assert "Init Duration" not in base64.b64decode(answer["LogResult"]).decode()


def test_snap_start_of_java(cloud: Account, java: Any) -> None:
    if java_code.RUNTIME == "java8.al2":
        pytest.skip("has no SnapStart on AWS")
    java("hooked", "example.Hooks::told", SnapStart={"ApplyOn": "PublishedVersions"})
    version = cloud.client("lambda").publish_version(FunctionName="hooked")["Version"]
    cloud.settle()
    found, _ = invoke(cloud, f"hooked:{version}", {})
    assert found == ["before two", "before one", "after one", "after two"]
    assert invoke(cloud, "hooked", {})[0] == []


def test_a_function_in_ruby(cloud: Account, create: Create, ruby: str) -> None:
    source = "def handler(event:, context:)\n  puts 'working'\n  { n: event['n'] + 1, me: context.function_name }\nend"
    create("counter", Runtime=ruby, Code={"ZipFile": zip_of({"index.rb": source})}, Timeout=20)
    found, answer = invoke(cloud, "counter", {"n": 1})
    assert found == {"n": 2, "me": "counter"}
    assert "working\n" in base64.b64decode(answer["LogResult"]).decode()
    found, answer = invoke(cloud, "counter", {})
    assert answer["FunctionError"] == "Unhandled" and found["errorType"] == "Function<NoMethodError>"


AWS = "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.skipif("net" not in abilities().namespaces, reason="functions have no network of their own here")
def test_aws_by_its_own_names(cloud: Account, create: Create, java: Any, ruby: str) -> None:
    """Both trust what answers there; what they ask is not signed."""
    java("java", "example.Callers::status")
    assert invoke(cloud, "java", AWS)[0] == 403
    source = "require 'net/http'\ndef handler(event:, context:)\n  Net::HTTP.get_response(URI(event)).code\nend"
    create("ruby", Runtime=ruby, Code={"ZipFile": zip_of({"index.rb": source})}, Timeout=20)
    assert invoke(cloud, "ruby", AWS)[0] == "403"


@pytest.mark.parametrize("runtime", ["dotnet8", "dotnet10"])
def test_what_cannot_be_run_says_what_can(cloud: Account, role: str, runtime: str) -> None:
    client = cloud.client("lambda")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match=r"custom runtime \(provided.al2023\)"):
        client.create_function(
            FunctionName="f", Runtime=runtime, Role=role, Handler="A::B::C", Code={"ZipFile": zip_of()}
        )
