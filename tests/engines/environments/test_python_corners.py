"""Odd corners of functions in Python, as awslambdaric 4.2 has them."""

import json
from typing import Any

import pytest

from cumulo.engines.environments.builds import Outcome
from tests.engines.environments.conftest import Bench
from tests.engines.environments.test_python import here

RUNTIMES = ("python3.11", "python3.12")
"""One with the locale en_US.UTF-8, one with C.UTF-8."""


def invoke(bench: Bench, body: str, before: str = "", **changes: Any) -> Outcome:
    """What a handler of this body answers."""
    if not here(changes.get("runtime", "python3.12")):
        pytest.skip("its runtime is not here")
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    (outcome,) = bench.invoke(
        bench.build(f"{before}\ndef handler(event, context):\n{lines}\n", timeout_s=30, **changes)
    )
    return outcome


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def handler():\n    return 1\n", "handler() takes 0 positional arguments but 2 were given"),
        ("def handler(event):\n    return 1\n", "handler() takes 1 positional argument but 2 were given"),
        ("handler = 5\n", "'int' object is not callable"),
    ],
)
def test_handlers_that_cannot_be_called(bench: Bench, source: str, message: str) -> None:
    (outcome,) = bench.invoke(bench.build(source))
    document = json.loads(outcome.payload)
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", message)
    (frame,) = document["stackTrace"]
    assert frame.startswith('  File "/var/runtime/bootstrap.py", line ')


def test_coroutines_are_not_awaited(bench: Bench) -> None:
    (outcome,) = bench.invoke(bench.build("async def handler(event, context):\n    return 1\n"))
    document = json.loads(outcome.payload)
    assert document["errorType"] == "Runtime.MarshalError"
    assert document["errorMessage"] == ("Unable to marshal response: Object of type coroutine is not JSON serializable")


def test_answers_with_lone_surrogates(bench: Bench) -> None:
    escaped = invoke(bench, "return '\\ud800'", runtime="python3.11")
    assert escaped.payload == b'"\\ud800"'
    plain = invoke(bench, "return '\\ud800'", runtime="python3.12")
    assert json.loads(plain.payload)["errorMessage"].endswith("Runtime exited with error: exit status 1")


def test_prints_of_bytes_that_are_no_text(bench: Bench) -> None:
    refused = invoke(bench, "print('a\\udc80')", runtime="python3.11")
    assert json.loads(refused.payload)["errorType"] == "UnicodeEncodeError"
    printed = invoke(bench, "print('a\\udc80')", runtime="python3.12")
    assert not printed.error and "a\ufffd\n" in bench.text


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_logs_with_lone_surrogates(bench: Bench, log_format: str) -> None:
    outcome = invoke(bench, "logging.error('a\\ud800')", "import logging", log_format=log_format)
    assert json.loads(outcome.payload)["errorType"] == "UnicodeEncodeError"


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_an_exit_waits_for_threads_and_calls_what_wants_to_be_called(bench: Bench, runtime: str) -> None:
    body = """
atexit.register(print, "last words")
go = threading.Event()
threading.Thread(target=lambda: (go.wait(), print("a thread"))).start()
threading.Timer(0.05, go.set).start()
sys.exit(3)
"""
    outcome = invoke(bench, body, "import atexit, sys, threading", runtime=runtime)
    assert outcome.dead and json.loads(outcome.payload)["errorMessage"].endswith("error: exit status 3")
    assert "a thread\nlast words\n" in bench.text


def test_an_exception_that_is_no_exception_ends_the_process(bench: Bench) -> None:
    outcome = invoke(bench, "raise Leaving('so')", "class Leaving(BaseException): pass")
    assert outcome.dead and json.loads(outcome.payload)["errorMessage"].endswith("error: exit status 1")
    assert "index.Leaving: so\n" in bench.text
    assert '  File "/var/runtime/bootstrap.py", line ' in bench.text and "/guest/" not in bench.text


def test_forks_and_programs_write_to_the_log(bench: Bench) -> None:
    body = """
child = os.fork()
if not child:
    print("a fork")
    os._exit(0)
os.waitpid(child, 0)
subprocess.run("echo a program; echo its errors >&2; printf 'and a part '", shell=True, check=True)
print("of a line")
"""
    outcome = invoke(bench, body, "import os, subprocess")
    assert not outcome.error
    assert "a fork\na program\nits errors\nand a part of a line\n" in bench.text


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_the_process_is_called(bench: Bench, runtime: str) -> None:
    body = """
child = subprocess.run([sys.executable, "-c", "import json; print(json.__file__)"], capture_output=True, text=True)
return {
    "argv": sys.argv, "path": sys.path, "program": sys.executable, "child": child.stdout,
    "host": platform.node() == socket.gethostname() == "sandbox", "user": getpass.getuser(), "umask": os.umask(0o22),
    "handlers": [type(each).__name__ for each in logging.getLogger().handlers],
    "modes": {name: [stat.filemode(os.stat(name).st_mode), os.stat(name).st_uid] for name in FOLDERS},
}
"""
    before = "import getpass, logging, os, platform, socket, stat, subprocess, sys\n"
    before += 'FOLDERS = ("/opt", "/tmp", "/var/task", "/var/runtime")'
    seen = json.loads(invoke(bench, body, before, runtime=runtime).payload)
    version = runtime.removeprefix("python")
    lang = f"/var/lang/lib/{runtime}"
    assert seen["argv"] == ["/var/runtime/bootstrap.py"]
    assert seen["program"] == f"/var/lang/bin/{runtime}"
    assert seen["child"] == f"{lang}/json/__init__.py\n"
    assert seen["path"] == [
        "/var/task", f"/opt/python/lib/{runtime}/site-packages", "/opt/python", "/var/runtime",
        f"/var/lang/lib/python{version.replace('.', '')}.zip", lang, f"{lang}/lib-dynload",
    ]  # fmt: skip
    assert (seen["host"], seen["user"], seen["umask"]) == (True, "sbx_user1051", 0o22)
    assert seen["handlers"] == ["LambdaLoggerHandler"]
    folder = ["drwxr-xr-x", 0]
    assert seen["modes"] == dict.fromkeys(("/opt", "/var/task", "/var/runtime"), folder) | {"/tmp": ["drwxrwxrwt", 0]}


def test_json_records_tell_the_task(bench: Bench) -> None:
    before = "import asyncio, logging\nasync def work():\n    logging.warning({'a': 1}, extra={'b': {2}})"
    invoke(bench, "asyncio.run(work())", before, log_format="JSON")
    record = next(json.loads(line.text) for line in bench.lines if '"WARNING"' in line.text)
    del record["timestamp"]
    assert record == {
        "level": "WARNING", "message": {"a": 1}, "logger": "root", "taskName": "Task-1", "b": "{2}",
        "requestId": "00000000-0000-4000-8000-000000000001",
    }  # fmt: skip
