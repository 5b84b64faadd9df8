"""SnapStart: one init, many environments that begin as its forks."""

import asyncio
import json
import time

import pytest

from cumulo.engines.environments.builds import SNAP_START, Build, Outcome
from cumulo.engines.environments.environments import Environments
from tests.engines.environments.conftest import Bench

SOURCE = """
import os, random, socket, uuid
import snapshot_restore_py
print("initialised")
NUMBER = uuid.uuid4().hex
EVENTS = []
opened = open(__file__)
@snapshot_restore_py.register_before_snapshot
def first():
    EVENTS.append("before, registered first")
@snapshot_restore_py.register_before_snapshot
def second():
    EVENTS.append("before, registered second")
snapshot_restore_py.register_after_restore(EVENTS.append, "after, registered first")
snapshot_restore_py.register_after_restore(EVENTS.append, "after, registered second")
def handler(event, context):
    files = os.listdir("/tmp")
    open("/tmp/mine", "w").close()
    return {"number": NUMBER, "random": random.random(), "events": EVENTS, "tmp": files, "line": opened.readline(),
            "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "secret": os.environ["KEY"]}
"""


def test_environments_begin_as_forks_of_one_init(bench: Bench) -> None:
    def build(secret: str) -> Build:
        return bench.build(code=code, key="snap1", snap_start=True, init_type=SNAP_START, variables={"KEY": secret})

    code = bench.code(index=SOURCE)

    async def main(homes: Environments) -> list[Outcome]:
        first = await bench.start(homes, build("one"))
        second, third = await asyncio.gather(bench.start(homes, build("two")), bench.start(homes, build("three")))
        return [await each.invoke(bench.invocation()) for each in (first, second, third, first)]

    outcomes = bench.run(main)
    answers = [json.loads(outcome.payload) for outcome in outcomes]
    if not any("RESTORE_START" in line.text for line in bench.lines):
        pytest.skip("no snapshots without namespaces")
    assert bench.text.count("initialised\n") == 1 and bench.text.count("RESTORE_START Runtime Version: ") == 3
    assert len({answer["number"] for answer in answers}) == 1
    assert len({answer["random"] for answer in answers}) == 4
    assert answers[0]["events"] == [
        "before, registered second", "before, registered first", "after, registered first", "after, registered second",
    ]  # fmt: skip
    assert [answer["tmp"] for answer in answers] == [[], [], [], ["mine"]]
    assert [answer["secret"] for answer in answers] == ["one", "two", "three", "one"]
    assert answers[0]["line"] == "\n" and answers[0]["type"] == "snap-start"
    assert outcomes[0].restore_ms is not None and outcomes[0].init_ms is None and outcomes[3].restore_ms is None
    assert "\tRestore Duration: " in bench.text and "\tBilled Restore Duration: " in bench.text


@pytest.mark.parametrize(
    ("hook", "kind"),
    [("register_before_snapshot", "ValueError"), ("register_after_restore", "ValueError")],
)
def test_hooks_that_fail(bench: Bench, hook: str, kind: str) -> None:
    source = f"""
import snapshot_restore_py
@snapshot_restore_py.{hook}
def fail():
    raise ValueError("no")
def handler(event, context): pass
"""
    (outcome,) = bench.invoke(bench.build(source, key=hook, snap_start=True, init_type=SNAP_START))
    assert json.loads(outcome.payload)["errorType"] == kind and outcome.dead


def test_threads_are_not_copied_so_every_environment_has_its_own_init(bench: Bench) -> None:
    source = """
import threading, time
threading.Thread(target=time.sleep, args=(99,), daemon=True).start()
print("initialised")
def handler(event, context):
    return threading.active_count()
"""
    (outcome,) = bench.invoke(bench.build(source, key="threads", snap_start=True, init_type=SNAP_START))
    assert outcome.payload == b"2" and outcome.restore_ms is None and "RESTORE_START" not in bench.text


def test_the_snapshot_of_an_init_that_fails(bench: Bench) -> None:
    (outcome,) = bench.invoke(bench.build("1 / 0\n", key="zero", snap_start=True, init_type=SNAP_START))
    assert json.loads(outcome.payload)["errorType"] == "ZeroDivisionError" and outcome.dead


CREDENTIALS = """
import os, boto3
HELD = boto3.Session().get_credentials()
HELD.get_frozen_credentials()  # as a client does that is made here
def handler(event, context):
    import urllib.error, urllib.request
    try:
        urllib.request.urlopen(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    except urllib.error.HTTPError as error:
        refused = error.code
    return [HELD.get_frozen_credentials().access_key, "AWS_ACCESS_KEY_ID" in os.environ, refused]
"""


def test_a_copy_gets_its_own_credentials_before_those_of_its_init_end(bench: Bench) -> None:
    """boto3 asks anew for what ends within ten minutes."""
    code = bench.code(index=CREDENTIALS)

    def build(key: str) -> Build:
        keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
        end = time.time() + 300
        return bench.build(
            code=code, key="keys", snap_start=True, init_type=SNAP_START, variables=keys, credentials_end_at=end
        )

    async def main(homes: Environments) -> list[Outcome]:
        made = [await bench.start(homes, build(key)) for key in ("one", "two")]
        return [await each.invoke(bench.invocation()) for each in made]

    outcomes = bench.run(main)
    if not any("RESTORE_START" in line.text for line in bench.lines):
        pytest.skip("no snapshots without namespaces")
    assert [json.loads(outcome.payload) for outcome in outcomes] == [["one", False, 403], ["two", False, 403]]
