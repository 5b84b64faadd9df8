"""A region that leaves a global table keeps its table, with all that was written anywhere before it left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.replicas.test_global_tables import (
    EAST,
    EUROPE,
    OHIO,
    WEST,
    contents,
    join,
    put,
    regions,
    replicas,
    update,
)
from tests.services.data.dynamodb.table_requests import INVALID, definition, invalid, refused

assert regions  # the fixture

MODE = "WAIT_FOR_REPLICATION"
PROTECTED = (
    "Cannot disassociate table orders in region us-west-2 because it has disassociation protection enabled. Disable "
    "disassociation protection first."
)


def protection(client: Any) -> bool | None:
    answer: dict[str, Any] = client.describe_table(TableName="orders")["Table"]
    return answer.get("DisassociationProtectionEnabled")


def protect(cloud: Account, client: Any, wanted: bool) -> None:
    client.update_table(TableName="orders", DisassociationProtectionEnabled=wanted)
    cloud.settle()


def test_a_region_leaves_with_everything(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST, EUROPE)
    east, west, europe = regions.values()
    assert [protection(client) for client in regions.values()] == [True, True, True]
    with invalid(PROTECTED):
        update(west, "Disassociate", WEST, DisassociationMode=MODE)
    protect(cloud, west, False)
    assert [protection(client) for client in regions.values()] == [True, False, True]
    for number in range(210):  # more than is sent in one go
        put(east, f"east {number}")
        put(west, f"west {number}")
    left = update(west, "Disassociate", WEST, DisassociationMode=MODE)
    assert left["TableStatus"] == "UPDATING"
    cloud.settle()
    table = west.describe_table(TableName="orders")["Table"]
    assert table["TableStatus"] == "ACTIVE"
    assert not {"Replicas", "GlobalTableVersion", "DisassociationProtectionEnabled"} & set(table)
    assert table["StreamSpecification"]["StreamEnabled"] is True
    assert len(contents(west)) == 420
    assert contents(east) == contents(europe) == contents(west)
    assert (replicas(east), replicas(europe)) == ({EUROPE: "ACTIVE"}, {EAST: "ACTIVE"})
    put(west, "alone")
    put(europe, "together")
    cloud.settle()
    assert "alone" not in contents(east)
    assert "together" in contents(east)
    assert "together" not in contents(west)


def test_of_two_regions_both_are_alone(cloud: Account, regions: dict[str, Any]) -> None:
    join(cloud, regions, WEST)
    east, west = regions[EAST], regions[WEST]
    put(west, "a")
    protect(cloud, west, False)
    update(west, "Disassociate", WEST, DisassociationMode=MODE)
    cloud.settle()
    assert (replicas(east), replicas(west)) == ({}, {})
    assert (protection(east), protection(west)) == (None, None)
    assert contents(east) == contents(west) == {"a": "1"}
    west.delete_table(TableName="orders")
    cloud.settle()
    update(east, "Create", WEST)  # and may join again, protected
    cloud.settle()
    put(east, "b")
    cloud.settle()
    assert contents(west) == {"a": "1", "b": "1"}
    assert protection(west) is True


def test_what_is_refused(cloud: Account, regions: dict[str, Any]) -> None:
    east, west = regions[EAST], regions[WEST]
    with invalid(f"{INVALID}Table orders is not a replica of a global table"):
        protect(cloud, east, False)
    with invalid(f"{INVALID}Table orders is not a replica of a global table"):
        update(east, "Disassociate", EAST, DisassociationMode=MODE)
    join(cloud, regions, WEST)
    with invalid(f"{INVALID}A replica is disassociated in its own region. Send the request to us-west-2."):
        update(east, "Disassociate", WEST, DisassociationMode=MODE)
    away = {"Disassociate": {"RegionName": WEST, "DisassociationMode": MODE}}
    for wanted in ([away, {"Delete": {"RegionName": EAST}}], [{**away, "Delete": {"RegionName": EAST}}]):
        with invalid(f"{INVALID}Disassociate must be the only replica update in the request"):
            west.update_table(TableName="orders", ReplicaUpdates=wanted)
    with invalid(f"{INVALID}DisassociationProtection modification must be the only operation in the request"):
        west.update_table(TableName="orders", DisassociationProtectionEnabled=False, BillingMode="PAY_PER_REQUEST")


def test_strong_consistency_has_no_disassociation(cloud: Account) -> None:
    east = cloud.client("dynamodb", region=EAST)
    east.create_table(**definition())
    cloud.settle()
    both = [{"Create": {"RegionName": region}} for region in (WEST, OHIO)]
    east.update_table(TableName="orders", ReplicaUpdates=both, MultiRegionConsistency="STRONG")
    cloud.settle()
    assert protection(east) is None
    with refused("ValidationException"):
        protect(cloud, east, False)
    with refused("ValidationException"):
        update(east, "Disassociate", EAST, DisassociationMode=MODE)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_permission_has_a_name_of_its_own(cloud: Account, regions: dict[str, Any], allowed: bool) -> None:
    join(cloud, regions, WEST)
    protect(cloud, regions[WEST], False)
    actions = ["dynamodb:UpdateTable", *(["dynamodb:DisassociateTableReplica"] if allowed else [])]
    iam = cloud.client("iam")
    iam.create_user(UserName="ann")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": actions, "Resource": "*"}}
    iam.put_user_policy(UserName="ann", PolicyName="tables", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = cloud.client(
        "dynamodb",
        region=WEST,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    if allowed:
        update(ann, "Disassociate", WEST, DisassociationMode=MODE)
        cloud.settle()
        assert replicas(regions[WEST]) == {}
    else:
        with refused("AccessDeniedException"):
            update(ann, "Disassociate", WEST, DisassociationMode=MODE)
