"""Lambda functions as the commands use them: through the API of the running cloud."""

import base64
import json
import time
from typing import Any, NamedTuple
from urllib.parse import quote

from cumulo.cli import Refusal
from cumulo.cli.calls import Answer, Caller

FUNCTIONS = "/2015-03-31/functions"
LONGEST_S = 930.0  # a function may run for 15 minutes
WAIT_S = 60.0
POLL_S = 0.05


class Result(NamedTuple):
    """What an invocation came to. `error` is "" or "Unhandled"; `log` are its last 4 KB of log."""

    payload: bytes
    error: str
    log: str
    version: str


class Functions:
    """Calls of Lambda. All raise Refusal with the error's code and text."""

    def __init__(self, url: str) -> None:
        self._caller = Caller(url, "lambda")

    def invoke(self, name: str, payload: bytes, *, qualifier: str = "", event: bool = False) -> Result:
        """Run it with this JSON text, and wait for it, or with `event` leave it to the queue."""
        path = f"{FUNCTIONS}/{_named(name)}/invocations" + (f"?Qualifier={quote(qualifier)}" if qualifier else "")
        kind = {"x-amz-invocation-type": "Event"} if event else {"x-amz-log-type": "Tail"}
        answer = self._caller.request("POST", path, payload, kind, timeout_s=LONGEST_S)
        _check(answer, "Invoke")
        log = base64.b64decode(answer.headers.get("x-amz-log-result") or "").decode("utf-8", "replace")
        error = answer.headers.get("x-amz-function-error") or ""
        return Result(answer.body, error, log, answer.headers.get("x-amz-executed-version") or "")

    def find(self, name: str) -> dict[str, Any] | None:
        """Its configuration; None when there is no such function."""
        answer = self._caller.request("GET", f"{FUNCTIONS}/{_named(name)}/configuration")
        if answer.status == 404:
            return None
        _check(answer, "GetFunctionConfiguration")
        return dict(json.loads(answer.body))

    def create(self, name: str, runtime: str, role: str, handler: str, archive: bytes) -> None:
        """Make it, and wait until it is Active."""
        request = {
            "FunctionName": name, "Runtime": runtime, "Role": role, "Handler": handler,
            "Code": {"ZipFile": base64.b64encode(archive).decode()},
        }  # fmt: skip
        _check(self._caller.request("POST", FUNCTIONS, json.dumps(request).encode()), "CreateFunction")
        self._wait(name, "State", "Pending", "Active", "StateReason")

    def update(self, name: str, archive: bytes) -> None:
        """Give it other code, and wait until that is what runs."""
        request = {"ZipFile": base64.b64encode(archive).decode()}
        path = f"{FUNCTIONS}/{_named(name)}/code"
        _check(self._caller.request("PUT", path, json.dumps(request).encode()), "UpdateFunctionCode")
        self._wait(name, "LastUpdateStatus", "InProgress", "Successful", "LastUpdateStatusReason")

    def set_variable(self, name: str, variable: str, value: str) -> None:
        """Set one of its environment variables, "" for none, and wait until that is what runs."""
        there = (self.find(name) or {}).get("Environment", {}).get("Variables", {})
        wanted = {key: text for key, text in there.items() if key != variable} | ({variable: value} if value else {})
        if wanted == there:
            return
        path = f"{FUNCTIONS}/{_named(name)}/configuration"
        body = json.dumps({"Environment": {"Variables": wanted}}).encode()
        _check(self._caller.request("PUT", path, body), "UpdateFunctionConfiguration")
        self._wait(name, "LastUpdateStatus", "InProgress", "Successful", "LastUpdateStatusReason")

    def _wait(self, name: str, member: str, pending: str, wanted: str, reason: str) -> None:
        until = time.monotonic() + WAIT_S
        while True:
            found = self.find(name) or {}
            if found.get(member) == wanted:
                return
            if found.get(member) != pending or time.monotonic() > until:
                raise Refusal(f"{name} is {found.get(member)}: {found.get(reason, '')}")
            time.sleep(POLL_S)


def _named(name: str) -> str:
    return quote(name, safe="")


def _check(answer: Answer, operation: str) -> None:
    if answer.status < 300:
        return
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = {}
    code = (answer.headers.get("x-amzn-errortype") or str(answer.status)).partition(":")[0]
    raise Refusal(f"{operation}: {code}: {found.get('message') or found.get('Message') or ''}")
