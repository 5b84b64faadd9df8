"""`cumulo logs GROUP`: events of log groups on the terminal."""

import signal
import time
from typing import Any

import boto3
import pytest

from cumulo.cli import Refusal, logs, terminal
from tests.cli.test_commands import Shell, cumulo  # noqa: F401 - the fixture


def test_events_of_a_group(cumulo: Shell) -> None:  # noqa: F811
    assert cumulo("start", "--detach").returncode == 0
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    client: Any = boto3.client("logs", endpoint_url=f"http://localhost:{cumulo.port}", **keys)
    place = {"logGroupName": "/aws/lambda/orders", "logStreamName": "2026/01/01/[$LATEST]abc"}
    client.create_log_group(logGroupName="/aws/lambda/orders")
    client.create_log_stream(**place)

    def put(*messages: str, ago_s: int = 0) -> None:
        now = int((time.time() - ago_s) * 1000)
        events = [{"timestamp": now + index, "message": message} for index, message in enumerate(messages)]
        client.put_log_events(**place, logEvents=events)

    put("ERROR one\n", "two", ago_s=3600)
    put("ERROR three", "four")
    assert cumulo("logs", "--groups").stdout == "/aws/lambda/orders\n"

    def shown(*arguments: str) -> list[str]:
        result = cumulo("logs", "orders", *arguments)
        assert result.returncode == 0, result.stderr
        return [line.split(" ", 2)[2] for line in result.stdout.splitlines()]

    assert shown() == ["ERROR one", "two", "ERROR three", "four"]
    assert shown("-n", "3") == ["two", "ERROR three", "four"]
    assert shown("--since", "10m") == ["ERROR three", "four"]
    assert shown("--filter", "ERROR") == ["ERROR one", "ERROR three"]
    assert shown("--stream", "2025") == []
    assert " 2026/01/01/[$LATEST]abc " in cumulo("logs", "/aws/lambda/orders").stdout
    with cumulo.popen("logs", "orders", "--follow", "-n", "1") as process:
        assert process.stdout is not None
        found = [process.stdout.readline()]
        put("late", ago_s=30)
        put("five")
        found += [process.stdout.readline(), process.stdout.readline()]
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert [line.rsplit(" ", 1)[1] for line in found] == ["four\n", "late\n", "five\n"]
    with cumulo.popen("logs", "soon", "--follow") as process:
        assert process.stdout is not None and process.stderr is not None
        assert "there is no log group soon, nor /aws/lambda/soon: waiting for one" in process.stderr.readline()
        client.create_log_group(logGroupName="soon")
        client.create_log_stream(logGroupName="soon", logStreamName="s")
        event = {"timestamp": int(time.time() * 1000), "message": "here"}
        client.put_log_events(logGroupName="soon", logStreamName="s", logEvents=[event])
        assert process.stdout.readline().endswith(" here\n")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    missing = cumulo("logs", "nothing")
    assert (missing.returncode, "there is no log group nothing" in missing.stderr) == (1, True)
    assert "Invalid filter pattern" in cumulo("logs", "orders", "--filter", '"a').stderr


def test_times_are_read() -> None:
    assert logs.seconds_of("10m") == 600
    assert logs.seconds_of("1.5h") == 5400
    with pytest.raises(Refusal):
        logs.seconds_of("soon")


def test_lines_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "coloured", lambda stream: True)
    event = {"timestamp": 1_700_000_000_123, "logStreamName": "2026/01/01/[$LATEST]abcdef0123", "message": "ERROR x\n"}
    line = logs.line_of(event)
    assert ".123" in line
    assert "abcdef01" in line
    assert "LATEST" not in line
    assert "\x1b[31mERROR x\x1b[0m" in line
    assert "\x1b[2mREPORT a\x1b[0m" in logs.line_of({**event, "message": "REPORT a"})
    assert logs.line_of({**event, "message": "fine"}).endswith(" fine")
