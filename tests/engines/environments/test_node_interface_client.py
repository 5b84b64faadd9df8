"""npm's aws-lambda-ric, unmodified, in a custom runtime. Installing it compiles libraries in C for minutes."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.engines.environments.conftest import Bench

CACHE = Path.home() / ".cache" / "cumulo-tests" / "node-interface-client"
PROGRAMS = ("npm", "autoconf", "automake", "libtoolize", "cmake", "make", "g++", "unzip")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
BOOTSTRAP = """#!/bin/sh
cd "$LAMBDA_TASK_ROOT"
exec node --max-http-header-size 81920 node_modules/aws-lambda-ric/bin/index.mjs "$_HANDLER"
"""
SOURCE = """
exports.handler = async (event, context) => {
  console.log('got', event)
  if (event.fail) throw new RangeError('bad')
  return { id: context.awsRequestId }
}"""


@pytest.mark.soak
@pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")
def test_unmodified(bench: Bench) -> None:
    package = CACHE / "node_modules" / "aws-lambda-ric"
    if not (package / "dist" / "rapid-client.node").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        (CACHE / "package.json").write_text("{}")
        install = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--no-save", "--ignore-scripts=false"]
        subprocess.run([*install, "aws-lambda-ric@3"], cwd=CACHE, check=True, timeout=900)
    code = bench.code(**{"bootstrap.sh": BOOTSTRAP, "index.js": SOURCE})
    (code / "bootstrap.sh").rename(code / "bootstrap").chmod(0o755)
    for name in ("bin", "dist", "package.json"):
        target = code / "node_modules" / "aws-lambda-ric" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copy if name.endswith(".json") else shutil.copytree)(package / name, target)
    good, bad = bench.invoke(bench.build(code=code, runtime="provided.al2023"), b"{}", b'{"fail": true}')
    assert json.loads(good.payload) == {"id": "00000000-0000-4000-8000-000000000001"}
    assert (json.loads(bad.payload)["errorType"], bad.error) == ("RangeError", "Unhandled")
    assert "INFO\tgot {}" in bench.text
