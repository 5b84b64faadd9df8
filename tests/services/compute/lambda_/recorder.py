"""Functions whose code is a test's own: what they are called with, and what they say to it."""

import json
import queue
from collections.abc import Callable
from typing import Any

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import zip_of

CODE = (
    "from tests.services.compute.lambda_.recorder import called\n"
    "def handler(event, context):\n    return called(event, context)\n"
)
_FUNCTIONS: dict[str, "Recorder"] = {}


def called(event: Any, context: Any) -> Any:
    """Where the code of these functions leads; versions and aliases lead to the same."""
    recorder = _FUNCTIONS[":".join(context.invoked_function_arn.split(":")[:7])]
    recorder.contexts.append(context)
    recorder.events.put(event)
    return recorder.answer(event)


class Recorder:
    """One function. `answer` is what it says to an event, or raises."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.events: queue.Queue[Any] = queue.Queue()
        self.contexts: list[Any] = []
        self.answer: Callable[[Any], Any] = lambda event: None
        _FUNCTIONS[arn] = self

    def next(self, timeout_s: float = 20) -> Any:
        """The next event that the function is called with."""
        return self.events.get(timeout=timeout_s)

    def records(self, count: int) -> list[Any]:
        """The records of the next events, until there are so many."""
        found: list[Any] = []
        while len(found) < count:
            found += self.next()["Records"]
        return found

    def bodies(self, count: int) -> list[str]:
        """The bodies of so many messages, sorted."""
        return sorted(record["body"] for record in self.records(count))

    @property
    def quiet(self) -> bool:
        """Whether nothing is left that the test has not seen."""
        return self.events.empty()


def record(create: Callable[..., dict[str, Any]], name: str = "greeter", **options: Any) -> Recorder:
    """A new function of this kind."""
    made = create(name, Code={"ZipFile": zip_of({"index.py": CODE})}, **options)
    return Recorder(made["FunctionArn"])


def allow(cloud: Account, role: str, *actions: str) -> None:
    """Let a role do these things to anything."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
    name = actions[0].replace(":", "-").replace("*", "all")
    cloud.client("iam").put_role_policy(
        RoleName=role.rpartition("/")[2], PolicyName=name, PolicyDocument=json.dumps(document)
    )
