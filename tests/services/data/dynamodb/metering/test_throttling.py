"""Throughput that is really limited, in a cloud whose setting says so."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account, RunningCloud
from tests.services.data.dynamodb.item_tables import index, make, refused

pytestmark = pytest.mark.usefixtures("still")

PROVISIONED = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 2, "WriteCapacityUnits": 1}}
EXCEEDED = "ProvisionedThroughputExceededException"


@pytest.fixture(scope="module")
def throttled(start_cloud: Callable[..., RunningCloud]) -> Iterator[RunningCloud]:
    running = start_cloud(throttling=True)
    yield running
    running.stop()


@pytest.fixture
def cloud(throttled: RunningCloud, request: pytest.FixtureRequest) -> Account:
    """A fresh account in a cloud that throttles."""
    return Account(throttled, f"{abs(hash(request.node.name)) % 10**11 + 10**11:012d}")


def put_until_refused(client: Any, **item: Any) -> int:
    """How many puts were taken before one was refused."""
    for number in range(2_000):
        try:
            client.put_item(TableName="things", Item={"pk": {"S": str(number)}, **item})
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == EXCEEDED
            return number
    raise AssertionError("nothing was refused")


def refusal_of(call: Any, code: str = EXCEEDED, **request: Any) -> dict[str, Any]:
    """The refusal of a call that is over the limit, or will be: a unit comes back with each second that passes."""
    for _ in range(100):
        try:
            call(**request)
        except ClientError as refusal:
            assert refusal.response["Error"]["Code"] == code
            return refusal.response  # type: ignore[return-value]
    raise AssertionError("nothing was refused")


def test_a_burst_and_then_the_rate(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    assert 295 <= put_until_refused(client) <= 310  # 300 seconds of one unit a second
    error = refusal_of(client.put_item, TableName="things", Item={"pk": {"S": "a"}})
    arn = client.describe_table(TableName="things")["Table"]["TableArn"]
    assert error["ThrottlingReasons"] == [{"reason": "TableWriteProvisionedThroughputExceeded", "resource": arn}]
    assert error["Error"]["Message"] == (
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your "
        "provisioning level with the UpdateTable API."
    )
    assert client.get_item(TableName="things", Key={"pk": {"S": "1"}})["Item"]  # reads have units of their own
    cloud.advance(10)
    assert 8 <= put_until_refused(client) <= 13
    cloud.advance(1000)
    assert 295 <= put_until_refused(client) <= 310


def test_what_was_refused_was_not_done(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    taken = put_until_refused(client)
    assert "Item" not in client.get_item(TableName="things", Key={"pk": {"S": str(taken)}})
    assert client.describe_table(TableName="things")["Table"]["ItemCount"] == taken


def test_batches_leave_what_is_beyond(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    big = {"data": {"S": "x" * 24 * 1024}}
    puts = [{"PutRequest": {"Item": {"pk": {"S": str(number)}, **big}}} for number in range(25)]
    answer = client.batch_write_item(RequestItems={"things": puts})
    left = answer["UnprocessedItems"]["things"]
    assert left == puts[len(puts) - len(left) :] and 10 <= len(left) <= 14
    refused(client.batch_write_item, EXCEEDED, RequestItems=answer["UnprocessedItems"])
    cloud.advance(200)
    answer = client.batch_write_item(RequestItems=answer["UnprocessedItems"])
    assert 0 < len(answer["UnprocessedItems"]["things"]) < len(left)


def test_a_batch_of_reads_leaves_what_is_beyond(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    keys = [{"pk": {"S": str(number)}} for number in range(10)]
    for key in keys:
        client.put_item(TableName="things", Item={**key, "data": {"S": "x" * 24 * 1024}})
    request = {"things": {"Keys": keys, "ConsistentRead": True}}  # 70 units; there are 600
    for _ in range(20):
        left = client.batch_get_item(RequestItems=request)["UnprocessedKeys"]
        if left:
            break
    assert 0 < len(left["things"]["Keys"]) < 10
    refusal_of(client.batch_get_item, RequestItems=request)  # nothing at all was read


def test_an_index_holds_its_table_back(cloud: Account) -> None:
    narrow = index("by_g", "g") | {"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}
    wide = {
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": {"ReadCapacityUnits": 100, "WriteCapacityUnits": 100},
    }
    client = make(cloud, types={"g": "S"}, GlobalSecondaryIndexes=[narrow], **wide)
    assert 295 <= put_until_refused(client, g={"S": "x"}) <= 310

    def put_another() -> None:  # an item that is there already would take nothing of the index
        client.put_item(TableName="things", Item={"pk": {"S": f"another-{next(numbers)}"}, "g": {"S": "x"}})

    numbers = itertools.count()
    error = refusal_of(put_another)
    assert "global secondary indexes" in error["Error"]["Message"]
    assert error["ThrottlingReasons"][0]["reason"] == "IndexWriteProvisionedThroughputExceeded"
    client.put_item(TableName="things", Item={"pk": {"S": "a"}})


def test_a_transaction_is_canceled(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    put_until_refused(client)
    error = refusal_of(
        client.transact_write_items,
        "TransactionCanceledException",
        TransactItems=[{"Put": {"TableName": "things", "Item": {"pk": {"S": "a"}}}}],
    )
    assert error["CancellationReasons"][0]["Code"] == "ProvisionedThroughputExceeded"


def test_one_partition_key_has_a_limit_of_its_own(cloud: Account) -> None:
    client = make(cloud, range="sk", BillingMode="PAY_PER_REQUEST")
    item = {"pk": {"S": "hot"}, "data": {"S": "x" * 390 * 1024}}
    with pytest.raises(ClientError, match="ThrottlingException"):
        for number in range(20):  # 400 units each, of 1000 a second
            client.put_item(TableName="things", Item={**item, "sk": {"S": str(number)}})
    client.put_item(TableName="things", Item={**item, "pk": {"S": "cold"}, "sk": {"S": "1"}})


def test_the_maximum_of_a_table_on_demand(cloud: Account) -> None:
    client = make(cloud, OnDemandThroughput={"MaxReadRequestUnits": 5, "MaxWriteRequestUnits": 5})
    with pytest.raises(ClientError) as caught:
        for number in range(500):
            client.put_item(TableName="things", Item={"pk": {"S": str(number)}, "data": {"S": "x" * 3000}})
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    assert caught.value.response["throttlingReasons"][0]["reason"] == "TableWriteMaxOnDemandThroughputExceeded"
    cloud.advance(2)
    client.put_item(TableName="things", Item={"pk": {"S": "a"}})


def error_of_batch(client: Any, *statements: str) -> str:
    """How a batch's last statement was refused, sooner or later."""
    batch = [{"Statement": statement} for statement in statements]
    for _ in range(500):
        response = client.batch_execute_statement(Statements=batch)["Responses"][-1]
        if "Error" in response:
            return str(response["Error"]["Code"])
    raise AssertionError("nothing was refused")


def test_statements_draw_too(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    put_until_refused(client)
    update = "UPDATE things SET n = 'x' WHERE pk = '0'"
    assert error_of_batch(client, *[update.replace("0", str(n)) for n in range(25)]) == "ProvisionedThroughputExceeded"
    with pytest.raises(ClientError, match=EXCEEDED):
        for _ in range(50):
            client.execute_statement(Statement=update)
    # Reads have units of their own.
    select = "SELECT * FROM things WHERE pk = '0'"
    assert len(client.execute_statement(Statement=select)["Items"]) == 1
    selects = [select.replace("0", str(number)) for number in range(25)]
    assert error_of_batch(client, *selects) == "ProvisionedThroughputExceeded"
    with pytest.raises(ClientError, match=EXCEEDED):
        for _ in range(50):
            client.execute_statement(Statement=select)


def test_a_refused_statement_of_a_batch_is_taken_back(cloud: Account) -> None:
    client = make(cloud, **PROVISIONED)
    put_until_refused(client)
    statements = [{"Statement": f"INSERT INTO things VALUE {{'pk': 'new{number}'}}"} for number in range(25)]
    responses = client.batch_execute_statement(Statements=statements)["Responses"]
    assert any("Error" in response for response in responses)
    for number, response in enumerate(responses):
        found = client.get_item(TableName="things", Key={"pk": {"S": f"new{number}"}})
        assert ("Item" in found) == ("Error" not in response)
