"""Global tables: replicas that come and go, items that reach every region, the last writer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.table_requests import (
    INVALID,
    UNITS,
    attributes,
    definition,
    index,
    invalid,
    keys,
    refused,
)

EAST, WEST, OHIO, EUROPE = "us-east-1", "us-west-2", "us-east-2", "eu-west-1"


@pytest.fixture
def regions(cloud: Account) -> dict[str, Any]:
    """Clients of three regions; `orders` is a table of the first."""
    return _with_a_table(cloud, EAST, WEST, EUROPE)


@pytest.fixture
def american(cloud: Account) -> dict[str, Any]:
    """Likewise, of regions that strong consistency can span."""
    return _with_a_table(cloud, EAST, WEST, OHIO)


def _with_a_table(cloud: Account, *names: str) -> dict[str, Any]:
    clients = {region: cloud.client("dynamodb", region=region) for region in names}
    clients[EAST].create_table(**definition())
    cloud.settle()
    return clients


def update(client: Any, action: str, region: str, **options: Any) -> Any:
    wanted = [{action: {"RegionName": region, **options}}]
    return client.update_table(TableName="orders", ReplicaUpdates=wanted)["TableDescription"]


def join(cloud: Account, regions: dict[str, Any], *others: str) -> None:
    for region in others:
        update(regions[EAST], "Create", region)
        cloud.settle()


def put(client: Any, name: str, value: str = "1") -> None:
    client.put_item(TableName="orders", Item={"id": {"S": name}, "value": {"S": value}})


def contents(client: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for page in client.get_paginator("scan").paginate(TableName="orders"):
        found |= {item["id"]["S"]: item.get("value", {}).get("S", "") for item in page["Items"]}
    return found


def replicas(client: Any) -> dict[str, str]:
    table = client.describe_table(TableName="orders")["Table"]
    return {each["RegionName"]: each["ReplicaStatus"] for each in table.get("Replicas", [])}


def test_a_replica_gets_what_is_there_and_what_comes(cloud: Account, regions: dict[str, Any]) -> None:
    east, west = regions[EAST], regions[WEST]
    for number in range(450):
        put(east, str(number))
    made = update(east, "Create", WEST)
    assert made["TableStatus"] == "UPDATING"
    for number in range(0, 450, 5):
        put(east, str(number), "2")
    east.delete_item(TableName="orders", Key={"id": {"S": "7"}})
    cloud.settle()
    assert replicas(east) == {WEST: "ACTIVE"}
    assert replicas(west) == {EAST: "ACTIVE"}
    table = west.describe_table(TableName="orders")["Table"]
    assert (table["TableStatus"], table["GlobalTableVersion"]) == ("ACTIVE", "2019.11.21")
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TableId"] != east.describe_table(TableName="orders")["Table"]["TableId"]
    assert contents(west) == contents(east)
    assert contents(west)["5"] == "2"
    put(west, "from the west")
    west.delete_item(TableName="orders", Key={"id": {"S": "9"}})
    cloud.settle()
    assert contents(east) == contents(west)
    assert "9" not in contents(east)
    item = west.get_item(TableName="orders", Key={"id": {"S": "5"}})["Item"]
    assert set(item) == {"id", "value"}


def test_the_last_writer_wins_everywhere(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST, EUROPE)
    for round_number in range(5):
        for number, client in enumerate(regions.values()):
            put(client, "a", f"{round_number} {number}")
            put(client, "b", f"{round_number} {number}")
        regions[WEST].delete_item(TableName="orders", Key={"id": {"S": "b"}})
    cloud.settle()
    assert contents(regions[EAST]) == contents(regions[WEST]) == contents(regions[EUROPE]) == {"a": "4 2"}


def test_each_region_streams_what_it_gets(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST)
    put(regions[EAST], "a")
    cloud.settle()
    streams = cloud.client("dynamodbstreams", region=WEST)
    arn = regions[WEST].describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = streams.get_records(ShardIterator=place["ShardIterator"])["Records"]
    assert (record["eventName"], record["awsRegion"]) == ("INSERT", WEST)


def test_a_third_region_joins_and_one_leaves(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST, EUROPE)
    assert replicas(regions[WEST]) == {EAST: "ACTIVE", EUROPE: "ACTIVE"}
    put(regions[EUROPE], "a")
    cloud.settle()
    update(regions[EAST], "Delete", WEST)
    cloud.settle()
    assert replicas(regions[EAST]) == {EUROPE: "ACTIVE"}
    assert replicas(regions[EUROPE]) == {EAST: "ACTIVE"}
    with refused("ResourceNotFoundException"):
        regions[WEST].describe_table(TableName="orders")
    put(regions[EAST], "b")
    cloud.settle()
    assert set(contents(regions[EUROPE])) == {"a", "b"}
    update(regions[EAST], "Delete", EUROPE)
    cloud.settle()
    table = regions[EAST].describe_table(TableName="orders")["Table"]
    assert not {"Replicas", "GlobalTableVersion", "GlobalTableSettingsReplicationMode"} & set(table)
    assert table["StreamSpecification"]["StreamEnabled"] is True
    regions[EAST].delete_table(TableName="orders")


def test_settings_reach_all_regions(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST)
    put(regions[EAST], "a")
    wanted = {"Enabled": True, "AttributeName": "until"}
    regions[EAST].update_time_to_live(TableName="orders", TimeToLiveSpecification=wanted)
    shown = regions[WEST].describe_time_to_live(TableName="orders")["TimeToLiveDescription"]
    assert shown == {"TimeToLiveStatus": "ENABLED", "AttributeName": "until"}
    regions[WEST].update_table(
        TableName="orders",
        AttributeDefinitions=attributes("value"),
        GlobalSecondaryIndexUpdates=[{"Create": index("by_value", "value")}],
    )
    cloud.settle()
    for client in (regions[EAST], regions[WEST]):
        (made,) = client.describe_table(TableName="orders")["Table"]["GlobalSecondaryIndexes"]
        assert (made["IndexStatus"], made["ItemCount"]) == ("ACTIVE", 1)
    with invalid(f"{INVALID}Disabling Stream is not allowed for a Global Table replica."):
        regions[EAST].update_table(TableName="orders", StreamSpecification={"StreamEnabled": False})


def test_overrides(cloud: Account, regions: dict[str, Any]) -> None:
    update(regions[EAST], "Create", WEST, TableClassOverride="STANDARD_INFREQUENT_ACCESS")
    cloud.settle()
    (shown,) = regions[EAST].describe_table(TableName="orders")["Table"]["Replicas"]
    assert shown["ReplicaTableClassSummary"] == {"TableClass": "STANDARD_INFREQUENT_ACCESS"}
    there = regions[WEST].describe_table(TableName="orders")["Table"]
    assert there["TableClassSummary"]["TableClass"] == "STANDARD_INFREQUENT_ACCESS"
    update(regions[EAST], "Update", WEST, OnDemandThroughputOverride={"MaxReadRequestUnits": 100})
    cloud.settle()
    (shown,) = regions[EAST].describe_table(TableName="orders")["Table"]["Replicas"]
    assert shown["OnDemandThroughputOverride"] == {"MaxReadRequestUnits": 100}


def test_replicas_of_tables_under_keys(cloud: Account, regions: dict[str, Any]) -> None:
    def key(region: str) -> str:
        return str(cloud.client("kms", region=region).create_key()["KeyMetadata"]["Arn"])

    sealed = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key(EAST)}
    regions[EAST].update_table(TableName="orders", SSESpecification=sealed)
    put(regions[EAST], "a")
    cloud.settle()
    with invalid(f"{INVALID}KMSMasterKeyId must be specified for each replica."):
        update(regions[EAST], "Create", WEST)
    theirs = key(WEST)
    update(regions[EAST], "Create", WEST, KMSMasterKeyId=theirs)
    cloud.settle()
    put(regions[EAST], "b")
    cloud.settle()
    assert set(contents(regions[WEST])) == {"a", "b"}
    assert regions[WEST].describe_table(TableName="orders")["Table"]["SSEDescription"]["KMSMasterKeyArn"] == theirs


def test_what_replica_updates_refuse(cloud: Account, regions: dict[str, Any]) -> None:
    east = regions[EAST]
    local = (
        "Cannot add or delete the local region through ReplicaUpdates. Use CreateTable, DeleteTable, or UpdateTable as "
        "required."
    )
    with invalid(local):
        update(east, "Create", EAST)
    with refused("ValidationException"):
        update(east, "Create", "nowhere")
    missing = (
        "Update global table operation failed because one or more replicas were not part of the global table. Please "
        f"retry the request without these replicas: [{WEST}]."
    )
    with invalid(missing):
        update(east, "Delete", WEST)
    regions[WEST].create_table(**definition())
    cloud.settle()
    with invalid(
        "Failed to create a the new replica of table with name: ‘orders’ because one or more replicas already existed "
        "as tables."
    ):
        update(east, "Create", WEST)
    with invalid("There are no actions specified in the Replica Update Action of the request."):
        update(east, "Update", EUROPE)
    two = [{"Create": {"RegionName": EUROPE}}, {"Create": {"RegionName": "eu-west-2"}}]
    with invalid("Update table operation with more than one create or delete replica actions not allowed"):
        east.update_table(TableName="orders", ReplicaUpdates=two)
    mixed = [{"Create": {"RegionName": EUROPE}}, {"Delete": {"RegionName": WEST}}]
    with invalid("Update table operation with more than one type of replica actions not allowed."):
        east.update_table(TableName="orders", ReplicaUpdates=mixed)
    both = [{"Create": {"RegionName": EUROPE}, "Delete": {"RegionName": EUROPE}}]
    with invalid("Update table operation with more than one type of replica actions not allowed."):
        east.update_table(TableName="orders", ReplicaUpdates=both)
    with invalid(f"{INVALID}Replica modification must be the only operation in the request"):
        east.update_table(TableName="orders", ReplicaUpdates=two[:1], DeletionProtectionEnabled=True)
    east.create_table(**definition("units", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS))
    cloud.settle()
    with invalid("Table write capacity should either be Pay-Per-Request or AutoScaled."):
        east.update_table(TableName="units", ReplicaUpdates=two[:1])
    join(cloud, regions, EUROPE)
    with refused("ValidationException"):
        east.delete_table(TableName="orders")
    regions[EUROPE].update_table(TableName="orders", DeletionProtectionEnabled=True)
    with invalid(
        f"Cannot delete table orders in region {EUROPE} because it has deletion protection enabled. Disable deletion "
        "protection first."
    ):
        update(east, "Delete", EUROPE)


def test_strong_consistency_is_read_in_every_region_at_once(cloud: Account, american: dict[str, Any]) -> None:
    both = [{"Create": {"RegionName": WEST}}, {"Create": {"RegionName": OHIO}}]
    with refused("ValidationException"):
        american[EAST].update_table(TableName="orders", ReplicaUpdates=both[:1], MultiRegionConsistency="STRONG")
    american[EAST].update_table(TableName="orders", ReplicaUpdates=both, MultiRegionConsistency="STRONG")
    cloud.settle()
    table = american[EAST].describe_table(TableName="orders")["Table"]
    assert (table["MultiRegionConsistency"], len(table["Replicas"])) == ("STRONG", 2)
    for number, (region, client) in enumerate(american.items()):
        put(client, region, str(number))
        for other in american.values():
            found = other.get_item(TableName="orders", Key={"id": {"S": region}}, ConsistentRead=True)
            assert found["Item"]["value"] == {"S": str(number)}
    with refused("ValidationException"):
        update(american[EAST], "Delete", WEST)
    with refused("ValidationException"):
        american[WEST].delete_table(TableName="orders")
    gone = [{"Delete": {"RegionName": WEST}}, {"Delete": {"RegionName": OHIO}}]
    american[EAST].update_table(TableName="orders", ReplicaUpdates=gone)
    cloud.settle()
    table = american[EAST].describe_table(TableName="orders")["Table"]
    assert not {"Replicas", "MultiRegionConsistency"} & set(table)
    assert len(contents(american[EAST])) == 3


def test_what_strongly_consistent_groups_refuse(cloud: Account, american: dict[str, Any]) -> None:
    east = american[EAST]
    west, ohio = ({"Create": {"RegionName": region}} for region in (WEST, OHIO))
    gone = {"Delete": {"RegionName": WEST}}
    for wanted, text in (
        (
            {"ReplicaUpdates": [west], "GlobalTableWitnessUpdates": [ohio]},
            "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter is present.",
        ),
        (
            {"ReplicaUpdates": [gone], "MultiRegionConsistency": "STRONG"},
            "Only Replica Create actions are supported when MultiRegionConsistency parameter is provided.",
        ),
        (
            {"ReplicaUpdates": [west], "MultiRegionConsistency": "STRONG"},
            "Unsupported replica count for a global table with MultiRegionConsistency set to STRONG.",
        ),
        (
            {"ReplicaUpdates": [west], "GlobalTableWitnessUpdates": [west], "MultiRegionConsistency": "STRONG"},
            "Cannot add a witness in the same region as an existing replica.",
        ),
    ):
        with invalid(text):
            east.update_table(TableName="orders", **wanted)
    strong = {"ReplicaUpdates": [west], "GlobalTableWitnessUpdates": [ohio], "MultiRegionConsistency": "STRONG"}
    east.update_table(TableName="orders", **strong)
    cloud.settle()
    unsupported = "MultiRegionConsistency parameter is unsupported on existing global table"
    for changed, text in (
        (strong, unsupported),
        ({"ReplicaUpdates": [ohio]}, "Cannot add replicas to a global table with strong MultiRegionConsistency"),
        ({"ReplicaUpdates": [gone]}, "Update table delete operation does not include all witnesses."),
    ):
        with invalid(text):
            east.update_table(TableName="orders", **changed)
    cloud.client("dynamodb", region=OHIO).create_table(**definition("plain"))
    cloud.settle()
    ohio_client = american[OHIO]
    ohio_client.update_table(TableName="plain", ReplicaUpdates=[{"Create": {"RegionName": EUROPE}}])
    cloud.settle()
    with invalid(unsupported):
        ohio_client.update_table(TableName="plain", ReplicaUpdates=[west], MultiRegionConsistency="STRONG")


def test_keys_of_replicas_that_do_not_fit(cloud: Account, regions: dict[str, Any]) -> None:
    east = regions[EAST]
    key = cloud.client("kms", region=EUROPE).create_key()["KeyMetadata"]["Arn"]
    with invalid(f"{INVALID}All replica keys must either be Customer Managed CMK or AWS Managed CMK."):
        update(east, "Create", EUROPE, KMSMasterKeyId=key)
    join(cloud, regions, EUROPE)
    with invalid(f"{INVALID}KMSMasterKeyId of a replica cannot be updated through ReplicaUpdates."):
        update(east, "Update", EUROPE, KMSMasterKeyId=key)


def test_a_witness_stands_for_a_third_region(cloud: Account, american: dict[str, Any]) -> None:
    american[EAST].update_table(
        TableName="orders",
        ReplicaUpdates=[{"Create": {"RegionName": WEST}}],
        GlobalTableWitnessUpdates=[{"Create": {"RegionName": OHIO}}],
        MultiRegionConsistency="STRONG",
    )
    cloud.settle()
    table = american[WEST].describe_table(TableName="orders")["Table"]
    assert table["GlobalTableWitnesses"] == [{"RegionName": OHIO, "WitnessStatus": "ACTIVE"}]
    assert american[OHIO].list_tables()["TableNames"] == []


def test_strong_consistency_has_its_conditions(cloud: Account, regions: dict[str, Any]) -> None:
    east = regions[EAST]
    spread = [{"Create": {"RegionName": WEST}}, {"Create": {"RegionName": EUROPE}}]
    with invalid(
        "The regions of a global table with MultiRegionConsistency set to STRONG must be of one Region set; these are "
        "not: [eu-west-1, us-east-1, us-west-2]."
    ):
        east.update_table(TableName="orders", ReplicaUpdates=spread, MultiRegionConsistency="STRONG")
    near = [{"Create": {"RegionName": WEST}}, {"Create": {"RegionName": OHIO}}]
    expiry = {"Enabled": True, "AttributeName": "until"}
    east.update_time_to_live(TableName="orders", TimeToLiveSpecification=expiry)
    with invalid("TimeToLive is not supported for global tables with MultiRegionConsistency set to STRONG."):
        east.update_table(TableName="orders", ReplicaUpdates=near, MultiRegionConsistency="STRONG")
    local = {"AttributeDefinitions": attributes("id", "at", "kind"), "KeySchema": keys("id", "at")}
    east.create_table(**definition("local", LocalSecondaryIndexes=[index("by_kind", "id", "kind")], **local))
    cloud.settle()
    unsupported = "is not supported for global tables with MultiRegionConsistency set to STRONG."
    with invalid(f"LocalSecondaryIndexes {unsupported}"):
        east.update_table(TableName="local", ReplicaUpdates=near, MultiRegionConsistency="STRONG")
    put(east, "1")
    with invalid("MultiRegionConsistency can be set to STRONG for empty tables only."):
        east.update_table(TableName="orders", ReplicaUpdates=near, MultiRegionConsistency="STRONG")


def test_strong_consistency_leaves_some_things_out(cloud: Account, american: dict[str, Any]) -> None:
    east = american[EAST]
    both = [{"Create": {"RegionName": WEST}}, {"Create": {"RegionName": OHIO}}]
    east.update_table(TableName="orders", ReplicaUpdates=both, MultiRegionConsistency="STRONG")
    cloud.settle()
    key = {"TableName": "orders", "Key": {"id": {"S": "1"}}}
    with refused("ValidationException"):
        east.update_time_to_live(
            TableName="orders", TimeToLiveSpecification={"Enabled": True, "AttributeName": "until"}
        )
    with refused("ValidationException"):
        east.transact_write_items(TransactItems=[{"Delete": key}])
    with refused("ValidationException"):
        east.transact_get_items(TransactItems=[{"Get": key}])
    for statement in ("SELECT * FROM orders WHERE id = '1'", "DELETE FROM orders WHERE id = '1'"):
        with refused("ValidationException"):
            east.execute_transaction(TransactStatements=[{"Statement": statement}])
    assert "LatestStreamArn" not in east.describe_table(TableName="orders")["Table"]
    wanted = {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    american[WEST].update_table(TableName="orders", StreamSpecification=wanted)
    cloud.settle()
    put(east, "1")
    streams = cloud.client("dynamodbstreams", region=WEST)
    arn = american[WEST].describe_table(TableName="orders")["Table"]["LatestStreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    [record] = streams.get_records(ShardIterator=place["ShardIterator"])["Records"]
    assert record["dynamodb"]["Keys"] == {"id": {"S": "1"}}
    american[WEST].update_table(TableName="orders", StreamSpecification={"StreamEnabled": False})


def test_legacy_global_tables_are_refused_as_aws_does(cloud: Account, regions: dict[str, Any]) -> None:
    east = regions[EAST]
    with refused("ValidationException"):
        east.create_global_table(GlobalTableName="orders", ReplicationGroup=[{"RegionName": EAST}])
    with refused("ValidationException"):
        east.update_global_table(GlobalTableName="orders", ReplicaUpdates=[{"Create": {"RegionName": EAST}}])
    with refused("ValidationException", "One or more parameter values were invalid"):
        east.update_global_table(GlobalTableName="orders", ReplicaUpdates=[])
    text = "Global table with name: 'orders' does not exist."
    with refused("GlobalTableNotFoundException", text):
        east.describe_global_table(GlobalTableName="orders")
    with refused("GlobalTableNotFoundException", text):
        east.describe_global_table_settings(GlobalTableName="orders")
    with refused("GlobalTableNotFoundException", text):
        east.update_global_table_settings(GlobalTableName="orders", GlobalTableBillingMode="PAY_PER_REQUEST")
    assert east.list_global_tables()["GlobalTables"] == []
    assert east.list_global_tables(RegionName=EAST, Limit=1, ExclusiveStartGlobalTableName="a-b")["GlobalTables"] == []
    with refused("ResourceNotFoundException", text):
        east.describe_table_replica_auto_scaling(TableName="orders")
    join(cloud, regions, WEST)
    shown = east.describe_table_replica_auto_scaling(TableName="orders")["TableAutoScalingDescription"]
    assert [each["RegionName"] for each in shown["Replicas"]] == [EAST, WEST]
