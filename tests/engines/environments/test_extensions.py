"""Programs beside the runtime: their phases, what they are told, telemetry, and what happens when they fail."""

import json
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench

CLIENT = """#!/var/lang/bin/python3
import http.client, http.server, json, os, sys, threading
name = os.path.basename(sys.argv[0])
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
me = {}
def call(method, path, body=None, **headers):
    api.request(method, path, json.dumps(body) if body is not None else None, {**me, **headers})
    answer = api.getresponse()
    data = answer.read()
    return answer.status, answer.headers, json.loads(data) if data[:1] in (b"{", b'"') else data
def register(*events, as_name=name, **more):
    headers = {"Lambda-Extension-Name": as_name, **more}
    status, headers, body = call("POST", "/2020-01-01/extension/register", {"events": events}, **headers)
    if status == 200:
        me["Lambda-Extension-Identifier"] = headers["Lambda-Extension-Identifier"]
    return status, body
def next():
    return call("GET", "/2020-01-01/extension/event/next")[2]
def say(*words):
    print(*words, flush=True)
"""
HANDLER = "def handler(event, context):\n    print('in the handler')\n    return 1\n"


@pytest.fixture
def layer(bench: Bench) -> Any:
    def make(**programs: str) -> Path:
        folder = bench.folder / "layer"
        (folder / "extensions").mkdir(parents=True)
        for name, text in programs.items():
            file = folder / "extensions" / name
            file.write_text(CLIENT + text)
            file.chmod(0o755)
        for each in (folder, folder / "extensions"):
            each.chmod(0o755)
        return folder

    return make


def test_an_external_extension_lives_through_all_phases(bench: Bench, layer: Any) -> None:
    program = """
say("registered", json.dumps(register("INVOKE", "SHUTDOWN", **{"Lambda-Extension-Accept-Feature": "accountId"})))
say("hidden", "_HANDLER" in os.environ, "shown", os.environ["MINE"], os.getcwd())
while True:
    event = next()
    say("event", json.dumps(event))
    if event["eventType"] == "SHUTDOWN":
        break
"""
    build = bench.build(HANDLER, layers=(layer(watcher=program),), variables={"MINE": "7"})
    first, second = bench.invoke(build)[0], None
    assert first.payload == b"1" and second is None
    lines = bench.text.splitlines()
    registered = json.loads(next(line for line in lines if line.startswith("registered")).partition(" ")[2])
    assert registered == [
        200,
        {"functionName": "f", "functionVersion": "$LATEST", "handler": "index.handler", "accountId": "123456789012"},
    ]
    assert "hidden False shown 7 /opt/extensions" in lines
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE, SHUTDOWN]" in lines
    events = [json.loads(line[6:]) for line in lines if line.startswith("event ")]
    assert [event["eventType"] for event in events] == ["INVOKE", "SHUTDOWN"]
    assert events[0]["requestId"] == "00000000-0000-4000-8000-000000000001"
    assert events[0]["invokedFunctionArn"] == build.function_arn
    assert events[1]["shutdownReason"] == "spindown" and events[1]["deadlineMs"] > events[0]["deadlineMs"] - 10_000


def test_the_runtime_begins_after_the_extensions_and_the_invocation_ends_with_them(bench: Bench, layer: Any) -> None:
    program = """
import time
time.sleep(0.2)
say("registering")
register("INVOKE")
next()
time.sleep(0.3)
say("late")
next()
"""
    source = "print('importing')\n" + HANDLER
    (outcome,) = bench.invoke(bench.build(source, layers=(layer(slow=program),)))
    assert bench.text.index("registering") < bench.text.index("importing")
    assert outcome.duration_ms >= 290
    assert bench.text.index("late") < bench.text.index("END RequestId")


@pytest.mark.parametrize(
    ("request_", "refused"),
    [
        ('register("SLEEP")', "Extension.InvalidEventType"),
        ('(register("INVOKE"), register("INVOKE"))[1]', "Extension.AlreadyRegistered"),
        ('register("SHUTDOWN", as_name="inner")', "Extension.InvalidEventType"),
        ('register("INVOKE", as_name="")', "Extension.InvalidExtensionName"),
        ('call("GET", "/2020-01-01/extension/event/next")', "Extension.MissingExtensionIdentifier"),
    ],
)
def test_requests_that_are_refused(bench: Bench, layer: Any, request_: str, refused: str) -> None:
    program = f"""
answer = {request_}
say("answer", answer[0], answer[-1]["errorType"])
if not me: register()
next()
"""
    bench.invoke(bench.build(HANDLER, layers=(layer(asker=program),)))
    assert f"answer 403 {refused}\n" in bench.text


@pytest.mark.parametrize(
    ("program", "kind", "message"),
    [
        ("register()\nsys.exit(3)", "Extension.Crash", "exit status 3"),
        ("sys.exit(4)", "Extension.Crash", "exit status 4"),
        (
            'register()\ncall("POST", "/2020-01-01/extension/init/error", {"errorMessage": "no key"}, '
            '**{"Lambda-Extension-Function-Error-Type": "Extension.NoKey"})\nnext()',
            "Extension.NoKey",
            "no key",
        ),
    ],
)
def test_an_extension_that_fails_takes_the_init_with_it(
    bench: Bench, layer: Any, program: str, kind: str, message: str
) -> None:
    (outcome,) = bench.invoke(bench.build(HANDLER, layers=(layer(bad=program),)))
    assert json.loads(outcome.payload) == {
        "errorType": kind,
        "errorMessage": f"RequestId: 00000000-0000-4000-8000-000000000001 Error: {message}",
    }
    assert outcome.dead and f"Status: error\tError Type: {kind}" in bench.text


def test_an_extension_is_told_of_a_time_out(bench: Bench, layer: Any) -> None:
    program = """
register("SHUTDOWN")
say("reason", next()["shutdownReason"])
"""
    source = "import time\ndef handler(event, context):\n    time.sleep(9)\n"
    (outcome,) = bench.invoke(bench.build(source, layers=(layer(watcher=program),), timeout_s=0.5))
    assert outcome.timed_out and "reason timeout\n" in bench.text


def test_the_runtime_is_asked_to_end_where_extensions_are(bench: Bench, layer: Any) -> None:
    source = """
import signal, sys
def leave(*_):
    print("leaving")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
def handler(event, context):
    return 1
"""
    bench.invoke(bench.build(source, layers=(layer(watcher='register("SHUTDOWN")\nnext()'),)))
    assert "leaving\n" in bench.text


def test_an_internal_extension_registers_from_the_runtime(bench: Bench) -> None:
    source = """
import http.client, json, os, threading
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, headers={}):
    api.request(method, path, body, headers)
    answer = api.getresponse()
    return answer.headers, answer.read()
headers, _ = call("POST", "/2020-01-01/extension/register", '{"events": ["INVOKE"]}', {"Lambda-Extension-Name": "in"})
me = {"Lambda-Extension-Identifier": headers["Lambda-Extension-Identifier"]}
def work():
    while True:
        print("inner", json.loads(call("GET", "/2020-01-01/extension/event/next", None, me)[1])["requestId"])
threading.Thread(target=work, daemon=True).start()
def handler(event, context):
    return 1
"""
    bench.invoke(bench.build(source))
    assert "inner 00000000-0000-4000-8000-000000000001\n" in bench.text
    assert "EXTENSION\tName: in\tState: Ready\tEvents: [INVOKE]\n" in bench.text


LISTEN = """
class Sink(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        for each in json.loads(self.rfile.read(int(self.headers["Content-Length"]))):
            got.append(each)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *words): pass
got = []
server = http.server.HTTPServer(("sandbox.localdomain", 8080), Sink)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


def test_telemetry(bench: Bench, layer: Any) -> None:
    program = (
        LISTEN
        + """
register("INVOKE", "SHUTDOWN")
say("subscribed", call("PUT", "/2022-07-01/telemetry", {
    "schemaVersion": "2022-12-13", "types": ["platform", "function"],
    "buffering": {"timeoutMs": 25, "maxItems": 1000, "maxBytes": 262144},
    "destination": {"protocol": "HTTP", "URI": "http://sandbox.localdomain:8080"}})[2])
while next()["eventType"] != "SHUTDOWN": pass
import time
time.sleep(0.3)
os.write(1, ("got " + json.dumps(got) + "\\n").encode())
"""
    )
    bench.invoke(bench.build(HANDLER, layers=(layer(listener=program),)))
    assert "subscribed OK\n" in bench.text
    assert "TELEMETRY\tName: listener\tState: Subscribed\tTypes: [Platform, Function]\n" in bench.text
    got = json.loads(next(line[4:] for line in bench.text.splitlines() if line.startswith("got ")))
    kinds = [event["type"] for event in got]
    assert kinds == [
        "platform.initStart", "platform.telemetrySubscription", "platform.extension", "platform.initRuntimeDone",
        "platform.initReport", "platform.start", "function", "platform.runtimeDone", "platform.report",
    ]  # fmt: skip
    by_kind = {event["type"]: event["record"] for event in got}
    assert by_kind["function"] == "in the handler\n"
    assert by_kind["platform.runtimeDone"]["status"] == "success"
    assert by_kind["platform.runtimeDone"]["metrics"]["producedBytes"] == 1
    assert {"durationMs", "billedDurationMs", "memorySizeMB", "maxMemoryUsedMB", "initDurationMs"} == set(
        by_kind["platform.report"]["metrics"]
    )
    assert by_kind["platform.extension"] == {"name": "listener", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]}


def test_the_logs_api_before_telemetry(bench: Bench, layer: Any) -> None:
    program = """
import socket
listening = socket.create_server(("0.0.0.0", 8081))
register("INVOKE", "SHUTDOWN")
ask = {"types": ["platform", "function"], "buffering": {"timeoutMs": 25}}
ask["destination"] = {"protocol": "TCP", "port": 8081}
say("subscribed", call("PUT", "/2020-08-15/logs", ask)[2])
def read():
    while True:
        with listening.accept()[0] as connection, connection.makefile() as lines:
            for line in lines:
                os.write(1, ("got " + line).encode())
threading.Thread(target=read, daemon=True).start()
while next()["eventType"] != "SHUTDOWN": pass
import time
time.sleep(0.3)
"""
    bench.invoke(bench.build(HANDLER, layers=(layer(listener=program),)))
    assert "subscribed OK\n" in bench.text
    assert "LOGS\tName: listener\tState: Subscribed\tTypes: [Platform, Function]\n" in bench.text
    kinds = [json.loads(line[4:])["type"] for line in bench.text.splitlines() if line.startswith("got ")]
    assert kinds == [
        "platform.logsSubscription", "platform.extension", "platform.start", "function", "platform.end",
        "platform.report",
    ]  # fmt: skip


def test_subscriptions_that_are_refused(bench: Bench, layer: Any) -> None:
    program = """
register()
def ask(**body):
    status, _, answer = call("PUT", "/2022-07-01/telemetry", {"schemaVersion": "2022-07-01", "types": ["platform"],
        "destination": {"protocol": "HTTP", "URI": "http://sandbox:8080"}, **body})
    say("answer", status, json.dumps(answer))
ask(types=[], destination={"protocol": "HTTP", "URI": "http://sandbox.localdomain"})
ask(schemaVersion="1999-01-01")
ask(buffering={"timeoutMs": 1})
ask(destination={"protocol": "HTTP", "URI": "http://example.com:80"})
ask(destination={"protocol": "HTTP", "URI": "http://sandbox:9001"})
next()
"""
    bench.invoke(bench.build(HANDLER, layers=(layer(asker=program),)))
    answers = [json.loads(line[11:]) for line in bench.text.splitlines() if line.startswith("answer 400")]
    assert [answer["errorMessage"] for answer in answers] == [
        "types should not be empty; URI port is not provided",
        "schemaVersion 1999-01-01 is not supported",
        "timeoutMs should be between 25 and 30000",
        "URI host should be sandbox.localdomain",
        "port 9001 is reserved",
    ]
    assert {answer["errorType"] for answer in answers} == {"ValidationError"}


def test_an_extension_that_crashes_between_events_ends_the_environment(bench: Bench, layer: Any) -> None:
    program = """
register("INVOKE")
next()
import time
time.sleep(0.5)
os._exit(5)
"""

    async def main(homes: Environments) -> None:
        environment = await bench.start(homes, bench.build(HANDLER, layers=(layer(weak=program),)))
        outcome = await environment.invoke(bench.invocation())
        assert outcome.payload == b"1" and outcome.dead and environment.dead

    bench.run(main)
