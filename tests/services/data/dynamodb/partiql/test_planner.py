"""The keys that a SELECT is read by must find what its condition says: every alternative, and nothing else."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from cumulo.services.data.dynamodb.expressions.key_conditions import KeyCondition, KeySchema
from cumulo.services.data.dynamodb.partiql import parser, planner
from cumulo.services.data.dynamodb.partiql.syntax import Select
from cumulo.services.data.dynamodb.values.attribute_values import Item, order

SCHEMA = KeySchema(("pk",), ("sk",), {"pk": "S", "sk": "N"})
ITEMS: list[Item] = [
    {"pk": {"S": pk}, "sk": {"N": str(sk)}, "a": {"S": a}} for pk, sk, a in itertools.product("pq", range(4), "xy")
]
LEAVES = [
    *("pk = 'p'", "'q' = pk", "pk IN ['p', 'q']", "pk = 'none'", "pk <> 'p'", "pk > 'p'"),
    *("sk = 1", "sk = 2", "sk < 2", "2 < sk", "sk >= 3", "sk BETWEEN 1 AND 2", "sk IN [0, 3]", "sk <> 2"),
    *("a = 'x'", "a <> 'x'", "a IN ['x', 'y']", "attribute_exists(a)", "begins_with(a, 'y')"),
]
conditions = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" AND ".join).map("({})".format),
        st.tuples(inner, inner).map(" OR ".join).map("({})".format),
        inner.map("NOT ({})".format),
    ),
    max_leaves=8,
)


def asks_for(key: KeyCondition, item: Item) -> bool:
    """Whether a query by this key sees the item."""
    if item["pk"] != key.hashes[0]:
        return False
    if key.equals:
        return item["sk"] == key.equals[0]
    if not key.operator:
        return True
    places = [order(item["sk"], operand) for operand in key.operands]
    first, last = places[0], places[-1]
    assert first is not None and last is not None
    return {
        "<": first < 0,
        "<=": first <= 0,
        ">": first > 0,
        ">=": first >= 0,
        "BETWEEN": first >= 0 and last <= 0,
    }[key.operator]


@given(conditions, conditions)
def test_keys_find_what_the_condition_says(left: str, right: str) -> None:
    statement = parser.parse(f"SELECT * FROM t WHERE pk = 'p' AND {left} OR {right}", None)
    assert isinstance(statement, Select)
    whole = planner.joined(list(statement.where.parts), statement.where.attributes)
    assert whole is not None
    found = planner.lookup(statement.where, SCHEMA)
    rest = planner.joined(found.rest, statement.where.attributes)
    for item in ITEMS:
        seen = sum(asks_for(key, item) for key in found.keys) if found.keys else 1
        if seen > 1:
            continue  # such ranges overlap: the statement is refused
        assert (seen == 1 and (rest is None or rest.matches(item))) == whole.matches(item)
