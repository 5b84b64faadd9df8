"""Make the tables of a NoSQL Workbench model in the running cloud, with their sample data.

    cumulo workbench model.json

MODEL is what NoSQL Workbench exports ("Export data model"). Tables that are there already are left as they are, unless
--replace. Calls are signed with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as root with test/test.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.calls import Caller

BATCH = 25
WAIT_S = 60


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo workbench`."""
    configuration.add_arguments(parser)
    parser.add_argument("model", metavar="MODEL", help="the exported model, a JSON file")
    parser.add_argument("--no-data", action="store_true", help="make the tables without the sample data")
    parser.add_argument("--replace", action="store_true", help="delete tables of the same names first")


def run(options: Any) -> int:
    """Make the tables and write their items."""
    tables = _tables(Path(options.model))
    running = servers.required(configuration.load(options), options)
    caller = _Caller(running.url)
    for table in tables:
        name = table["TableName"]
        if options.replace and caller.try_call("DeleteTable", {"TableName": name}):
            caller.wait_until_gone(name)
        if not caller.try_call("CreateTable", definition(table)):
            print(f"{name}: there already")
            continue
        caller.wait_until_active(name)
        items = [] if options.no_data else items_of(table)
        for batch in _batches(items):
            caller.write(name, batch)
        print(f"{name}: made, {len(items)} items")
    return 0


def _tables(file: Path) -> list[dict[str, Any]]:
    try:
        model = json.loads(file.read_text("utf-8"))
        tables: list[dict[str, Any]] = model["DataModel"]
        for table in tables:
            definition(table)
    except OSError as error:
        raise Refusal(f"cannot read {file}: {error.strerror}", code=2)
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal(
            f"{file} is no model of NoSQL Workbench: {error!r}", 'in Workbench: "Export data model", as JSON', code=2
        )
    return tables


def definition(table: dict[str, Any]) -> dict[str, Any]:
    """CreateTable's request for a table of a model."""
    attributes: dict[str, str] = {}

    def schema(keys: dict[str, Any]) -> list[dict[str, str]]:
        found = [{"AttributeName": keys["PartitionKey"]["AttributeName"], "KeyType": "HASH"}]
        if keys.get("SortKey"):
            found.append({"AttributeName": keys["SortKey"]["AttributeName"], "KeyType": "RANGE"})
        for key in (keys["PartitionKey"], keys.get("SortKey") or {}):
            if key:
                attributes[key["AttributeName"]] = key["AttributeType"]
        return found

    request: dict[str, Any] = {"TableName": table["TableName"], "KeySchema": schema(table["KeyAttributes"])}
    mode = table.get("BillingMode", "PROVISIONED")
    units = (table.get("ProvisionedCapacitySettings") or {}).get("ProvisionedThroughput")
    provisioned = mode == "PROVISIONED" and units is not None
    request["BillingMode"] = "PROVISIONED" if provisioned else "PAY_PER_REQUEST"
    if provisioned:
        request["ProvisionedThroughput"] = units
    indexes = []
    for index in table.get("GlobalSecondaryIndexes") or ():
        made = {
            "IndexName": index["IndexName"],
            "KeySchema": schema(index["KeyAttributes"]),
            "Projection": index["Projection"],
        }
        if provisioned:
            made["ProvisionedThroughput"] = units
        indexes.append(made)
    if indexes:
        request["GlobalSecondaryIndexes"] = indexes
    request["AttributeDefinitions"] = [
        {"AttributeName": name, "AttributeType": kind} for name, kind in attributes.items()
    ]
    return request


def items_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The sample data of a table, without the cells that Workbench left empty."""
    return [
        {name: value for name, value in item.items() if isinstance(value, dict) and value}
        for item in table.get("TableData") or ()
    ]


def _batches(items: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


class _Caller(Caller):
    """Signed calls of DynamoDB."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "dynamodb", "DynamoDB_20120810", "1.0")

    def try_call(self, operation: str, request: dict[str, Any]) -> bool:
        """Whether it was done; False where the table is there already, or is not."""
        code, answer = self.send(operation, request)
        if code in ("ResourceInUseException", "ResourceNotFoundException"):
            return False
        if code:
            raise Refusal(f"{operation}: {code}: {answer.get('message', answer.get('Message', ''))}")
        return True

    def write(self, table: str, items: list[dict[str, Any]]) -> None:
        """Put items, again those that were left over."""
        requests: Any = {table: [{"PutRequest": {"Item": item}} for item in items]}
        while requests:
            requests = self.call("BatchWriteItem", {"RequestItems": requests}).get("UnprocessedItems")

    def wait_until_active(self, name: str) -> None:
        """Wait for a new table."""
        self._wait(lambda: self.call("DescribeTable", {"TableName": name})["Table"]["TableStatus"] == "ACTIVE", name)

    def wait_until_gone(self, name: str) -> None:
        """Wait until a table's name is free."""
        self._wait(lambda: not self.try_call("DescribeTable", {"TableName": name}), name)

    @staticmethod
    def _wait(done: Any, name: str) -> None:
        until = time.monotonic() + WAIT_S
        while not done():
            if time.monotonic() > until:
                raise Refusal(f"{name} did not get ready within {WAIT_S} s")
            time.sleep(0.05)
