"""What key conditions ask of keys."""

from typing import Any

import pytest

from cumulo.services.data.dynamodb.expressions import key_conditions
from cumulo.services.data.dynamodb.expressions.key_conditions import KeySchema
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders

VALUES: dict[str, dict[str, Any]] = {":p": {"S": "p"}, ":a": {"N": "1.0"}, ":b": {"N": "2"}, ":s": {"S": "s"}}
SIMPLE = KeySchema(("pk",), ("sk",), {"pk": "S", "sk": "N"})
TEXT = KeySchema(("pk",), ("sk",), {"pk": "S", "sk": "S"})
MANY = KeySchema(("h1", "h2"), ("r1", "r2", "r3"), {"h1": "S", "h2": "N", "r1": "S", "r2": "N", "r3": "S"})
P, A, B, S = {"S": "p"}, {"N": "1"}, {"N": "2"}, {"S": "s"}


@pytest.mark.parametrize(
    ("schema", "text", "hashes", "equals", "operator", "operands"),
    [
        (SIMPLE, "pk = :p", (P,), (), "", ()),
        (SIMPLE, ":p = pk", (P,), (), "", ()),
        (SIMPLE, "(pk = :p) AND (sk = :a)", (P,), (A,), "", ()),
        (SIMPLE, "sk > :a AND pk = :p", (P,), (), ">", (A,)),
        (SIMPLE, "pk = :p AND :a <= sk", (P,), (), ">=", (A,)),
        (SIMPLE, "pk = :p AND :a < sk", (P,), (), ">", (A,)),
        (SIMPLE, "(pk = :p AND sk BETWEEN :a AND :b)", (P,), (), "BETWEEN", (A, B)),
        (TEXT, "pk = :p and begins_with(sk, :s)", (P,), (), "begins_with", (S,)),
        (TEXT, "#k = :p", (P,), (), "", ()),
        (MANY, "h1 = :p AND h2 = :a", (P, A), (), "", ()),
        (MANY, "r1 = :s AND h2 = :a AND h1 = :p", (P, A), (S,), "", ()),
        (MANY, "h1 = :p AND h2 = :a AND r1 = :s AND r2 < :b", (P, A), (S,), "<", (B,)),
        (
            MANY,
            "h1 = :p AND h2 = :a AND r1 = :s AND r2 = :b AND begins_with(r3, :s)",
            *((P, A), (S, B), "begins_with", (S,)),
        ),
    ],
)  # fmt: skip
def test_key_conditions(schema: KeySchema, text: str, hashes: Any, equals: Any, operator: str, operands: Any) -> None:
    found = key_conditions.parse(text, Placeholders({"#k": "pk"} if "#" in text else None, VALUES)).bind(schema)
    assert (found.hashes, found.equals, found.operator, found.operands) == (hashes, equals, operator, operands)
