"""Functions in containers of every engine: they find what they find in our own sandboxes."""

import json
import os
import subprocess

from msgspec import structs

from cumulo.engines.environments.builds import Outcome
from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench
from tests.engines.environments.test_custom_runtimes import BASH, with_bootstrap

FACTS = """
import os, resource, sys, time
sys.stderr.write("init\\n")
def handler(event, context):
    print("working")
    if "sleep" in event:
        time.sleep(event["sleep"])
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    try:
        open("/var/task/x", "w")
        written = True
    except OSError:
        written = False
    open("/tmp/kept", "a").write("x")
    return {
        "python": sys.version_info[:2] == tuple(int(n) for n in os.environ["AWS_EXECUTION_ENV"][17:].split(".")),
        "variable": os.environ["MINE"], "task": os.environ["LAMBDA_TASK_ROOT"], "written": written,
        "uid": os.getuid(), "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
        "privileges": int(status.get("NoNewPrivs", "1")), "files": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "pids": len([n for n in os.listdir("/proc") if n.isdigit()]),
        "kept": open("/tmp/kept").read(), "tmp": os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize,
        "size": len(event.get("big", "")), "answer": "y" * event.get("answer", 0),
    }
"""


def test_python(bench: Bench) -> None:
    made = bench.build(FACTS, variables={"MINE": "a b"}, timeout_s=30, ephemeral_mb=600)
    first, big, second = bench.invoke(
        made, b"{}", json.dumps({"big": "x" * 3_000_000}).encode(), b'{"answer": 3000000}'
    )
    facts = json.loads(first.payload)
    assert not first.error, bench.text
    uid = facts.pop("uid")
    assert 1_900_000_000 <= uid < 2_000_000_000 if os.geteuid() == 0 else uid == 0
    assert facts == {
        "python": True, "variable": "a b", "task": "/var/task", "written": False, "capabilities": 0, "privileges": 1,
        "files": 1024, "pids": 2, "kept": "x", "tmp": 600 << 20, "size": 0, "answer": "",
    }  # fmt: skip
    assert json.loads(big.payload)["size"] == 3_000_000
    assert len(json.loads(second.payload)["answer"]) == 3_000_000
    assert json.loads(second.payload)["kept"] == "xxx"
    assert first.init_ms and second.init_ms is None
    assert 5 < first.max_memory_mb <= second.max_memory_mb < 128
    assert bench.text.startswith("INIT_START") and "\ninit\nSTART RequestId" in bench.text
    assert "Version: $LATEST\nworking\nEND RequestId" in bench.text


NODE = """
exports.whole = async (event) => ({...event, node: process.version})
exports.handler = awslambda.streamifyResponse(async (event, stream) => {
  for (let part = 0; part < 40; part++) stream.write(String(part % 10).repeat(100000))
  stream.end()
})"""


def test_node_and_streams(bench: Bench) -> None:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    code = bench.code(**{"index.js": NODE})
    made = bench.build(code=code, runtime=f"nodejs{version[1:].split('.')[0]}.x", memory_mb=256)
    (whole,) = bench.invoke(structs.replace(made, handler="index.whole"), b'{"a": 1}')
    answer = json.loads(whole.payload)
    assert answer == {"a": 1, "node": version}, bench.text
    parts: list[bytes] = []

    async def main(homes: Environments) -> Outcome:
        environment = await bench.start(homes, made)
        return await environment.invoke(bench.invocation(on_chunk=parts.append))

    outcome: Outcome = bench.run(main)
    assert outcome.streamed and len(parts) > 1, bench.text
    assert b"".join(parts) == b"".join(b"%d" % (part % 10) * 100000 for part in range(40))


def test_a_bootstrap_with_layers(bench: Bench) -> None:
    made = with_bootstrap(bench, BASH, **{"function.sh": "handler() { cat /opt/shared /opt/own; }"})
    layers = []
    for name, files in (("below", {"shared": "below", "own": "-kept"}), ("above", {"shared": "above"})):
        folder = bench.folder / name
        folder.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text)
        layers.append(folder)
    (outcome,) = bench.invoke(structs.replace(made, layers=tuple(layers)))
    assert outcome.payload == b"above-kept", bench.text
