"""Provisioned concurrency."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from cumulo.engines.environments.builds import StartFailed
from tests.conftest import Account, RunningCloud
from tests.services.compute.lambda_.conftest import make_role, zip_of
from tests.services.compute.lambda_.simulation import Environments
from tests.services.compute.lambda_.test_fleet import GATE, gate, invoke, until
from tests.services.compute.lambda_.test_invocations import Create, error_of


def provision(cloud: Account, count: int, qualifier: str = "1") -> dict[str, Any]:
    """Ask for environments and wait until they are there."""
    lambda_ = cloud.client("lambda")
    answer: dict[str, Any] = lambda_.put_provisioned_concurrency_config(
        FunctionName="greeter", Qualifier=qualifier, ProvisionedConcurrentExecutions=count
    )
    get = lambda_.get_provisioned_concurrency_config
    until(lambda: get(FunctionName="greeter", Qualifier=qualifier)["Status"] == "READY")
    return answer


def test_environments_are_kept_ready(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    asked = provision(cloud, 2)
    assert (asked["Status"], asked["AllocatedProvisionedConcurrentExecutions"]) == ("IN_PROGRESS", 0)
    assert asked["ResponseMetadata"]["HTTPStatusCode"] == 202
    lambda_ = cloud.client("lambda")
    got = lambda_.get_provisioned_concurrency_config(FunctionName="greeter", Qualifier="1")
    assert got["AvailableProvisionedConcurrentExecutions"] == got["AllocatedProvisionedConcurrentExecutions"] == 2
    assert [each.build.init_type for each in simulated.started] == ["provisioned-concurrency"] * 2
    invoke(cloud, Qualifier="1")
    cloud.advance(7000)
    invoke(cloud, Qualifier="1")
    assert len(simulated.started) == 2
    invoke(cloud)  # $LATEST has none
    assert len(simulated.started) == 3
    lambda_.delete_provisioned_concurrency_config(FunctionName="greeter", Qualifier="1")
    until(lambda: all(each.stopped for each in simulated.started[:2]))
    answer = error_of(lambda_.get_provisioned_concurrency_config, FunctionName="greeter", Qualifier="1")
    assert answer["Error"] == {
        "Code": "ProvisionedConcurrencyConfigNotFoundException",
        "Message": "No Provisioned Concurrency Config found for this function",
    }
    lambda_.delete_provisioned_concurrency_config(FunctionName="greeter", Qualifier="1")


def test_less_is_wanted(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    provision(cloud, 3)
    provision(cloud, 1)
    until(lambda: sum(not each.stopped for each in simulated.started) == 1)


def test_lists(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    listed = lambda_.list_provisioned_concurrency_configs
    assert listed(FunctionName="greeter")["ProvisionedConcurrencyConfigs"] == []
    provision(cloud, 1)
    [config] = listed(FunctionName="greeter")["ProvisionedConcurrencyConfigs"]
    assert config["FunctionArn"] == f"arn:aws:lambda:us-east-1:{cloud.account}:function:greeter:1"
    assert config["RequestedProvisionedConcurrentExecutions"] == 1


def test_what_is_refused(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    put, get = lambda_.put_provisioned_concurrency_config, lambda_.get_provisioned_concurrency_config
    arn = f"arn:aws:lambda:us-east-1:{cloud.account}:function"

    def refused(qualifier: str, name: str = "greeter", count: int = 1) -> Any:
        return error_of(put, FunctionName=name, Qualifier=qualifier, ProvisionedConcurrentExecutions=count)["Error"][
            "Message"
        ]

    assert refused("$LATEST") == "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    assert refused("10") == f"Function not found: {arn}:greeter:10"
    assert refused("no") == f"Cannot find alias arn: {arn}:greeter:no"
    assert refused("no", "nobody") == f"Cannot find alias arn: {arn}:nobody:no"
    assert refused("1", "nobody") == f"Function not found: {arn}:nobody:1"
    assert refused("1", count=0).startswith("1 validation error detected: Value '0' at 'provisionedConcurrentExec")
    assert refused("1", count=1001) == (
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000]."
    )
    assert refused("1", count=901) == (
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        "minimum value of [100]."
    )
    answer = error_of(get, FunctionName="greeter", Qualifier="$LATEST")
    assert answer["Error"]["Message"] == "The function resource provided must be an alias or a published version."


def test_what_is_provisioned_comes_out_of_the_reservation(
    cloud: Account, create: Create, simulated: Environments
) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    lambda_.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=2)
    provision(cloud, 2)
    more = error_of(
        lambda_.put_provisioned_concurrency_config,
        FunctionName="greeter",
        Qualifier="1",
        ProvisionedConcurrentExecutions=3,
    )
    assert more["Error"]["Message"] == (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function"
    )
    less = error_of(lambda_.put_function_concurrency, FunctionName="greeter", ReservedConcurrentExecutions=1)
    assert less["Error"]["Message"] == (
        " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2]."
    )
    assert error_of(lambda_.invoke, FunctionName="greeter")["Error"]["Code"] == "TooManyRequestsException"
    assert invoke(cloud, Qualifier="1") == {}


def test_it_moves_with_the_alias(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    lambda_.create_alias(FunctionName="greeter", Name="live", FunctionVersion="1")
    provision(cloud, 1, "live")
    answer = error_of(
        lambda_.put_provisioned_concurrency_config,
        FunctionName="greeter",
        Qualifier="1",
        ProvisionedConcurrentExecutions=1,
    )
    assert answer["Error"] == {
        "Code": "ResourceConflictException",
        "Message": "Version is pointed by a Provisioned Concurrency alias",
    }
    lambda_.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    lambda_.publish_version(FunctionName="greeter")
    cloud.settle()
    lambda_.update_alias(FunctionName="greeter", Name="live", FunctionVersion="2")
    until(lambda: [each.build.function_version for each in simulated.started if not each.stopped] == ["2"])
    get = lambda_.get_provisioned_concurrency_config
    until(lambda: get(FunctionName="greeter", Qualifier="live")["Status"] == "READY")
    simulated.failure = StartFailed("no")  # so that what begins anew is seen before it is over
    lambda_.update_alias(FunctionName="greeter", Name="live", FunctionVersion="1")
    assert get(FunctionName="greeter", Qualifier="live")["Status"] in ("IN_PROGRESS", "FAILED")
    simulated.failure = None
    lambda_.delete_alias(FunctionName="greeter", Name="live")
    until(lambda: all(each.stopped for each in simulated.started))
    assert lambda_.list_provisioned_concurrency_configs(FunctionName="greeter")["ProvisionedConcurrencyConfigs"] == []


def test_not_both_a_version_and_its_alias(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True)
    lambda_ = cloud.client("lambda")
    lambda_.create_alias(FunctionName="greeter", Name="live", FunctionVersion="1")
    provision(cloud, 1)
    answer = error_of(
        lambda_.put_provisioned_concurrency_config,
        FunctionName="greeter",
        Qualifier="live",
        ProvisionedConcurrentExecutions=1,
    )
    assert answer["Error"]["Message"] == (
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
    )


def test_one_that_dies_is_replaced(cloud: Account, create: Create, simulated: Environments) -> None:
    exits = "def handler(event, context):\n    raise SystemExit(1)\n"
    create(Publish=True, Code={"ZipFile": zip_of({"index.py": exits})})
    provision(cloud, 1)
    assert invoke(cloud, Qualifier="1")["errorType"] == "Runtime.ExitError"
    until(lambda: [each.stopped for each in simulated.started] == [True, False])


def test_what_does_not_fit_spills_over(cloud: Account, create: Create, simulated: Environments) -> None:
    create(Publish=True, Code={"ZipFile": zip_of({"index.py": GATE})})
    provision(cloud, 1)
    payload = gate(cloud, 2)
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(invoke, cloud, payload, Qualifier="1") for _ in range(2)]
        assert len({call.result() for call in calls}) == 2
    assert [each.build.init_type for each in simulated.started] == ["provisioned-concurrency", "on-demand"]


def test_they_are_ready_again_after_a_restart(start_cloud: Callable[..., RunningCloud], tmp_path: Path) -> None:
    first = Account(start_cloud(tmp_path), "111111111111")
    lambda_ = first.client("lambda")
    lambda_.create_function(
        FunctionName="greeter",
        Runtime=f"python3.{sys.version_info.minor}",
        Role=make_role(first),
        Handler="index.handler",
        Code={"ZipFile": zip_of()},
        Publish=True,
    )
    first.settle()
    provision(first, 1)
    first.running.stop()
    second = Account(start_cloud(tmp_path), "111111111111")

    def ready() -> bool:
        memory = second.running.cloud.runtime.memory
        fleet = memory.get("lambda.fleet")
        return fleet is not None and [pool.provisioned for pool in fleet._pools.values()] == [1]

    until(ready)
    assert invoke(second, Qualifier="1") == {}
    [pool] = second.running.cloud.runtime.memory["lambda.fleet"]._pools.values()
    assert (len(pool.ready), pool.idle) == (1, [])
    second.running.stop()


KEYS = (
    "NAMES = ('aws_access_key_id', 'aws_secret_access_key', 'aws_session_token')\n"
    "def handler(event, context):\n"
    "    return {name: context.variables[name.upper()] for name in NAMES}\n"
)


def test_environments_are_renewed_before_their_credentials_end(
    cloud: Account, create: Create, simulated: Environments
) -> None:
    """Also where the computer slept over it."""
    create(Publish=True, Code={"ZipFile": zip_of({"index.py": KEYS})})
    provision(cloud, 2)
    get = cloud.client("lambda").get_provisioned_concurrency_config

    def mine() -> list[Any]:
        return [each for each in simulated.started if cloud.account in each.build.function_arn]

    for days in (0.5, 3.0):
        before = len(mine())
        cloud.advance(days * 86_400)
        for _ in range(3):  # whatever the clock, a call gets credentials that are good
            keys = invoke(cloud, Qualifier="1")
            assert cloud.client("sts", **keys).get_caller_identity()["Arn"].endswith("assumed-role/worker/greeter")
        until(lambda before=before: all(each.stopped for each in mine()[:before]))
        until(
            lambda: [each.build.init_type for each in mine() if not each.stopped].count("provisioned-concurrency") == 2
        )
        until(lambda: get(FunctionName="greeter", Qualifier="1")["Status"] == "READY")
