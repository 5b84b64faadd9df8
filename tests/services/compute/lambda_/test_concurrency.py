"""Reserved concurrency and GetAccountSettings."""

import pytest

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of


def test_concurrency_is_reserved_and_given_back(cloud: Account, create: Create) -> None:
    create()
    client = cloud.client("lambda")
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName="greeter")
    for wanted in (1, 0):
        put = client.put_function_concurrency(FunctionName="greeter", ReservedConcurrentExecutions=wanted)
        assert put["ReservedConcurrentExecutions"] == wanted
        shown = client.get_function(FunctionName="greeter")["Concurrency"]
        assert shown == {"ReservedConcurrentExecutions": wanted}
        assert client.get_function_concurrency(FunctionName="greeter")["ReservedConcurrentExecutions"] == wanted
    answer = client.delete_function_concurrency(FunctionName="greeter")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Concurrency" not in client.get_function(FunctionName="greeter")


def test_a_hundred_stay_unreserved(cloud: Account, create: Create) -> None:
    create("one")
    create("two")
    client = cloud.client("lambda")
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=800)
    text = (
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
        "its minimum value of [100]."
    )
    for wanted in (101, 5000):
        error = refused(
            lambda wanted=wanted: client.put_function_concurrency(
                FunctionName="two", ReservedConcurrentExecutions=wanted
            ),
            "InvalidParameterValueException",
            text,
        )
        assert "Type" not in error
    client.put_function_concurrency(FunctionName="two", ReservedConcurrentExecutions=100)
    client.put_function_concurrency(FunctionName="one", ReservedConcurrentExecutions=790)
    assert client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 110


@pytest.mark.parametrize("wanted", [1, 5000])
def test_whose_concurrency(cloud: Account, create: Create, wanted: int) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    refused(
        lambda: client.put_function_concurrency(FunctionName="nobody", ReservedConcurrentExecutions=wanted),
        "ResourceNotFoundException",
        f"Function not found: {arn.replace('greeter', 'nobody')}:$LATEST",
    )
    refused(
        lambda: client.put_function_concurrency(FunctionName=f"{arn}:1", ReservedConcurrentExecutions=wanted),
        "InvalidParameterValueException",
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
        "Please specify either a function name or an unqualified function ARN.",
    )
    refused(
        lambda: client.get_function_concurrency(FunctionName="nobody"),
        "ResourceNotFoundException",
        f"Function not found: {arn.replace('greeter', 'nobody')}",
    )


def test_every_version_counts_its_code(cloud: Account, create: Create) -> None:
    client = cloud.client("lambda")

    def used() -> int:
        found: int = client.get_account_settings()["AccountUsage"]["TotalCodeSize"]
        return found

    size = create()["CodeSize"]
    assert used() == size
    client.publish_version(FunctionName="greeter")
    assert used() == 2 * size
    larger = zip_of({"index.py": "x = 1\n" * 50})
    client.update_function_code(FunctionName="greeter", ZipFile=larger)
    cloud.settle()
    assert used() == size + len(larger)
    layer = client.publish_layer_version(LayerName="base", Content={"ZipFile": zip_of()})["Content"]["CodeSize"]
    assert used() == size + len(larger) + layer
    client.delete_layer_version(LayerName="base", VersionNumber=1)
    client.delete_function(FunctionName="greeter")
    assert used() == 0
    limits = client.get_account_settings()["AccountLimit"]
    assert limits == {
        "TotalCodeSize": 80530636800,
        "CodeSizeUnzipped": 262144000,
        "CodeSizeZipped": 52428800,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
