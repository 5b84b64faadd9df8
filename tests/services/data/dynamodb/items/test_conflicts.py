"""Transactions that meet others at the same items: what they are told, and that nothing is lost or done twice."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cumulo.services.data.dynamodb.items import batch_reads, conflicts, items, transactions
from cumulo.services.data.dynamodb.statements import statement_reads, statement_writes
from tests.conftest import Account, RunningCloud
from tests.services.data.dynamodb.item_tables import make

ACCOUNT = "123456789012"
TEXT = "Transaction is ongoing for the item"


@pytest.fixture(scope="module")
def accounts(two_nodes: list[RunningCloud]) -> list[Account]:
    return [Account(node, ACCOUNT) for node in two_nodes]


@pytest.fixture
def clients(accounts: list[Account], request: pytest.FixtureRequest) -> list[Any]:
    """A client of each node, and a table `things` of this test's own region."""
    region = f"us-east-{1 + abs(hash(request.node.name)) % 100_000}"
    made = [
        node.client("dynamodb", region=region, config=Config(max_pool_connections=20, retries={"max_attempts": 0}))
        for node in accounts
    ]
    schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
    attributes = [{"AttributeName": "pk", "AttributeType": "S"}]
    made[0].create_table(
        TableName="things", KeySchema=schema, AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST"
    )
    for pk in "ab":
        made[0].put_item(TableName="things", Item={"pk": {"S": pk}, "n": {"N": "0"}})
    return made


def add(pk: str, **more: Any) -> dict[str, Any]:
    return {
        "TableName": "things",
        "Key": {"pk": {"S": pk}},
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        **more,
    }


def number(client: Any, pk: str) -> int:
    item = client.get_item(TableName="things", Key={"pk": {"S": pk}}, ConsistentRead=True)["Item"]
    return int(item["n"]["N"])


class Meddler:
    """Changes item a from the other node, in a transaction or alone, each time that this node has read it."""

    def __init__(self, other: Any, *, transaction: bool) -> None:
        self.times = 0
        self._other = other
        self._transaction = transaction
        self._busy = threading.local()

    def reading(self, read: Callable[..., Any]) -> Callable[..., Any]:
        """The function that reads items, with what comes in between. Only this node's transactions run in it."""

        def found(ctx: Any, layout: Any, key: bytes) -> Any:
            stored = read(ctx, layout, key)
            if not getattr(self._busy, "on", False) and ctx.runtime is self.victim and b"a" in key[-2:]:
                self._busy.on = True
                self.times += 1
                if self._transaction:
                    self._other.transact_write_items(TransactItems=[{"Update": add("a")}])
                else:
                    self._other.update_item(**add("a"))
                self._busy.on = False
            return stored

        return found

    victim: Any = None


@pytest.fixture
def meddle(accounts: list[Account], clients: list[Any], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Meddler]:
    def begin(*, transaction: bool) -> Meddler:
        meddler = Meddler(clients[1], transaction=transaction)
        meddler.victim = accounts[0].running.cloud.runtime
        for module, name in (
            (transactions, "find"),
            (transactions, "read"),
            (items, "find"),
            (items, "read"),
            (statement_writes, "find"),
            (statement_reads, "read"),
            (batch_reads, "read"),
        ):
            monkeypatch.setattr(module, name, meddler.reading(getattr(module, name)))
        return meddler

    return begin


def canceled(call: Callable[..., Any], *codes: str, **request: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: Any = caught.value.response
    assert response["Error"]["Code"] == "TransactionCanceledException"
    assert response["Error"]["Message"].endswith(f"[{', '.join(codes)}]")
    reasons = response["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == list(codes)
    assert {reason.get("Message") for reason in reasons if reason["Code"] == "TransactionConflict"} == {TEXT}


@pytest.mark.postgres
@pytest.mark.interpreted
@pytest.mark.parametrize("transaction", [True, False])
def test_transactions_name_the_items_that_others_are_at(
    clients: list[Any], meddle: Callable[..., Meddler], transaction: bool
) -> None:
    one = clients[0]
    meddler = meddle(transaction=transaction)
    codes = "TransactionConflict", "None"
    steps = [{"Update": add("a")}, {"Update": add("b")}]
    canceled(one.transact_write_items, *codes, TransactItems=steps)
    assert meddler.times == 4
    statements = [{"Statement": f"UPDATE things SET n = 5 WHERE pk = '{pk}'"} for pk in "ab"]
    canceled(one.execute_transaction, *codes, TransactStatements=statements)
    assert number(clients[1], "b") == 0
    assert number(clients[1], "a") == meddler.times


@pytest.mark.postgres
@pytest.mark.interpreted
def test_single_writes_that_meet_transactions(clients: list[Any], meddle: Callable[..., Meddler]) -> None:
    one = clients[0]
    meddler = meddle(transaction=True)
    key = {"pk": {"S": "a"}}
    for call, request in (
        (one.update_item, add("a")),
        (one.put_item, {"TableName": "things", "Item": {**key, "n": {"N": "0"}}}),
        (one.delete_item, {"TableName": "things", "Key": key}),
        (one.execute_statement, {"Statement": "UPDATE things SET n = 5 WHERE pk = 'a'"}),
    ):
        with pytest.raises(ClientError) as caught:
            call(**request)
        assert caught.value.response["Error"] == {"Code": "TransactionConflictException", "Message": TEXT}
    assert number(clients[1], "a") == meddler.times == 16


@pytest.mark.postgres
@pytest.mark.interpreted
def test_single_writes_that_meet_single_writes_go_on(
    clients: list[Any], meddle: Callable[..., Meddler], monkeypatch: pytest.MonkeyPatch
) -> None:
    meddler = meddle(transaction=False)
    stop = 7

    def limited(**request: Any) -> Any:
        if meddler.times <= stop:
            return type(clients[1]).update_item(clients[1], **request)
        return None

    monkeypatch.setattr(meddler, "_other", type("Other", (), {"update_item": staticmethod(limited)}))
    clients[0].update_item(**add("a"))
    assert number(clients[1], "a") == stop + 1


@pytest.mark.postgres
def test_many_at_once_lose_nothing(clients: list[Any]) -> None:
    outcomes: Counter[str] = Counter()
    lock = threading.Lock()

    def note(what: str) -> None:
        with lock:
            outcomes[what] += 1

    def transact(client: Any) -> None:
        for _ in range(15):
            try:
                client.transact_write_items(TransactItems=[{"Update": add("a")}, {"Update": add("b")}])
                note("transactions")
            except ClientError as error:
                response: Any = error.response
                assert {reason["Code"] for reason in response["CancellationReasons"]} <= {"None", "TransactionConflict"}
                note("canceled")

    def write(client: Any) -> None:
        for _ in range(15):
            try:
                client.update_item(**add("a"))
                note("writes")
            except ClientError as error:
                assert error.response["Error"]["Code"] == "TransactionConflictException"
                note("refused")

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, clients[place % 2]) for place in range(4) for work in (transact, write)]:
            future.result()
    assert number(clients[0], "b") == outcomes["transactions"]
    assert number(clients[0], "a") == outcomes["transactions"] + outcomes["writes"]


def test_a_token_whose_call_still_runs(cloud: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """On one node: two calls with a token arrive together; the second is refused or gets the first one's answer."""
    client = make(cloud)
    client.put_item(TableName="things", Item={"pk": {"S": "a"}, "n": {"N": "0"}})
    running = cloud.running.cloud.runtime.memory.setdefault("dynamodb.transactions", {})
    key = cloud.account, "us-east-1", "token"
    running[key] = "another request", cloud.running.clock.now()
    request = {"TransactItems": [{"Update": add("a")}], "ClientRequestToken": "token"}
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(**request)
    assert caught.value.response["Error"]["Code"] == "TransactionInProgressException"
    statements = [{"Statement": "UPDATE things SET n = 5 WHERE pk = 'a'"}]
    with pytest.raises(ClientError) as caught:
        client.execute_transaction(TransactStatements=statements, ClientRequestToken="token")
    assert caught.value.response["Error"]["Code"] == "TransactionInProgressException"
    del running[key]
    client.transact_write_items(**request)
    client.transact_write_items(**request)
    assert number(client, "a") == 1
    assert key not in running
    with pytest.raises(ClientError):
        client.transact_write_items(
            TransactItems=[{"Update": add("a", ConditionExpression="n > :one")}], ClientRequestToken="x"
        )
    assert not [each for each in running if each[0] == cloud.account]


CONFLICT = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$"
GETS = [{"Get": {"TableName": "things", "Key": {"pk": {"S": pk}}}} for pk in "ba"]
SELECTS = [{"Statement": f"SELECT * FROM things WHERE pk = '{pk}'"} for pk in "ba"]


@pytest.mark.postgres
@pytest.mark.interpreted
@pytest.mark.parametrize("disturbed", [2, 3])
@pytest.mark.parametrize("way", ["gets", "selects"])
def test_a_transaction_of_reads_runs_again_or_is_canceled(
    accounts: list[Account], clients: list[Any], monkeypatch: pytest.MonkeyPatch, disturbed: int, way: str
) -> None:
    """PostgreSQL refuses the read of the second item, as the first has changed: three times, and it is told so."""
    attempts: list[int] = []

    def disturb(read: Callable[..., Any]) -> Callable[..., Any]:
        def found(ctx: Any, layout: Any, key: bytes) -> Any:
            if ctx.runtime is accounts[0].running.cloud.runtime and b"a" in key[-2:] and ctx.tries not in attempts:
                attempts.append(ctx.tries)
                if len(attempts) <= disturbed:
                    clients[1].update_item(**add("b"))
                    ctx.txn._query(CONFLICT, None)
            return read(ctx, layout, key)

        return found

    for module in (transactions, statement_reads):
        monkeypatch.setattr(module, "read", disturb(getattr(module, "read")))  # noqa: B009 (not exported there)
    one = clients[0]
    call, request = (
        (one.transact_get_items, {"TransactItems": GETS})
        if way == "gets"
        else (one.execute_transaction, {"TransactStatements": SELECTS})
    )
    if disturbed == 2:
        assert [response["Item"]["n"] for response in call(**request)["Responses"]] == [{"N": "2"}, {"N": "0"}]
    else:
        canceled(call, "TransactionConflict", "None", **request)
    assert attempts == list(range(1, disturbed + 2))


def test_an_attempt_knows_what_the_one_before_found() -> None:
    ctx: Any = SimpleNamespace(tries=2, carried=None)
    for tries, found in enumerate([b"1", b"2"], 2):
        ctx.tries = tries
        assert conflicts.met(ctx, [found, b"same", None]) == []
    ctx.tries = 4
    assert conflicts.met(ctx, [b"3", b"same", None]) == [0]
    ctx.tries = 5
    assert conflicts.met(ctx, [b"3", b"same", None]) == []


def test_sizes_do_not_know_of_the_mark(cloud: Account) -> None:
    client = make(cloud)
    item = {"pk": {"S": "a"}, "data": {"S": "x" * 5000}}
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "things", "Item": item}}])
    options = {"TableName": "things", "ReturnConsumedCapacity": "TOTAL", "ConsistentRead": True}
    got = client.get_item(Key={"pk": {"S": "a"}}, **options)
    assert (got["Item"], got["ConsumedCapacity"]["CapacityUnits"]) == (item, 2.0)
    assert client.scan(**options)["ConsumedCapacity"]["CapacityUnits"] == 2.0
