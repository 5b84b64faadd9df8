"""Invoke a Lambda function: its answer on standard output, its log on standard error.

    cumulo invoke orders '{"id": 7}'        with this event
    cumulo invoke orders @event.json        with a file's; - reads standard input
    cumulo invoke orders --event '{}'       leave it to the queue, as S3 and SNS do

The exit code is 1 when the function fails. Calls are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as
root with test/test.
"""

import json
import sys
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.functions import Functions, Result
from cumulo.cli.terminal import style


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
    functions = Functions(servers.required(configuration.load(options)).url)
    payload = event_of(options.payload)
    result = functions.invoke(options.function, payload, qualifier=options.qualifier, event=options.event)
    if options.event:
        print(style("queued", "green"))
        return 0
    if not options.quiet:
        show_log(result)
    return show_answer(result)


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
    for line in result.log.splitlines():
        own = line.startswith(("START ", "END ", "REPORT ", "INIT_START "))
        print(style(line, "dim", sys.stderr) if own else line, file=sys.stderr)


def show_answer(result: Result) -> int:
    """The answer, in lines where it is JSON; the exit code."""
    try:
        document = json.loads(result.payload)
    except ValueError:
        sys.stdout.buffer.write(result.payload)
        return 0
    if not result.error:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    failed = document if isinstance(document, dict) else {}
    print(
        style(f"{failed.get('errorType', result.error)}: {failed.get('errorMessage', '')}", "red", sys.stderr),
        file=sys.stderr,
    )
    for line in failed.get("stackTrace") or failed.get("trace") or ():
        print(f"  {str(line).rstrip()}", file=sys.stderr)
    return 1
