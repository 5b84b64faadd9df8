"""A DAX cluster in front of a fresh account's tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Account

TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"Service": "dax.amazonaws.com"}, "Action": "sts:AssumeRole"},
}


def make_role(cloud: Account, actions: Any = "dynamodb:*", name: str = "accelerator") -> str:
    """The ARN of a role for clusters that may so much."""
    iam = cloud.client("iam")
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    allowed = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    iam.put_role_policy(RoleName=name, PolicyName="tables", PolicyDocument=json.dumps(allowed))
    return arn


@pytest.fixture
def dax(cloud: Account) -> Any:
    """A boto3 client for clusters."""
    return cloud.client("dax")


@pytest.fixture
def cluster(cloud: Account, dax: Any) -> dict[str, Any]:
    """An available cluster of one node."""
    dax.create_cluster(ClusterName="fast", NodeType="dax.r5.large", ReplicationFactor=1, IamRoleArn=make_role(cloud))
    cloud.advance(2)
    found: dict[str, Any] = dax.describe_clusters(ClusterNames=["fast"])["Clusters"][0]
    assert found["Status"] == "available"
    return found


@pytest.fixture
def connect(cloud: Account, cluster: dict[str, Any]) -> Iterator[Callable[..., Any]]:
    """Opens clients of Amazon's own library."""
    amazondax = pytest.importorskip("amazondax")
    opened: list[Any] = []

    def open_client(key: str = "", secret: str = "test", token: str | None = None) -> Any:
        client = amazondax.AmazonDaxClient(
            endpoint_url=cluster["ClusterDiscoveryEndpoint"]["URL"],
            region_name="us-east-1",
            aws_access_key_id=key or cloud.account,
            aws_secret_access_key=secret,
            aws_session_token=token,
        )
        opened.append(client)
        return client

    yield open_client
    for client in opened:
        client.close()
