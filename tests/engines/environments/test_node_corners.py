"""Odd corners of functions in Node.js, as npm's aws-lambda-ric has them: 3.3 up to Node.js 22, 4.0 from 24 on."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments.builds import Outcome
from tests.engines.environments.conftest import Bench
from tests.engines.environments.test_node import AWAITED, awaiting, calling_back
from tests.engines.environments.test_node import version as version

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


def invoke(bench: Bench, version: int, files: dict[str, str], **changes: Any) -> Outcome:
    """What a function of these files answers."""
    given = {"code": bench.code(**files), "runtime": f"nodejs{version}.x", "timeout_s": 30, **changes}
    (outcome,) = bench.invoke(bench.build(**given))
    return outcome


@pytest.fixture
def layer(bench: Bench) -> Path:
    """A layer with packages of both kinds."""
    home = "nodejs/node_modules"
    both = {"exports": {".": {"import": "./in.mjs", "require": "./in.cjs"}, "./part": "./part.mjs"}}
    return bench.code(
        **{
            f"{home}/greeting/package.json": json.dumps(both),
            f"{home}/greeting/in.mjs": "import { end } from 'ends'\nexport const hello = 'imported' + end\n",
            f"{home}/greeting/in.cjs": "exports.hello = 'required'\n",
            f"{home}/greeting/part.mjs": "export const part = 'part'\n",
            f"{home}/ends/index.js": "exports.end = '!'\n",
            f"{home}/@my/own/index.js": "module.exports = 'own'\n",
        }
    )


MODULE = """
import { hello } from 'greeting'
import { part } from 'greeting/part'
import own from '@my/own'
export const handler = async () => [hello, part, own, (await import('greeting')).hello, await import('absent').catch((error) => error.code)]
"""  # noqa: E501
COMMON = "exports.handler = async () => [require('greeting').hello, (await import('greeting')).hello]\n"


def test_modules_of_layers_are_found_by_import(bench: Bench, version: int, layer: Path) -> None:
    imported = invoke(bench, version, {"index.mjs": MODULE}, layers=(layer,))
    assert json.loads(imported.payload) == ["imported!", "part", "own", "imported!", "ERR_MODULE_NOT_FOUND"]
    both = invoke(bench, version, {"index.js": COMMON}, layers=(layer,))
    assert json.loads(both.payload) == ["required", "imported!"]


def test_packages_beside_the_code_come_first(bench: Bench, version: int, layer: Path) -> None:
    files = {
        "index.mjs": "import { end } from 'ends'\nexport const handler = async () => end\n",
        "node_modules/ends/index.js": "exports.end = 'mine'\n",
    }
    assert json.loads(invoke(bench, version, files, layers=(layer,)).payload) == "mine"


@pytest.mark.parametrize("layered", [False, True])
def test_an_import_that_finds_nothing(bench: Bench, version: int, layer: Path, layered: bool) -> None:
    files = {"index.mjs": "import 'absent'\nexport const handler = async () => 1\n"}
    document = json.loads(invoke(bench, version, files, layers=(layer,) if layered else ()).payload)
    assert document["errorType"] == "Error"
    assert document["errorMessage"] == "Cannot find package 'absent' imported from /var/task/index.mjs"


@calling_back
def test_callbacks_wait_for_an_empty_loop_with_modules_of_layers_too(bench: Bench, version: int, layer: Path) -> None:
    source = """
    import 'greeting'
    let late = false
    export const handler = (event, context, callback) => { setTimeout(() => { late = true }, 50); callback(null, { toJSON: () => late }) }
    """  # noqa: E501
    assert invoke(bench, version, {"index.mjs": source}, layers=(layer,)).payload == b"true"


def test_a_folder_of_the_handlers_name_is_its_module(bench: Bench, version: int) -> None:
    outcome = invoke(bench, version, {"index/index.js": "exports.handler = async () => 'folder'\n"})
    if version < AWAITED:
        assert json.loads(outcome.payload) == "folder"
    else:
        document = json.loads(outcome.payload)
        assert document["errorType"] == "Error" and document["errorMessage"].startswith("Directory import '/var/task/")


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_what_console_says(bench: Bench, version: int, log_format: str) -> None:
    source = """
    exports.handler = async () => {
      console.log()
      console.log('%s is %d', 'a', 1, 'more')
      console.error(new RangeError('first'), 'second')
      console.warn('first', new RangeError('second'))
      console.fatal({ deep: { deeper: { deepest: {} } } })
    }"""
    outcome = invoke(bench, version, {"index.js": source}, log_format=log_format)
    assert outcome.payload == b"null"
    if log_format == "Text":
        lines = [line.text.split("\t", 2)[2] for line in bench.lines if "\t00000000-" in line.text]
        assert lines[:2] == ["INFO\tundefined\n", "INFO\ta is 1 more\n"]
        assert lines[2].startswith("ERROR\tRangeError: first\n    at ") and lines[2].endswith(" second\n")
        assert lines[4] == "FATAL\t{ deep: { deeper: { deepest: {} } } }\n"
        return
    records = [json.loads(line.text) for line in bench.lines if '"requestId":"' in line.text]
    assert "message" not in records[0] and records[0]["level"] == "INFO"
    assert records[1]["message"] == "a is 1 more"
    assert ("errorType" in records[2]) == (version < AWAITED)
    assert (records[3]["errorType"], records[3]["errorMessage"]) == ("RangeError", "second")
    assert records[3]["stackTrace"][0] == "RangeError: second"
    assert (records[4]["level"], records[4]["message"]) == ("FATAL", {"deep": {"deeper": {"deepest": {}}}})


@pytest.mark.parametrize(
    ("thrown", "kind", "message"),
    [
        ("'words'", "string", "words"),
        ("{ a: 1 }", "object", "[object Object]"),
        ("7", "number", "7"),
        ("Object.assign(new Error('with more', { cause: new Error('why') }), { code: 'E_X' })", "Error", "with more"),
    ],
)
def test_what_is_thrown(bench: Bench, version: int, thrown: str, kind: str, message: str) -> None:
    outcome = invoke(bench, version, {"index.js": f"exports.handler = async () => {{ throw {thrown} }}\n"})
    document = json.loads(outcome.payload)
    assert (document["errorType"], document["errorMessage"]) == (kind, message)
    assert "cause" not in document and bool(document["trace"]) == (kind == "Error")
    if kind == "Error":
        logged = json.loads(next(line.text for line in bench.lines if "Invoke Error" in line.text).split("\t")[-1])
        assert (logged["errorType"], logged["code"]) == ("Error", "E_X") and logged["stack"] == document["trace"]


@awaiting
def test_what_only_looks_like_an_error(bench: Bench, version: int) -> None:
    thrown = "{ name: 'Mine', message: 'm', stack: 's' }"
    outcome = invoke(bench, version, {"index.js": f"exports.handler = async () => {{ throw {thrown} }}\n"})
    assert json.loads(outcome.payload) == {"errorType": "object", "errorMessage": "[object Object]", "trace": []}


@calling_back
def test_what_looks_like_an_error(bench: Bench, version: int) -> None:
    thrown = "{ name: 'Mine', message: 'm', stack: 's' }"
    outcome = invoke(bench, version, {"index.js": f"exports.handler = async () => {{ throw {thrown} }}\n"})
    assert json.loads(outcome.payload) == {"errorType": "Mine", "errorMessage": "m", "trace": ["s"]}


def test_an_exit_ends_the_environment(bench: Bench, version: int) -> None:
    plain = invoke(bench, version, {"index.js": "exports.handler = async () => process.exit(0)\n"})
    said = json.loads(plain.payload)
    assert plain.dead and said["errorType"] == "Runtime.ExitError"
    assert said["errorMessage"].endswith("Error: Runtime exited without providing a reason")
    with_status = invoke(bench, version, {"index.js": "exports.handler = async () => process.exit(9)\n"})
    assert json.loads(with_status.payload)["errorMessage"].endswith("Error: Runtime exited with error: exit status 9")
