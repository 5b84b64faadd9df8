"""Log groups and streams for tests."""

from __future__ import annotations

import asyncio
import gzip
import json
from base64 import b64decode
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from cumulo.core.context import Context
from cumulo.engines import duckdb
from cumulo.services.operations.logs.groups import groups
from cumulo.services.operations.logs.stored import blocks, retention, segment_making, segments
from tests import refusals
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import create as create
from tests.services.compute.lambda_.conftest import role as role
from tests.services.compute.lambda_.conftest import simulated as simulated
from tests.services.compute.lambda_.conftest import zip_of
from tests.services.compute.lambda_.simulation import Environments

GROUP = "/shop/orders"


@pytest.fixture
def logs(cloud: Account) -> Any:
    """A boto3 client of a fresh account."""
    return cloud.client("logs")


@pytest.fixture
def now_ms(cloud: Account) -> Callable[[], int]:
    """Cloud time in milliseconds."""
    return lambda: int(cloud.running.clock.now() * 1000)


@pytest.fixture
def stream(logs: Any) -> dict[str, str]:
    """A log stream, as the two members that name it."""
    logs.create_log_group(logGroupName="/shop/orders")
    logs.create_log_stream(logGroupName="/shop/orders", logStreamName="one")
    return {"logGroupName": "/shop/orders", "logStreamName": "one"}


refused = partial(refusals.refused, status=None)


def a_user(cloud: Account, *actions: str, resource: str = "*") -> Any:
    """A client of a user who may do this."""
    iam = cloud.client("iam")
    iam.create_user(UserName="u")
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="u", PolicyName="p", PolicyDocument=document)
    key = iam.create_access_key(UserName="u")["AccessKey"]
    return cloud.client("logs", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])


class Storage:
    """What lies where, of the group of these tests."""

    def __init__(self, cloud: Account) -> None:
        self.cloud = cloud
        self.runtime = cloud.running.cloud.runtime

    def context(self) -> Context:
        return self.runtime.internal_context("logs", "Test", self.cloud.account, "us-east-1")

    def transact(self, work: Callable[[Context], Any]) -> Any:
        async def run() -> Any:
            return await self.context().transact(work)

        return self.cloud.running.run(run())

    def group(self) -> groups.Group:
        found: groups.Group = self.transact(lambda ctx: groups.GROUPS.peek(ctx, GROUP))
        return found

    def seal(self) -> None:
        group = self.group()
        self.cloud.advance(1)
        self.transact(lambda ctx: segment_making.start(ctx, group))
        self.cloud.settle()

    def go_round(self) -> None:
        """The hourly round, to its end: `cloud.advance` waits for its own only so long, and it visits all groups."""
        ctx = self.runtime.internal_context("logs", "go_round", "", "")
        self.cloud.running.run(retention.go_round(ctx), timeout=300)
        self.cloud.settle()

    def sealed(self) -> list[segments.Segment]:
        group = self.group()
        found: list[segments.Segment] = self.transact(lambda ctx: segments.SEGMENTS.range(ctx, group.id))
        return found

    def wait_for_deletions(self) -> None:
        """Until all files are gone that nothing names any more."""

        async def wait() -> None:
            await asyncio.gather(*self.runtime._deleting)

        self.cloud.running.run(wait())

    def is_there(self, segment: segments.Segment) -> bool:
        """Whether a segment's file is there, when all deletions are done."""
        self.wait_for_deletions()
        return self.runtime.blobs.path(segment.blob).exists()

    def blocks(self) -> int:
        group = self.group()
        return len(self.transact(lambda ctx: blocks.of_group(ctx, group)))

    def sources(self, start: int = 0, end: int = 1 << 60) -> segments.Sources:
        group = self.group()
        found: segments.Sources = self.cloud.running.run(segments.sources(self.context(), group, start, end))
        return found


@pytest.fixture
def storage(cloud: Account) -> Storage:
    return Storage(cloud)


@pytest.fixture(params=["parquet", "packed"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both forms of segments."""
    if request.param == "packed":
        monkeypatch.setattr(duckdb, "is_here", lambda: False)
    else:
        pytest.importorskip("duckdb")
    return str(request.param)


SEEN: list[Any] = []  # events that functions of tests were invoked with
SUBSCRIBER = (
    "def handler(event, context):\n"
    "    from tests.services.operations.logs.conftest import SEEN\n"
    "    SEEN.append(event)\n"
)


@pytest.fixture
def subscriber(cloud: Account, create: Callable[..., dict[str, Any]], simulated: Environments) -> str:
    """The ARN of a function that writes down what it gets, and that CloudWatch Logs may not invoke yet."""
    SEEN.clear()
    return str(create("subscriber", Code={"ZipFile": zip_of({"index.py": SUBSCRIBER})})["FunctionArn"])


def received() -> list[Any]:
    """The documents that the subscriber got, unpacked; each is given once."""
    found = [json.loads(gzip.decompress(b64decode(event["awslogs"]["data"]))) for event in SEEN]
    SEEN.clear()
    return found
