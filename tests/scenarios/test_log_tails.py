"""Logs as people follow them: `aws logs tail`, `aws logs start-live-tail`."""

import subprocess
import time
from pathlib import Path

import boto3

from tests.server_process import Server

GROUP = "/shop/orders"
PATIENCE_S = 60


def test_the_cli_follows_a_group(server: Server, aws_v2: list[str], tmp_path: Path) -> None:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    logs = boto3.client("logs", endpoint_url=server.url, **keys)  # type: ignore[call-overload]
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="web")
    [group] = logs.describe_log_groups()["logGroups"]
    commands = [
        ("tail", GROUP, "--follow"),
        ("start-live-tail", "--log-group-identifiers", group["logGroupArn"], "--mode", "print-only"),
    ]
    environment = server.environment(AWS_DISABLE_HOST_PREFIX_INJECTION="true")
    shown = [tmp_path / name for name in ("tail", "live")]
    begun = []
    for arguments, path in zip(commands, shown, strict=True):
        with path.open("wb") as out:
            command = [*aws_v2, "logs", *arguments]
            begun.append(subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT))
    try:
        end = time.monotonic() + PATIENCE_S
        while any("an order" not in path.read_text() for path in shown):
            assert time.monotonic() < end, [path.read_text() for path in shown]
            event = {
                "timestamp": int(time.time() * 1000),
                "message": "an order",
            }  # again: a session begins when it does
            logs.put_log_events(logGroupName=GROUP, logStreamName="web", logEvents=[event])
            time.sleep(0.3)
    finally:
        for process in begun:
            process.kill()
            process.wait()
