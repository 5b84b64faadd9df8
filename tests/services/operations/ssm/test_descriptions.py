"""DescribeParameters and GetParameterHistory."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Account

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _parameters(put: Call) -> None:
    put("/app/db/url", Description="Where it is", Tags=[{"Key": "team", "Value": "red"}])
    put("/app/name", "a,b", Type="StringList", Tags=[{"Key": "team", "Value": "blue"}])
    put("other", Tier="Advanced")
    put("/secure", Type="SecureString")


def names(ssm: Any, *filters: dict[str, Any], **more: Any) -> list[str]:
    answer = ssm.describe_parameters(ParameterFilters=list(filters), **more)
    return [each["Name"] for each in answer["Parameters"]]


def test_members(cloud: Account, ssm: Any) -> None:
    found = {each["Name"]: each for each in ssm.describe_parameters()["Parameters"]}
    described = found["/app/db/url"]
    assert described == {
        "Name": "/app/db/url",
        "ARN": f"arn:aws:ssm:us-east-1:{cloud.account}:parameter/app/db/url",
        "Type": "String",
        "LastModifiedDate": described["LastModifiedDate"],
        "LastModifiedUser": f"arn:aws:iam::{cloud.account}:root",
        "Description": "Where it is",
        "Version": 1,
        "Tier": "Standard",
        "Policies": [],
        "DataType": "text",
    }
    assert found["/secure"]["KeyId"] == "alias/aws/ssm"


def test_filters(ssm: Any) -> None:
    assert names(ssm, {"Key": "Name", "Values": ["other"]}) == ["other"]
    assert names(ssm, {"Key": "Name", "Option": "BeginsWith", "Values": ["/app"]}) == ["/app/db/url", "/app/name"]
    assert names(ssm, {"Key": "Name", "Option": "Contains", "Values": ["e"]}) == ["/app/name", "/secure", "other"]
    assert names(ssm, {"Key": "Type", "Values": ["StringList", "SecureString"]}) == ["/app/name", "/secure"]
    assert names(ssm, {"Key": "KeyId", "Values": ["alias/aws/ssm"]}) == ["/secure"]
    assert names(ssm, {"Key": "Tier", "Values": ["Advanced"]}) == ["other"]
    assert names(ssm, {"Key": "Path", "Values": ["/app"]}) == ["/app/name"]
    assert names(ssm, {"Key": "Path", "Option": "Recursive", "Values": ["/app"]}) == ["/app/db/url", "/app/name"]
    assert names(ssm, {"Key": "tag:team", "Values": ["red"]}) == ["/app/db/url"]
    assert names(ssm, {"Key": "tag:team"}) == ["/app/db/url", "/app/name"]
    old = ssm.describe_parameters(Filters=[{"Key": "Name", "Values": ["/app"]}])["Parameters"]
    assert len(old) == 2


def test_wrong_filters(ssm: Any, refused: Call) -> None:
    for filters, code in (
        ([{"Key": "Size", "Values": ["1"]}], "ValidationException"),
        ([{"Key": "Type", "Option": "Contains", "Values": ["String"]}], "InvalidFilterOption"),
        ([{"Key": "Type", "Values": ["Number"]}], "InvalidFilterValue"),
        ([{"Key": "Name"}], "InvalidFilterValue"),
        ([{"Key": "Name", "Values": ["a"]}, {"Key": "Name", "Values": ["b"]}], "InvalidFilterKey"),
    ):
        assert refused(ssm.describe_parameters, ParameterFilters=filters).code == code, filters
    both = {"Filters": [{"Key": "Name", "Values": ["a"]}], "ParameterFilters": [{"Key": "Name", "Values": ["a"]}]}
    assert refused(ssm.describe_parameters, **both).message == (
        "You can use either Filters or ParameterFilters in a single request."
    )


def test_pages(ssm: Any) -> None:
    pages = list(ssm.get_paginator("describe_parameters").paginate(PaginationConfig={"PageSize": 3}))
    assert [len(page["Parameters"]) for page in pages] == [3, 1]


def test_histories(ssm: Any, put: Call, refused: Call) -> None:
    put("/app/name", "c", Type="StringList", Overwrite=True)
    ssm.label_parameter_version(Name="/app/name", ParameterVersion=1, Labels=["old"])
    history = ssm.get_parameter_history(Name="/app/name")["Parameters"]
    assert [(each["Version"], each["Value"], each["Labels"]) for each in history] == [(1, "a,b", ["old"]), (2, "c", [])]
    assert set(history[0]) == {
        "Name", "Type", "LastModifiedDate", "LastModifiedUser", "Value", "Version", "Labels", "Tier", "Policies",
        "DataType",
    }  # fmt: skip
    page = ssm.get_parameter_history(Name="/app/name", MaxResults=1)
    page = ssm.get_parameter_history(Name="/app/name", MaxResults=1, NextToken=page["NextToken"])
    assert [each["Version"] for each in page["Parameters"]] == [2] and "NextToken" not in page
    error = refused(ssm.get_parameter_history, Name="nobody")
    assert (error.code, error.message) == ("ParameterNotFound", "Parameter nobody not found.")
