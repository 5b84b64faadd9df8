"""What tests of Lambda share: zip archives, a role that Lambda may assume, and functions made of both."""

import io
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.compute.lambda_.running.fleet import of
from tests.conftest import Account
from tests.services.compute.lambda_.simulation import Environments

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
Create = Callable[..., dict[str, Any]]
RUNTIME = f"python3.{sys.version_info.minor}"  # which is here, whatever else is
HANDLER = "def handler(event, context):\n    return event\n"


def refused(call: Callable[[], Any], code: str = "", message: str = "") -> dict[str, Any]:
    """The error that a call must end with: with this code and this text, where they are given."""
    with pytest.raises(ClientError) as caught:
        call()
    response: dict[str, Any] = caught.value.response
    if code:
        assert response["Error"] == {"Code": code, "Message": message}
    return response


def zip_of(files: dict[str, str | bytes] | None = None, mode: int = 0o644) -> bytes:
    """A zip archive of files, of one that answers with its event by default. The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (files or {"index.py": HANDLER}).items():
            entry = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def make_role(cloud: Account, name: str = "worker", trust: dict[str, Any] | None = None) -> str:
    """The ARN of a new role that Lambda may assume."""
    document = json.dumps(trust or TRUST)
    role: dict[str, str] = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]
    return role["Arn"]


@pytest.fixture
def role(cloud: Account) -> str:
    return make_role(cloud)


@pytest.fixture
def create(cloud: Account, role: str) -> Create:
    """Makes functions, and waits until they are active."""

    def create(name: str = "greeter", **options: Any) -> dict[str, Any]:
        request = {
            "FunctionName": name,
            "Runtime": RUNTIME,
            "Role": role,
            "Handler": "index.handler",
            "Code": {"ZipFile": zip_of()},
            **options,
        }
        answer: dict[str, Any] = cloud.client("lambda").create_function(**request)
        cloud.settle()
        return answer

    return create


@pytest.fixture
def simulated(cloud: Account) -> Iterator[Environments]:
    """Lets the cloud run functions in its own process; gives what it starts."""
    runtime = cloud.running.cloud.runtime

    async def place(engine: Any) -> Any:
        fleet = of(runtime.internal_context("lambda", "test", "", ""))
        fleet._environments, before = engine, fleet._environments
        return before

    engine = Environments()
    before = cloud.running.run(place(engine))
    yield engine
    cloud.running.run(place(before))
