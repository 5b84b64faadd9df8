"""Run a Lambda function from a folder: with every change of a file there, the function is what the folder holds.

    cumulo live orders ./src                                    a function that is there
    cumulo live orders ./src --handler app.handler              made when it is not, with a role of its own
    cumulo live orders ./src --event '{"id": 7}'                invoked after every change
    cumulo live orders ./src --debug                            a debugger attaches: see docs/lambda.md

The log of its invocations, whoever makes them, is shown as it comes. Ctrl-C ends it; the function stays.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cumulo.cli import Refusal, configuration, debugging, folders, handlers, invoke, servers, terminal
from cumulo.cli.calls import Caller
from cumulo.cli.functions import Functions

LOOK_S = 0.3  # between two looks at the folder
ROLE = "cumulo-live"
VARIABLE = "CUMULO_DEBUG"
PYTHON_PORT = 5678
PORTS = {"nodejs": 9229, "java": 5005}  # where debuggers of other runtimes attach by custom
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_LOGGING = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_IAM_VERSION = "2010-05-08"


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo live`."""
    configuration.add_arguments(parser)
    parser.add_argument("function", metavar="FUNCTION", help="its name")
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="what the function's archive holds")
    parser.add_argument("--handler", metavar="H", default="", help="make the function if there is none: app.handler")
    parser.add_argument("--runtime", metavar="R", default="", help="of a new one (default: by the handler's file)")
    parser.add_argument("--role", metavar="ARN", default="", help=f"of a new one (default: {ROLE}, which may log)")
    parser.add_argument("--event", metavar="EVENT", default="", help="invoke it with this JSON (or @file) each time")
    parser.add_argument("--debug", action="store_true", help="every environment waits for a debugger; no timeouts")
    parser.add_argument(
        "--debug-port", metavar="P", type=int, default=0, help="where it attaches (5678; Node.js 9229, Java 5005)"
    )
    parser.add_argument("--once", action="store_true", help="bring it up to date (and invoke it), then end")


def run(options: Any) -> int:
    """Update, invoke, follow; until Ctrl-C."""
    if not options.folder.is_dir():
        raise Refusal(f"{options.folder} is no folder", code=2)
    event = invoke.event_of(options.event) if options.event else None
    settings = configuration.load(options)
    live = _Live(servers.required(settings, options).url, options, event, settings.runtimes)
    try:
        code = live.bring()
        if options.once:
            return code
        terminal.note(f"watching {options.folder}; Ctrl-C ends it")
        live.follow()
    finally:
        live.end()
    return 0


class _Live:
    def __init__(self, url: str, options: Any, event: bytes | None, stand_ins: dict[str, str]) -> None:
        self._url = url
        self._name: str = options.function
        self._folder: Path = options.folder
        self._options = options
        self._event = event
        self._stand_ins = stand_ins
        self._functions = Functions(url)
        self._files: folders.Seen = {}
        self._attaching: debugging.Attaching | None = None

    def bring(self) -> int:
        """Make the function what the folder is, and invoke it if that is wanted; the invocation's exit code."""
        self._files = folders.seen(self._folder)
        if not self._files:
            raise Refusal(f"{self._folder} is empty")
        archive = folders.packed(self._folder, self._files)
        began = time.perf_counter()
        if self._functions.find(self._name) is None:
            self._make(archive)
            done = "made"
        else:
            self._functions.update(self._name, archive)
            done = "updated"
        took_ms = (time.perf_counter() - began) * 1000
        count = len(self._files)
        size = f"{count} file{'s'[: count != 1]}, {len(archive) / 1000:.1f} kB"
        named = f"{terminal.style(self._name, 'bold')} {terminal.style(done, 'green')}"
        print(f"{named} in {took_ms:.0f} ms ({size})", flush=True)
        if self._options.debug and self._attaching is None:
            self._debug()
        if self._event is None:
            return 0
        result = self._functions.invoke(self._name, self._event)
        invoke.show_log(result)
        code = invoke.show_answer(result)
        sys.stdout.flush()
        return code

    def _debug(self) -> None:
        """Make the function wait for a debugger, and a port where one attaches."""
        self._functions.set_variable(self._name, VARIABLE, "1")
        found = self._functions.find(self._name) or {}
        _, _, _, region, account, _, name, *_ = found["FunctionArn"].split(":")
        runtime = found.get("Runtime", "")
        usual = next((port for family, port in PORTS.items() if runtime.startswith(family)), PYTHON_PORT)
        port = self._options.debug_port or usual
        brought = any(path.startswith("debugpy/") for path in self._files)
        if runtime.startswith("python") and not brought and find_spec("debugpy") is None:
            terminal.complain("there is no debugpy, unless a layer brings it", "pip install 'cumulo[debug]'")
        self._attaching = debugging.Attaching(self._url, account, region, name, port)
        terminal.note(f"a debugger attaches at localhost:{port}; the function waits for it")

    def end(self) -> None:
        """The function waits for no debugger any more."""
        if self._attaching is not None:
            self._attaching.close()
            self._functions.set_variable(self._name, VARIABLE, "")

    def _make(self, archive: bytes) -> None:
        handler = self._options.handler
        if not handler:
            likely = handlers.likely(self._folder, self._files) or "app.handler"
            raise Refusal(f"there is no function {self._name}", f"--handler {likely} makes it", code=2)
        runtime = self._options.runtime or handlers.runtime(handler, self._files, self._runtimes_here())
        role = self._options.role or _role(self._url)
        self._functions.create(self._name, runtime, role, handler, archive)

    def _runtimes_here(self) -> Iterator[str]:
        """Asked for only when the handler is not Python's: to look for all takes a while."""
        from cumulo.engines.environments import runtimes

        runtimes.configure(self._stand_ins)
        yield from (each.identifier for each in runtimes.here())

    def follow(self) -> None:
        """Look for changes, and show the log as it comes."""
        reader = None if self._event is not None else _Log(self._url, self._name)
        while True:
            time.sleep(LOOK_S)
            found = folders.seen(self._folder)
            if found != self._files:
                time.sleep(LOOK_S / 3)  # an editor writes in several steps
                try:
                    self.bring()
                except Refusal as refusal:  # the next change may mend it
                    self._files = folders.seen(self._folder)
                    terminal.complain(refusal.message, refusal.fix)
            if reader is not None:
                reader.show()


class _Log:
    """The log of a function's invocations from now on."""

    def __init__(self, url: str, name: str) -> None:
        self._caller = Caller(url, "logs", "Logs_20140328", "1.1")
        self._since_ms = int(time.time() * 1000)
        self._shown: set[str] = set()
        self._group = f"/aws/lambda/{name}"

    def show(self) -> None:
        """Print what came since the last look."""
        from cumulo.cli.logs import line_of

        request = {"logGroupName": self._group, "startTime": self._since_ms}
        code, answer = self._caller.send("FilterLogEvents", request)
        for event in [] if code else answer["events"]:
            if event["eventId"] not in self._shown:
                self._shown.add(event["eventId"])
                print(line_of(event))
        sys.stdout.flush()


def _role(url: str) -> str:
    """The ARN of the role of functions that this command makes, made if it is not there."""
    made = _iam(url, "CreateRole", RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
    if made.startswith("EntityAlreadyExists"):
        made = _iam(url, "GetRole", RoleName=ROLE)
    found = re.search(r"<Arn>([^<]+)</Arn>", made)
    if found is None:
        raise Refusal(f"the role {ROLE} cannot be made: {made}", "name one with --role")
    _iam(url, "AttachRolePolicy", RoleName=ROLE, PolicyArn=_LOGGING)
    return found[1]


def _iam(url: str, action: str, **members: str) -> str:
    """IAM's answer as it is, or "Code: text" of its refusal."""
    body = urlencode({"Action": action, "Version": _IAM_VERSION, **members}).encode()
    answer = Caller(url, "iam").request("POST", "/", body, {"content-type": "application/x-www-form-urlencoded"})
    text = answer.body.decode("utf-8", "replace")
    if answer.status < 300:
        return text
    code, message = (re.search(f"<{name}>([^<]*)</{name}>", text) for name in ("Code", "Message"))
    return f"{code[1] if code else answer.status}: {message[1] if message else ''}"
