"""The same condition in an expression, in the parameters of before expressions and in PartiQL: they must agree."""

import contextlib
import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.expressions import conditions
from cumulo.services.data.dynamodb.expressions.placeholders import Placeholders
from cumulo.services.data.dynamodb.legacy import conditions as legacy
from cumulo.services.data.dynamodb.partiql import parser, planner
from cumulo.services.data.dynamodb.partiql.syntax import Select
from cumulo.services.data.dynamodb.values.attribute_values import check_item
from tests.services.data.dynamodb.drawn_values import Value, scalars, sets, values

FORMS = {
    "EQ": ("v = {}", "v = {}"),
    "NE": ("v <> {}", "v <> {}"),
    "LT": ("v < {}", "v < {}"),
    "LE": ("v <= {}", "v <= {}"),
    "GT": ("v > {}", "v > {}"),
    "GE": ("v >= {}", "v >= {}"),
    "BETWEEN": ("v BETWEEN {} AND {}", "v BETWEEN {} AND {}"),
    "IN": ("v IN ({}, {})", "v IN [{}, {}]"),
    "CONTAINS": ("contains(v, {})", "contains(v, {})"),
    "NOT_CONTAINS": ("attribute_exists(v) AND NOT contains(v, {})", "v IS NOT MISSING AND NOT contains(v, {})"),
    "BEGINS_WITH": ("begins_with(v, {})", "begins_with(v, {})"),
    "NULL": ("attribute_not_exists(v)", "v IS MISSING"),
    "NOT_NULL": ("attribute_exists(v)", "v IS NOT MISSING"),
}


def answer(work: Any) -> bool | None:
    """What a condition says; None where it is refused."""
    with contextlib.suppress(Fault):
        return bool(work())
    return None


def by_expression(form: str, operands: list[Value], item: dict[str, Value]) -> bool:
    names = [f":v{number}" for number in range(len(operands))]
    placeholders = Placeholders(None, dict(zip(names, operands, strict=True)) or None)
    return conditions.parse(form.format(*names), placeholders, "ConditionExpression").matches(item)


def by_statement(form: str, operands: list[Value], item: dict[str, Value]) -> bool:
    statement = parser.parse(f"SELECT * FROM t WHERE {form.format(*'?' * len(operands))}", operands)
    assert isinstance(statement, Select)
    condition = planner.joined(statement.where.parts, statement.where.attributes)
    assert condition is not None
    return condition.matches(item)


def by_parameters(operator: str, operands: list[Value], item: dict[str, Value]) -> bool:
    wanted = {"ComparisonOperator": operator, **({"AttributeValueList": operands} if operands else {})}
    return legacy.filtered({"v": wanted}).matches(item)


few = st.sampled_from(["", "a", "ab", "b"]).map(lambda text: {"S": text}) | st.integers(-2, 2).map(
    lambda number: {"N": str(number)}
)
operands = few | scalars | sets | values


@given(st.data(), st.sampled_from(list(FORMS)), st.booleans())
def test_the_languages_agree(data: st.DataObject, operator: str, there: bool) -> None:
    expression, statement = FORMS[operator]
    given_values = data.draw(st.lists(operands, min_size=(count := expression.count("{}")), max_size=count))
    item: dict[str, Value] = {"pk": {"S": "1"}}
    if there:
        item["v"] = data.draw(operands | (st.sampled_from(given_values) if given_values else st.nothing()))
    check_item(item)

    def fresh() -> list[Value]:
        return copy.deepcopy(given_values)

    answers = {
        "expression": answer(lambda: by_expression(expression, fresh(), item)),
        "parameters": answer(lambda: by_parameters(operator, fresh(), item)),
        "statement": answer(lambda: by_statement(statement, fresh(), item)),
    }
    assert len({found for found in answers.values() if found is not None}) <= 1, answers
