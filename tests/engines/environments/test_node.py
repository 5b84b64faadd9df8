"""Functions in Node.js, of every version that Lambda has: kinds of handlers and modules, streams, `console`, errors."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import Build
from tests.engines.environments import node_programs
from tests.engines.environments.conftest import Bench

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js")
OWN = 20
"""Stands for the machine's Node.js, whatever version it is."""
AWAITED = 24
"""The first version whose runtime only awaits."""
calling_back = pytest.mark.parametrize("version", [OWN, 22], indirect=True)
awaiting = pytest.mark.parametrize("version", [AWAITED], indirect=True)
Make = Callable[..., Build]


@pytest.fixture(params=[OWN, 22, AWAITED])
def version(request: pytest.FixtureRequest) -> Iterator[int]:
    """The major version of the Node.js that runs the functions."""
    if request.param == OWN:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
        yield int(said[1:].split(".")[0])
        return
    runtimes.configure({f"nodejs{request.param}.x": str(node_programs.program(request.param))})
    yield request.param
    runtimes.configure({})


@pytest.fixture
def build(bench: Bench, version: int) -> Make:
    """Makes functions of files."""

    def make(handler: str = "index.handler", log_format: str = "Text", **files: str) -> Build:
        code = bench.code(**{name.replace("_js", ".js").replace("_mjs", ".mjs"): text for name, text in files.items()})
        return bench.build(code=code, runtime=f"nodejs{version}.x", handler=handler, log_format=log_format)

    return make


def test_async_handlers_answer_and_fail(bench: Bench, build: Make) -> None:
    source = """
    exports.handler = async (event, context) => {
      console.log('got', event, 'two\\nlines')
      if (event.fail) throw new TypeError('bad')
      return { id: context.awsRequestId, left: context.getRemainingTimeInMillis() > 1000 }
    }"""
    good, bad = bench.invoke(build(index_js=source), b"{}", b'{"fail": true}')
    assert json.loads(good.payload) == {"id": "00000000-0000-4000-8000-000000000001", "left": True}
    document = json.loads(bad.payload)
    assert (document["errorType"], document["errorMessage"]) == ("TypeError", "bad")
    assert document["trace"][0] == "TypeError: bad" and "/var/task/index.js:4" in document["trace"][1]
    assert bad.error == "Unhandled" and not bad.dead
    assert "\t00000000-0000-4000-8000-000000000001\tINFO\tgot {} two\nlines\n" in bench.text
    assert "\tERROR\tInvoke Error \t" in bench.text


@calling_back
def test_callbacks_wait_for_an_empty_loop(bench: Bench, build: Make) -> None:
    source = """
    exports.handler = (event, context, callback) => {
      if (event.now) context.callbackWaitsForEmptyEventLoop = false
      setTimeout(() => console.log('later'), event.now ? 200 : 20)
      callback(null, 'done')
    }"""
    waited, at_once = bench.invoke(build(index_js=source), b"{}", b'{"now": true}')
    assert waited.payload == at_once.payload == b'"done"'
    assert waited.duration_ms >= 19 and b"later" in waited.tail
    assert at_once.duration_ms < 150 and b"later" not in at_once.tail


@calling_back
def test_a_handler_that_never_calls_back_answers_null(bench: Bench, build: Make) -> None:
    (outcome,) = bench.invoke(build(index_js="exports.handler = (event) => { }"))
    assert outcome.payload == b"null" and not outcome.error


def test_es_modules_may_wait_at_their_top(bench: Bench, build: Make) -> None:
    source = "const value = await Promise.resolve(7); export const handler = async () => value"
    (outcome,) = bench.invoke(build(index_mjs=source))
    assert outcome.payload == b"7"


def test_streams(bench: Bench, build: Make) -> None:
    source = """
    exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201 })
      stream.write('one')
      stream.write({ two: 2 })
      if (event.fail) throw new Error('midway')
      stream.end()
    })"""
    good, bad = bench.invoke(build(index_js=source), b"{}", b'{"fail": 1}')
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
def test_init_errors(bench: Bench, build: Make, handler: str, source: str, kind: str, message: str) -> None:
    (outcome,) = bench.invoke(build(handler, index_js=source))
    document = json.loads(outcome.payload)
    assert (document["errorType"], document["errorMessage"]) == (kind, message)
    assert outcome.error == "Unhandled" and outcome.dead
    assert f"Phase: init\tStatus: error\tError Type: {kind}\n" in bench.text
    assert f"Phase: invoke\tStatus: error\tError Type: {kind}\n" in bench.text


@calling_back
def test_what_nobody_catches_ends_the_environment(bench: Bench, build: Make) -> None:
    source = """
    exports.handler = async () => {
      setTimeout(() => { throw new Error('lost') }, 1)
      await new Promise(() => {})
    }"""
    (outcome,) = bench.invoke(build(index_js=source))
    assert json.loads(outcome.payload)["errorMessage"] == "lost" and outcome.dead
    assert "Uncaught Exception" in bench.text
    assert bench.text.endswith("Status: error\tError Type: Runtime.ExitError\t\n")


@awaiting
def test_only_what_is_returned_is_awaited(bench: Bench, build: Make) -> None:
    """A value is an answer too, and timers that still run are none of the invocation's."""
    source = """
    exports.handler = (event, context) => {
      setTimeout(() => console.log('late'), 200)
      const id = awslambda.InvokeStore.getRequestId()
      return [context.callbackWaitsForEmptyEventLoop, context.succeed, id, event.n + 1]
    }
    console.log('begun')"""
    (outcome,) = bench.invoke(build(index_js=source), b'{"n": 1}')
    assert json.loads(outcome.payload) == [None, None, "00000000-0000-4000-8000-000000000001", 2]
    assert b"late" not in outcome.tail and "\t-\tINFO\tbegun\n" in bench.text


@awaiting
@pytest.mark.parametrize("log_format", ["Text", "JSON"])
def test_handlers_that_call_back_are_refused(bench: Bench, build: Make, log_format: str) -> None:
    (outcome,) = bench.invoke(
        build(index_js="exports.handler = (event, context, done) => done()", log_format=log_format)
    )
    document = json.loads(outcome.payload)
    assert document["errorType"] == "Runtime.CallbackHandlerDeprecated" and outcome.dead
    wanted = (
        "ERROR: AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. You need"
    )
    assert document["errorMessage"].startswith(wanted)
    if log_format == "Text":
        assert "\t-\tERROR\tInit Error \t{" in bench.text
    else:
        said = [json.loads(line.text) for line in bench.lines if '"ERROR"' in line.text]
        assert said[0]["requestId"] == "-" and said[0]["message"]["errorMessage"].startswith(wanted)


@awaiting
@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        ("setTimeout(() => { throw new Error('lost') }, 1); await new Promise(() => {})", "Runtime.ExitError",
         "Runtime exited with error: exit status 1"),
        ("await new Promise(() => {})", "Runtime.ExitError", "Runtime exited without providing a reason"),
        ("const a = {}; a.a = a; return a", "Runtime.JSONStringifyError", "Unable to stringify response body"),
        ("throw 'a text'", "string", "a text"),
    ],
)  # fmt: skip
def test_ends_that_only_awaiting_knows(bench: Bench, build: Make, body: str, kind: str, message: str) -> None:
    (outcome,) = bench.invoke(build(index_js=f"exports.handler = async () => {{ {body} }}"))
    document = json.loads(outcome.payload)
    assert outcome.error == "Unhandled" and document["errorType"] == kind
    assert document["errorMessage"].endswith(message) and outcome.dead == (kind == "Runtime.ExitError")


@awaiting
@pytest.mark.parametrize(
    "files",
    [
        {"index_mjs": "export default { handler: async () => 'here' }"},
        {"index_js": "const here = await Promise.resolve('here'); export const handler = async () => here"},
    ],
)
def test_modules_are_of_the_kind_that_node_takes_them_for(bench: Bench, build: Make, files: dict[str, str]) -> None:
    """Without a package.json that says so."""
    (outcome,) = bench.invoke(build(**files))
    assert outcome.payload == b'"here"'
