"""Functions in Python: what they are given, what becomes of what they answer, how they fail."""

import json
import math
import shutil
from typing import Any

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import RuntimeMissing
from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench

ID = "00000000-0000-4000-8000-000000000001"


def here(identifier: str) -> bool:
    """Whether this machine has the runtime."""
    try:
        runtimes.find(identifier)
    except RuntimeMissing:
        return False
    return True


@pytest.mark.parametrize("runtime", [f"python3.{minor}" for minor in range(10, 15)])
def test_a_function_answers(bench: Bench, runtime: str) -> None:
    if not here(runtime):
        pytest.skip(f"{runtime} is not here")
    source = """
import sys
def handler(event, context):
    return {'got': event, 'id': context.aws_request_id, 'version': '%d.%d' % sys.version_info[:2], 'text': 'ä'}
"""
    first, second = bench.invoke(bench.build(source, runtime=runtime), b'{"a": 1}', b"[2]")
    answer = json.loads(first.payload)
    assert answer == {"got": {"a": 1}, "id": ID, "version": runtime.removeprefix("python"), "text": "ä"}
    assert (b"\\u00e4" in first.payload) == (runtime in ("python3.10", "python3.11"))
    assert json.loads(second.payload)["got"] == [2]
    assert first.init_ms is not None and first.init_ms > 0 and second.init_ms is None
    assert not first.error and not first.dead and first.content_type == "application/json"


def test_an_exception_is_the_answer(bench: Bench) -> None:
    source = "def handler(event, context):\n    raise ValueError('no way')\n"
    (outcome,) = bench.invoke(bench.build(source))
    assert outcome.error == "Unhandled" and not outcome.dead
    assert json.loads(outcome.payload) == {
        "errorMessage": "no way",
        "errorType": "ValueError",
        "requestId": ID,
        "stackTrace": ["  File \"/var/task/index.py\", line 2, in handler\n    raise ValueError('no way')\n"],
    }
    assert (
        "[ERROR] ValueError: no way\nTraceback (most recent call last):\n"
        '\u00a0\u00a0File "/var/task/index.py", line 2, in handler\n'
        "\u00a0\u00a0\u00a0\u00a0raise ValueError('no way')"
    ) in bench.text


def test_frames_of_the_library_have_lambdas_names(bench: Bench) -> None:
    (outcome,) = bench.invoke(bench.build("import json\ndef handler(event, context):\n    return json.loads('x')\n"))
    trace = json.loads(outcome.payload)["stackTrace"]
    assert trace[0].startswith('  File "/var/task/index.py", line 3')
    assert trace[1].startswith('  File "/var/lang/lib/python3.12/json/__init__.py", line ')


def test_what_a_function_sees(bench: Bench) -> None:
    source = """
import os, sys
def handler(event, context):
    return {
        "environment": dict(os.environ), "cwd": os.getcwd(), "path": sys.path[:4],
        "context": {name: getattr(context, name) for name in ("function_name", "function_version", "log_group_name",
            "log_stream_name", "memory_limit_in_mb", "invoked_function_arn", "tenant_id")},
        "left": context.get_remaining_time_in_millis(), "client": context.client_context.client.app_title,
        "custom": context.client_context.custom, "identity": context.identity.cognito_identity_id,
    }
"""
    build = bench.build(
        source, variables={"MINE": "ü", "AWS_REGION": "us-east-1"}, log_group="/aws/lambda/f", timeout_s=5
    )

    async def main(homes: Environments) -> Any:
        environment = await bench.start(homes, build)
        invocation = bench.invocation(
            trace_id="Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1",
            client_context='{"client": {"app_title": "app"}, "custom": {"k": "ö"}}',
            identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
            invoked_arn=f"{build.function_arn}:live",
            tenant_id="blue",
        )
        return json.loads((await environment.invoke(invocation)).payload)

    seen = bench.run(main)
    environment = seen["environment"]
    assert environment.pop("AWS_LAMBDA_RUNTIME_API").endswith(":9001")
    assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-5bef4de7")
    assert environment["MINE"] == "ü" and environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert environment["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand" and environment["TZ"] == ":UTC"
    assert environment["LAMBDA_TASK_ROOT"] == seen["cwd"] == "/var/task"
    assert seen["path"] == [
        "/var/task", "/opt/python/lib/python3.12/site-packages", "/opt/python", "/var/runtime",
    ]  # fmt: skip
    assert seen["context"] == {
        "function_name": "f", "function_version": "$LATEST", "log_group_name": "/aws/lambda/f",
        "log_stream_name": "2026/01/01/[$LATEST]abc", "memory_limit_in_mb": "128",
        "invoked_function_arn": f"{build.function_arn}:live", "tenant_id": "blue",
    }  # fmt: skip
    assert 3000 < seen["left"] <= 5000
    assert (seen["client"], seen["custom"], seen["identity"]) == ("app", {"k": "ö"}, "i")
    assert "XRAY TraceId: 1-5bef4de7-ad49b0e87f6ef6c87fc2e700\tSegmentId: 9a9197af755a6419\tSampled: true" in bench.text


@pytest.mark.parametrize(
    ("handler", "files", "kind", "message"),
    [
        ("index", {}, "Runtime.MalformedHandlerName",
         "Bad handler 'index': not enough values to unpack (expected 2, got 1)"),
        ("other.handler", {}, "Runtime.ImportModuleError", "Unable to import module 'other': No module named 'other'"),
        ("index.gone", {"index": ""}, "Runtime.HandlerNotFound", "Handler 'gone' missing on module 'index'"),
        ("sys.exit", {}, "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        (
            "index.handler",
            {"index": "def handler(:"},
            "Runtime.UserCodeSyntaxError",
            "Syntax error in module 'index': invalid syntax (index.py, line 1)",
        ),
        ("index.handler", {"index": "import nothing_here"}, "Runtime.ImportModuleError",
         "Unable to import module 'index': No module named 'nothing_here'"),
        ("index.handler", {"index": "raise KeyError('early')"}, "KeyError", "'early'"),
    ],
)  # fmt: skip
def test_init_errors(bench: Bench, handler: str, files: dict[str, str], kind: str, message: str) -> None:
    code = bench.code(**(files or {"index": ""}))
    (outcome,) = bench.invoke(bench.build(code=code, handler=handler))
    document = json.loads(outcome.payload)
    assert (document["errorType"], document["errorMessage"], document["requestId"]) == (kind, message, "")
    assert outcome.error == "Unhandled" and outcome.error_type == kind and outcome.dead
    lines = bench.text.splitlines()
    assert lines[0].startswith("INIT_START Runtime Version: python:3.12.v1\tRuntime Version ARN: ")
    assert "LAMBDA_WARNING: Unhandled exception." in bench.text
    assert f"Phase: init\tStatus: error\tError Type: {kind}\n" in bench.text
    assert f"Phase: invoke\tStatus: error\tError Type: {kind}\n" in bench.text
    assert lines[-1].endswith(f"Status: error\tError Type: {kind}\t")


def test_handlers_in_packages(bench: Bench) -> None:
    code = bench.code(**{"pkg__deep__mod": "def run(event, context):\n    return __name__\n"})
    for handler in ("pkg/deep/mod.run", "pkg.deep.mod.run"):
        (outcome,) = bench.invoke(bench.build(code=code, handler=handler))
        assert outcome.payload == b'"pkg.deep.mod"'


def test_an_init_that_fails_once_is_repeated(bench: Bench) -> None:
    build = bench.build("raise RuntimeError('not yet')\n")

    async def main(homes: Environments) -> Any:
        environment = await bench.start(homes, build)
        assert environment.init_failure is not None and environment.init_failure.error_type == "RuntimeError"
        (build.code / "index.py").write_text("def handler(event, context):\n    return 'in time'\n")
        return await environment.invoke(bench.invocation())

    outcome = bench.run(main)
    assert outcome.payload == b'"in time"' and not outcome.dead and outcome.init_ms is None
    assert "Phase: init\tStatus: error\tError Type: RuntimeError" in bench.text and "Phase: invoke" not in bench.text


def test_what_cannot_be_answered(bench: Bench) -> None:
    source = "def handler(event, context):\n    return {1, 2}\n"
    (outcome,) = bench.invoke(bench.build(source))
    document = json.loads(outcome.payload)
    assert document == {
        "errorMessage": "Unable to marshal response: Object of type set is not JSON serializable",
        "errorType": "Runtime.MarshalError",
        "requestId": ID,
        "stackTrace": [],
    }


def test_an_answer_over_the_limit(bench: Bench) -> None:
    source = "def handler(event, context):\n    return 'x' * (event['size'] - 2)\n"
    exact, over = bench.invoke(bench.build(source, memory_mb=512), b'{"size": 6291556}', b'{"size": 6291557}')
    assert len(exact.payload) == 6_291_556 and not exact.error
    assert json.loads(over.payload) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }
    assert over.error == "Unhandled" and not over.dead


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(7)", "Runtime exited with error: exit status 7"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "Runtime exited with error: signal: segmentation fault"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
    ],
)
def test_a_runtime_that_ends(bench: Bench, statement: str, said: str) -> None:
    source = f"import os, signal, sys\ndef handler(event, context):\n    print('last words')\n    {statement}\n"
    (outcome,) = bench.invoke(bench.build(source))
    message = f"RequestId: {ID} Error: {said}"
    assert json.loads(outcome.payload) == {"errorType": "Runtime.ExitError", "errorMessage": message}
    assert outcome.dead and outcome.error == "Unhandled" and outcome.error_type == "Runtime.ExitError"
    assert f"last words\n{message}\nRuntime.ExitError\nEND RequestId: {ID}\n" in bench.text
    assert bench.text.endswith("Status: error\tError Type: Runtime.ExitError\t\n")


def test_a_time_out_ends_the_environment(bench: Bench) -> None:
    source = "import time\ndef handler(event, context):\n    print('waiting', end='')\n    time.sleep(30)\n"
    (outcome,) = bench.invoke(bench.build(source, timeout_s=0.3))
    assert json.loads(outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {ID} Error: Task timed out after 0.30 seconds",
    }
    assert outcome.timed_out and outcome.dead and outcome.duration_ms == 300 and "waiting" in bench.text
    assert f"Z {ID} Task timed out after 0.30 seconds\n\nEND RequestId" in bench.text
    assert "\tDuration: 300.00 ms\t" in bench.text and bench.text.endswith("\tStatus: timeout\t\n")


def test_an_init_that_never_ends_times_out_in_the_invocation(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.engines.environments.environment.INIT_LIMIT_S", 0.4)
    source = "import time\ntime.sleep(30)\ndef handler(event, context): pass\n"
    (outcome,) = bench.invoke(bench.build(source, timeout_s=0.5))
    assert outcome.timed_out and outcome.error_type == "Sandbox.Timedout"
    assert "Phase: init\tStatus: timeout\n" in bench.text and "Phase: invoke\tStatus: timeout\n" in bench.text


def test_too_much_memory(bench: Bench) -> None:
    source = "def handler(event, context):\n    return len(bytearray(300 << 20))\n"
    (outcome,) = bench.invoke(bench.build(source, timeout_s=20))
    assert json.loads(outcome.payload) == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {ID} Error: Runtime exited with error: signal: killed",
    }
    assert outcome.max_memory_mb == 128 and outcome.dead


def test_the_figures_of_a_report_are_true(bench: Bench) -> None:
    source = "import time\nkept = bytearray(40 << 20)\ndef handler(event, context):\n    time.sleep(0.1)\n"
    first, second = bench.invoke(bench.build(source), b"{}", b"{}")
    assert 100 <= second.duration_ms < 2000 and second.billed_ms == math.ceil(second.duration_ms)
    assert first.init_ms is not None and first.billed_ms == math.ceil(first.duration_ms + first.init_ms)
    assert 40 < first.max_memory_mb <= 128
    report = (
        f"REPORT RequestId: {ID}\tDuration: {first.duration_ms:.2f} ms\tBilled Duration: {first.billed_ms} ms\t"
        f"Memory Size: 128 MB\tMax Memory Used: {first.max_memory_mb} MB\tInit Duration: {first.init_ms:.2f} ms\t\n"
    )
    assert report in bench.text and first.tail.decode().endswith(report)


def test_text_logs(bench: Bench) -> None:
    source = """
import logging, sys
def handler(event, context):
    print("multi\\nline")
    print("another\\rline")
    logging.warning("of %s\\nlines", 2)
    logging.getLogger().info("not shown: the level is WARNING")
    sys.stderr.write("no newline")
"""
    bench.invoke(bench.build(source))
    texts = [line.text for line in bench.lines]
    start = texts.index(f"START RequestId: {ID} Version: $LATEST\n")
    assert texts[start + 1 : start + 4] == ["multi\n", "line\n", "another\rline\n"]
    assert texts[start + 4].startswith("[WARNING]\t") and texts[start + 4].endswith(f"Z\t{ID}\tof 2\nlines\n")
    assert not any("not shown" in text for text in texts)
    assert "no newline" in bench.text


def test_json_logs_and_levels(bench: Bench) -> None:
    source = """
import logging
log = logging.getLogger("mine")
def handler(event, context):
    log.debug("too small")
    log.info({"a": 1}, extra={"more": "x"})
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("odd")
    print('{"level": "debug", "message": "dropped"}')
    print("plain")
    raise ValueError("end")
"""
    bench.invoke(bench.build(source, log_format="JSON", application_level="INFO", system_level="DEBUG"))
    texts = [line.text.strip() for line in bench.lines]
    assert "plain" in texts and not any("dropped" in text or "too small" in text for text in texts)
    found = [json.loads(text) for text in texts if text.startswith("{")]
    kinds = [record["type"] for record in found if "type" in record]
    assert kinds == [
        "platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
        "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    logged = [record for record in found if "level" in record]
    assert [record["level"] for record in logged] == ["INFO", "ERROR", "ERROR"]
    assert logged[0]["message"] == {"a": 1} and logged[0]["more"] == "x" and logged[0]["requestId"] == ID
    assert logged[1]["errorType"] == "ZeroDivisionError" and logged[1]["location"].startswith(
        "/var/task/index.py:handler"
    )
    assert logged[2]["errorMessage"] == "end" and "timestamp" in logged[2]


def test_system_events_follow_their_level(bench: Bench) -> None:
    source = "def handler(event, context):\n    return 1\n"
    bench.invoke(bench.build(source, log_format="JSON", application_level="INFO", system_level="WARN"))
    assert bench.text == ""


def test_layers_are_found(bench: Bench) -> None:
    first, second = bench.folder / "one", bench.folder / "two"
    for folder, text in ((first, "NAME = 1"), (second, "NAME = 2")):
        (folder / "python").mkdir(parents=True)
        (folder / "python" / "shared.py").write_text(text)
        (folder / "python" / f"only{text[-1]}.py").write_text("")
    for folder in (first, second, first / "python", second / "python"):
        folder.chmod(0o755)
    source = "import shared, only1, only2\ndef handler(event, context):\n    return [shared.NAME, shared.__file__]\n"
    (outcome,) = bench.invoke(bench.build(source, layers=(first, second)))
    assert json.loads(outcome.payload) == [2, "/opt/python/shared.py"]


def test_a_wrapper_script_starts_the_runtime(bench: Bench) -> None:
    code = bench.code(
        **{"index": "import os, sys\ndef handler(event, context):\n    return [os.environ['ADDED'], sys.argv]\n"}
    )
    wrapper = code / "wrapper"
    wrapper.write_text('#!/bin/bash\nexport ADDED=yes\nexec "$@"\n')
    wrapper.chmod(0o755)
    build = bench.build(code=code, variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"})
    first, second = bench.invoke(build, b"{}", b"{}")
    assert json.loads(first.payload)[0] == "yes" and second.init_ms is None


def test_a_wrapper_that_is_missing(bench: Bench) -> None:
    source = "def handler(event, context): pass\n"
    (outcome,) = bench.invoke(bench.build(source, variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/gone"}))
    assert (
        json.loads(outcome.payload)["errorMessage"]
        == f"RequestId: {ID} Error: Runtime exited with error: exit status 127"
    )


def test_the_sdk_can_be_imported(bench: Bench) -> None:
    named = "import boto3\n"
    hidden = "import importlib\nboto3 = importlib.import_module('bo' + 'to3')\n"
    handler = "def handler(event, context):\n    return boto3.client('sqs', region_name='eu-west-1').meta.region_name\n"
    for source in (named + handler, hidden + handler):
        (outcome,) = bench.invoke(bench.build(source, timeout_s=30, memory_mb=256))
        assert outcome.payload == b'"eu-west-1"'


def test_an_sdk_of_ones_own_comes_first(bench: Bench) -> None:
    code = bench.code(index="import boto3\ndef handler(event, context):\n    return boto3.MINE\n", boto3="MINE = 1\n")
    (outcome,) = bench.invoke(bench.build(code=code))
    assert outcome.payload == b"1"


def test_a_runtime_that_is_missing_says_what_installs_it() -> None:
    with pytest.raises(RuntimeMissing, match=r"needs Python 3\.99.*uv python install 3\.99"):
        runtimes.find("python3.99")
    with pytest.raises(RuntimeMissing, match=r"needs Node\.js 99.*nvm install 99"):
        runtimes.find("nodejs99.x")
    assert shutil.which("python3.99") is None


def test_inits_that_wait_do_not_keep_others_from_starting(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.engines.environments.environments.TURN_S", 0.2)
    slow = bench.build("import time\ntime.sleep(6)\ndef handler(event, context): return 'slow'\n")
    quick = bench.build("def handler(event, context): return 'quick'\n")

    async def main(homes: Environments) -> Any:
        import asyncio
        import os

        many = [asyncio.create_task(bench.start(homes, slow)) for _ in range(2 * (os.cpu_count() or 1) + 1)]
        environment = await bench.start(homes, quick)
        outcome = await environment.invoke(bench.invocation())
        done = [task.done() for task in many]
        for task in many:
            task.cancel()
        await asyncio.gather(*many, return_exceptions=True)
        return outcome.payload, any(done)

    assert bench.run(main) == (b'"quick"', False)
