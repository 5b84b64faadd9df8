"""Threads that append to lists in items and read them, in every way that DynamoDB offers, on servers that may die.

An append that got no answer is either left uncertain, or, in a transaction, repeated with its token until it is
answered: then it happened once.

Work is done on a few lists at a time. Each time that so many numbers were appended the oldest list is left and a new
one begun: a list stays short, a long history costs no more by the operation than a short one, and ranges that are read
get new items all the time.
"""

import itertools
import random
import threading
import zlib
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from tests.crash.item_histories import FAILED, OK, History, Operation
from tests.server_process import Server

TABLE = "lists"
PARTITION = {"S": "all"}
NUMBERS_A_LIST = 40
APPEND = "SET numbers = list_append(if_not_exists(numbers, :none), :new)"
# What a server says that was asked in its last moments: whether it was done is unknown.
DYING = {"ServiceUnavailable", "InternalFailure", "InternalServerError"}


def key_of(name: str) -> dict[str, Any]:
    """All lists share a partition, so that one Query reads them all."""
    return {"pk": PARTITION, "sk": {"S": name}}


def numbers_of(item: dict[str, Any] | None) -> tuple[int, ...]:
    return tuple(int(each["N"]) for each in (item or {}).get("numbers", {"L": []})["L"])


def check_conflict(refusal: ClientError, *others: str) -> None:
    """A refusal for others that want the same items at the same time, on a store where that is; or for `others`."""
    response: Any = refusal.response
    code = response["Error"]["Code"]
    reasons = {reason["Code"] for reason in response.get("CancellationReasons", ())}
    told = code == "TransactionCanceledException" and reasons <= {"None", "TransactionConflict", *others}
    assert told or code in ("TransactionConflictException", "TransactionInProgressException"), refusal


class Load:
    """Workers over `keys` lists at a time; `history` has everything they did."""

    def __init__(self, servers: list[Server], *, keys: int, workers: int, count: int, seed: int) -> None:
        self.servers = servers
        self._width = keys
        self.history = History()
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self.seed = seed
        self._left = itertools.count(1)
        self._count = count
        self._workers = workers
        self._threads: list[threading.Thread] = []

    def set_up(self) -> None:
        client = self.servers[0].client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        )
        client.get_waiter("table_exists").wait(TableName=TABLE, WaiterConfig={"Delay": 1})

    @property
    def keys(self) -> list[str]:
        """The lists that are in use now, in order."""
        return self._names(self.history.numbers // NUMBERS_A_LIST, self._width)

    @staticmethod
    def _names(first: int, count: int) -> list[str]:
        return [f"list{number:06}" for number in range(first, first + count)]

    def start(self) -> None:
        for number in range(self._workers):
            worker = Worker(self, number)
            self._threads.append(threading.Thread(target=self._guarded, args=(worker.run,), daemon=True))
        for thread in self._threads:
            thread.start()

    def _guarded(self, run: Callable[[], None]) -> None:
        try:
            run()
        except BaseException as failure:
            self.failures.append(failure)
            self.stopping.set()

    @property
    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)

    def more(self) -> bool:
        """Whether there is another operation to be done."""
        return not self.stopping.is_set() and next(self._left) <= self._count

    def finish(self, timeout_s: float) -> None:
        """Wait for the workers, then read every list once more."""
        for thread in self._threads:
            thread.join(timeout_s)
        assert not self.running
        for failure in self.failures:
            raise failure
        reader = Worker(self, 0)
        for first in range(0, self.history.numbers // NUMBERS_A_LIST + self._width, 100):
            reader.read_by_query(self._names(first, 100))


class Worker:
    """One thread's client: it stays with a server until nobody is there, and goes on to the next."""

    def __init__(self, load: Load, number: int) -> None:
        self.load = load
        self.history = load.history
        self.chance = random.Random(load.seed * 1000 + number)
        servers = load.servers[number % len(load.servers) :] + load.servers[: number % len(load.servers)]
        clients = [server.client("dynamodb") for server in servers]
        for client in clients:
            client.meta.events.register("after-call", self._check_whole)
        self.cut_short = False
        self.clients = itertools.cycle(clients)
        self.client = next(self.clients)
        self.known: dict[str, tuple[int, ...]] = {}

    def run(self) -> None:
        ways = [
            self.append_in_transaction,
            self.append_with_token,
            self.append_one,
            self.append_if_unchanged,
            self.append_if_another_is_unchanged,
            self.append_by_statements,
            self.read_in_transaction,
            self.read_by_statements,
            self.read_one,
            self.read_by_query,
            self.read_in_batch,
        ]
        while self.load.more():
            self.chance.choice(ways)()

    def _check_whole(self, http_response: Any, **event: Any) -> None:
        """Note an answer that the end of its server cut short: boto3 takes it for an empty one, if it may not retry."""
        said = http_response.headers.get("x-amz-crc32")
        self.cut_short = said != str(zlib.crc32(http_response.content))

    def ask(self, name: str, **request: Any) -> Any:
        """The answer; None when it is unknown what became of the call. A refusal is raised."""
        while not self.load.stopping.is_set():
            try:
                answer = getattr(self.client, name)(**request)
                return None if self.cut_short else answer
            except EndpointConnectionError:  # nobody was there: the call has not been made
                self.client = next(self.clients)
                self.load.stopping.wait(0.02)
            except BotoCoreError:
                return None
            except ClientError as refusal:
                if refusal.response["Error"]["Code"] in DYING:
                    return None
                raise
        return None

    def _some(self, count: int) -> list[str]:
        return self.chance.sample(self.load.keys, count)

    def _append(self, key: str, number: int) -> dict[str, Any]:
        values = {":none": {"L": []}, ":new": {"L": [{"N": str(number)}]}}
        return {
            "TableName": TABLE,
            "Key": key_of(key),
            "UpdateExpression": APPEND,
            "ExpressionAttributeValues": values,
        }

    def append_in_transaction(self) -> None:
        appends = {key: self.history.number() for key in self._some(2)}
        steps = [{"Update": self._append(key, number)} for key, number in appends.items()]
        with self.history.asking(Operation("transaction", appends)) as operation:
            try:
                if self.ask("transact_write_items", TransactItems=steps) is not None:
                    operation.outcome = OK
            except ClientError as refusal:
                check_conflict(refusal)
                operation.outcome = FAILED

    def append_with_token(self) -> None:
        appends = {key: self.history.number() for key in self._some(3)}
        steps = [{"Update": self._append(key, number)} for key, number in appends.items()]
        token = f"{self.load.seed}-{min(appends.values())}"
        with self.history.asking(Operation("repeated transaction", appends)) as operation:
            while not self.load.stopping.is_set():
                try:
                    if self.ask("transact_write_items", TransactItems=steps, ClientRequestToken=token) is not None:
                        operation.outcome = OK
                        return
                except ClientError as refusal:  # it has not happened then, and is tried again
                    check_conflict(refusal)

    def append_one(self) -> None:
        [key] = self._some(1)
        number = self.history.number()
        with self.history.asking(Operation("update", {key: number})) as operation:
            try:
                answer = self.ask("update_item", ReturnValues="ALL_NEW", **self._append(key, number))
            except ClientError as refusal:
                check_conflict(refusal)
                operation.outcome = FAILED
                return
            if answer is not None:
                numbers = numbers_of(answer["Attributes"])
                assert numbers[-1] == number
                operation.reads[key] = numbers[:-1]
                operation.outcome = OK

    def append_if_unchanged(self) -> None:
        [key] = self._some(1)
        number = self.history.number()
        request = self._append(key, number)
        self._unless_changed(request, key)
        with self.history.asking(Operation("conditional update", {key: number})) as operation:
            try:
                if self.ask("update_item", **request) is not None:
                    self._found(operation, key, self.known.get(key, ()))
                    operation.outcome = OK
                    self.known[key] += (number,)
            except ClientError as refusal:
                operation.outcome = FAILED
                response: Any = refusal.response
                if response["Error"]["Code"] != "ConditionalCheckFailedException":
                    check_conflict(refusal)
                    return
                self._found(operation, key, numbers_of(response.get("Item")))

    def append_if_another_is_unchanged(self) -> None:
        """What write skew is made of: two who each check the list that the other appends to."""
        checked, key = self._some(2)
        number = self.history.number()
        check = {"TableName": TABLE, "Key": key_of(checked)}
        self._unless_changed(check, checked)
        steps = [{"ConditionCheck": check}, {"Update": self._append(key, number)}]
        with self.history.asking(Operation("checking transaction", {key: number})) as operation:
            try:
                if self.ask("transact_write_items", TransactItems=steps) is not None:
                    self._found(operation, checked, self.known.get(checked, ()))
                    operation.outcome = OK
            except ClientError as refusal:
                operation.outcome = FAILED
                check_conflict(refusal, "ConditionalCheckFailed")
                response: Any = refusal.response
                reason = response["CancellationReasons"][0]
                if reason["Code"] == "ConditionalCheckFailed":
                    self._found(operation, checked, numbers_of(reason.get("Item")))

    def _unless_changed(self, request: dict[str, Any], key: str) -> None:
        """Let the request hold only while the list is as this worker knows it."""
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        known = self.known.get(key, ())
        request["ConditionExpression"] = "numbers = :known" if known else "attribute_not_exists(numbers)"
        if known:
            values = request.setdefault("ExpressionAttributeValues", {})
            values[":known"] = {"L": [{"N": str(number)} for number in known]}

    def _found(self, operation: Operation, key: str, numbers: tuple[int, ...]) -> None:
        operation.reads[key] = self.known[key] = numbers

    def append_by_statements(self) -> None:
        appends = {key: self.history.number() for key in self._some(2)}
        steps = [
            {
                "Statement": f"UPDATE {TABLE} SET numbers = list_append(numbers, ?) WHERE pk = 'all' AND sk = ?",
                "Parameters": [{"L": [{"N": str(number)}]}, {"S": key}],
            }
            for key, number in appends.items()
        ]
        with self.history.asking(Operation("statements", appends)) as operation:
            try:
                if self.ask("execute_transaction", TransactStatements=steps) is not None:
                    operation.outcome = OK
            except ClientError as refusal:  # PartiQL updates no item that is not there
                check_conflict(refusal, "ConditionalCheckFailed")
                operation.outcome = FAILED

    def read_by_statements(self) -> None:
        keys = self._some(3)
        text = f"SELECT * FROM {TABLE} WHERE pk = 'all' AND sk = ?"
        self._read_together(
            Operation("selects"),
            keys,
            "execute_transaction",
            TransactStatements=[{"Statement": text, "Parameters": [{"S": key}]} for key in keys],
        )

    def read_in_transaction(self) -> None:
        keys = self._some(3)
        gets = [{"Get": {"TableName": TABLE, "Key": key_of(key)}} for key in keys]
        self._read_together(Operation("transaction of gets"), keys, "transact_get_items", TransactItems=gets)

    def _read_together(self, operation: Operation, keys: list[str], name: str, **request: Any) -> None:
        with self.history.asking(operation):
            try:
                answer = self.ask(name, **request)
            except ClientError as refusal:
                check_conflict(refusal)
                operation.outcome = FAILED
                return
            if answer is not None:
                for key, response in zip(keys, answer["Responses"], strict=True):
                    self._found(operation, key, numbers_of(response.get("Item")))
                operation.outcome = OK

    def read_one(self) -> None:
        [key] = self._some(1)
        with self.history.asking(Operation("get")) as operation:
            answer = self.ask("get_item", TableName=TABLE, Key=key_of(key), ConsistentRead=True)
            if answer is not None:
                self._found(operation, key, numbers_of(answer.get("Item")))
                operation.outcome = OK

    def read_in_batch(self) -> None:
        keys = self._some(3)
        request = {TABLE: {"Keys": [key_of(key) for key in keys], "ConsistentRead": True}}
        with self.history.asking(Operation("batch")) as operation:
            answer = self.ask("batch_get_item", RequestItems=request)
            if answer is not None:
                found = {item["sk"]["S"]: item for item in answer["Responses"][TABLE]}
                operation.reads = {key: numbers_of(found.get(key)) for key in keys}
                operation.outcome = OK

    def read_by_query(self, keys: list[str] | None = None) -> None:
        """Read a range of lists in one page, also those that are not there yet."""
        keys = keys or self.load.keys
        values = {":pk": PARTITION, ":first": {"S": keys[0]}, ":last": {"S": keys[-1]}}
        with self.history.asking(Operation("query")) as operation:
            answer = self.ask(
                "query",
                TableName=TABLE,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues=values,
                ConsistentRead=True,
            )
            if answer is not None:
                assert "LastEvaluatedKey" not in answer
                found = {item["sk"]["S"]: item for item in answer["Items"]}
                for key in keys:
                    self._found(operation, key, numbers_of(found.get(key)))
                operation.outcome = OK
