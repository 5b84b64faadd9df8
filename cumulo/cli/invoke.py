"""Invoke a Lambda function: its answer on standard output, its log on standard error.

    cumulo invoke orders '{"id": 7}'        with this event
    cumulo invoke orders @event.json        with a file's; - reads standard input
    cumulo invoke orders --event '{}'       leave it to the queue, as S3 and SNS do

The exit code is 1 when the function fails. Calls are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as
root with test/test.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.advice import about
from cumulo.cli.functions import Functions, Result
from cumulo.cli.terminal import note, style

OWN_LINES = ("START ", "END ", "REPORT ", "INIT_START ", "INIT_REPORT ")
_GLUED = re.compile(r"(?<=[^\n])((?:END|REPORT) RequestId: |INIT_REPORT Init Duration: )")
"""AWS ends the text of an error without an end of line."""


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo invoke`."""
    configuration.add_arguments(parser)
    parser.add_argument("function", metavar="FUNCTION", help="a name or an ARN")
    parser.add_argument("payload", metavar="EVENT", nargs="?", default="{}", help="JSON, @file or - (default {})")
    parser.add_argument("--qualifier", metavar="V", default="", help="a version or an alias")
    parser.add_argument("--event", action="store_true", help="do not wait for it")
    parser.add_argument("--quiet", action="store_true", help="without the log")


def run(options: Any) -> int:
    """Invoke it once."""
    functions = Functions(servers.required(configuration.load(options), options).url)
    payload = event_of(options.payload)
    result = functions.invoke(options.function, payload, qualifier=options.qualifier, event=options.event)
    if options.event:
        print(style("queued", "green"))
        return 0
    if not options.quiet:
        show_log(result)
    return show_answer(result, trace=options.quiet)


def event_of(text: str) -> bytes:
    """The event that an argument means, or a Refusal when it is no JSON."""
    try:
        if text == "-":
            data = sys.stdin.buffer.read()
        elif text.startswith("@"):
            data = Path(text[1:]).read_bytes()
        else:
            data = text.encode()
        json.loads(data)
    except OSError as error:
        raise Refusal(f"{text[1:]}: {error.strerror}")
    except ValueError as error:
        raise Refusal(f"the event is no JSON: {error}", "such as '{\"id\": 7}', @event.json or -", code=2)
    return data


def show_log(result: Result) -> None:
    """The invocation's log, Lambda's own lines dimmed."""
    log = _GLUED.sub(r"\n\1", result.log)
    for line in log.splitlines():
        own = line.startswith(OWN_LINES)
        print(style(line, "dim", sys.stderr) if own else line, file=sys.stderr)


def show_answer(result: Result, *, trace: bool = False) -> int:
    """The answer, in lines where it is JSON; the exit code. `trace`: with the stack of an error, which logs have."""
    try:
        document = json.loads(result.payload)
    except ValueError:
        sys.stdout.buffer.write(result.payload)
        return 1 if result.error else 0
    if not result.error:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    failed = document if isinstance(document, dict) else {}
    kind, message = str(failed.get("errorType", result.error)), str(failed.get("errorMessage", ""))
    print(style(f"{kind}: {message}", "red", sys.stderr), file=sys.stderr)
    for line in (failed.get("stackTrace") or failed.get("trace") or ()) if trace else ():
        print(f"  {str(line).rstrip()}", file=sys.stderr)
    advice = about(kind, message)
    if advice:
        note(advice)
    return 1
