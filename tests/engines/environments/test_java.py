"""Functions in Java: kinds of handlers, what they take and give, errors, logs, memory, SnapStart."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cumulo.engines.environments.builds import Build, Outcome
from cumulo.engines.environments.programs import JAVA_RUNTIME
from tests.engines.environments import java_code
from tests.engines.environments.conftest import Bench

pytestmark = [pytest.mark.skipif(bool(java_code.MISSING), reason=java_code.MISSING), pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classes")
    for each in (folder, folder.parent):
        each.chmod(0o755)
    return java_code.write(folder)


@pytest.fixture(params=java_code.RUNTIMES)
def java(bench: Bench, classes: Path, request: pytest.FixtureRequest) -> Any:
    """Builds of the compiled classes, for every Java that is here."""

    def build(handler: str, **changes: Any) -> Build:
        given = {"code": classes, "runtime": request.param, "memory_mb": 256, "timeout_s": 30, **changes}
        return bench.build(handler=handler, **given)

    return build


def answer(outcome: Outcome) -> Any:
    assert not outcome.error, outcome.payload
    return json.loads(outcome.payload)


@pytest.mark.parametrize(
    ("handler", "event", "wanted"),
    [
        ("example.Orders::text", '"a"', "a!"),
        ("example.Orders::add", "1.9", 2),
        ("example.Orders::reversed", "[1, 2]", [2, 1]),
        ("example.Orders::nothing", "{}", None),
        ("example.Orders::none", "{}", "no arguments"),
        ("example.Orders::overloaded", '""', "with f"),
        ("example.Orders$Pages", '{"items": [{"name": "a", "unknown": 1}]}', [{"name": "A"}]),
        ("Points::moved", '{"names": ["a"], "x": 1}', {"x": 2, "names": ["a"]}),
    ],
)
def test_handlers(bench: Bench, java: Any, handler: str, event: str, wanted: Any) -> None:
    (outcome,) = bench.invoke(java(handler), event.encode())
    assert answer(outcome) == wanted


def test_streams_are_as_they_are(bench: Bench, java: Any) -> None:
    for handler in ("example.Orders$Streams", "example.Orders::copy"):
        (outcome,) = bench.invoke(java(handler), b"{ }")
        assert outcome.payload == b"<{ }>"


def test_any_object(bench: Bench, java: Any) -> None:
    events = [b'{"a": [1, 2.5, 12345678901, 123456789012345678901, "\\u00e4\\n", true, null], "b": null}', b"null"]
    first, second = bench.invoke(java("example.Orders::anything"), *events)
    assert first.payload.decode() == '{"a":[1,2.5,12345678901,123456789012345678901,"ä\\n",true,null]}'
    assert second.payload == b"null"


def without_nulls(value: Any) -> Any:
    """As AWS's runtimes write maps: without members that are null."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


@pytest.fixture
def echo(bench: Bench, java: Any) -> Iterator[Callable[[Any, bool], Any]]:
    """Sends a document to one function again and again."""

    async def main(homes: Any) -> Any:
        return await homes.start(java("example.Orders::anything"), bench.lines.extend, "s")

    environment = bench.run(main)

    def ask(document: Any, escaped: bool) -> Any:
        event = bench.invocation(json.dumps(document, ensure_ascii=escaped).encode())
        return answer(bench.run(lambda _: environment.invoke(event)))

    yield ask
    bench.run(lambda _: environment.stop())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=DOCUMENTS, escaped=st.booleans())
def test_any_document_comes_back(echo: Callable[[Any, bool], Any], document: Any, escaped: bool) -> None:
    assert echo(document, escaped) == without_nulls(document)


def test_beans(bench: Bench, java: Any) -> None:
    order = {
        "id": "7", "count": "1", "price": 2, "paid": True, "size": "LARGE", "lines": {"name": "a"},
        "stock": {"x": 1}, "secret": "new", "at": 1500, "blob": "AAE=", "note": "n", "exact": 1.10,
        "URL": "http://x", "open": "o", "total": 9,
    }  # fmt: skip
    full, empty = bench.invoke(java("example.Orders$Typed"), json.dumps(order).encode(), b"{}")
    assert full.payload.decode() == (
        '{"id":"7","count":2,"price":2.0,"paid":true,"size":"LARGE","lines":[{"name":"a"}],"stock":{"x":1},'
        '"at":1500,"blob":"AAE=","note":"n","exact":1.1,"URL":"http://x","open":"o"}'
    )
    assert answer(empty) == {"count": 1, "price": 0.0, "paid": False}


def test_events_of_awss_library(bench: Bench, java: Any) -> None:
    record = {"messageId": "m", "eventSourceARN": "arn", "size": {"Bytes": 3}, "sent": 1.5}
    (outcome,) = bench.invoke(java("example.Queue"), json.dumps({"Records": [record]}).encode())
    assert answer(outcome) == "m arn 3 1500"


def test_context(bench: Bench, java: Any) -> None:
    build = java("example.Orders::context", log_group="/aws/lambda/f", memory_mb=300)

    async def main(homes: Any) -> Outcome:
        environment = await bench.start(homes, build)
        invocation = bench.invocation(
            invoked_arn="arn:f:live", trace_id="Root=1-2", identity='{"cognitoIdentityId": "me"}',
            client_context='{"client": {"app_title": "ä"}, "custom": {"a": 1}}',
        )  # fmt: skip
        return await environment.invoke(invocation)  # type: ignore[no-any-return]

    found = answer(bench.run(main))
    version = found.pop("java").removeprefix("1.").split(".")[0]
    assert {f"java{version}", f"java{version}.al2"} & set(java_code.RUNTIMES)
    assert 240 <= found.pop("heap") <= 255
    assert found == {
        "id": "00000000-0000-4000-8000-000000000001", "name": "f", "version": "$LATEST", "arn": "arn:f:live",
        "group": "/aws/lambda/f", "stream": "2026/01/01/[$LATEST]abc", "memory": 300, "left": True,
        "identity": "me", "title": "ä", "custom": {"a": "1"}, "trace": "Root=1-2", "directory": "/var/task",
    }  # fmt: skip


def test_errors(bench: Bench, java: Any) -> None:
    first, second = bench.invoke(java("example.Failures::fails"), b"{}", b"{}")
    document = json.loads(first.payload)
    assert (document["errorMessage"], document["errorType"]) == ("not now", "java.lang.IllegalStateException")
    assert document["stackTrace"][0] == "example.Failures.fails(Failures.java:12)"
    assert not [line for line in document["stackTrace"] if "cumulo" in line]
    assert (first.error, first.error_type, first.dead) == ("Unhandled", "Runtime.UserException", False)
    assert json.loads(second.payload) == document
    assert "not now: java.lang.IllegalStateException\njava.lang.IllegalStateException: not now\n" in bench.text
    assert "Caused by: java.lang.RuntimeException: inner" in bench.text
    (silent,) = bench.invoke(java("example.Failures::silent"))
    assert json.loads(silent.payload)["errorMessage"] == "java.lang.Exception"


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("example.None", "java.lang.ClassNotFoundException", "Class not found: example.None"),
        ("example.Orders::none2", None, "No public method named none2 with appropriate method signature found on class"
         " example.Orders"),
        ("example.Orders::", None, "Invalid handler: `example.Orders::'"),
        ("example.Failures$Raw", None, "Class does not implement an appropriate handler interface:"
         " example.Failures$Raw"),
        ("example.Failures$Inner", "java.lang.Exception", "Class example.Failures$Inner cannot be instantiated because"
         " it is a non-static inner class"),
    ],
)  # fmt: skip
def test_handlers_that_cannot_be_found(bench: Bench, java: Any, handler: str, kind: str, message: str) -> None:
    """They fail with every invocation, not the init: as on AWS."""
    (outcome,) = bench.invoke(java(handler))
    wanted = {"errorMessage": message, **({"errorType": kind} if kind else {})}
    assert json.loads(outcome.payload) == wanted
    assert outcome.error_type == "Runtime.BadFunctionCode" and outcome.init_ms


def test_an_init_that_fails(bench: Bench, java: Any) -> None:
    (outcome,) = bench.invoke(java("example.Failures$Broken"))
    assert json.loads(outcome.payload) == {
        "errorMessage": "no configuration",
        "errorType": "java.lang.IllegalArgumentException",
    }
    assert outcome.dead and outcome.error_type == "Runtime.BadFunctionCode"
    assert "INIT_REPORT" in bench.text and "Status: error" in bench.text
    (outcome,) = bench.invoke(java("example.Failures$Static::handle"))
    assert json.loads(outcome.payload) == {
        "errorMessage": "Error loading class example.Failures$Static",
        "errorType": "java.lang.ExceptionInInitializerError",
    }


def test_what_is_no_input_or_output(bench: Bench, java: Any) -> None:
    parsing = "An error occurred during JSON parsing"
    for handler, event in (("example.Orders$Typed", b'{"count": []}'), ("example.Orders::text", b'{"a": 1}')):
        (outcome,) = bench.invoke(java(handler), event.replace(b"[]", b'"many"'))
        document = json.loads(outcome.payload)
        assert (document["errorMessage"], document["errorType"]) == (parsing, "java.lang.RuntimeException")
        assert "Caused by: java.lang.IllegalArgumentException: Cannot deserialize value of type" in bench.text
    (outcome,) = bench.invoke(java("example.Failures::cycle"))
    assert json.loads(outcome.payload)["errorMessage"] == "An error occurred during JSON serialization of response"


def test_the_ends_of_a_jvm(bench: Bench, java: Any) -> None:
    (outcome,) = bench.invoke(java("example.Failures::exits"))
    assert outcome.dead and json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
    assert "Runtime exited with error: exit status 3" in bench.text
    (outcome,) = bench.invoke(java("example.Failures::sleeps", timeout_s=1.0))
    assert outcome.dead and outcome.timed_out
    for handler, kind in (("fills", "OutOfMemoryError"), ("overflows", "StackOverflowError")):
        (outcome,) = bench.invoke(java(f"example.Failures::{handler}", memory_mb=128))
        assert outcome.dead and json.loads(outcome.payload)["errorType"] == f"java.lang.{kind}"


def test_text_logs(bench: Bench, java: Any) -> None:
    bench.invoke(java("example.Logs::write"))
    lines = [line.text for line in bench.lines]
    assert "early\n" in lines and "printed ä\n" in lines and "on the other\n" in lines
    assert "plain" in lines and "[WARN] two\nlines" in lines and "[DEBUG] details" in lines


def test_json_logs(bench: Bench, java: Any) -> None:
    bench.invoke(java("example.Logs::write", log_format="JSON", application_level="INFO", system_level="INFO"))
    records = [json.loads(line.text) for line in bench.lines if line.text.startswith('{"timestamp"')]
    (warned,) = [each for each in records if each["level"] == "WARN"]
    assert warned["message"] == "two\nlines" and warned["AWSRequestId"] == "00000000-0000-4000-8000-000000000001"
    assert [each["message"] for each in records if each["level"] == "UNDEFINED"] == ["early\n", "plain"]
    assert "details" not in bench.text


def test_hooks_of_snap_start(bench: Bench, java: Any) -> None:
    """A JVM cannot be forked: it is initialised anew in every environment, and the hooks are called all the same."""
    build = java("example.Hooks::told", snap_start=True, init_type="snap-start")
    (outcome,) = bench.invoke(build)
    assert answer(outcome) == ["before two", "before one", "after one", "after two"]
    (outcome,) = bench.invoke(java("example.Hooks::told", init_type="snap-start", variables={"FAILS": "1"}))
    assert outcome.error_type == "Runtime.AfterRestoreError"
    assert json.loads(outcome.payload)["errorType"] == "com.amazonaws.services.lambda.crac.RestoreException"
    assert "Suppressed: java.lang.IllegalStateException: no connection" in bench.text


def test_archives_in_the_code_and_in_layers(bench: Bench, java: Any, classes: Path, tmp_path: Path) -> None:
    """The folder lib of the code, and java/lib of layers; a serializer that the code brings."""
    code, layer = tmp_path / "task", tmp_path / "layer"
    for folder, name in ((code / "lib", "a.jar"), (layer / "java" / "lib", "b.jar")):
        folder.mkdir(parents=True)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as written:
            if name == "a.jar":
                written.writestr("example/Orders.class", java_code.compiled()["example/Orders.class"])
            else:
                written.writestr("example/Serializer.class", java_code.compiled()["example/Serializer.class"])
                service = "META-INF/services/com.amazonaws.services.lambda.runtime.CustomPojoSerializer"
                written.writestr(service, "example.Serializer")
        (folder / name).write_bytes(archive.getvalue())
    (outcome,) = bench.invoke(java("example.Orders::text", code=code, layers=(layer,)), b"{}")
    assert answer(outcome) == ["read as java.lang.String!"]


def test_options_of_the_function_win(bench: Bench, java: Any) -> None:
    options = {"JAVA_TOOL_OPTIONS": "-Xmx64m -XX:+UseParallelGC -Dgreeting=x"}
    build = java("example.Orders::context", variables=options)

    async def main(homes: Any) -> Outcome:
        environment = await bench.start(homes, build)
        invocation = bench.invocation(identity="{}", client_context='{"client": {}}')
        return await environment.invoke(invocation)  # type: ignore[no-any-return]

    assert answer(bench.run(main))["heap"] <= 64
    assert "Picked up JAVA_TOOL_OPTIONS: -Xmx64m -XX:+UseParallelGC -Dgreeting=x\n" in bench.text


@pytest.mark.skipif(str(JAVA_RUNTIME).startswith("/tmp/"), reason="hidden by the /tmp of environments")
def test_classes_come_from_an_archive(bench: Bench, java: Any) -> None:
    bench.invoke(java("example.Orders::none", variables={"JAVA_TOOL_OPTIONS": "-Xlog:class+load"}))
    assert "cumulo.runtime.Handlers source: shared objects file (top)" in bench.text


def test_warm_calls(bench: Bench, java: Any) -> None:
    outcomes = bench.invoke(java("example.Orders$Typed"), *[b'{"id": "a", "lines": [{"name": "b"}]}'] * 300)
    assert all(answer(each)["count"] == 1 for each in outcomes)
    assert outcomes[0].init_ms and outcomes[0].init_ms < 20_000
    assert sorted(each.duration_ms for each in outcomes)[150] < 20
