"""What hostile functions find in containers of every engine, and what becomes of them."""

import asyncio
import json
import os
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

from cumulo.engines.containers import engines
from cumulo.engines.environments.builds import Outcome
from cumulo.engines.environments.environment import Environment
from cumulo.engines.environments.environments import Environments
from tests.engines.containers.conftest import command_to_kill, name_of
from tests.engines.environments.conftest import Bench

PROBES = r"""
import os, socket, sys
def tried(what, *given):
    try:
        return repr(what(*given))
    except OSError as error:
        return type(error).__name__
def fill():
    written = 0
    with open("/tmp/filler", "wb") as file:
        while written < 1 << 30:
            written += file.write(bytes(1 << 20))
            file.flush()
    return written
def reach(address, port):
    with socket.create_connection((address, port), 2):
        return True
def handler(event, context):
    return {
        "files": os.statvfs("/tmp").f_files,
        "host": [tried(os.listdir, path) for path in event["paths"]],
        "filled": tried(fill),
        "network": [tried(reach, *address) for address in event["addresses"]],
        "resolved": tried(socket.gethostbyname, "example.com"),
        "named": tried(socket.gethostbyname, "bucket.localhost"),
        "mounted": tried(lambda: os.chroot("/tmp")),
        "supervisor": tried(open, "/proc/1/mem", "rb"),
        "written": [tried(open, path, "w") for path in ("/x", "/var/task/x", "/usr/x", "/var/rapid/x", "/etc/hosts")],
    }
"""


def test_nothing_of_the_machine_is_reached(bench: Bench, tmp_path: Path) -> None:
    paths = [str(tmp_path), "/home", "/var/lib", "/work", "/var/rapid/cumulo/core"]
    event = {"paths": paths, "addresses": [["127.0.0.1", 22], ["8.8.8.8", 53], ["169.254.169.254", 80]]}
    (outcome,) = bench.invoke(bench.build(PROBES, ephemeral_mb=16, timeout_s=20), json.dumps(event).encode())
    assert not outcome.error, bench.text
    found = json.loads(outcome.payload)
    assert found["host"] == ["FileNotFoundError"] * len(paths)
    assert found["filled"] == "OSError"
    if engine_of(bench) in (engines.RUNC, engines.CRUN, engines.DOCKER):  # the others take no number
        assert found["files"] == (16 << 20) // 4096 + 64
    assert all(each.endswith("Error") for each in found["network"])
    assert (found["resolved"], found["named"]) == ("gaierror", "'127.0.0.1'")
    assert found["mounted"] == "PermissionError"
    assert found["supervisor"].endswith("Error")
    assert all(each.endswith("Error") for each in found["written"])


MEMORY_BOMB = "def handler(event, context):\n    kept = []\n    while True:\n        kept.append(bytearray(1 << 20))\n"
FORK_BOMB = """
import ctypes, os, signal, time
def handler(event, context):
    if "name" in event:
        return ctypes.CDLL(None).prctl(15, event["name"].encode())  # PR_SET_NAME; forks inherit it
    made = 0
    for _ in range(3000):
        try:
            if os.fork() == 0:
                while True:
                    time.sleep(60)
        except OSError:
            break
        made += 1
    return made
"""


def test_a_memory_bomb_is_out_of_memory(bench: Bench) -> None:
    (outcome,) = bench.invoke(bench.build(MEMORY_BOMB, memory_mb=128, ephemeral_mb=64, timeout_s=30))
    if os.geteuid() != 0 and outcome.error_type == "MemoryError":
        return  # RLIMIT_DATA told it, before the watch looked
    assert outcome.error_type == "Runtime.OutOfMemory", (outcome, bench.text)
    assert outcome.dead and outcome.max_memory_mb == 128


def test_what_netlink_sockets_hold_is_memory(bench: Bench) -> None:
    source = """
import socket, time
def handler(event, context):
    kept = [socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) for _ in range(900)]
    for each in kept:
        each.bind((0, 0))
    time.sleep(event)
"""
    patient = 0 if engine_of(bench) == engines.GVISOR else 25  # whose sockets are in its own memory
    (outcome,) = bench.invoke(bench.build(source, timeout_s=30), json.dumps(patient).encode())
    assert outcome.error_type == ("Runtime.OutOfMemory" if patient else ""), bench.text


def engine_of(bench: Bench) -> str:
    assert bench._homes._containers is not None
    return bench._homes._containers.engine


def test_a_fork_bomb_is_contained(bench: Bench) -> None:
    made = bench.build(FORK_BOMB, memory_mb=3008, timeout_s=30)
    name = f"bomb{uuid.uuid4().hex[:11]}"  # as long as names of processes may be

    async def main(homes: Environments) -> tuple[Outcome, str, list[str]]:
        environment = await bench.start(homes, made)
        await environment.invoke(bench.invocation(json.dumps({"name": name}).encode()))
        container = name_of(environment)
        before = processes(container, name)
        return await environment.invoke(bench.invocation()), container, before

    outcome, container, before = bench.run(main)
    assert before, "what is looked for is seen while it runs"
    if not outcome.error:
        assert 100 < json.loads(outcome.payload) <= 1024
    else:  # it was ended for its memory, or for their number
        assert outcome.error_type in ("Runtime.OutOfMemory", "Sandbox.Timedout"), bench.text
    deadline = time.monotonic() + 20
    while (left := processes(container, name)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left


def processes(container: str, name: str) -> list[str]:
    """What runs for a container, and what calls itself so: other tests have processes of their own."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdecimal():
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if container.encode() in words or (folder / "comm").read_text().strip() == name:
                    found.append(f"{folder.name} {words}")
        except OSError:
            continue
    return found


def test_a_container_that_is_killed_is_a_runtime_that_ended(bench: Bench) -> None:
    source = "import time\ndef handler(event, context):\n    print('began')\n    time.sleep(event)\n    return 1\n"
    made = bench.build(source, timeout_s=30)

    async def main(homes: Environments) -> list[Any]:
        environment: Environment = await bench.start(homes, made)
        invoking = asyncio.ensure_future(environment.invoke(bench.invocation(b"25")))
        while "began" not in bench.text:  # noqa: ASYNC110, nobody tells when
            await asyncio.sleep(0.05)
        command = command_to_kill(homes, environment)
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True, env=dict(os.environ))
        killed = await asyncio.wait_for(invoking, 10)
        again = await (await bench.start(homes, made)).invoke(bench.invocation(b"0"))
        return [killed, again]

    killed, again = bench.run(main)
    assert (killed.error_type, killed.dead) == ("Runtime.ExitError", True)
    assert json.loads(killed.payload)["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert again.payload == b"1"
