"""Tags of tables, and policies of tables and streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import INVALID, definition, invalid, refused


@pytest.fixture
def dynamodb(cloud: Account) -> Any:
    client = cloud.client("dynamodb")
    client.create_table(**definition(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}))
    cloud.settle()
    return client


def arn(dynamodb: Any) -> str:
    return str(dynamodb.describe_table(TableName="orders")["Table"]["TableArn"])


def test_tags(cloud: Account, dynamodb: Any) -> None:
    table = arn(dynamodb)
    assert dynamodb.list_tags_of_resource(ResourceArn=table)["Tags"] == []
    dynamodb.tag_resource(ResourceArn=table, Tags=[{"Key": f"k{n:02}", "Value": str(n)} for n in range(12)])
    dynamodb.tag_resource(ResourceArn=table, Tags=[{"Key": "k00", "Value": "new"}])
    dynamodb.untag_resource(ResourceArn=table, TagKeys=["k01", "none"])
    page = dynamodb.list_tags_of_resource(ResourceArn=table)
    rest = dynamodb.list_tags_of_resource(ResourceArn=table, NextToken=page["NextToken"])
    found = {tag["Key"]: tag["Value"] for tag in page["Tags"] + rest["Tags"]}
    assert len(found) == 11
    assert found["k00"] == "new"
    assert "NextToken" not in rest
    with invalid("Atleast one Tag needs to be provided as Input."):
        dynamodb.tag_resource(ResourceArn=table, Tags=[])
    with invalid("Atleast one Tag Key needs to be provided as Input."):
        dynamodb.untag_resource(ResourceArn=table, TagKeys=[])
    missing = table.replace("orders", "others")
    with refused("ResourceNotFoundException", f"Requested resource not found: ResourceArn: {missing} not found"):
        dynamodb.list_tags_of_resource(ResourceArn=missing)
    with invalid(f"{INVALID}ARNs must start with 'arn:': orders"):
        dynamodb.list_tags_of_resource(ResourceArn="orders")


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(account: str, action: str, resource: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": [action],
        "Resource": resource,
    }


def test_a_policy_lets_another_account_in(cloud: Account, dynamodb: Any) -> None:
    table, other = arn(dynamodb), cloud.another()
    theirs = other.client("dynamodb")
    dynamodb.put_item(TableName="orders", Item={"id": {"S": "a"}})
    with refused("AccessDeniedException"):
        theirs.get_item(TableName=table, Key={"id": {"S": "a"}})
    document = policy(allow(other.account, "dynamodb:GetItem", table))
    revision = dynamodb.put_resource_policy(ResourceArn=table, Policy=document)["RevisionId"]
    assert theirs.get_item(TableName=table, Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}
    with refused("AccessDeniedException"):
        theirs.delete_item(TableName=table, Key={"id": {"S": "a"}})
    found = dynamodb.get_resource_policy(ResourceArn=table)
    assert found["RevisionId"] == revision
    assert json.loads(found["Policy"])["Statement"][0]["Action"] == "dynamodb:GetItem"
    assert dynamodb.delete_resource_policy(ResourceArn=table)["RevisionId"] != revision
    with refused("PolicyNotFoundException", f"Resource-based policy not found for the provided ResourceArn: {table}"):
        dynamodb.get_resource_policy(ResourceArn=table)
    with refused("AccessDeniedException"):
        theirs.get_item(TableName=table, Key={"id": {"S": "a"}})


def test_revisions(cloud: Account, dynamodb: Any) -> None:
    table = arn(dynamodb)
    one = policy(allow(cloud.account, "dynamodb:GetItem", table))
    two = policy(allow(cloud.account, "dynamodb:Query", table))
    with refused("PolicyNotFoundException"):
        dynamodb.put_resource_policy(ResourceArn=table, Policy=one, ExpectedRevisionId="1")
    first = dynamodb.put_resource_policy(ResourceArn=table, Policy=one, ExpectedRevisionId="NO_POLICY")["RevisionId"]
    assert dynamodb.put_resource_policy(ResourceArn=table, Policy=one)["RevisionId"] == first
    with refused("PolicyNotFoundException"):
        dynamodb.put_resource_policy(ResourceArn=table, Policy=two, ExpectedRevisionId="NO_POLICY")
    second = dynamodb.put_resource_policy(ResourceArn=table, Policy=two, ExpectedRevisionId=first)["RevisionId"]
    with refused("PolicyNotFoundException"):
        dynamodb.delete_resource_policy(ResourceArn=table, ExpectedRevisionId=first)
    dynamodb.delete_resource_policy(ResourceArn=table, ExpectedRevisionId=second)
    assert "RevisionId" not in dynamodb.delete_resource_policy(ResourceArn=table)


def test_streams_have_policies_of_their_own(cloud: Account, dynamodb: Any) -> None:
    stream = dynamodb.describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    other = cloud.another()
    theirs = other.client("dynamodbstreams")
    with refused("AccessDeniedException"):
        theirs.describe_stream(StreamArn=stream)
    dynamodb.put_resource_policy(
        ResourceArn=stream, Policy=policy(allow(other.account, "dynamodb:DescribeStream", stream))
    )
    assert theirs.describe_stream(StreamArn=stream)["StreamDescription"]["StreamArn"] == stream
    with refused("PolicyNotFoundException"):
        dynamodb.get_resource_policy(ResourceArn=arn(dynamodb))


def test_policies_that_are_refused(cloud: Account, dynamodb: Any) -> None:
    table = arn(dynamodb)

    def put(document: str, **more: Any) -> Any:
        return dynamodb.put_resource_policy(ResourceArn=table, Policy=document, **more)

    everyone = {"Effect": "Allow", "Principal": "*", "Action": "dynamodb:GetItem", "Resource": table}
    with invalid(
        "Resource-based policy grants unbounded access in one or more elements. Please revise the policy to ensure "
        "least-privilege form of access"
    ):
        put(policy(everyone))
    with invalid(f"{INVALID}Maximum policy size of 20480 bytes exceeded"):
        put(policy({**allow(cloud.account, "dynamodb:GetItem", table), "Sid": "x" * 20480}))
    with refused("ValidationException"):
        put("{")
    locked = {"Effect": "Deny", "Principal": "*", "Action": "dynamodb:PutResourcePolicy", "Resource": table}
    text = "The new resource policy will not allow you to update the resource policy in the future."
    with refused("AccessDeniedException", text):
        put(policy(locked))
    put(policy(locked), ConfirmRemoveSelfResourceAccess=True)
    with refused("AccessDeniedException"):
        put(policy(everyone))
    with refused("ResourceNotFoundException", "Requested resource not found: Table: others not found"):
        dynamodb.get_resource_policy(ResourceArn=table.replace("orders", "others"))


def test_a_table_is_born_with_a_policy(cloud: Account, dynamodb: Any) -> None:
    other = cloud.another()
    resource = arn(dynamodb).replace("orders", "shared")
    dynamodb.create_table(
        **definition("shared", ResourcePolicy=policy(allow(other.account, "dynamodb:DescribeTable", resource)))
    )
    assert other.client("dynamodb").describe_table(TableName=resource)["Table"]["TableArn"] == resource
