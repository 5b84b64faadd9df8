"""ListFunctions and ListVersionsByFunction."""

from tests.conftest import Account
from tests.services.compute.lambda_.conftest import Create, refused


def test_functions_are_listed_in_pages(cloud: Account, create: Create) -> None:
    for name in ("c", "a", "b"):
        create(name)
    client = cloud.client("lambda")
    pages = client.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert [[each["FunctionName"] for each in page["Functions"]] for page in pages] == [["a", "b"], ["c"]]
    (first,) = client.list_functions(MaxItems=1)["Functions"]
    assert first["Version"] == "$LATEST"
    assert not {"State", "LastUpdateStatus", "RuntimeVersionConfig"} & first.keys()


def test_all_versions_are_listed(cloud: Account, create: Create) -> None:
    arns = [create(name, Publish=True)["FunctionArn"] for name in ("a", "b")]
    client = cloud.client("lambda")
    expected = [f"{arn}:{version}" for arn in arns for version in ("$LATEST", "1")]
    assert [each["FunctionArn"] for each in client.list_functions(FunctionVersion="ALL")["Functions"]] == expected
    pages = client.get_paginator("list_functions").paginate(FunctionVersion="ALL", PaginationConfig={"PageSize": 1})
    assert [each["FunctionArn"] for page in pages for each in page["Functions"]] == expected
    assert client.list_functions(FunctionVersion="ALL", MasterRegion="us-east-1")["Functions"] == []
    assert len(client.list_functions(FunctionVersion="ALL", MasterRegion="ALL")["Functions"]) == 4
    assert refused(lambda: client.list_functions(MasterRegion="ALL"))["Error"]["Code"] == (
        "InvalidParameterValueException"
    )
    refused(
        lambda: client.list_functions(FunctionVersion="invalid"),
        "ValidationException",
        "1 validation error detected: Value 'invalid' at 'functionVersion' failed to satisfy constraint: Member must "
        "satisfy enum value set: [ALL]",
    )


def test_versions_of_a_function_are_listed_by_number(cloud: Account, create: Create) -> None:
    arn = create()["FunctionArn"]
    client = cloud.client("lambda")
    for timeout in range(1, 12):
        client.update_function_configuration(FunctionName="greeter", Timeout=timeout)
        cloud.settle()
        client.publish_version(FunctionName="greeter")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName="greeter", PaginationConfig={"PageSize": 5}
    )
    found = [each["FunctionArn"] for page in pages for each in page["Versions"]]
    assert found == [f"{arn}:{number}" for number in ("$LATEST", *range(1, 12))]


def test_a_marker_is_of_its_own_list_alone(cloud: Account, create: Create) -> None:
    create("a")
    create("b")
    client = cloud.client("lambda")
    marker = client.list_functions(MaxItems=1)["NextMarker"]
    for call in (
        lambda: client.list_functions(Marker="what?"),
        lambda: client.list_versions_by_function(FunctionName="a", Marker=marker),
        lambda: client.list_aliases(FunctionName="a", Marker=marker),
        lambda: client.list_event_source_mappings(Marker=marker),
        lambda: client.list_layers(Marker=marker),
        lambda: client.list_function_url_configs(FunctionName="a", Marker=marker),
    ):
        answer = refused(call, "InvalidParameterValueException", "Invalid pagination token")
        assert answer["Type"] == "User"
