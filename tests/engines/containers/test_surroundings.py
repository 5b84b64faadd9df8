"""What functions see around them in containers of every engine: the same as in our own sandboxes."""

import json
import os
import sys
from typing import Any

from cumulo.engines.environments import runtimes, variables
from cumulo.engines.environments.builds import Build
from tests.engines.environments.conftest import Bench

PYTHON = """
import getpass, logging, os, stat, sys
def handler(event, context):
    modes = {name: stat.filemode(os.stat(name).st_mode) for name in ("/opt", "/tmp", "/var/task", "/var/runtime")}
    return {
        "variables": dict(os.environ), "folder": os.getcwd(), "argv": sys.argv, "program": sys.executable,
        "path": sys.path, "user": getpass.getuser(), "umask": os.umask(0o22), "modes": modes,
        "tmp": os.listdir("/tmp"), "handlers": [type(each).__name__ for each in logging.getLogger().handlers],
        "output": [sys.stdout.encoding, sys.stdout.errors], "zone": __import__("time").tzname,
    }
"""
NODE = """
const fs = require('fs'), os = require('os')
const mode = (name) => (fs.statSync(name).mode & 0o7777).toString(8)
exports.handler = async () => ({
  variables: { ...process.env }, folder: process.cwd(), argv: process.argv.slice(1), paths: module.paths,
  user: os.userInfo().username, modes: ['/opt', '/tmp', '/var/task', '/var/runtime'].map(mode),
  tmp: fs.readdirSync('/tmp'),
  zone: new Date().getTimezoneOffset(),
})
"""
FOLDER = "drwxr-xr-x"


def surroundings(bench: Bench, build: Build) -> Any:
    """What the function tells, without its variables and its user, which are checked here."""
    (outcome,) = bench.invoke(build)
    assert not outcome.error, outcome.payload
    seen = json.loads(outcome.payload)
    found = seen.pop("variables")
    assert found.pop("AWS_LAMBDA_RUNTIME_API") == "127.0.0.1:9001"
    assert found == variables.of(build, runtimes.find(build.runtime), "2026/01/01/[$LATEST]abc")
    assert seen.pop("user") == ("sbx_user1051" if os.geteuid() == 0 else "root")
    return seen


def test_python(bench: Bench) -> None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    lang = f"/var/lang/lib/{version}"
    assert surroundings(bench, bench.build(PYTHON, timeout_s=30, variables={"MINE": "ü"})) == {
        "folder": "/var/task",
        "argv": ["/var/runtime/bootstrap.py"],
        "program": f"/var/lang/bin/{version}",
        "path": [
            "/var/task", f"/opt/python/lib/{version}/site-packages", "/opt/python", "/var/runtime",
            f"/var/lang/lib/{version.replace('.', '')}.zip", lang, f"{lang}/lib-dynload",
        ],
        "umask": 0o22,
        "modes": {"/opt": FOLDER, "/tmp": "drwxrwxrwt", "/var/task": FOLDER, "/var/runtime": FOLDER},
        "tmp": [],
        "handlers": ["LambdaLoggerHandler"],
        "output": ["utf-8", "surrogateescape" if sys.version_info >= (3, 12) else "strict"],
        "zone": ["UTC", "UTC"],
    }  # fmt: skip


def test_node(bench: Bench) -> None:
    here = next(each.identifier for each in runtimes.here() if each.family == runtimes.NODE)
    code = bench.code(**{"index.js": NODE})
    assert surroundings(bench, bench.build(code=code, runtime=here, timeout_s=30, memory_mb=256)) == {
        "folder": "/var/task",
        "argv": ["/var/runtime/index.mjs"],
        "paths": ["/var/task/node_modules", "/var/node_modules", "/node_modules"],
        "modes": ["755", "1777", "755", "755"],
        "tmp": [],
        "zone": 0,
    }
