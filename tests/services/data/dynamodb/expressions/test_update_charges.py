"""The bytes that an update is charged. Figures: AWS's answers (dynamodb-conformance, 2026-08-18 and 2026-10-09)."""

from typing import Any

import pytest

from cumulo.services.data.dynamodb.expressions import updates
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import make, refused

LIMIT = 409_600
TOO_BIG = "Item size to update has exceeded the maximum allowed size"
TEN = {"S": "y" * 10}
ONE = {"N": "1"}
PAD = 3 + 19 + 1  # SET b = :pad
CHARGES: list[tuple[str, dict[str, Any], int]] = [
    ("SET c = abcdefghij", {}, 19 + 1 + 15 + 10),
    ("SET c = m.z", {}, 19 + 1 + 1 + 14 + 1 + 14 + 1),
    ("SET c = l[10]", {}, 19 + 1 + 1 + 14 + 1 + 14 + 2),
    ("SET c = :v", {":v": TEN}, 19 + 1 + 10),
    ("SET l = list_append(l, :v)", {":v": {"L": [TEN]}}, 19 + 1 + 37 + 16 + 3 + 1 + 10),
    ("SET c = if_not_exists(c, :v)", {":v": {"M": {"a": {"S": "y" * 100}}}}, 19 + 1 + 39 + 16 + 3 + 1 + 1 + 100),
    ("SET c = if_not_exists(c, :v), d = if_not_exists(d, :v)", {":v": TEN}, 2 * (19 + 1 + 39 + 16 + 10)),
    ("SET n = n + :v", {":v": ONE}, 19 + 1 + 34 + 16 + 2),
    ("SET n = n - :v", {":v": ONE}, 19 + 1 + 37 + 16 + 2),
    ("ADD abcdefghij :v", {":v": ONE}, 19 + 10 + 2),
    ("ADD ss :v", {":v": {"SS": ["s" * 500]}}, 19 + 2 + 500),
    ("REMOVE abcdefghij", {}, 1 + 10),
    ("REMOVE m.yyyyyyyyyy", {}, 1 + 1 + 4 + 10),
    ("REMOVE l[10]", {}, 1 + 1 + 4 + 2),
    ("DELETE ss :v", {":v": {"SS": ["q" * 20]}}, 1 + 2),
]


@pytest.mark.parametrize(("clause", "values", "charge"), CHARGES, ids=[clause for clause, _, _ in CHARGES])
def test_charges_of_clauses(clause: str, values: dict[str, Any], charge: int) -> None:
    together = clause.replace("SET ", "SET b = :pad, ") if clause.startswith("SET") else f"SET b = :pad {clause}"
    given = Placeholders(None, {":pad": {"S": ""}, **values})
    assert updates.parse(together, given).charge.of(given.values) == PAD + charge


@pytest.mark.parametrize("transacted", [False, True])
def test_an_update_is_refused_for_what_it_writes(cloud: Account, transacted: bool) -> None:
    """A short key counts less than a clause is charged, so an item of 400 KB cannot be made so."""
    client = make(cloud)

    def update(size: int, clause: str = "SET b = :pad", condition: str = "attribute_not_exists(x)") -> None:
        request = {
            "TableName": "things",
            "Key": {"pk": {"S": "K"}},
            "UpdateExpression": clause,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":pad": {"S": "x" * size}},
        }
        if transacted:
            client.transact_write_items(TransactItems=[{"Update": request}])
        else:
            client.update_item(**request)

    update(LIMIT - PAD)
    refused(update, "ValidationException", TOO_BIG, size=LIMIT - PAD + 1)
    refused(update, "ValidationException", TOO_BIG, size=LIMIT - PAD + 1, condition="attribute_exists(x)")
    repeated = "SET b = if_not_exists(b, :pad), c = if_not_exists(b, :pad)"  # each use is charged
    refused(update, "ValidationException", TOO_BIG, size=LIMIT // 2, clause=repeated)


def test_other_ways_to_write_are_charged_the_item_alone(cloud: Account) -> None:
    client = make(cloud)
    key = {"pk": {"S": "K"}}
    value = {"S": "x" * (LIMIT - 3 - 1)}
    client.put_item(TableName="things", Item={**key, "b": value})
    client.update_item(TableName="things", Key=key, AttributeUpdates={"b": {"Value": value}})
    client.execute_statement(Statement="UPDATE things SET b = ? WHERE pk = 'K'", Parameters=[value])
    refused(
        client.update_item,
        "ValidationException",
        TOO_BIG,
        TableName="things",
        Key=key,
        AttributeUpdates={"b": {"Value": {"S": value["S"] + "x"}}},
    )
