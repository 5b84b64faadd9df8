"""Who may read and write which items: DynamoDB's own condition keys, indexes as resources, policies of tables."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make


class People:
    """An account with a table and users."""

    def __init__(self, cloud: Account) -> None:
        self.cloud = cloud
        self.root = make(
            cloud, range="sk", types={"g": "S"}, GlobalSecondaryIndexes=[index("by_g", "g", projection="KEYS_ONLY")]
        )
        self.table = f"arn:aws:dynamodb:us-east-1:{cloud.account}:table/things"
        for owner in ("alice", "bob"):
            for number in range(2):
                item = {"pk": {"S": owner}, "sk": {"S": str(number)}, "g": {"S": "g"}, "secret": {"S": "x"}}
                self.root.put_item(TableName="things", Item=item)

    def user(self, *actions: str, resource: Any = None, effect: str = "Allow", **condition: Any) -> Any:
        """A client of a user who may do this."""
        iam = self.cloud.client("iam")
        iam.create_user(UserName="alice")
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource or self.table}
        if condition:
            statement["Condition"] = {
                operator.replace("_", ":"): {f"dynamodb:{key}": value for key, value in keys.items()}
                for operator, keys in condition.items()
            }
        document = {"Version": "2012-10-17", "Statement": [statement]}
        iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName="alice")["AccessKey"]
        return self.cloud.client(
            "dynamodb", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )


@pytest.fixture
def people(cloud: Account) -> People:
    return People(cloud)


def denied(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**{"TableName": "things", **request})
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException", error
    return error["Message"]


def key(owner: str) -> dict[str, Any]:
    return {"pk": {"S": owner}, "sk": {"S": "0"}}


def test_actions_and_resources(people: People) -> None:
    client = people.user("dynamodb:GetItem")
    assert client.get_item(TableName="things", Key=key("bob"))["Item"]["secret"] == {"S": "x"}
    text = denied(client.put_item, Item=key("bob"))
    assert f"is not authorized to perform: dynamodb:PutItem on resource: {people.table} because" in text
    denied(client.delete_item, Key=key("bob"))
    denied(client.scan)
    # Whether a table is there is nobody's business who may not ask.
    denied(client.get_item, TableName="absent", Key=key("bob"))


def test_leading_keys(people: People) -> None:
    own = {"LeadingKeys": ["alice"]}
    client = people.user("dynamodb:*", **{"ForAllValues_StringEquals": own})
    condition = {"KeyConditionExpression": "pk = :p"}
    assert client.get_item(TableName="things", Key=key("alice"))["Item"]
    client.put_item(TableName="things", Item=key("alice"))
    mine = client.query(TableName="things", ExpressionAttributeValues={":p": {"S": "alice"}}, **condition)
    assert mine["Count"] == 2
    client.batch_get_item(RequestItems={"things": {"Keys": [key("alice")]}})
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "things", "Item": key("alice")}}])
    denied(client.get_item, Key=key("bob"))
    denied(client.put_item, Item=key("bob"))
    denied(client.update_item, Key=key("bob"))
    denied(client.delete_item, Key=key("bob"))
    denied(client.query, ExpressionAttributeValues={":p": {"S": "bob"}}, **condition)
    for call, request in (
        (client.batch_get_item, {"RequestItems": {"things": {"Keys": [key("alice"), key("bob")]}}}),
        (client.batch_write_item, {"RequestItems": {"things": [{"PutRequest": {"Item": key("bob")}}]}}),
        (client.transact_get_items, {"TransactItems": [{"Get": {"TableName": "things", "Key": key("bob")}}]}),
        (client.transact_write_items, {"TransactItems": [{"Delete": {"TableName": "things", "Key": key("bob")}}]}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**request)
    assert people.root.get_item(TableName="things", Key=key("bob"))["Item"]["secret"] == {"S": "x"}


def test_attributes_and_select(people: People) -> None:
    client = people.user(
        "dynamodb:GetItem",
        "dynamodb:Scan",
        "dynamodb:UpdateItem",
        **{
            "ForAllValues_StringEquals": {"Attributes": ["pk", "sk", "g"]},
            "StringEqualsIfExists": {"Select": "SPECIFIC_ATTRIBUTES", "ReturnValues": ["NONE", "UPDATED_NEW"]},
        },
    )
    projected = {"ProjectionExpression": "pk, g"}
    assert client.get_item(TableName="things", Key=key("bob"), **projected)["Item"].keys() == {"pk", "g"}
    assert client.scan(TableName="things", **projected)["Count"] == 4
    denied(client.get_item, Key=key("bob"))
    denied(client.get_item, Key=key("bob"), ProjectionExpression="secret")
    denied(client.scan)
    denied(client.scan, FilterExpression="secret = :x", ExpressionAttributeValues={":x": {"S": "x"}}, **projected)
    update = {"UpdateExpression": "SET g = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}}
    client.update_item(TableName="things", Key=key("bob"), ReturnValues="UPDATED_NEW", **update)
    denied(client.update_item, Key=key("bob"), ReturnValues="ALL_OLD", **update)
    denied(client.update_item, Key=key("bob"), ConditionExpression="secret = :x", **update)


def test_an_index_is_a_resource_of_its_own(people: People) -> None:
    client = people.user("dynamodb:Query", resource=f"{people.table}/index/by_g")
    request = {
        "KeyConditionExpression": "g = :g",
        "ExpressionAttributeValues": {":g": {"S": "g"}},
        "IndexName": "by_g",
    }
    assert client.query(TableName="things", **request)["Count"] == 4
    table = {"KeyConditionExpression": "pk = :g", "ExpressionAttributeValues": {":g": {"S": "alice"}}}
    assert f"dynamodb:Query on resource: {people.table} because" in denied(client.query, **table)


def test_leading_keys_of_an_index_are_its_own(people: People) -> None:
    client = people.user(
        "dynamodb:Query",
        resource=f"{people.table}/index/*",
        **{"ForAllValues_StringEquals": {"LeadingKeys": ["g"]}},
    )
    request = {"KeyConditionExpression": "g = :g", "IndexName": "by_g"}
    assert client.query(TableName="things", ExpressionAttributeValues={":g": {"S": "g"}}, **request)["Count"] == 4
    denied(client.query, ExpressionAttributeValues={":g": {"S": "h"}}, **request)


def test_the_actions_within_a_transaction(people: People) -> None:
    client = people.user(
        "dynamodb:PutItem", "dynamodb:GetItem", **{"StringEquals": {"EnclosingOperation": "TransactWriteItems"}}
    )
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "things", "Item": key("new")}}])
    denied(client.put_item, Item=key("new"))
    check = {
        "ConditionCheck": {"TableName": "things", "Key": key("new"), "ConditionExpression": "attribute_exists(pk)"}
    }
    with pytest.raises(ClientError, match="dynamodb:ConditionCheckItem"):
        client.transact_write_items(TransactItems=[check])
    with pytest.raises(ClientError, match="AccessDenied"):
        client.transact_get_items(TransactItems=[{"Get": {"TableName": "things", "Key": key("new")}}])


def test_the_policy_of_a_table_lets_another_account_in(people: People) -> None:
    other = people.cloud.another()
    client = other.client("dynamodb")
    with pytest.raises(ClientError, match="AccessDenied"):
        client.get_item(TableName=people.table, Key=key("bob"))
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": other.account},
        "Action": "dynamodb:GetItem",
        "Resource": people.table,
    }
    people.root.put_resource_policy(
        ResourceArn=people.table, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    assert client.get_item(TableName=people.table, Key=key("bob"))["Item"]["secret"] == {"S": "x"}
    with pytest.raises(ClientError, match="AccessDenied"):
        client.put_item(TableName=people.table, Item=key("bob"))


# --- statements: Developer Guide, "IAM security policies with PartiQL for DynamoDB" -----------------


def run(client: Any, statement: str, *parameters: Any) -> Any:
    more = {"Parameters": list(parameters)} if parameters else {}
    return client.execute_statement(Statement=statement, **more)["Items"]


def not_allowed(client: Any, statement: str) -> str:
    with pytest.raises(ClientError) as caught:
        run(client, statement)
    error = caught.value.response["Error"]
    assert error["Code"] == "AccessDeniedException", error
    return error["Message"]


def test_each_kind_of_statement_is_an_action(people: People) -> None:
    client = people.user("dynamodb:PartiQLSelect", "dynamodb:PartiQLInsert", "dynamodb:GetItem", "dynamodb:Query")
    assert len(run(client, "SELECT * FROM things WHERE pk = 'bob'")) == 2
    assert run(client, "INSERT INTO things VALUE {'pk': 'new', 'sk': '0'}") == []
    update = not_allowed(client, "UPDATE things SET a = 1 WHERE pk = 'bob' AND sk = '0'")
    assert f"is not authorized to perform: dynamodb:PartiQLUpdate on resource: {people.table} because" in update
    assert "dynamodb:PartiQLDelete" in not_allowed(client, "DELETE FROM things WHERE pk = 'bob' AND sk = '0'")
    assert "dynamodb:PartiQLSelect" in not_allowed(client, "SELECT * FROM absent")
    assert run(people.root, "SELECT a FROM things WHERE pk = 'bob' AND sk = '0'") == [{}]


def test_statements_on_an_index(people: People) -> None:
    client = people.user("dynamodb:PartiQLSelect", resource=f"{people.table}/index/by_g")
    assert len(run(client, "SELECT * FROM things.by_g WHERE g = 'g'")) == 4
    not_allowed(client, "SELECT * FROM things WHERE pk = 'bob'")


def test_a_batch_tells_of_each_statement_whether_it_may_run(people: People) -> None:
    client = people.user("dynamodb:PartiQLInsert")
    statements = [
        {"Statement": "INSERT INTO things VALUE {'pk': 'new', 'sk': '0'}"},
        {"Statement": "DELETE FROM things WHERE pk = 'bob' AND sk = '0'"},
    ]
    first, second = client.batch_execute_statement(Statements=statements)["Responses"]
    assert "Error" not in first
    assert second["Error"]["Code"] == "AccessDenied"
    assert "dynamodb:PartiQLDelete" in second["Error"]["Message"]
    assert people.root.get_item(TableName="things", Key=key("new"))["Item"] == key("new")
    assert people.root.get_item(TableName="things", Key=key("bob"))["Item"]


def test_statements_that_read_everything(people: People) -> None:
    client = people.user("dynamodb:PartiQLSelect", **{"Bool": {"FullTableScan": "false"}})
    assert len(run(client, "SELECT * FROM things WHERE pk = 'bob'")) == 2
    assert len(run(client, "SELECT * FROM things WHERE pk IN ['bob', 'alice']")) == 4
    assert len(run(client, "SELECT * FROM things WHERE pk = 'bob' OR pk = 'alice'")) == 4
    not_allowed(client, "SELECT * FROM things")
    not_allowed(client, "SELECT * FROM things WHERE pk > 'a'")
    not_allowed(client, "SELECT * FROM things WHERE pk = 'bob' OR secret = 'x'")
    not_allowed(client, "SELECT * FROM things WHERE secret = 'x'")


def test_statements_of_transactions_only(people: People) -> None:
    client = people.user(
        "dynamodb:PartiQLInsert",
        "dynamodb:PartiQLSelect",
        **{"StringEquals": {"EnclosingOperation": "ExecuteTransaction"}},
    )
    insert = "INSERT INTO things VALUE {'pk': 'new', 'sk': '0'}"
    not_allowed(client, insert)
    client.execute_transaction(TransactStatements=[{"Statement": insert}])
    read = client.execute_transaction(
        TransactStatements=[{"Statement": "SELECT * FROM things WHERE pk = 'new' AND sk = '0'"}]
    )
    assert read["Responses"] == [{"Item": key("new")}]


def test_leading_keys_and_attributes_of_statements(people: People) -> None:
    client = people.user(
        "dynamodb:PartiQL*",
        **{"ForAllValues_StringEquals": {"LeadingKeys": ["alice"], "Attributes": ["pk", "sk", "g"]}},
    )
    assert run(client, "SELECT g FROM things WHERE pk = 'alice' AND sk = '0'") == [{"g": {"S": "g"}}]
    assert run(client, "UPDATE things SET g = 'h' WHERE pk = 'alice' AND sk = '0'") == []
    not_allowed(client, "SELECT g FROM things WHERE pk = 'bob' AND sk = '0'")
    not_allowed(client, "SELECT g FROM things WHERE pk IN ['alice', 'bob']")
    not_allowed(client, "SELECT secret FROM things WHERE pk = 'alice' AND sk = '0'")
    not_allowed(client, "UPDATE things SET secret = 'h' WHERE pk = 'alice' AND sk = '0'")
    not_allowed(client, "INSERT INTO things VALUE {'pk': 'alice', 'sk': '7', 'secret': 'x'}")
    not_allowed(client, "DELETE FROM things WHERE pk = 'bob' AND sk = '0'")
