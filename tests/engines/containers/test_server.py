"""A server whose functions are containers of each engine: boto3 inside reaches the cloud; kill -9 leaves nothing."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.containers import engines
from tests.engines.containers.conftest import ENGINES
from tests.server_process import Server
from tests.services.compute.lambda_.conftest import TRUST, zip_of

CODE = """
import boto3, os, time
def handler(event, context):
    if event.get("sleep"):
        print("sleeping", flush=True)
        time.sleep(event["sleep"])
    over_https = boto3.client("sts", endpoint_url="https://sts.us-east-1.amazonaws.com").get_caller_identity()["Arn"]
    return [boto3.client("sts").get_caller_identity()["Arn"], over_https, "y" * event.get("answer", 0)]
"""
ARN = "arn:aws:sts::000000000000:assumed-role/worker/asker"


@pytest.mark.parametrize("engine", ENGINES)
def test_boto3_inside_reaches_the_cloud_and_nothing_is_left(
    engine: str, engines_ready: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(0o755)
    monkeypatch.setenv("CUMULO_ISOLATION", engine)
    monkeypatch.setenv("CUMULO_DRAIN_TIMEOUT_S", "0.1")
    server = Server(tmp_path / "state").start()
    try:
        aws = make(server)
        first, over_https, answer = invoke(aws, {"answer": 5_000_000})
        assert (first, over_https, len(answer)) == (ARN, ARN, 5_000_000)
        aws.invoke(FunctionName="asker", InvocationType="Event", Payload=b'{"sleep": 60}')
        time.sleep(0.3)
        assert left(engine, server)
    finally:
        server.kill()
    deadline = time.monotonic() + 45
    while (found := left(engine, server)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not found
    if engine != engines.RUNC:  # once is enough
        return
    server.start()
    try:
        assert invoke(server.client("lambda"), {})[0] == ARN
    finally:
        assert server.stop() == 0
    assert not [*(server.data_dir / "lambda/containers/containers").iterdir()]


@pytest.mark.parametrize("engine", [engines.RUNC, engines.GVISOR])
def test_what_was_left_is_removed_by_the_next_server(
    engine: str, engines_ready: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The power went for the relays, too: nobody was there to tidy up."""
    monkeypatch.setenv("CUMULO_ISOLATION", engine)
    server = Server(tmp_path / "state").start()
    assert invoke(make(server), {})[0] == ARN
    killed, relays = server.pid, processes_in(server.data_dir / "lambda" / "containers")
    assert relays
    for each in relays:
        os.kill(each, signal.SIGKILL)
    server.kill()
    assert left(engine, server)
    server.start()
    try:
        assert invoke(server.client("lambda"), {})[0] == ARN
        assert not [name for name in left(engine, server, killed) if f"-{killed}-" in name]
    finally:
        server.stop()


def processes_in(folder: Path) -> list[int]:
    """The processes that work in a folder: relays do, in that of their container."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdecimal():
            with contextlib.suppress(OSError):
                if (each / "cwd").readlink().is_relative_to(folder):
                    found.append(int(each.name))
    return found


def make(server: Server) -> Any:
    role = server.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws = server.client("lambda")
    aws.create_function(
        FunctionName="asker",
        Runtime=f"python3.{sys.version_info.minor}",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": zip_of({"index.py": CODE})},
        Timeout=60,
        MemorySize=512,
    )
    aws.get_waiter("function_active_v2").wait(FunctionName="asker")
    return aws


def invoke(aws: Any, event: dict[str, Any]) -> Any:
    return json.load(aws.invoke(FunctionName="asker", Payload=json.dumps(event))["Payload"])


def left(engine: str, server: Server, pid: int = 0) -> list[str]:
    """Containers, processes and folders of functions of this server, or of an earlier one in its place."""
    folder = server.data_dir / "lambda" / "containers"
    found = [str(each) for each in (folder / "containers").iterdir()]
    program = engines.find(engine)
    if engine in (engines.PODMAN, engines.DOCKER):
        listing = [program, "ps", "--all", "--filter", "label=cumulo.server", "--format", "{{.Names}}"]
    else:
        listing = [program, "--root", str(folder / engine), "list"]
    said = subprocess.run(listing, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
    return found + [
        word for word in said.split() if word.startswith("cumulo-") and server_of(word) == (pid or server.pid)
    ]


def server_of(name: str) -> int:
    return int(name.split("-")[2])
