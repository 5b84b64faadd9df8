"""Object Lambda access points: made, shown, listed, changed, with policies, removed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

Json = dict[str, Any]


@pytest.fixture
def door(cloud: Account, control: Any, bucket: str) -> str:
    """The ARN of an access point."""
    arn: str = control.create_access_point(AccountId=cloud.account, Name="door", Bucket=bucket)["AccessPointArn"]
    return arn


def configuration(cloud: Account, door: str, *actions: str, **more: Any) -> Json:
    function = {"FunctionArn": f"arn:aws:lambda:us-east-1:{cloud.account}:function:f", "FunctionPayload": "{}"}
    transformation = {"Actions": list(actions or ("GetObject",)), "ContentTransformation": {"AwsLambda": function}}
    return {"SupportingAccessPoint": door, "TransformationConfigurations": [transformation], **more}


def make(cloud: Account, control: Any, door: str, name: str = "lens", **more: Any) -> Json:
    wanted = configuration(cloud, door, **more)
    answer: Json = control.create_access_point_for_object_lambda(
        AccountId=cloud.account, Name=name, Configuration=wanted
    )
    return answer


def test_one_is_made_and_shown(cloud: Account, control: Any, door: str) -> None:
    named = {"AccountId": cloud.account, "Name": "lens"}
    made = make(cloud, control, door)
    assert made["ObjectLambdaAccessPointArn"] == (
        f"arn:aws:s3-object-lambda:us-east-1:{cloud.account}:accesspoint/lens"
    )
    alias = made["Alias"]
    assert alias["Status"] == "READY" and alias["Value"].startswith("lens-") and alias["Value"].endswith("--ol-s3")
    assert len(alias["Value"]) <= 63
    shown = control.get_access_point_for_object_lambda(**named)
    assert (shown["Name"], shown["Alias"]) == ("lens", alias)
    assert all(shown["PublicAccessBlockConfiguration"].values()) and shown["CreationDate"]
    found = control.get_access_point_configuration_for_object_lambda(**named)["Configuration"]
    assert found == configuration(cloud, door)
    with refused("AccessPointAlreadyOwnedByYou", status=409):
        make(cloud, control, door)
    control.delete_access_point_for_object_lambda(**named)
    for call in (
        control.get_access_point_for_object_lambda,
        control.get_access_point_configuration_for_object_lambda,
        control.delete_access_point_for_object_lambda,
    ):
        with refused("NoSuchAccessPoint", "The specified accesspoint does not exist", 404):
            call(**named)
    assert make(cloud, control, door)["Alias"] != alias


def test_a_configuration_is_replaced(cloud: Account, control: Any, door: str) -> None:
    make(cloud, control, door)
    named = {"AccountId": cloud.account, "Name": "lens"}
    wanted = configuration(
        cloud, door, "ListObjectsV2", "HeadObject", AllowedFeatures=["HeadObject-Range"], CloudWatchMetricsEnabled=False
    )
    control.put_access_point_configuration_for_object_lambda(**named, Configuration=wanted)
    assert control.get_access_point_configuration_for_object_lambda(**named)["Configuration"] == wanted


def test_configurations_that_cannot_be(cloud: Account, control: Any, door: str) -> None:
    def attempt(**changed: Any) -> None:
        wanted = {**configuration(cloud, door), **changed}
        control.create_access_point_for_object_lambda(AccountId=cloud.account, Name="lens", Configuration=wanted)

    for arn in (door.replace("door", "window"), door.replace("us-east-1", "eu-west-1")):
        with refused("InvalidRequest", "The specified supporting access point does not exist"):
            attempt(SupportingAccessPoint=arn)
    (transformation,) = configuration(cloud, door)["TransformationConfigurations"]
    with refused("InvalidRequest", "At least one transformation configuration must be specified"):
        attempt(TransformationConfigurations=[])
    with refused("InvalidRequest", "An action can be part of one transformation configuration only"):
        attempt(TransformationConfigurations=[transformation, transformation])
    for part in ({"Actions": []}, {"ContentTransformation": {}}):
        with refused("InvalidRequest", "A transformation configuration must have actions and an AWS Lambda function"):
            attempt(TransformationConfigurations=[{**transformation, **part}])
    with refused("MalformedXML"):
        attempt(TransformationConfigurations=[{**transformation, "Actions": ["PutObject"]}])
    with refused("MalformedXML"):
        attempt(AllowedFeatures=["PutObject-Range"])
    for name in ("lens-s3alias", "lens--ol-s3", "-lens"):
        with refused("InvalidArgument"):
            make(cloud, control, door, name)
    with refused("AccessDenied", status=403):
        cloud.another().client("s3control").get_access_point_for_object_lambda(AccountId=cloud.account, Name="lens")


def test_they_come_in_pages(cloud: Account, control: Any, door: str) -> None:
    for name in ("lens-b", "lens-c", "lens-a"):
        make(cloud, control, door, name)
    pages = control.get_paginator("list_access_points_for_object_lambda").paginate(
        AccountId=cloud.account, PaginationConfig={"PageSize": 2}
    )
    names = [[each["Name"] for each in page["ObjectLambdaAccessPointList"]] for page in pages]
    assert names == [["lens-a", "lens-b"], ["lens-c"]]
    west = cloud.client("s3control", region="us-west-2")
    assert west.list_access_points_for_object_lambda(AccountId=cloud.account)["ObjectLambdaAccessPointList"] == []
    with refused("InvalidNextToken"):
        control.list_access_points_for_object_lambda(AccountId=cloud.account, NextToken="none")
    with refused("InvalidArgument", "Invalid maxResults"):
        control.list_access_points_for_object_lambda(AccountId=cloud.account, MaxResults=1001)


def test_their_policies(cloud: Account, control: Any, door: str) -> None:
    arn = make(cloud, control, door)["ObjectLambdaAccessPointArn"]
    named = {"AccountId": cloud.account, "Name": "lens"}
    for call in (
        control.get_access_point_policy_for_object_lambda,
        control.get_access_point_policy_status_for_object_lambda,
    ):
        with refused("NoSuchAccessPointPolicy", "The specified accesspoint policy does not exist", 404):
            call(**named)
    good = {
        "Effect": "Allow",
        "Principal": {"AWS": cloud.account},
        "Action": "s3-object-lambda:GetObject",
        "Resource": arn,
        "Condition": {"StringEquals": {"s3-object-lambda:authType": "REST-HEADER"}},
    }

    def put(**changed: Any) -> str:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{**good, **changed}]})
        control.put_access_point_policy_for_object_lambda(**named, Policy=policy)
        return policy

    policy = put()
    assert control.get_access_point_policy_for_object_lambda(**named)["Policy"] == policy
    status = control.get_access_point_policy_status_for_object_lambda(**named)["PolicyStatus"]
    assert status == {"IsPublic": False}
    with refused("AccessDenied", status=403):
        put(Principal="*")
    with refused("MalformedPolicy", "Policy has invalid resource"):
        put(Resource=door)
    with refused("MalformedPolicy", "Policy has invalid action"):
        put(Action="s3-object-lambda:PutBucketPolicy")
    control.delete_access_point_policy_for_object_lambda(**named)
    control.delete_access_point_policy_for_object_lambda(**named)
    with refused("NoSuchAccessPointPolicy", status=404):
        control.get_access_point_policy_for_object_lambda(**named)
