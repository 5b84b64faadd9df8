"""Aliases: made, moved, shared between two versions, listed, deleted."""

from collections import Counter

import pytest

from cumulo.services.compute.lambda_.stored import qualifiers
from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused

INVALID = "InvalidParameterValueException"


@pytest.fixture
def arn(cloud: Account, create: Create) -> str:
    """The ARN of a function with the versions 1 and 2."""
    found: str = create()["FunctionArn"]
    client = cloud.client("lambda")
    client.publish_version(FunctionName="greeter")
    client.update_function_configuration(FunctionName="greeter", Timeout=9)
    cloud.settle()
    client.publish_version(FunctionName="greeter")
    return found


def test_an_alias_names_a_version(cloud: Account, arn: str) -> None:
    client = cloud.client("lambda")
    made = client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="1", Description="ours")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    shown = {
        "AliasArn": f"{arn}:prod",
        "Name": "prod",
        "FunctionVersion": "1",
        "Description": "ours",
        "RevisionId": made["RevisionId"],
    }
    assert {**made, "ResponseMetadata": None} == {**shown, "ResponseMetadata": None}
    assert {**client.get_alias(FunctionName="greeter", Name="prod"), "ResponseMetadata": None} == {
        **shown,
        "ResponseMetadata": None,
    }
    found = client.get_function_configuration(FunctionName="greeter", Qualifier="prod")
    assert (found["FunctionArn"], found["Version"]) == (f"{arn}:prod", "1")
    moved = client.update_alias(FunctionName="greeter", Name="prod", FunctionVersion="2")
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "ours")
    assert client.get_function_configuration(FunctionName=f"{arn}:prod")["Version"] == "2"
    client.delete_alias(FunctionName="greeter", Name="prod")
    client.delete_alias(FunctionName="greeter", Name="prod")
    refused(
        lambda: client.get_alias(FunctionName="greeter", Name="prod"),
        "ResourceNotFoundException",
        f"Cannot find alias arn: {arn}:prod",
    )
    refused(
        lambda: client.get_function(FunctionName="greeter:prod"),
        "ResourceNotFoundException",
        f"Function not found: {arn}:prod",
    )


def test_calls_are_shared_by_weight(cloud: Account, arn: str) -> None:
    client = cloud.client("lambda")
    weights = {"AdditionalVersionWeights": {"2": 0.25}}
    made = client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="1", RoutingConfig=weights)
    assert made["RoutingConfig"] == weights

    async def versions() -> Counter[str]:
        ctx = cloud.running.cloud.runtime.internal_context("lambda", "Invoke", cloud.account, "us-east-1")
        return await ctx.transact(
            lambda ctx: Counter(
                qualifiers.resolve(ctx, "greeter", "prod", weighted=True).version.version for _ in range(1000)
            )
        )

    assert 150 < cloud.running.run(versions())["2"] < 350
    assert client.get_function_configuration(FunctionName="greeter:prod")["Version"] == "1"
    kept = client.update_alias(FunctionName="greeter", Name="prod", Description="shared")
    assert kept["RoutingConfig"] == weights
    assert "RoutingConfig" not in client.update_alias(FunctionName="greeter", Name="prod", RoutingConfig={})


def test_what_weights_are_refused(cloud: Account, arn: str) -> None:
    client = cloud.client("lambda")

    def make(version: str, **weights: float) -> object:
        return client.create_alias(
            FunctionName="greeter",
            Name="prod",
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": {key.lstrip("v"): value for key, value in weights.items()}},
        )

    refused(
        lambda: make("1", v2=0.1, v3=0.1),
        INVALID,
        "Number of items in AdditionalVersionWeights cannot be greater than 1",
    )
    refused(
        lambda: make("$LATEST", v2=0.1),
        INVALID,
        "$LATEST is not supported for an alias pointing to more than 1 version",
    )
    refused(
        lambda: make("2", v2=0.1),
        INVALID,
        "Invalid function version 2. Function version 2 is already included in routing configuration.",
    )
    refused(lambda: make("1", v7=0.1), "ResourceNotFoundException", f"Function not found: {arn}:7")
    assert refused(lambda: make("1", v2=1.5))["Error"]["Code"] == "ValidationException"


def test_what_aliases_are_refused(cloud: Account, arn: str) -> None:
    client = cloud.client("lambda")
    made = client.create_alias(FunctionName="greeter", Name="2024-01-02", FunctionVersion="$LATEST")
    refused(
        lambda: client.create_alias(FunctionName="greeter", Name="2024-01-02", FunctionVersion="1"),
        "ResourceConflictException",
        f"Alias already exists: {arn}:2024-01-02",
    )
    refused(
        lambda: client.create_alias(FunctionName="greeter", Name="2024", FunctionVersion="1"),
        "ValidationException",
        "1 validation error detected: Value '2024' at 'name' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    )
    refused(
        lambda: client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="7"),
        "ResourceNotFoundException",
        f"Function not found: {arn}:7",
    )
    refused(
        lambda: client.update_alias(FunctionName="greeter", Name="non-existent"),
        "ResourceNotFoundException",
        f"Alias not found: {arn}:non-existent",
    )
    client.update_alias(FunctionName="greeter", Name="2024-01-02", Description="x", RevisionId=made["RevisionId"])
    refused(
        lambda: client.update_alias(FunctionName="greeter", Name="2024-01-02", RevisionId=made["RevisionId"]),
        "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve "
        "the latest Revision Id",
    )


def test_aliases_are_listed_in_pages(cloud: Account, arn: str) -> None:
    client = cloud.client("lambda")
    for name, version in (("c", "1"), ("a", "2"), ("b", "1")):
        client.create_alias(FunctionName="greeter", Name=name, FunctionVersion=version)
    pages = client.get_paginator("list_aliases").paginate(FunctionName="greeter", PaginationConfig={"PageSize": 2})
    assert [[alias["Name"] for alias in page["Aliases"]] for page in pages] == [["a", "b"], ["c"]]
    of_one = client.list_aliases(FunctionName="greeter", FunctionVersion="1")["Aliases"]
    assert [alias["Name"] for alias in of_one] == ["b", "c"]
    error = refused(lambda: client.list_aliases(FunctionName="greeter", Marker="nonsense"))
    assert error["Error"]["Code"] == INVALID
