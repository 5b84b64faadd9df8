"""Machines without namespaces: functions are plain processes, and find everything where it lies."""

import asyncio
import json
import logging
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import uvloop
from msgspec import structs

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import Invocation
from cumulo.engines.environments.environments import Environments
from cumulo.engines.sandboxes import probe, sandboxes
from tests.engines.environments import java_code
from tests.engines.environments.conftest import Bench

SOURCE = """
import os, boto3, snapshot_restore_py
def handler(event, context):
    return [os.getcwd(), os.environ["LAMBDA_TASK_ROOT"], os.environ["AWS_LAMBDA_RUNTIME_API"]]
"""


def test_without_namespaces(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    less = structs.replace(probe.abilities(), namespaces=(), refused="a test")
    monkeypatch.setattr(sandboxes, "abilities", lambda: less)
    builds = [bench.build(SOURCE, memory_mb=256, timeout_s=20)]
    node = [each.identifier for each in runtimes.here() if each.family == "nodejs"]
    if node:
        script = bench.code(
            **{"index.js": "exports.handler = async () => [process.cwd(), process.env.LAMBDA_TASK_ROOT, '']"}
        )
        builds.append(bench.build(code=script, runtime=node[0], timeout_s=20))

    if not java_code.MISSING:
        classes = java_code.write(bench.code(**{"lib/readme.txt": ""}))
        builds.append(bench.build(code=classes, handler="example.Places", runtime=java_code.RUNTIME, timeout_s=20))
    ruby = shutil.which("ruby")
    if ruby:
        runtimes.configure({"ruby3.2": ruby})
        script = bench.code(
            **{"index.rb": "def handler(event:, context:)\n  [Dir.pwd, ENV['LAMBDA_TASK_ROOT'], '']\nend"}
        )
        builds.append(bench.build(code=script, runtime="ruby3.2", timeout_s=20))

    async def main() -> list[Any]:
        homes = Environments(tmp_path / "plain", logging.getLogger("test"), time.time, time.time)
        try:
            answers = []
            for build in builds:
                environment = await homes.start(build, bench.lines.extend, "stream")
                answers.append(json.loads((await environment.invoke(Invocation("i", b"{}"))).payload))
            return answers
        finally:
            await homes.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answers = runner.run(main())
    runtimes.configure({})
    for build, answer in zip(builds, answers, strict=True):
        assert isinstance(answer, list), (answer, bench.text)
        assert answer[:2] == [str(build.code)] * 2, (answer, bench.text)
    assert answers[0][2].startswith("127.0.0.1:") and not answers[0][2].endswith(":9001")
