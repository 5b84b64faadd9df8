"""kill -9 of a server with functions at work: nothing of them is left, and the next server runs them."""

import json
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from cumulo.engines.sandboxes import groups
from tests.server_process import ROOT, Server
from tests.services.compute.lambda_.conftest import TRUST, zip_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="by /proc")
CODE = """
import os, subprocess, time
def handler(event, context):
    if event:
        subprocess.Popen(["sleep", "600"], start_new_session=True)
        print("at work", flush=True)
        time.sleep(event)
    return "done"
"""


def tree(pid: int) -> list[int]:
    """All descendants of a process."""
    found = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text().split():
            found += [int(child), *tree(int(child))]
    return found


def make(server: Server) -> Any:
    role = server.client("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))
    aws = server.client("lambda")
    aws.create_function(
        FunctionName="sleeper",
        Runtime=f"python3.{sys.version_info.minor}",
        Role=role["Role"]["Arn"],
        Handler="index.handler",
        Code={"ZipFile": zip_of({"index.py": CODE})},
        Timeout=60,
    )
    aws.get_waiter("function_active_v2").wait(FunctionName="sleeper")
    return aws


def invoke(aws: Any, seconds: int) -> Any:
    return json.load(aws.invoke(FunctionName="sleeper", Payload=json.dumps(seconds))["Payload"])


def our_groups(pid: int) -> list[Path]:
    place = groups.find()
    return sorted(place.memory.glob(f"cumulo-*-{pid}-*")) if place is not None else []


def test_nothing_is_left_of_a_killed_server(server: Server) -> None:
    import os

    aws = make(server)
    assert invoke(aws, 0) == "done"

    def hang() -> None:
        with pytest.raises((BotoCoreError, ClientError)):
            invoke(aws, 50)

    hanging = [threading.Thread(target=hang) for _ in range(3)]
    for thread in hanging:
        thread.start()
    for _ in range(400):
        names = [Path(f"/proc/{pid}/comm") for pid in tree(server.pid)]
        if sum(name.exists() and name.read_text() == "sleep\n" for name in names) == 3:
            break
        threading.Event().wait(0.05)
    processes = tree(server.pid)
    assert len(processes) >= 3 * 3
    handles = [os.pidfd_open(pid) for pid in processes]
    before = our_groups(server.pid)
    server.kill()
    for thread in hanging:
        thread.join()
    for handle in handles:
        readable, _, _ = select.select([handle], [], [], 20)
        os.close(handle)
        assert readable, "a process goes on without its server"
    server.start()
    assert invoke(server.client("lambda"), 0) == "done"
    assert not [group for group in before if group.exists()]
    server.stop()
    assert our_groups(server.pid) == []


@pytest.mark.soak
def test_a_thousand_cold_starts_starve_nobody() -> None:
    """STS answers 99 of 100 calls in 50 ms while a thousand environments start."""
    ran = subprocess.run(
        [sys.executable, str(ROOT / "bench/cold_starts.py")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
