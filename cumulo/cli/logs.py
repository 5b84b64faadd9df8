"""Show the log of a detached cloud, or the events of a log group of CloudWatch Logs.

    cumulo logs                                     the cloud's own log
    cumulo logs /aws/lambda/orders --since 10m      a group's events; a function's name will do
    cumulo logs orders --follow --filter ERROR      and go on as they come
    cumulo logs --groups                            which groups there are

Calls are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as root with test/test.
"""

import contextlib
import re
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cumulo.cli import Refusal, configuration, servers, terminal
from cumulo.cli.calls import Caller
from cumulo.cli.functions import Functions

LINES = 100
POLL_S = 0.5
SHIPPED, SHIPPED_WITHIN_S = "/_cumulo/lambda/logs", 10.0
LATE_MS = 120_000  # how much older than what was shown an event may be that comes later
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_COLOURS = ("blue", "green", "yellow", "bold")
_LEVELS = ((re.compile(r"\b(ERROR|FATAL|CRITICAL|Exception)\b"), "red"), (re.compile(r"\bWARN(ING)?\b"), "yellow"))
_PLATFORM = re.compile(r"(START|END|REPORT|INIT_START) ")  # Lambda's own lines
_OLDEST_MS = 1_704_067_200_000  # FilterLogEvents reads backwards from 2024 on


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo logs`."""
    configuration.add_arguments(parser)
    parser.add_argument("group", metavar="GROUP", nargs="?", help="a log group, or a function's name")
    parser.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    parser.add_argument("-n", "--lines", type=int, default=LINES, help=f"how many of the last lines (default {LINES})")
    parser.add_argument("--filter", metavar="PATTERN", default="", help="only events that this filter pattern chooses")
    parser.add_argument("--since", metavar="10m", default="", help="all events of this time (s, m, h, d, w)")
    parser.add_argument("--stream", metavar="PREFIX", default="", help="only streams whose names begin so")
    parser.add_argument("--groups", action="store_true", help="list the log groups")


def run(options: Any) -> int:
    """Print what there is, and with --follow what comes, until Ctrl-C."""
    settings = configuration.load(options)
    if options.group is None and not options.groups:
        return _own_log(settings, options)
    running = servers.required(settings, options)
    # What functions write is on its way for a moment, as on AWS: whoever has just seen one answer wants its lines.
    # A cloud of an older version does not know the path; what is there can be read all the same.
    with contextlib.suppress(OSError, ValueError):
        servers.get(running.host, running.port, SHIPPED, timeout_s=SHIPPED_WITHIN_S)
    caller = Caller(running.url, "logs", "Logs_20140328", "1.1")
    if options.groups:
        for group in _pages(caller, "DescribeLogGroups", {}, "logGroups"):
            print(group["logGroupName"])
        return 0
    reader = _Reader(caller, options)
    reader.show_past()
    while options.follow:
        time.sleep(POLL_S)
        reader.show_new()
    return 0


def _own_log(settings: Any, options: Any) -> int:
    file = servers.log_file(settings)
    if not file.exists():
        raise Refusal(f"there is no log at {file}", "a cloud writes one when started with `cumulo start --detach`")
    with file.open(encoding="utf-8", errors="replace") as log:
        for line in log.readlines()[-options.lines :] if options.lines > 0 else []:
            sys.stdout.write(line)
        log.seek(0, 2)
        while options.follow:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(0.2)
    return 0


def seconds_of(text: str) -> float:
    """How long "10m" is."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if found is None:
        raise Refusal(f"--since {text} is no time", "such as 30s, 10m, 2h, 1d", code=2)
    return float(found[1]) * _UNITS[found[2]]


def _pages(caller: Caller, operation: str, request: dict[str, Any], member: str) -> Iterator[Any]:
    while True:
        answer = caller.call(operation, request)
        yield from answer[member]
        if "nextToken" not in answer:
            return
        request = {**request, "nextToken": answer["nextToken"]}


class _Reader:
    """Reads a group's events in order, and remembers which were shown."""

    def __init__(self, caller: Caller, options: Any) -> None:
        self._caller = caller
        self._since_s = seconds_of(options.since) if options.since else None
        self._lines: int = options.lines
        self._shown: dict[str, int] = {}
        self._newest_ms = 0
        self._request: dict[str, Any] = {"logGroupName": self._group(options.group, wait=options.follow)}
        if options.filter:
            self._request["filterPattern"] = options.filter
        if options.stream:
            self._request["logStreamNamePrefix"] = options.stream

    def _group(self, name: str, *, wait: bool) -> str:
        """The group of this name, or that of the function; `wait`: until there is one."""
        group = self._found(name)
        if group:
            return group
        function = self._function(name)
        missing = f"there is no log group {name}, nor /aws/lambda/{name}"
        if function:
            missing = f"the function {name} has written nothing yet to {function['LoggingConfig']['LogGroup']}"
        if not wait:
            raise Refusal(missing, f"cumulo invoke {name} runs it" if function else "cumulo logs --groups lists them")
        terminal.note(f"{missing}: waiting for one")  # a function's comes with the first lines that it writes
        while not group:
            time.sleep(POLL_S)
            group = self._found(name)
        return group

    def _found(self, name: str) -> str:
        for each in self._names(name):
            code, _ = self._caller.send("DescribeLogStreams", {"logGroupName": each, "limit": 1})
            if not code:
                return each
            if code != "ResourceNotFoundException":
                self._caller.call("DescribeLogStreams", {"logGroupName": each, "limit": 1})
        return ""

    def _names(self, name: str) -> Iterator[str]:
        """What the group may be called: this, what the function writes to, what a deleted one wrote to."""
        yield name
        function = self._function(name)
        if function is not None:
            yield function["LoggingConfig"]["LogGroup"]
        yield f"/aws/lambda/{name}"

    def _function(self, name: str) -> dict[str, Any] | None:
        try:
            return Functions(self._caller.url).find(name)
        except Refusal:  # no function can have this name, or the caller may read logs and not see functions
            return None

    def show_past(self) -> None:
        """Print all since a time, or the last lines."""
        self._newest_ms = now_ms = int(time.time() * 1000)
        recent = {event["eventId"]: event["timestamp"] for event in self._recent()}
        if self._since_s is not None:
            start_ms = max(now_ms - int(self._since_s * 1000), 0)
            found = [*_pages(self._caller, "FilterLogEvents", {**self._request, "startTime": start_ms}, "events")]
        else:
            found = []
            backwards = {**self._request, "startTime": _OLDEST_MS, "startFromHead": False}
            for event in _pages(self._caller, "FilterLogEvents", backwards, "events") if self._lines > 0 else ():
                found.append(event)
                if len(found) == self._lines:
                    break
            found.reverse()
        self._show(found)
        self._shown.update(recent)  # what was not asked for is not new

    def show_new(self) -> None:
        """Print what came since."""
        start_ms = self._newest_ms - LATE_MS
        for identifier, at_ms in list(self._shown.items()):
            if at_ms < start_ms:
                del self._shown[identifier]
        self._show(self._recent())

    def _recent(self) -> list[dict[str, Any]]:
        request = {**self._request, "startTime": max(self._newest_ms - LATE_MS, 0)}
        return list(_pages(self._caller, "FilterLogEvents", request, "events"))

    def _show(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["eventId"] not in self._shown:
                self._shown[event["eventId"]] = event["timestamp"]
                self._newest_ms = max(self._newest_ms, event["timestamp"])
                print(line_of(event))
        sys.stdout.flush()


def line_of(event: dict[str, Any]) -> str:
    """An event as one line (or more): when, in which stream, what."""
    at = datetime.fromtimestamp(event["timestamp"] / 1000).astimezone()
    stream: str = event["logStreamName"]
    message: str = event["message"].rstrip("\n")
    if not terminal.coloured(sys.stdout):
        return f"{at.isoformat(timespec='milliseconds')} {stream} {message}"
    colour = _COLOURS[sum(stream.encode()) % len(_COLOURS)]
    short = stream.rpartition("]")[2][:8] or stream
    return " ".join(
        (
            terminal.style(f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}", "dim"),
            terminal.style(short, colour),
            _styled(message),
        )
    )


def _styled(message: str) -> str:
    if _PLATFORM.match(message):
        return terminal.style(message, "dim")
    for pattern, colour in _LEVELS:
        if pattern.search(message):
            return terminal.style(message, colour)
    return message
