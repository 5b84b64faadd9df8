"""Functions in Ruby: handlers, errors, logs, gems. Any Ruby that is here stands in for Lambda's."""

import json
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from cumulo.engines.environments import runtimes
from cumulo.engines.environments.builds import Build, Outcome
from tests.engines.environments.conftest import Bench

RUBY = shutil.which("ruby")
pytestmark = pytest.mark.skipif(RUBY is None, reason="needs Ruby")


@pytest.fixture(autouse=True)
def stand_in() -> Iterator[None]:
    runtimes.configure({"ruby3.2": str(RUBY)})
    yield
    runtimes.configure({})


def build(bench: Bench, source: str, handler: str = "index.handler", **changes: Any) -> Build:
    code = bench.code(**{"index.rb": source, **changes.pop("files", {})})
    return bench.build(code=code, runtime="ruby3.2", handler=handler, **changes)


CONTEXT = """
def handler(event:, context:)
  { event: event, id: context.aws_request_id, name: context.function_name, version: context.function_version,
    memory: context.memory_limit_in_mb, arn: context.invoked_function_arn, group: context.log_group_name,
    stream: context.log_stream_name, left: context.get_remaining_time_in_millis > 1000, identity: context.identity,
    client: context.client_context, trace: ENV['_X_AMZN_TRACE_ID'], directory: Dir.pwd }
end
"""


def test_event_and_context(bench: Bench) -> None:
    made = build(bench, CONTEXT, log_group="/aws/lambda/f")

    async def main(homes: Any) -> Outcome:
        environment = await bench.start(homes, made)
        invocation = bench.invocation(
            '{"ä": [1, null]}'.encode(), invoked_arn="arn:f:live", trace_id="Root=1-2", identity='{"id": "me"}',
            client_context='{"custom": {"a": "ü"}}',
        )  # fmt: skip
        return await environment.invoke(invocation)  # type: ignore[no-any-return]

    assert json.loads(bench.run(main).payload) == {
        "event": {"ä": [1, None]}, "id": "00000000-0000-4000-8000-000000000001", "name": "f", "version": "$LATEST",
        "memory": "128", "arn": "arn:f:live", "group": "/aws/lambda/f", "stream": "2026/01/01/[$LATEST]abc",
        "left": True, "identity": {"id": "me"}, "client": {"custom": {"a": "ü"}}, "trace": "Root=1-2",
        "directory": "/var/task",
    }  # fmt: skip
    assert "INIT_START Runtime Version: ruby:3.2.v1 (in its place: ruby " in bench.text


def test_methods_of_modules(bench: Bench) -> None:
    source = (
        "module Shop\n  class Orders\n    def self.process(event:, context:)\n      event['n'] + 1\n    end\n  end\nend"
    )
    (outcome,) = bench.invoke(build(bench, source, "index.Shop::Orders.process"), b'{"n": 1}')
    assert outcome.payload == b"2"


def test_answers(bench: Bench) -> None:
    source = """
    require 'stringio'
    def handler(event:, context:)
      case event
      when 'none' then nil
      when 'bytes' then StringIO.new("\\xff\\x00")
      else 'text ä'
      end
    end"""
    none, some, text = bench.invoke(build(bench, source), b'"none"', b'"bytes"', b'"text"')
    assert none.payload == b"null" and text.payload == '"text ä"'.encode()
    assert (some.payload, some.content_type) == (b"\xff\x00", "application/unknown")


def test_errors(bench: Bench) -> None:
    source = """
    class Broken < StandardError; end
    def inner(event)
      raise event == 'own' ? Broken : ArgumentError, 'not nöw'
    end
    def handler(event:, context:)
      inner(event)
    end"""
    known, own = bench.invoke(build(bench, source), b'"known"', b'"own"')
    document = json.loads(known.payload)
    assert (document["errorMessage"], document["errorType"]) == ("not nöw", "Function<ArgumentError>")
    assert [line.partition(":in ")[0] for line in document["stackTrace"]] == [
        "/var/task/index.rb:4",
        "/var/task/index.rb:7",
    ]
    assert (known.error, known.error_type, known.dead) == ("Unhandled", "Function<ArgumentError>", False)
    assert json.loads(own.payload)["errorType"] == "Function<Broken>"
    assert own.error_type == "Function<UserException>"
    assert "Error raised from handler method\n" in bench.text
    assert '"errorType": "Function<Broken>"' in bench.text


@pytest.mark.parametrize(
    ("body", "kind"),
    [("missing(event)", "NoMethodError"), ("MISSING", "NameError"), ("exit 3", "SystemExit"),
     ("handler(event: event, context: context)", "SystemStackError")],
)  # fmt: skip
def test_errors_that_end_the_environment(bench: Bench, body: str, kind: str) -> None:
    (outcome,) = bench.invoke(build(bench, f"def handler(event:, context:)\n  {body}\nend"))
    assert json.loads(outcome.payload)["errorType"] == f"Function<{kind}>"
    assert outcome.dead and "Critical exception from handler\n" in bench.text
    assert "Runtime exited with error: exit status 255" in bench.text


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [("require 'nothing/there'", "index.handler", "LoadError", "cannot load such file -- nothing/there"),
     ("def handler(", "index.handler", "SyntaxError", "/var/task/index.rb"),
     ("raise IOError, 'at once'", "index.handler", "IOError", "at once"),
     ("", "missing.handler", "LoadError", "cannot load such file -- missing"),
     ("", "index", "ArgumentError", 'Invalid handler ["index"], must be of form FILENAME.METHOD')],
)  # fmt: skip
def test_inits_that_fail(bench: Bench, source: str, handler: str, kind: str, message: str) -> None:
    (outcome,) = bench.invoke(build(bench, source, handler))
    document = json.loads(outcome.payload)
    assert document["errorType"] == f"Init<{kind}>" and message in document["errorMessage"]
    assert outcome.dead and f"Init error when loading handler {handler}\n" in bench.text
    assert not [line for line in document["stackTrace"] if "bootstrap" in line]


def test_text_logs(bench: Bench) -> None:
    source = """
    require 'logger'
    LOGGER = Logger.new($stdout)
    def handler(event:, context:)
      puts 'one', ['two']
      print "three\\n"
      $stderr.puts 'four'
      LOGGER.info('five')
      Logger.new('/tmp/own').info('into a file')
    end"""
    (outcome,) = bench.invoke(build(bench, source))
    assert outcome.payload == b"true"
    lines = [line.text for line in bench.lines]
    assert "one\ntwo\n" in lines and "three\n" in lines and "four\n" in lines
    (logged,) = [line for line in lines if "five" in line]
    assert logged.startswith("I, [") and logged.endswith("INFO 00000000-0000-4000-8000-000000000001 -- : five\n")
    assert "into a file" not in bench.text


def test_json_logs(bench: Bench) -> None:
    source = """
    require 'logger'
    def handler(event:, context:)
      logger = Logger.new(nil, progname: 'shop')
      logger.debug('quiet')
      logger.warn('loud')
      raise 'bad'
    rescue => e
      logger.error(e)
    end"""
    bench.invoke(build(bench, source, log_format="JSON", application_level="INFO", system_level="WARN"))
    assert "quiet" not in bench.text
    warned, failed = [json.loads(line.text) for line in bench.lines if '"logger"' in line.text]
    assert (warned["level"], warned["message"], warned["logger"]) == ("WARN", "loud", "shop")
    assert warned["requestId"] == "00000000-0000-4000-8000-000000000001"
    assert (failed["errorType"], failed["errorMessage"]) == ("RuntimeError", "bad")
    assert failed["location"] == "/var/task/index.rb:handler:7"


def test_gems_of_the_code_and_of_layers(bench: Bench) -> None:
    """Bundled gems, a gem of a layer, and files that a layer puts on the load path."""
    specification = "Gem::Specification.new { |s| s.name = '%s'; s.version = '1'; s.summary = s.author = 'x' }"
    files = {}
    for name, root in (("bundled", "vendor/bundle/ruby/3.2.0"), ("layered", "ruby/gems/3.2.0")):
        files[name] = {
            f"{root}/gems/{name}-1/lib/{name}.rb": f"{name.upper()} = '{name}'",
            f"{root}/specifications/{name}-1.gemspec": specification % name,
        }
    layer = bench.code(**files["layered"], **{"ruby/lib/loose.rb": "LOOSE = 'loose'"})
    source = """
    require 'bundled'
    require 'layered'
    require 'loose'
    def handler(event:, context:)
      BUNDLED + LAYERED + LOOSE
    end"""
    (outcome,) = bench.invoke(build(bench, source, files=files["bundled"], layers=(layer,)))
    assert outcome.payload == b'"bundledlayeredloose"', outcome.payload


def test_a_marshaller_of_its_own(bench: Bench) -> None:
    source = """
    module AwsLambda
      class Marshaller
        def self.marshall_request(raw)
          raw.body.upcase
        end
        def self.marshall_response(answer)
          [answer, 'text/plain']
        end
      end
    end
    def handler(event:, context:)
      event
    end"""
    (outcome,) = bench.invoke(build(bench, source), b'"abc"')
    assert (outcome.payload, outcome.content_type) == (b'"ABC"', "text/plain")


def test_the_ends_of_a_process(bench: Bench) -> None:
    (outcome,) = bench.invoke(build(bench, "def handler(event:, context:)\n  sleep\nend", timeout_s=1.0))
    assert outcome.timed_out and outcome.dead
    (outcome,) = bench.invoke(build(bench, "def handler(event:, context:)\n  exit!(7)\nend"))
    assert json.loads(outcome.payload)["errorType"] == "Runtime.ExitError"
    assert "exit status 7" in json.loads(outcome.payload)["errorMessage"]


def test_a_program_that_is_no_ruby() -> None:
    runtimes.configure({"ruby3.3": "/nowhere/ruby"})
    text = "the setting runtimes names /nowhere/ruby for ruby3.3, which does not tell its version"
    with pytest.raises(runtimes.RuntimeMissing, match=text.replace(".", "[.]")):
        runtimes.find("ruby3.3")
