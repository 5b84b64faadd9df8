"""A function's life against a simple model of it: any order of calls, and some of them at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import RUNTIME, make_role, zip_of
from tests.services.compute.lambda_.simulation import Environments

NAME = "greeter"
CONFLICT, MISSING = "ResourceConflictException", "ResourceNotFoundException"
codes = st.integers(0, 2)
timeouts = st.integers(3, 5)
numbers = st.integers(1, 4)
names = st.sampled_from(["live", "next"])
Step = tuple[str, int]
Running = tuple[int, int]  # what it answers, and its time-out in seconds


def code_of(answer: int) -> bytes:
    """A function that always answers this."""
    return zip_of({"index.py": f"def handler(event, context):\n    return {answer}\n"})


class Life(RuleBasedStateMachine):
    """What $LATEST and the versions are, and which of them the aliases name."""

    cloud: Account
    role: str

    def __init__(self) -> None:
        super().__init__()
        self.client = self.cloud.client("lambda")
        self.latest: Running | None = None
        self.versions: dict[int, Running] = {}
        self.following = 1
        self.aliases: dict[str, int] = {}

    def teardown(self) -> None:
        if self.latest is not None:
            self.client.delete_function(FunctionName=NAME)
        self.cloud.settle()

    def done(self, operation: str, refused: str = "", **request: Any) -> Any:
        """The answer of a call, which must be refused with this code if one is given."""
        try:
            answer = getattr(self.client, operation)(FunctionName=NAME, **request)
        except ClientError as error:
            assert error.response["Error"]["Code"] == refused
            return None
        finally:
            self.cloud.settle()
        assert not refused
        return answer

    def called(self, qualifier: str = "$LATEST") -> tuple[int, str]:
        """What a function answers, and which version of it did."""
        answer = self.client.invoke(FunctionName=NAME, Qualifier=qualifier)
        assert "FunctionError" not in answer
        return json.loads(answer["Payload"].read()), answer["ExecutedVersion"]

    @property
    def missing(self) -> str:
        """How everything is refused while there is no function."""
        return MISSING if self.latest is None else ""

    @rule(code=codes)
    def create(self, code: int) -> None:
        request = {"Runtime": RUNTIME, "Role": self.role, "Handler": "index.handler"}
        self.done("create_function", CONFLICT if self.latest else "", Code={"ZipFile": code_of(code)}, **request)
        if self.latest is None:
            self.latest, self.versions, self.aliases, self.following = (code, 3), {}, {}, 1

    @rule(code=codes)
    def change_code(self, code: int) -> None:
        self.done("update_function_code", self.missing, ZipFile=code_of(code))
        if self.latest is not None:
            self.latest = code, self.latest[1]

    @rule(timeout=timeouts)
    def change_timeout(self, timeout: int) -> None:
        self.done("update_function_configuration", self.missing, Timeout=timeout)
        if self.latest is not None:
            self.latest = self.latest[0], timeout

    @rule()
    def publish(self) -> None:
        answer = self.done("publish_version", self.missing)
        if self.latest is None:
            return
        if self.versions.get(self.following - 1) != self.latest:  # else the newest is what $LATEST is
            self.versions[self.following] = self.latest
            self.following += 1
        assert answer["Version"] == str(self.following - 1)

    @rule(name=names, number=numbers)
    def point(self, name: str, number: int) -> None:
        operation = "update_alias" if name in self.aliases else "create_alias"
        there = number in self.versions
        self.done(operation, "" if there else MISSING, Name=name, FunctionVersion=str(number))
        if there:
            self.aliases[name] = number

    @rule(number=numbers)
    def delete_version(self, number: int) -> None:
        refused = self.missing or (CONFLICT if number in self.aliases.values() else "")
        self.done("delete_function", refused, Qualifier=str(number))
        if not refused:
            self.versions.pop(number, None)

    @rule(name=names)
    def delete_alias(self, name: str) -> None:
        self.done("delete_alias", self.missing, Name=name)
        self.aliases.pop(name, None)

    @rule()
    def delete(self) -> None:
        self.done("delete_function", self.missing)
        self.latest, self.versions, self.aliases = None, {}, {}

    @precondition(lambda self: self.latest is not None)
    @rule(
        steps=st.lists(
            st.tuples(st.sampled_from(["code", "timeout", "publish", "call", "call", "delete"]), st.integers(3, 5)),
            min_size=2,
            max_size=5,
        )
    )
    def at_once(self, steps: list[Step]) -> None:
        """Whatever comes of it is what some order of these calls would have come to, and each version is frozen."""
        assert self.latest is not None
        with ThreadPoolExecutor(len(steps)) as pool:
            outcomes = list(pool.map(self._step, steps))
        self.cloud.settle()
        ended = any(kind == "delete" for kind, _ in steps)
        assert all(outcome in ("", CONFLICT) or (ended and outcome == MISSING) for outcome in outcomes)
        if ended:
            assert "delete" in [kind for outcome, (kind, _) in zip(outcomes, steps, strict=True) if not outcome]
            self.latest, self.versions, self.aliases = None, {}, {}
            return
        done = [step for outcome, step in zip(outcomes, steps, strict=True) if not outcome]
        made = {kind: {value for each, value in done if each == kind} for kind in ("code", "timeout")}
        found = self.client.get_function_configuration(FunctionName=NAME)
        self.latest = self.called()[0], found["Timeout"]
        assert found["LastUpdateStatus"] == "Successful"
        for value, wanted in zip(self.latest, (made["code"], made["timeout"]), strict=True):
            assert not wanted or value in wanted
        for each in self.client.list_versions_by_function(FunctionName=NAME)["Versions"][1:]:
            number = int(each["Version"])
            if number not in self.versions:
                assert number == self.following
                self.versions[number] = self.called(str(number))[0], each["Timeout"]
                self.following += 1

    def _step(self, step: Step) -> str:
        kind, value = step
        try:
            if kind == "code":
                self.client.update_function_code(FunctionName=NAME, ZipFile=code_of(value))
            elif kind == "timeout":
                self.client.update_function_configuration(FunctionName=NAME, Timeout=value)
            elif kind == "publish":
                self.client.publish_version(FunctionName=NAME)
            elif kind == "delete":
                self.client.delete_function(FunctionName=NAME)
            else:
                self.called()
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    @invariant()
    def all_is_as_the_model_has_it(self) -> None:
        listed = self.client.list_functions()["Functions"]
        assert [each["FunctionName"] for each in listed] == ([NAME] if self.latest is not None else [])
        if self.latest is None:
            return
        shown = self.client.list_versions_by_function(FunctionName=NAME)["Versions"]
        kept = {"$LATEST": self.latest, **{str(number): each for number, each in sorted(self.versions.items())}}
        assert {each["Version"]: each["Timeout"] for each in shown} == {key: each[1] for key, each in kept.items()}
        aliases = self.client.list_aliases(FunctionName=NAME)["Aliases"]
        assert {each["Name"]: int(each["FunctionVersion"]) for each in aliases} == self.aliases
        for key, each in kept.items():
            assert self.called(key) == (each[0], key)
        for name, number in self.aliases.items():
            assert self.called(name) == (self.versions[number][0], str(number))


@pytest.mark.timeout(60)
def test_any_history(cloud: Account, simulated: Environments) -> None:
    def life() -> Life:
        return type("LifeHere", (Life,), {"cloud": cloud, "role": role})()

    role = make_role(cloud)
    run_state_machine_as_test(life, settings=settings(max_examples=4, stateful_step_count=12, deadline=None))
