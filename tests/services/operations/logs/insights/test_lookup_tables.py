"""Lookup tables and the queries that use them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Account
from tests.services.operations.logs.conftest import refused
from tests.services.operations.logs.insights.test_queries import Insights, Now, put

pytest.importorskip("duckdb")
USERS = 'id,name,team\n1,Ann,"shop, web"\n2,Bob,infra\n2,Bobby,infra\n'


@pytest.fixture
def insights(cloud: Account, logs: Any, stream: dict[str, str], now_ms: Now) -> Insights:
    return Insights(cloud, logs, now_ms())


def test_tables_are_made_changed_listed_and_deleted(logs: Any, cloud: Account) -> None:
    arn = logs.create_lookup_table(lookupTableName="users", tableBody=USERS, tags={"a": "b"})["lookupTableArn"]
    assert arn == f"arn:aws:logs:us-east-1:{cloud.account}:lookup-table:users"
    [table] = logs.describe_lookup_tables(lookupTableNamePrefix="us")["lookupTables"]
    assert table["tableFields"] == ["id", "name", "team"]
    assert table["recordsCount"] == 3
    assert table["sizeBytes"] == len(USERS)
    assert logs.get_lookup_table(lookupTableArn=arn)["tableBody"] == USERS
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"a": "b"}
    with refused("ResourceAlreadyExistsException"):
        logs.create_lookup_table(lookupTableName="users", tableBody=USERS)
    logs.update_lookup_table(lookupTableArn=arn, tableBody="id\n9\n", description="ids")
    table = logs.get_lookup_table(lookupTableArn=arn)
    assert (table["tableBody"], table["description"]) == ("id\n9\n", "ids")
    logs.delete_lookup_table(lookupTableArn=arn)
    with refused("ResourceNotFoundException"):
        logs.get_lookup_table(lookupTableArn=arn)


@pytest.mark.parametrize("body", ["a,a\n1,2\n", "\n", 'a\n"x'])
def test_what_is_no_table(logs: Any, body: str) -> None:
    with refused("InvalidParameterException"):
        logs.create_lookup_table(lookupTableName="t", tableBody=body)
    with refused("InvalidParameterException"):
        logs.create_lookup_table(lookupTableName="t", tableBody="a\n", queryId="x")


def test_queries_look_up(insights: Insights, logs: Any) -> None:
    logs.create_lookup_table(lookupTableName="users", tableBody=USERS)
    events = [{"user": 1, "name": "own"}, {"user": 2}, {"user": 3}]
    put(logs, insights.now, [json.dumps(event) for event in events])
    base = "fields user | sort @timestamp"

    def found(text: str) -> list[tuple[str | None, ...]]:
        rows = insights.run(f"{base} | {text}")
        return [(row.get("user"), row.get("name"), row.get("team")) for row in rows]

    assert found("lookup users id as user OUTPUT name, team") == [
        ("1", "Ann", "shop, web"),
        ("2", "Bob", "infra"),
        ("3", None, None),
    ]
    assert found("lookup users id as user OUTPUTNEW name") == [
        ("1", "own", None),
        ("2", "Bob", None),
        ("3", None, None),
    ]
    with pytest.raises(logs.exceptions.MalformedQueryException):
        insights.run("lookup nobody id as user OUTPUT name")
    with pytest.raises(logs.exceptions.MalformedQueryException):
        insights.run("lookup users id as user OUTPUT salary")


def test_networks_are_looked_up(insights: Insights, logs: Any) -> None:
    nets = "cidr,region\n10.0.0.0/8,office\n10.1.0.0/16,lab\n"
    logs.create_lookup_table(lookupTableName="nets", tableBody=nets)
    put(logs, insights.now, [json.dumps({"ip": ip}) for ip in ("10.1.2.3", "10.9.9.9", "8.8.8.8")])
    rows = insights.run("fields ip | sort @timestamp | cidrlookup nets ip OUTPUT region")
    assert [(row["ip"], row.get("region")) for row in rows] == [
        ("10.1.2.3", "lab"),
        ("10.9.9.9", "office"),
        ("8.8.8.8", None),
    ]


def test_a_table_of_a_query(insights: Insights, logs: Any, cloud: Account) -> None:
    put(logs, insights.now, [json.dumps({"level": "x"}), json.dumps({"level": "y, z"})])
    query_id = insights.start("fields level | sort level")
    cloud.settle()
    arn = logs.create_lookup_table(lookupTableName="levels", queryId=query_id)["lookupTableArn"]
    assert logs.get_lookup_table(lookupTableArn=arn)["tableBody"] == 'level\nx\n"y, z"\n'


def test_a_table_under_a_key(insights: Insights, cloud: Account, logs: Any) -> None:
    statements = [
        {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*"}
        for principal in (
            {"AWS": f"arn:aws:iam::{cloud.account}:root"},
            {"Service": "logs.us-east-1.amazonaws.com"},
        )
    ]
    kms = cloud.client("kms")
    key = kms.create_key(Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))["KeyMetadata"]["Arn"]
    arn = logs.create_lookup_table(lookupTableName="secret", tableBody="id,name\n7,bob\n", kmsKeyId=key)[
        "lookupTableArn"
    ]
    table = logs.get_lookup_table(lookupTableArn=arn)
    assert (table["tableBody"], table["kmsKeyId"], table["sizeBytes"]) == ("id,name\n7,bob\n", key, 14)
    put(logs, insights.now, ['{"id": 7}'])
    assert insights.run("lookup secret id OUTPUT name | fields name")[0]["name"] == "bob"
    logs.update_lookup_table(lookupTableArn=arn, tableBody="id,name\n7,eve\n")
    [described] = logs.describe_lookup_tables()["lookupTables"]
    assert (described["kmsKeyId"], described["recordsCount"]) == (key, 1)
    assert logs.get_lookup_table(lookupTableArn=arn)["tableBody"] == "id,name\n7,eve\n"
    logs.update_lookup_table(lookupTableArn=arn, tableBody="id\n1\n", kmsKeyId="")
    assert "kmsKeyId" not in logs.get_lookup_table(lookupTableArn=arn)
    other = kms.create_key()["KeyMetadata"]["Arn"]
    with refused("AccessDeniedException"):
        logs.create_lookup_table(lookupTableName="other", tableBody="id\n7\n", kmsKeyId=other)
