"""Contributor insights: their states, the rules that CloudWatch shows, and what those count."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cumulo.services.data.dynamodb.metering import key_insights
from tests.conftest import Account

MINUTE = 60


@pytest.fixture
def ddb(cloud: Account) -> Any:
    return cloud.client("dynamodb")


def create(ddb: Any, *, sort: bool = True, index: bool = False) -> None:
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    names = ["pk"]
    if sort:
        schema.append({"AttributeName": "sk", "KeyType": "RANGE"})
        names.append("sk")
    options: dict[str, Any] = {}
    if index:
        names.append("owner")
        options["GlobalSecondaryIndexes"] = [
            {
                "IndexName": "by-owner",
                "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ]
    ddb.create_table(
        TableName="orders",
        KeySchema=schema,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        BillingMode="PAY_PER_REQUEST",
        **options,
    )


def switch(cloud: Account, ddb: Any, action: str = "ENABLE", **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ddb.update_contributor_insights(
        TableName="orders", ContributorInsightsAction=action, **options
    )
    cloud.settle()
    return answer


def rules(ddb: Any, **options: Any) -> dict[str, str]:
    """The names of the rules by their kind."""
    described = ddb.describe_contributor_insights(TableName="orders", **options)
    return {name.split("-")[1]: name for name in described.get("ContributorInsightsRuleList", [])}


def contributors(cloud: Account, rule: str) -> dict[tuple[str, ...], float]:
    """What a rule says of the present minutes, once it was told."""
    cloud.advance(10)
    told = cloud.running.cloud.runtime.internal_context("dynamodb", "tell_insights", "", "")
    cloud.running.run(key_insights.tell_insights(told))
    now = int(cloud.running.clock.now())
    report = cloud.client("cloudwatch").get_insight_rule_report(
        RuleName=rule, StartTime=now - 300, EndTime=now, Period=MINUTE
    )
    return {tuple(one["Keys"]): one["ApproximateAggregateValue"] for one in report["Contributors"]}


def item(pk: str, sk: str = "1", **more: str) -> dict[str, Any]:
    return {name: {"S": value} for name, value in {"pk": pk, "sk": sk, **more}.items()}


def test_states_and_rules(cloud: Account, ddb: Any) -> None:
    create(ddb)
    assert ddb.describe_contributor_insights(TableName="orders")["ContributorInsightsStatus"] == "DISABLED"
    answer = switch(cloud, ddb)
    answer.pop("ResponseMetadata")
    assert answer == {
        "TableName": "orders",
        "ContributorInsightsStatus": "ENABLING",
        "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS",
    }
    described = ddb.describe_contributor_insights(TableName="orders")
    assert described["ContributorInsightsStatus"] == "ENABLED"
    assert described["LastUpdateDateTime"].timestamp() == pytest.approx(cloud.running.clock.now(), abs=60)
    names = described["ContributorInsightsRuleList"]
    assert [name[: name.rindex("-")] for name in names] == [
        f"DynamoDBContributorInsights-{kind}-orders" for kind in ("PKC", "PKT", "SKC", "SKT")
    ]
    shown = cloud.client("cloudwatch").describe_insight_rules()["InsightRules"]
    assert sorted(rule["Name"] for rule in shown) == sorted(names)
    assert all(rule["ManagedRule"] for rule in shown)
    assert ddb.list_contributor_insights()["ContributorInsightsSummaries"] == [
        {
            "TableName": "orders",
            "ContributorInsightsStatus": "ENABLED",
            "ContributorInsightsMode": "ACCESSED_AND_THROTTLED_KEYS",
        }
    ]
    assert switch(cloud, ddb, "DISABLE")["ContributorInsightsStatus"] == "DISABLING"
    described = ddb.describe_contributor_insights(TableName="orders")
    assert described["ContributorInsightsStatus"] == "DISABLED"
    assert "ContributorInsightsRuleList" not in described
    assert cloud.client("cloudwatch").describe_insight_rules()["InsightRules"] == []


def test_modes_and_tables_without_sort_key(cloud: Account, ddb: Any) -> None:
    create(ddb, sort=False)
    switch(cloud, ddb)
    assert list(rules(ddb)) == ["PKC", "PKT"]
    cloud.advance(1)
    answer = switch(cloud, ddb, ContributorInsightsMode="THROTTLED_KEYS")
    assert answer["ContributorInsightsMode"] == "THROTTLED_KEYS"
    assert list(rules(ddb)) == ["PKT"]
    again = switch(cloud, ddb)
    assert (again["ContributorInsightsStatus"], again["ContributorInsightsMode"]) == ("ENABLED", "THROTTLED_KEYS")


def test_reads_and_writes_are_counted(cloud: Account, ddb: Any) -> None:
    create(ddb)
    ddb.put_item(TableName="orders", Item=item("before"))
    switch(cloud, ddb)
    found = rules(ddb)
    ddb.put_item(TableName="orders", Item=item("a", "1"))  # 3
    ddb.put_item(TableName="orders", Item=item("a", "2"))  # 3
    ddb.get_item(TableName="orders", Key=item("a", "1"), ConsistentRead=True)  # 1
    ddb.query(
        TableName="orders",
        KeyConditionExpression="pk = :p",
        ExpressionAttributeValues={":p": {"S": "a"}},
        ConsistentRead=True,
    )  # 1, of the partition key alone
    requests = [{"PutRequest": {"Item": item("b", "1")}}, {"DeleteRequest": {"Key": item("before")}}]
    ddb.batch_write_item(RequestItems={"orders": requests})  # 3 each
    ddb.batch_get_item(RequestItems={"orders": {"Keys": [item("b", "1")]}})  # 0.5
    ddb.transact_write_items(TransactItems=[{"Put": {"TableName": "orders", "Item": item("c", "1")}}])  # 6
    ddb.transact_get_items(TransactItems=[{"Get": {"TableName": "orders", "Key": item("c", "1")}}])  # 2
    ddb.execute_statement(Statement="SELECT * FROM orders WHERE pk = 'c' AND sk = '1'")  # not counted
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        ddb.put_item(TableName="orders", Item=item("d"), ConditionExpression="attribute_exists(pk)")
    partitions = {("a",): 8.0, ("b",): 3.5, ("before",): 3.0, ("c",): 8.0}
    assert contributors(cloud, found["PKC"]) == partitions
    assert contributors(cloud, found["SKC"]) == {
        ("a", "1"): 4.0,
        ("a", "2"): 3.0,
        ("b", "1"): 3.5,
        ("before", "1"): 3.0,
        ("c", "1"): 8.0,
    }
    ddb.put_item(TableName="orders", Item=item("a", "1"))
    assert contributors(cloud, found["PKC"]) == {**partitions, ("a",): 11.0}
    assert contributors(cloud, found["PKT"]) == {}


def test_indexes_have_insights_of_their_own(cloud: Account, ddb: Any) -> None:
    create(ddb, index=True)
    switch(cloud, ddb, IndexName="by-owner")
    found = rules(ddb, IndexName="by-owner")
    assert list(found) == ["PKC", "PKT"]
    assert "-orders-by-owner-" in found["PKC"]
    assert rules(ddb) == {}
    ddb.put_item(TableName="orders", Item=item("a", owner="ann"))
    ddb.put_item(TableName="orders", Item=item("b"))
    ddb.query(
        TableName="orders",
        IndexName="by-owner",
        KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "ann"}},
    )
    assert contributors(cloud, found["PKC"]) == {("ann",): 3.5}
    change = [{"Delete": {"IndexName": "by-owner"}}]
    ddb.update_table(TableName="orders", GlobalSecondaryIndexUpdates=change)
    cloud.settle()
    assert ddb.list_contributor_insights(TableName="orders")["ContributorInsightsSummaries"] == []
    assert cloud.client("cloudwatch").describe_insight_rules()["InsightRules"] == []


def test_rules_go_with_the_table(cloud: Account, ddb: Any) -> None:
    create(ddb)
    switch(cloud, ddb)
    ddb.delete_table(TableName="orders")
    cloud.settle()
    assert cloud.client("cloudwatch").describe_insight_rules()["InsightRules"] == []


def test_throttled_keys(start_cloud: Any, cloud: Account) -> None:
    account = Account(start_cloud(throttling=True), cloud.account)
    ddb = account.client("dynamodb")
    create(ddb)
    ddb.update_table(
        TableName="orders",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )
    switch(account, ddb, ContributorInsightsMode="THROTTLED_KEYS")
    refused = 0
    with account.running.still():
        for _ in range(310):
            try:
                ddb.put_item(TableName="orders", Item=item("hot"))
            except ClientError as error:
                assert error.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
                refused += 1
    assert refused
    assert contributors(account, rules(ddb)["SKT"]) == {("hot", "1"): float(refused)}


def test_what_is_not_there(cloud: Account, ddb: Any) -> None:
    create(ddb)
    for options in ({"TableName": "none"}, {"TableName": "orders", "IndexName": "none"}):
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            ddb.describe_contributor_insights(**options)
        with pytest.raises(ClientError, match="ResourceNotFoundException"):
            ddb.update_contributor_insights(ContributorInsightsAction="ENABLE", **options)


def test_pages(cloud: Account, ddb: Any) -> None:
    create(ddb, index=True)
    switch(cloud, ddb)
    switch(cloud, ddb, IndexName="by-owner")
    first = ddb.list_contributor_insights(MaxResults=1)
    rest = ddb.list_contributor_insights(MaxResults=1, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    found = first["ContributorInsightsSummaries"] + rest["ContributorInsightsSummaries"]
    assert [one.get("IndexName") for one in found] == [None, "by-owner"]
