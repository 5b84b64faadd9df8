"""DeleteFunction: whole functions and single versions."""

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused, zip_of


def test_a_function_goes_with_all_that_is_its_own(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    client.publish_version(FunctionName="greeter")
    client.create_alias(FunctionName="greeter", Name="prod", FunctionVersion="1")
    client.add_permission(FunctionName="greeter", StatementId="s", Action="lambda:InvokeFunction", Principal="*")
    answer = client.delete_function(FunctionName="greeter")
    assert (answer["StatusCode"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (204, 204)
    for call in (client.get_function, client.delete_function):
        refused(
            lambda call=call: call(FunctionName="greeter"), "ResourceNotFoundException", f"Function not found: {arn}"
        )
    create()
    assert client.list_aliases(FunctionName="greeter")["Aliases"] == []
    assert [each["Version"] for each in client.list_versions_by_function(FunctionName="greeter")["Versions"]] == [
        "$LATEST"
    ]
    assert refused(lambda: client.get_policy(FunctionName="greeter"))["Error"]["Code"] == "ResourceNotFoundException"
    assert client.get_account_settings()["AccountUsage"]["FunctionCount"] == 1


def test_a_version_goes_alone(cloud: Account, create: Create) -> None:
    create(Publish=True)
    client = cloud.client("lambda")
    client.update_function_code(FunctionName="greeter", ZipFile=zip_of({"index.py": "two = 2"}), Publish=True)
    cloud.settle()
    client.delete_function(FunctionName="greeter", Qualifier="1")
    client.delete_function(FunctionName="greeter", Qualifier="99")
    left = client.list_versions_by_function(FunctionName="greeter")["Versions"]
    assert [version["Version"] for version in left] == ["$LATEST", "2"]


def test_a_version_that_an_alias_names_stays(cloud: Account, create: Create) -> None:
    create(Publish=True)
    client = cloud.client("lambda")
    client.create_alias(FunctionName="greeter", Name="live", FunctionVersion="1")
    refused(
        lambda: client.delete_function(FunctionName="greeter", Qualifier="1"),
        "ResourceConflictException",
        "Unable to delete version because the following aliases reference it: [live]",
    )
    error = refused(lambda: client.delete_function(FunctionName="greeter", Qualifier="$LATEST"))
    assert error["Error"]["Code"] == "InvalidParameterValueException"
    error = refused(lambda: client.delete_function(FunctionName="greeter", Qualifier="live"))
    assert error["Error"]["Code"] == "InvalidParameterValueException"


def test_a_function_that_is_not_there(cloud: Account) -> None:
    client = cloud.client("lambda")
    text = f"Function not found: arn:aws:lambda:us-east-1:{cloud.account}:function:nobody"
    refused(lambda: client.delete_function(FunctionName="nobody"), "ResourceNotFoundException", text)
    refused(lambda: client.delete_function(FunctionName="nobody", Qualifier="1"), "ResourceNotFoundException", text)
