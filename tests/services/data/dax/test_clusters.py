"""Clusters, their nodes, parameter groups, events and tags."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from cumulo.services.data.dax import clusters, parameter_groups
from tests.conftest import Account
from tests.services.data.dax.conftest import make_role

pytestmark = pytest.mark.usefixtures("still")


def code(function: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        function(**request)
    return str(raised.value.response["Error"]["Code"])


def test_a_cluster_comes_changes_and_goes(cloud: Account, dax: Any) -> None:
    role = make_role(cloud)
    made = dax.create_cluster(
        ClusterName="Fast",
        NodeType="dax.r5.large",
        ReplicationFactor=3,
        IamRoleArn=role,
        Description="hot",
        SSESpecification={"Enabled": True},
        Tags=[{"Key": "team", "Value": "web"}],
    )["Cluster"]
    arn = f"arn:aws:dax:us-east-1:{cloud.account}:cache/fast"
    assert (made["ClusterName"], made["ClusterArn"], made["Status"]) == ("fast", arn, "creating")
    assert (made["TotalNodes"], made["ActiveNodes"]) == (3, 0)
    assert "ClusterDiscoveryEndpoint" not in made
    assert code(dax.delete_cluster, ClusterName="fast") == "InvalidClusterStateFault"
    cloud.advance(2)
    (found,) = dax.describe_clusters()["Clusters"]
    assert (found["Status"], found["ActiveNodes"]) == ("available", 3)
    assert [node["NodeId"] for node in found["Nodes"]] == ["fast-a", "fast-b", "fast-c"]
    assert found["ClusterDiscoveryEndpoint"]["URL"] == cloud.url.replace("http:", "dax:")
    assert found["SSEDescription"] == {"Status": "ENABLED"}
    assert dax.list_tags(ResourceName=arn)["Tags"] == [{"Key": "team", "Value": "web"}]

    dax.decrease_replication_factor(ClusterName="fast", NewReplicationFactor=2, NodeIdsToRemove=["fast-b"])
    cloud.advance(2)
    (found,) = dax.describe_clusters()["Clusters"]
    assert [node["NodeId"] for node in found["Nodes"]] == ["fast-a", "fast-c"]
    dax.increase_replication_factor(ClusterName="fast", NewReplicationFactor=3, AvailabilityZones=["us-east-1d"])
    cloud.advance(2)
    (found,) = dax.describe_clusters()["Clusters"]
    assert [(node["NodeId"], node["AvailabilityZone"]) for node in found["Nodes"]][-1] == ("fast-b", "us-east-1d")
    rebooting = dax.reboot_node(ClusterName="fast", NodeId="fast-a")["Cluster"]
    assert rebooting["Nodes"][0]["NodeStatus"] == "rebooting"
    cloud.advance(2)
    dax.update_cluster(ClusterName="fast", Description="hotter", PreferredMaintenanceWindow="mon:01:00-mon:02:00")
    cloud.advance(2)
    (found,) = dax.describe_clusters(ClusterNames=["fast"])["Clusters"]
    assert (found["Description"], found["PreferredMaintenanceWindow"]) == ("hotter", "mon:01:00-mon:02:00")

    assert dax.delete_cluster(ClusterName="fast")["Cluster"]["Status"] == "deleting"
    cloud.advance(2)
    assert dax.describe_clusters()["Clusters"] == []
    told = [event["Message"] for event in dax.describe_events(SourceName="fast", SourceType="CLUSTER")["Events"]]
    assert told == ["Cluster deleted.", "Node fast-a restarted.", "Cluster created."]
    cloud.advance(3700)
    assert dax.describe_events()["Events"] == []
    assert len(dax.describe_events(Duration=120)["Events"]) == 3


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"AvailabilityZones": ["us-east-1a", "us-east-1b"]}, "InvalidParameterValueException"),
        ({"ClusterName": "1st"}, "InvalidParameterValueException"),
        ({"ClusterName": "two--hyphens"}, "InvalidParameterValueException"),
        ({"ClusterName": "a" * 21}, "InvalidParameterValueException"),
        ({"NodeType": "cache.r5.large"}, "InvalidParameterValueException"),
        ({"ReplicationFactor": 0}, "InvalidParameterValueException"),
        ({"ReplicationFactor": 12}, "NodeQuotaForClusterExceededFault"),
        ({"AvailabilityZones": ["eu-west-1a"]}, "InvalidParameterValueException"),
        ({"PreferredMaintenanceWindow": "today"}, "InvalidParameterValueException"),
        ({"ParameterGroupName": "none"}, "ParameterGroupNotFoundFault"),
        ({"SubnetGroupName": "none"}, "SubnetGroupNotFoundFault"),
        ({"IamRoleArn": "arn:aws:iam::{account}:role/none"}, "InvalidParameterValueException"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "InvalidParameterValueException"),
        ({"Tags": [{"Value": "y"}]}, "InvalidParameterValueException"),
        ({"Tags": [{"Key": str(number), "Value": "y"} for number in range(51)]}, "TagQuotaPerResourceExceeded"),
        ({"NotificationTopicArn": "arn:aws:sns:us-east-1:1:t"}, "NotImplemented"),
    ],
)
def test_what_is_refused(cloud: Account, dax: Any, wrong: dict[str, Any], expected: str) -> None:
    role = make_role(cloud)
    right = {"ClusterName": "fast", "NodeType": "dax.r5.large", "ReplicationFactor": 1, "IamRoleArn": role}
    wrong = {
        name: value.format(account=cloud.account) if isinstance(value, str) else value for name, value in wrong.items()
    }
    assert code(dax.create_cluster, **{**right, **wrong}) == expected
    assert dax.describe_clusters()["Clusters"] == []


def test_faults_of_clusters_and_nodes(cluster: dict[str, Any], dax: Any) -> None:
    role = cluster["IamRoleArn"]
    again = {"ClusterName": "FAST", "NodeType": "dax.r5.large", "ReplicationFactor": 1, "IamRoleArn": role}
    assert code(dax.create_cluster, **again) == "ClusterAlreadyExistsFault"
    assert code(dax.describe_clusters, ClusterNames=["none"]) == "ClusterNotFoundFault"
    assert code(dax.delete_cluster, ClusterName="none") == "ClusterNotFoundFault"
    assert code(dax.reboot_node, ClusterName="fast", NodeId="none") == "NodeNotFoundFault"
    smaller = {"ClusterName": "fast", "NewReplicationFactor": 1}
    assert code(dax.decrease_replication_factor, **smaller) == "InvalidParameterValueException"
    assert code(dax.increase_replication_factor, **smaller) == "InvalidParameterValueException"


def test_which_nodes_leave(cloud: Account, cluster: dict[str, Any], dax: Any) -> None:
    dax.increase_replication_factor(ClusterName="fast", NewReplicationFactor=4)
    arn = cluster["ClusterArn"]
    assert code(dax.tag_resource, ResourceName=arn, Tags=[]) == "InvalidClusterStateFault"
    cloud.advance(2)
    fewer = {"ClusterName": "fast", "NewReplicationFactor": 2}
    zone = {"AvailabilityZones": ["us-east-1a"]}
    both = code(dax.decrease_replication_factor, **fewer, **zone, NodeIdsToRemove=["fast-a", "fast-b"])
    assert both == "InvalidParameterCombinationException"
    nobody = code(dax.decrease_replication_factor, **fewer, NodeIdsToRemove=["fast-a", "none"])
    assert nobody == "NodeNotFoundFault"
    few = code(dax.decrease_replication_factor, **fewer, NodeIdsToRemove=["fast-a"])
    assert few == "InvalidParameterValueException"
    empty = code(dax.decrease_replication_factor, **fewer, AvailabilityZones=["us-east-1f", "us-east-1f"])
    assert empty == "InvalidParameterValueException"
    dax.decrease_replication_factor(**fewer, AvailabilityZones=["us-east-1a", "us-east-1b"])
    cloud.advance(2)
    [found] = dax.describe_clusters()["Clusters"]
    zones = [node["AvailabilityZone"] for node in found["Nodes"]]
    assert sorted(zones) == ["us-east-1a", "us-east-1c"]


def test_what_lists_refuse(dax: Any) -> None:
    for size in (19, 101):
        assert code(dax.describe_clusters, MaxResults=size) == "InvalidParameterValueException"
    assert code(dax.describe_events, Duration=-1) == "InvalidParameterValueException"
    assert code(dax.describe_events, StartTime=20, EndTime=10) == "InvalidParameterCombinationException"


def test_quotas(cloud: Account, cluster: dict[str, Any], dax: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "QUOTA", 1)
    more = {"ClusterName": "more", "NodeType": "dax.r5.large", "ReplicationFactor": 1}
    assert code(dax.create_cluster, **more, IamRoleArn=cluster["IamRoleArn"]) == (
        "ClusterQuotaForCustomerExceededFault"
    )
    monkeypatch.setattr(parameter_groups, "QUOTA", 1)
    dax.create_parameter_group(ParameterGroupName="one")
    assert code(dax.create_parameter_group, ParameterGroupName="two") == "ParameterGroupQuotaExceededFault"


def test_what_parameter_groups_refuse(cloud: Account, cluster: dict[str, Any], dax: Any) -> None:
    assert code(dax.create_parameter_group, ParameterGroupName="1st") == "InvalidParameterValueException"
    default = "default.dax1.0"
    assert code(dax.delete_parameter_group, ParameterGroupName=default) == "InvalidParameterGroupStateFault"
    dax.create_parameter_group(ParameterGroupName="one")
    value = [{"ParameterName": "query-ttl-millis", "ParameterValue": "soon"}]
    wrong = code(dax.update_parameter_group, ParameterGroupName="one", ParameterNameValues=value)
    assert wrong == "InvalidParameterValueException"
    assert code(dax.describe_parameters, ParameterGroupName="one", Source="none") == "InvalidParameterValueException"
    dax.update_cluster(ClusterName="fast", ParameterGroupName="one")
    cloud.advance(2)
    assert code(dax.delete_parameter_group, ParameterGroupName="one") == "InvalidParameterGroupStateFault"
    both = {"SourceName": "fast"}
    assert code(dax.describe_events, **both) == "InvalidParameterCombinationException"


def test_tags(cluster: dict[str, Any], dax: Any) -> None:
    arn = cluster["ClusterArn"]
    dax.tag_resource(ResourceName=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    assert dax.untag_resource(ResourceName=arn, TagKeys=["a"])["Tags"] == [{"Key": "b", "Value": "2"}]
    assert code(dax.untag_resource, ResourceName=arn, TagKeys=["a"]) == "TagNotFoundFault"
    assert code(dax.list_tags, ResourceName=arn + "x") == "ClusterNotFoundFault"
    assert code(dax.list_tags, ResourceName="arn:aws:s3:::b") == "InvalidARNFault"


def test_parameter_groups(dax: Any) -> None:
    dax.create_parameter_group(ParameterGroupName="short", Description="soon gone")
    values = [{"ParameterName": "query-ttl-millis", "ParameterValue": "1000"}]
    dax.update_parameter_group(ParameterGroupName="short", ParameterNameValues=values)
    found = {each["ParameterName"]: each for each in dax.describe_parameters(ParameterGroupName="short")["Parameters"]}
    assert (found["query-ttl-millis"]["ParameterValue"], found["query-ttl-millis"]["Source"]) == ("1000", "user")
    assert found["record-ttl-millis"]["ParameterValue"] == "300000"
    (one,) = dax.describe_parameters(ParameterGroupName="short", Source="user")["Parameters"]
    assert one["ParameterName"] == "query-ttl-millis"
    groups = [each["ParameterGroupName"] for each in dax.describe_parameter_groups()["ParameterGroups"]]
    assert groups == ["default.dax1.0", "short"]
    assert len(dax.describe_default_parameters()["Parameters"]) == 2
    assert code(dax.create_parameter_group, ParameterGroupName="short") == "ParameterGroupAlreadyExistsFault"
    fixed = {"ParameterGroupName": "default.dax1.0", "ParameterNameValues": values}
    assert code(dax.update_parameter_group, **fixed) == "InvalidParameterGroupStateFault"
    wrong = {"ParameterGroupName": "short", "ParameterNameValues": [{"ParameterName": "x", "ParameterValue": "1"}]}
    assert code(dax.update_parameter_group, **wrong) == "InvalidParameterValueException"
    dax.delete_parameter_group(ParameterGroupName="short")
    assert code(dax.describe_parameters, ParameterGroupName="short") == "ParameterGroupNotFoundFault"


def test_a_user_needs_permission(cloud: Account, cluster: dict[str, Any]) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    dax = cloud.client("dax", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    assert code(dax.describe_clusters, ClusterNames=["fast"]) == "AccessDeniedException"
    allowed = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "dax:DescribeClusters", "Resource": cluster["ClusterArn"]},
    }
    iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(allowed))
    assert dax.describe_clusters(ClusterNames=["fast"])["Clusters"][0]["ClusterName"] == "fast"


def test_a_token_of_another_list_is_none(cloud: Account, dax: Any, cluster: dict[str, Any]) -> None:
    for key in (("DescribeEvents", 1, "a"), ("DescribeParameterGroups", "a"), ("a",), (1,), ()):
        token = base64.urlsafe_b64encode(msgspec.msgpack.encode(key)).decode()
        assert code(dax.describe_clusters, NextToken=token) == "InvalidParameterValueException"


@pytest.mark.parametrize("host", ["dax.us-east-1.amazonaws.com", "localhost:80"])
def test_an_endpoint_without_a_port_has_that_of_its_scheme(cloud: Account, dax: Any, host: str) -> None:
    dax.meta.events.register("before-sign", lambda request, **_: request.headers.add_header("Host", host))
    made = dax.create_cluster(
        ClusterName="fast", NodeType="dax.r5.large", ReplicationFactor=1, IamRoleArn=make_role(cloud)
    )
    assert made["Cluster"]["Status"] == "creating"
    cloud.advance(2)
    endpoint = dax.describe_clusters()["Clusters"][0]["ClusterDiscoveryEndpoint"]
    assert (endpoint["Address"], endpoint["Port"]) == (host.partition(":")[0], 80)
