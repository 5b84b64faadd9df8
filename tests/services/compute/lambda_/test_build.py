"""What an execution environment is made of."""

import pytest

from cumulo.engines.environments.builds import Build
from cumulo.services.compute.lambda_.running import build
from cumulo.services.compute.lambda_.stored import qualifiers
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import HANDLER, RUNTIME, Create, zip_of


def build_of(cloud: Account, name: str, qualifier: str | None = None) -> Build:
    """What the fleet would be told to start."""

    async def made() -> Build:
        runtime = cloud.running.cloud.runtime
        ctx = runtime.internal_context("lambda", "Invoke", cloud.account, "us-east-1")
        target = await ctx.transact(lambda ctx: qualifiers.resolve(ctx, name, qualifier))
        return await build.build_of(ctx, target)

    found: Build = cloud.running.run(made())
    return found


def test_an_environment_has_the_code_and_the_variables(cloud: Account, create: Create) -> None:
    create(Environment={"Variables": {"COLOUR": "blue"}}, MemorySize=256, Timeout=7)
    made = build_of(cloud, "greeter")
    assert (made.code / "index.py").read_text() == HANDLER
    assert (made.runtime, made.handler, made.memory_mb, made.timeout_s) == (RUNTIME, "index.handler", 256, 7.0)
    assert made.function_arn == f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter"
    assert made.variables["COLOUR"] == "blue"
    assert made.variables["AWS_REGION"] == made.variables["AWS_DEFAULT_REGION"] == "us-east-1"
    assert made.endpoint == f"http://127.0.0.1:{cloud.running.cloud.port}"
    assert made.port == cloud.running.cloud.port


@pytest.mark.parametrize(("name", "session"), [("greeter", "greeter"), ("ab", "ab"), ("a", "a@lambda_function")])
def test_the_credentials_are_those_of_the_role(cloud: Account, create: Create, name: str, session: str) -> None:
    create(name)
    variables = build_of(cloud, name).variables
    sts = cloud.client(
        "sts",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
    )
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:sts::{cloud.account}:assumed-role/worker/{session}"
    assert build_of(cloud, name).variables["AWS_ACCESS_KEY_ID"] == variables["AWS_ACCESS_KEY_ID"]


def test_credentials_are_renewed_before_an_environment_could_outlive_them(cloud: Account, create: Create) -> None:
    create()
    first = build_of(cloud, "greeter").variables["AWS_ACCESS_KEY_ID"]
    cloud.advance(build.SESSION_S - build.ENVIRONMENT_S)
    assert build_of(cloud, "greeter").variables["AWS_ACCESS_KEY_ID"] != first


def test_the_same_package_is_unpacked_once(cloud: Account, create: Create) -> None:
    create("one", Code={"ZipFile": zip_of({"index.py": "shared = 1"})})
    create("two", Code={"ZipFile": zip_of({"index.py": "shared = 1"})})
    one, two = build_of(cloud, "one"), build_of(cloud, "two")
    assert one.code == two.code
    assert one.key != two.key
