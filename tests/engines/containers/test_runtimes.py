"""Runtimes in containers of every engine: the same programs, extensions, hooks and ends as in our own sandboxes."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.containers import engines
from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import SNAP_START
from cumulo.engines.environments.environments import Environments
from tests.engines.containers.conftest import name_of
from tests.engines.containers.test_hostile import engine_of, processes
from tests.engines.environments import java_code
from tests.engines.environments.conftest import Bench
from tests.engines.environments.test_extensions import (  # noqa: F401 - the second is collected here, too
    layer,
    test_an_external_extension_lives_through_all_phases,
)

RUBY = shutil.which("ruby")


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if java_code.MISSING:
        pytest.skip(java_code.MISSING)
    folder = tmp_path_factory.mktemp("classes")
    for each in (folder, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(0o755)
    return java_code.write(folder)


def test_java(bench: Bench, classes: Path) -> None:
    made = bench.build(code=classes, handler="example.Orders::text", runtime=java_code.RUNTIME, memory_mb=256)
    (outcome,) = bench.invoke(made, b'"a"')
    assert json.loads(outcome.payload) == "a!", bench.text


def test_a_jvm_tells_itself_that_it_has_no_memory(bench: Bench, classes: Path) -> None:
    """The pages of its files, which others share, are not what it is ended for."""
    if engine_of(bench) == engines.GVISOR:
        pytest.skip("gVisor's kernel does not tell which pages are of files")
    made = bench.build(
        code=classes, handler="example.Failures::fills", runtime=java_code.RUNTIME, memory_mb=128, timeout_s=60
    )
    (outcome,) = bench.invoke(made)
    assert json.loads(outcome.payload)["errorType"] == "java.lang.OutOfMemoryError", bench.text


@pytest.mark.skipif(RUBY is None, reason="needs Ruby")
def test_ruby(bench: Bench) -> None:
    runtimes.configure({"ruby3.2": str(RUBY)})
    try:
        source = "def handler(event:, context:)\n  puts 'said'\n  [event, Dir.pwd, context.function_name]\nend\n"
        code = bench.code(**{"index.rb": source})
        (outcome,) = bench.invoke(bench.build(code=code, runtime="ruby3.2", timeout_s=30), b'{"a": 1}')
        assert json.loads(outcome.payload) == [{"a": 1}, "/var/task", "f"], bench.text
        assert "\nsaid\n" in bench.text
    finally:
        runtimes.configure({})


def test_hooks_of_snap_start_are_called_in_every_environment(bench: Bench) -> None:
    source = """
import snapshot_restore_py
TOLD = []
snapshot_restore_py.register_before_snapshot(TOLD.append, "before")
snapshot_restore_py.register_after_restore(TOLD.append, "after")
print("initialised")
def handler(event, context):
    return TOLD
"""
    made = bench.build(source, key="hooks", snap_start=True, init_type=SNAP_START)
    for _ in range(2):
        (outcome,) = bench.invoke(made)
        assert json.loads(outcome.payload) == ["before", "after"], bench.text
    assert bench.text.count("initialised") == 2


STUCK = """
import ctypes, os, signal, time
def handler(event, context):
    if "name" in event:
        return ctypes.CDLL(None).prctl(15, event["name"].encode())  # PR_SET_NAME
    for number in range(1, 32):
        if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_IGN)
    if os.fork() == 0:
        os.setsid()
    while True:
        time.sleep(60)
"""


def test_who_is_stuck_is_ended_at_its_timeout(bench: Bench) -> None:
    name = f"stuck{time.time_ns() % 10**9}"

    async def main(homes: Environments) -> tuple[Any, str, list[str]]:
        environment = await bench.start(homes, bench.build(STUCK, timeout_s=5))
        await environment.invoke(bench.invocation(json.dumps({"name": name}).encode()))
        container = name_of(environment)
        before = processes(container, name)
        return await environment.invoke(bench.invocation()), container, before

    outcome, container, before = bench.run(main)
    assert (outcome.timed_out, outcome.dead, outcome.error_type) == (True, True, "Sandbox.Timedout")
    assert before, "what is looked for is seen while it runs"
    deadline = time.monotonic() + 40
    while (left := processes(container, name)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not left
