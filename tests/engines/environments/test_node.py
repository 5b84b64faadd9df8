"""Functions in Node.js: kinds of handlers and modules, streams, `console`, errors."""

import json
import shutil

import pytest

from cumulo.engines.environments.builds import Build
from tests.engines.environments.conftest import Bench

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")


def build(bench: Bench, handler: str = "index.handler", **files: str) -> Build:
    """A function for the Node.js that is here."""
    import subprocess

    major = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout[1:].split(".")[0]
    code = bench.code(**{name.replace("_js", ".js").replace("_mjs", ".mjs"): text for name, text in files.items()})
    return bench.build(code=code, runtime=f"nodejs{major}.x", handler=handler)


def test_async_handlers_answer_and_fail(bench: Bench) -> None:
    source = """
    exports.handler = async (event, context) => {
      console.log('got', event, 'two\\nlines')
      if (event.fail) throw new TypeError('bad')
      return { id: context.awsRequestId, left: context.getRemainingTimeInMillis() > 1000 }
    }"""
    good, bad = bench.invoke(build(bench, index_js=source), b"{}", b'{"fail": true}')
    assert json.loads(good.payload) == {"id": "00000000-0000-4000-8000-000000000001", "left": True}
    document = json.loads(bad.payload)
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", "bad")
    assert document["trace"][0] == "TypeError: bad" and "/var/task/index.js:4" in document["trace"][1]
    assert bad.error == "Unhandled" and not bad.dead
    assert "\t00000000-0000-4000-8000-000000000001\tINFO\tgot {} two\nlines\n" in bench.text
    assert "\tERROR\tInvoke Error \t" in bench.text


def test_callbacks_wait_for_an_empty_loop(bench: Bench) -> None:
    source = """
    exports.handler = (event, context, callback) => {
      if (event.now) context.callbackWaitsForEmptyEventLoop = false
      setTimeout(() => console.log('later'), event.now ? 200 : 20)
      callback(null, 'done')
    }"""
    waited, at_once = bench.invoke(build(bench, index_js=source), b"{}", b'{"now": true}')
    assert waited.payload == at_once.payload == b'"done"'
    assert waited.duration_ms >= 19 and b"later" in waited.tail
    assert at_once.duration_ms < 150 and b"later" not in at_once.tail


def test_a_handler_that_never_calls_back_answers_null(bench: Bench) -> None:
    (outcome,) = bench.invoke(build(bench, index_js="exports.handler = (event) => { }"))
    assert outcome.payload == b"null" and not outcome.error


def test_es_modules_may_wait_at_their_top(bench: Bench) -> None:
    source = "const value = await Promise.resolve(7); export const handler = async () => value"
    (outcome,) = bench.invoke(build(bench, index_mjs=source))
    assert outcome.payload == b"7"


def test_streams(bench: Bench) -> None:
    source = """
    exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 })
      stream.write('one')
      stream.write({ two: 2 })
      if (event.fail) throw new Error('midway')
      stream.end()
    })"""
    good, bad = bench.invoke(build(bench, index_js=source), b"{}", b'{"fail": 1}')
    assert good.payload == b'{"statusCode":201}' + bytes(8) + b'one{"two":2}'
    assert good.streamed and good.content_type == "application/vnd.awslambda.http-integration-response"
    assert (
        bad.error == "Unhandled" and bad.error_type == "Error" and json.loads(bad.payload)["errorMessage"] == "midway"
    )


NO_MODULE = "Error: Cannot find module 'other'\nRequire stack:\n- /var/runtime/index.mjs"


@pytest.mark.parametrize(
    ("handler", "source", "kind", "message"),
    [
        ("index.gone", "", "Runtime.HandlerNotFound", "index.gone is undefined or not exported"),
        ("index.x", "exports.x = 1", "Runtime.HandlerNotFound", "index.x is not a function"),
        ("index", "", "Runtime.MalformedHandlerName", "Bad handler"),
        ("index.x", "exports.x = (", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected end of input"),
        ("other.x", "", "Runtime.ImportModuleError", NO_MODULE),
        ("index.x", "throw new RangeError('early')", "RangeError", "early"),
    ],
)  # fmt: skip
def test_init_errors(bench: Bench, handler: str, source: str, kind: str, message: str) -> None:
    (outcome,) = bench.invoke(build(bench, handler, index_js=source))
    document = json.loads(outcome.payload)
    assert (document["errorType"], document["errorMessage"]) == (kind, message)
    assert outcome.error == "Unhandled" and outcome.dead
    assert f"Phase: init\tStatus: error\tError Type: {kind}\n" in bench.text
    assert f"Phase: invoke\tStatus: error\tError Type: {kind}\n" in bench.text


def test_what_nobody_catches_ends_the_environment(bench: Bench) -> None:
    source = """
    exports.handler = async () => {
      setTimeout(() => { throw new Error('lost') }, 1)
      await new Promise(() => {})
    }"""
    (outcome,) = bench.invoke(build(bench, index_js=source))
    assert json.loads(outcome.payload)["errorMessage"] == "lost" and outcome.dead
    assert "Uncaught Exception" in bench.text
