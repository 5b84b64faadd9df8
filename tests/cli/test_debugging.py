"""`cumulo live --debug`: a debugger attaches to a function, inside its sandbox."""

import json
import shutil
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.containers import engines
from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture
from tests.engines.environments import java_code

CODE = """
FACTOR = 7

def handler(event, context):
    answer = event["n"] * FACTOR
    return {"n": answer}
"""


class Debugger:
    """A client of the Debug Adapter Protocol."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), 60)
        self._stream = self._socket.makefile("rwb")
        self._number = 0

    def close(self) -> None:
        self._stream.close()
        self._socket.close()

    def read(self) -> dict[str, Any]:
        length = 0
        while line := self._stream.readline().strip():
            length = int(line.partition(b": ")[2])
        found: dict[str, Any] = json.loads(self._stream.read(length))
        return found

    def until(self, kind: str, name: str) -> dict[str, Any]:
        """The next event or answer of this name."""
        while True:
            message = self.read()
            if message["type"] == kind and message.get("event" if kind == "event" else "command") == name:
                return message

    def send(self, command: str, **arguments: Any) -> None:
        self._number += 1
        body = json.dumps({"seq": self._number, "type": "request", "command": command, "arguments": arguments})
        self._stream.write(f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
        self._stream.flush()

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        self.send(command, **arguments)
        answer = self.until("response", command)
        assert answer["success"], answer
        found: dict[str, Any] = answer.get("body") or {}
        return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.mark.parametrize("isolation", [engines.NAMESPACES, engines.RUNC, engines.GVISOR])
def test_a_breakpoint_in_a_python_function(cumulo: Shell, tmp_path: Path, isolation: str) -> None:  # noqa: F811
    pytest.importorskip("debugpy")
    if isolation != engines.NAMESPACES and not shutil.which(engines.ENGINES[isolation].program):
        pytest.skip(f"there is no {isolation}")
    cumulo.environment["CUMULO_ISOLATION"] = isolation
    source = tmp_path / "src"
    source.mkdir()
    (source / "app.py").write_text(CODE)
    assert cumulo("start", "--detach").returncode == 0
    port = free_port()
    arguments = ("--handler", "app.handler", "--event", '{"n": 6}', "--debug", "--debug-port", str(port))
    with cumulo.popen("live", "times", str(source), *arguments) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("times made")
        assert f"a debugger attaches at localhost:{port}" in process.stderr.readline()
        debugger = Debugger(port)
        debugger.ask("initialize", adapterID="test", clientID="test", pathFormat="path")
        debugger.send("attach", justMyCode=False)
        debugger.until("event", "initialized")
        lines = [{"line": 6}]
        debugger.ask("setBreakpoints", source={"path": "/var/task/app.py"}, breakpoints=lines)
        debugger.ask("configurationDone")
        stopped = debugger.until("event", "stopped")["body"]
        assert stopped["reason"] == "breakpoint"
        frames = debugger.ask("stackTrace", threadId=stopped["threadId"])["stackFrames"]
        assert (frames[0]["name"], frames[0]["line"]) == ("handler", 6)
        frame = frames[0]["id"]
        assert debugger.ask("evaluate", expression="answer", frameId=frame, context="repl")["result"] == "42"
        debugger.ask("evaluate", expression="answer = 43", frameId=frame, context="repl")
        debugger.send("continue", threadId=stopped["threadId"])
        assert json.loads("".join(process.stdout.readline() for _ in range(3))) == {"n": 43}
        debugger.close()
        process.send_signal(signal.SIGINT)
        process.wait(20)
    assert json.loads(cumulo("invoke", "times", '{"n": 1}', "--quiet").stdout) == {"n": 7}  # it waits no more


def test_the_inspector_of_a_node_function(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = tmp_path / "src"
    source.mkdir()
    (source / "index.mjs").write_text("export const handler = async (event) => ({ n: event.n * 7 });\n")
    assert cumulo("start", "--detach").returncode == 0
    port = free_port()
    more = ("--runtime", "nodejs20.x", "--handler", "index.handler", "--event", '{"n": 6}', "--debug")
    with cumulo.popen("live", "times", str(source), *more, "--debug-port", str(port)) as process:
        assert process.stdout is not None and process.stderr is not None
        first = process.stdout.readline()
        if not first and "nodejs20.x" in process.stderr.read():
            pytest.skip("there is no Node.js 20")
        assert "attaches" in process.stderr.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=60) as answer:
            (target,) = json.load(answer)
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            path = "/" + target["webSocketDebuggerUrl"].partition("://")[2].partition("/")[2]
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
            )
            assert b" 101 " in connection.recv(4096)
            message = b'{"id":1,"method":"Runtime.runIfWaitingForDebugger"}'
            connection.sendall(bytes((0x81, 0x80 | len(message), 0, 0, 0, 0)) + message)
            assert json.loads("".join(process.stdout.readline() for _ in range(3))) == {"n": 42}
        process.send_signal(signal.SIGINT)
        process.wait(20)


def test_what_is_no_debuggers_connection_ends(cumulo: Shell) -> None:  # noqa: F811
    assert cumulo("start", "--detach").returncode == 0
    for line in (b"cumulo-debug\n", b"cumulo-debug a b\n", b"cumulo-debug " + b"x" * 600):
        with socket.create_connection(("127.0.0.1", cumulo.port), 20) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(100)[:8] in (b"", b"refused:", b"HTTP/1.1")
    with urllib.request.urlopen(f"http://127.0.0.1:{cumulo.port}/_cumulo/health") as answer:
        assert answer.status == 200


@pytest.mark.skipif(bool(java_code.MISSING), reason=java_code.MISSING)
def test_the_debugger_of_a_java_function(cumulo: Shell, tmp_path: Path) -> None:  # noqa: F811
    source = java_code.write(tmp_path / "src")
    assert cumulo("start", "--detach").returncode == 0
    port = free_port()
    more = ("--runtime", java_code.RUNTIME, "--handler", "example.Orders::add", "--event", "41", "--debug")
    with cumulo.popen("live", "times", str(source), *more, "--debug-port", str(port)) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("times made")
        assert "attaches" in process.stderr.readline()
        with socket.create_connection(("127.0.0.1", port), 60) as connection:
            connection.sendall(b"JDWP-Handshake")
            assert connection.recv(14, socket.MSG_WAITALL) == b"JDWP-Handshake"
            connection.sendall(bytes((0, 0, 0, 11, 0, 0, 0, 1, 0, 1, 9)))  # VirtualMachine.Resume: it waits for that
            assert process.stdout.readline() == "42\n"
        process.send_signal(signal.SIGINT)
        process.wait(20)
