"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction.

What is answered, and the texts: observed in AWS's answers of 2025 and 2026, and its Developer Guide.
"""

from typing import Any

import pytest

from tests.conftest import Account
from tests.services.data.dynamodb.item_tables import index, make, refused

PEOPLE = [
    {"pk": {"S": "p"}, "sk": {"N": "1"}, "g": {"S": "x"}, "name": {"S": "Ann"}, "ss": {"SS": ["a", "b"]}},
    {"pk": {"S": "p"}, "sk": {"N": "2"}, "g": {"S": "y"}, "name": {"S": "Bob"}, "nil": {"NULL": True}},
    {"pk": {"S": "p"}, "sk": {"N": "3"}, "g": {"S": "x"}, "name": {"S": "Cyd"}, "m": {"M": {"k": {"L": [{"S": "d"}]}}}},
    {"pk": {"S": "q"}, "sk": {"N": "1"}, "name": {"S": "Dan"}, "age": {"N": "30"}},
]


@pytest.fixture
def people(cloud: Account) -> Any:
    client = make(
        cloud, range="sk", types={"sk": "N", "g": "S"}, GlobalSecondaryIndexes=[index("by-g", "g", projection=["age"])]
    )
    for item in PEOPLE:
        client.put_item(TableName="things", Item=item)
    return client


def run(client: Any, statement: str, *parameters: Any, **more: Any) -> Any:
    if parameters:
        more["Parameters"] = list(parameters)
    return client.execute_statement(Statement=statement, **more)


def names(answer: Any) -> list[str]:
    return [item["name"]["S"] for item in answer["Items"]]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("pk = 'p'", "Ann Bob Cyd"),
        ("pk = 'p' AND sk = 2", "Bob"),
        ("pk = 'p' AND sk > 1", "Bob Cyd"),
        ("pk = 'p' AND 1 < sk AND sk < 3", "Bob"),
        ("pk = 'p' AND sk BETWEEN 2 AND 3", "Bob Cyd"),
        ("pk = 'p' AND sk IN [1, 3]", "Ann Cyd"),
        ("pk = 'p' AND NOT sk = 1", "Bob Cyd"),
        ("pk IN ['q', 'p'] AND sk = 1", "Dan Ann"),
        ("(pk = 'q' OR 'p' = pk) AND sk = 1", "Dan Ann"),
        ("pk = 'p' AND (sk = 1 OR sk = 3)", "Ann Cyd"),
        ("pk = 'p' OR pk = 'q' AND age >= 30", "Ann Bob Cyd Dan"),
        ("pk = 'p' AND name <> 'Bob'", "Ann Cyd"),
        ("pk = 'p' AND name != 'Bob'", "Ann Cyd"),
        ("pk = 'p' AND begins_with(name, 'A')", "Ann"),
        ("pk = 'p' AND contains(ss, 'a')", "Ann"),
        ("pk = 'p' AND size(name) = 3", "Ann Bob Cyd"),
        ("pk = 'p' AND attribute_type(ss, 'SS')", "Ann"),
        ("pk = 'p' AND ATTRIBUTE_EXISTS(m.k[0])", "Cyd"),
        ("pk = 'p' AND attribute_exists(ss) = true", "Ann"),
        ("pk = 'p' AND attribute_not_exists(ss)", "Bob Cyd"),
        ("pk = 'p' AND ss IS MISSING", "Bob Cyd"),
        ("pk = 'p' AND ss IS NOT MISSING", "Ann"),
        ("pk = 'p' AND nil IS NULL", "Bob"),
        ("pk = 'p' AND name IS STRING AND nil IS NOT NULL", "Ann Cyd"),
        ("pk = 'p' AND m.k = ['d']", "Cyd"),
        ("pk = 'p' AND m['k'][0] = 'd'", "Cyd"),
        ("age = 30", "Dan"),
        ("pk = 'p' ORDER BY sk DESC", "Cyd Bob Ann"),
        ("pk = 'p' ORDER BY sk ASC", "Ann Bob Cyd"),
        ("pk = 'nobody'", ""),
    ],
)
def test_select(people: Any, where: str, found: str) -> None:
    answer = run(people, f'SELECT * FROM "things" WHERE {where}')
    wanted = found.split()
    assert (sorted(names(answer)) if "OR pk" in where else names(answer)) == wanted
    assert "NextToken" not in answer


OVERLAPPING = "Overlapping conditions with range keys are not supported in where clause"


@pytest.mark.parametrize(
    "where",
    [
        "pk = 'p' AND name = 'Ann' OR pk = 'p' AND sk = 2",
        "pk = 'p' AND name <> 'Ann' OR pk = 'p' AND sk = 2",
        "pk = 'p' AND (sk > 0 OR sk < 5)",
        "pk IN ['p', 'p']",
        "pk = 'p' AND sk IN [1, 2, 1]",
        "pk = 'p' AND sk >= 2 OR pk = 'p' AND sk BETWEEN 1 AND 2",
    ],
)
def test_alternatives_must_not_overlap(people: Any, where: str) -> None:
    """Observed in AWS's answers (dynamodb-conformance, October 2026); duplicates in IN: an issue of AWS's clients."""
    refused(
        people.execute_statement, "ValidationException", OVERLAPPING, Statement=f"SELECT * FROM things WHERE {where}"
    )


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("pk = 'p' AND NOT sk = 1 OR pk = 'p' AND sk = 2", "Bob Cyd"),
        ("pk = 'p' AND sk <> 1 OR pk = 'p' AND sk = 2", "Bob Cyd"),
        ("pk = 'p' AND NOT sk IN [1, 3] OR pk = 'p' AND sk = 2", "Bob"),
        ("pk = 'p' AND NOT sk > 5 OR pk = 'p' AND sk = 2", "Ann Bob Cyd"),
        ("pk = 'p' AND NOT (sk = 1) OR pk = 'p' AND sk = 2", "Bob Cyd"),
        ("pk = 'p' OR pk = 'p' AND NOT sk = 1", "Ann Bob Cyd"),
        ("pk = 'p' AND sk = 3 OR pk = 'q' OR pk = 'p' AND sk < 2", "Ann Cyd Dan"),
        ("pk = 'p' AND (sk <= 1 OR sk > 2 AND name = 'Cyd')", "Ann Cyd"),
        ("pk = 'p' AND (name = 'Ann' OR age >= 30)", "Ann"),
        ("pk = 'q' AND sk IN [1] OR age = 30", "Dan"),
    ],
)
def test_alternatives(people: Any, where: str, found: str) -> None:
    """What a sort key is not overlaps with nothing: observed in AWS's answers (as above)."""
    assert names(run(people, f"SELECT * FROM things WHERE {where}")) == found.split()


def test_alternatives_are_read_page_by_page(people: Any) -> None:
    statement = "SELECT * FROM things WHERE pk = 'q' OR pk = 'p' AND sk = 3 OR pk = 'p' AND sk = 1"
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        answer = run(people, statement, Limit=1, **more)
        found += names(answer)
        if "NextToken" not in answer:
            break
        more = {"NextToken": answer["NextToken"]}
    assert found == ["Dan", "Ann", "Cyd"]


def test_columns_come_back_under_their_last_names(people: Any) -> None:
    answer = run(people, "SELECT name, m.k, m.k[0] FROM things WHERE pk = 'p' AND sk = 3")
    assert answer["Items"] == [{"name": {"S": "Cyd"}, "k": {"L": [{"S": "d"}]}, "_3": {"S": "d"}}]
    assert run(people, "SELECT nothing FROM things WHERE pk = 'p' AND sk = 3")["Items"] == [{}]


def test_pages(people: Any) -> None:
    statement = 'SELECT * FROM "things" WHERE pk IN [?, ?] ORDER BY sk DESC'
    parameters = [{"S": "p"}, {"S": "q"}]
    answer = run(people, statement, *parameters, Limit=2)
    found = names(answer)
    while "NextToken" in answer:
        answer = run(people, statement, *parameters, Limit=2, NextToken=answer["NextToken"])
        found += names(answer)
    assert found == ["Cyd", "Bob", "Ann", "Dan"]


def test_a_page_says_where_it_ended(people: Any) -> None:
    answer = run(people, "SELECT * FROM \"things\" WHERE pk = 'p'", Limit=1)
    assert names(answer) == ["Ann"]
    assert answer["LastEvaluatedKey"] == {"pk": {"S": "p"}, "sk": {"N": "1"}}
    call = people.execute_statement
    other = "SELECT * FROM \"things\" WHERE pk = 'q'"
    text = "NextToken does not match request"
    refused(call, "ValidationException", text, Statement=other, NextToken=answer["NextToken"])
    refused(call, "ValidationException", "Invalid NextToken", Statement=other, NextToken="nonsense")


def test_select_from_an_index(people: Any) -> None:
    answer = run(people, "SELECT sk FROM things.\"by-g\" WHERE g = 'x'")
    assert [item["sk"]["N"] for item in answer["Items"]] == ["1", "3"]
    scanned = run(people, "SELECT * FROM things.\"by-g\" WHERE NOT name = 'Ann'")  # of what the index has
    assert len(scanned["Items"]) == 3
    invalid = "One or more parameter values were invalid: "
    for statement, text in [
        ('SELECT * FROM things."none"', "The table does not have the specified index"),
        (
            "SELECT pk FROM things.\"by-g\" WHERE g = 'x' AND name = 'Ann'",
            invalid + "Secondary index by-g does not project one or more filter attributes: [name]",
        ),
        ('SELECT name FROM things."by-g"', invalid + "Global secondary index by-g does not project [name]"),
    ]:
        refused(people.execute_statement, "ValidationException", text, Statement=statement)
    refused(
        people.execute_statement,
        "ValidationException",
        "Strongly consistent read is not supported on Global Secondary Indexes",
        Statement="SELECT * FROM things.\"by-g\" WHERE g = 'x'",
        ConsistentRead=True,
    )


def test_indexes_whose_key_has_several_attributes_are_not_read(cloud: Account) -> None:
    client = make(
        cloud, types={"h": "S", "g": "S"}, GlobalSecondaryIndexes=[index("many", ["h", "g"]), index("one", "h")]
    )
    text = (
        "PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys."
    )
    statement = "SELECT * FROM things.many WHERE h = 5"
    refused(client.execute_statement, "ValidationException", text, Statement=statement)
    assert batch(client, statement) == [{"Error": {"Code": "ValidationError", "Message": text}}]
    assert run(client, "SELECT * FROM things.one WHERE h = 'x'")["Items"] == []
    assert run(client, "SELECT * FROM things WHERE pk = 'x'")["Items"] == []


@pytest.mark.parametrize(
    ("value", "other"),
    [
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"NS": ["1", "2"]}, {"NS": ["2", "1.0"]}),
        ({"BS": [b"a", b"b"]}, {"BS": [b"b", b"a"]}),
        ({"M": {"x": {"N": "1"}, "y": {"L": []}}}, {"M": {"y": {"L": []}, "x": {"N": "1"}}}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"NULL": True}, {"NULL": True}),
    ],
    ids=str,
)
def test_values_of_all_types_are_compared(people: Any, value: Any, other: Any) -> None:
    run(people, "UPDATE things SET v = ? WHERE pk = 'p' AND sk = 1", value)
    for operator, count in (("=", 1), ("<>", 2)):
        assert len(run(people, f"SELECT * FROM things WHERE pk = 'p' AND v {operator} ?", other)["Items"]) == count
    text = (
        f"Incorrect operand type for operator or function; operator or function: <=, operand type: {next(iter(value))}"
    )
    statement = "SELECT * FROM things WHERE pk = 'p' AND v <= ?"
    refused(people.execute_statement, "ValidationException", text, Statement=statement, Parameters=[other])


@pytest.mark.parametrize(
    ("statement", "code", "text"),
    [
        ("SELECT * FROM nothing", "ResourceNotFoundException", "Requested resource not found"),
        (
            "SELECT * FROM nothing WHERE a < true",
            "ValidationException",
            "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL",
        ),
        (
            "SELECT * FROM things ORDER BY sk",
            "ValidationException",
            "Must have WHERE clause in the statement when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM things WHERE name = 'x' ORDER BY sk",
            "ValidationException",
            "Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.",
        ),
        (
            "SELECT * FROM things WHERE pk = 'p' ORDER BY name",
            "ValidationException",
            "Variable reference name in ORDER BY clause must be part of the primary key.",
        ),
        (
            "SELECT * FROM things WHERE pk = 5",
            "ValidationException",
            "One or more parameter values were invalid: Condition parameter type does not match schema type",
        ),
        (
            "EXISTS(SELECT * FROM things WHERE pk = 'p' AND sk = 1 AND a = 1)",
            "ValidationException",
            "EXISTS() is only supported in ExecuteTransaction",
        ),
        (
            "UPDATE things SET a = 1 WHERE pk = 'p'",
            "ValidationException",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "DELETE FROM things WHERE pk = 'p' AND sk > 1",
            "ValidationException",
            "Where clause does not contain a mandatory equality on all key attributes",
        ),
        (
            "UPDATE things SET sk = 9 WHERE pk = 'p' AND sk = 1",
            "ValidationException",
            "One or more parameter values were invalid: Cannot update attribute sk. This attribute is part of the key",
        ),
        (
            "UPDATE things SET ss = set_add(ss, <<1>>) WHERE pk = 'p' AND sk = 1",
            "ValidationException",
            "An operand in the update expression has an incorrect data type",
        ),
        (
            "UPDATE things SET a = b WHERE pk = 'p' AND sk = 1",
            "ValidationException",
            "The provided expression refers to an attribute that does not exist in the item",
        ),
        (
            "INSERT INTO things VALUE {'pk': 'p', 'sk': 1}",
            "DuplicateItemException",
            "Duplicate primary key exists in table",
        ),
        (
            "INSERT INTO things VALUE {'pk': 'p', 'sk': 7, 'm': {'a': 1, 'a': 2}}",
            "ValidationException",
            "The attribute a is given twice under root",
        ),
        (
            "INSERT INTO things VALUE {'pk': 'p'}",
            "ValidationException",
            "One or more parameter values were invalid: Missing the key sk in the item",
        ),
        (
            "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 9",
            "ConditionalCheckFailedException",
            "The conditional request failed",
        ),
        (
            "FROM things WHERE pk = 'p' AND sk = 9 AND attribute_not_exists(pk) SET a = 1",
            "ConditionalCheckFailedException",
            "The conditional request failed",
        ),
        (
            "DELETE FROM things WHERE pk = 'p' AND sk = 1 AND name = 'x'",
            "ConditionalCheckFailedException",
            "The conditional request failed",
        ),
    ],
)  # fmt: skip
def test_statements_that_are_refused(people: Any, statement: str, code: str, text: str) -> None:
    refused(people.execute_statement, code, text, Statement=statement)
    assert len(people.scan(TableName="things")["Items"]) == len(PEOPLE)


def test_empty_parameters_are_refused(people: Any) -> None:
    """A recording of AWS's."""
    text = (
        "1 validation error detected: Value '[]' at 'parameters' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )
    refused(people.execute_statement, "ValidationException", text, Statement="SELECT * FROM things", Parameters=[])


def item_of(client: Any, sk: int = 1) -> Any:
    return client.get_item(TableName="things", Key={"pk": {"S": "p"}, "sk": {"N": str(sk)}}).get("Item")


def test_writes_answer_an_empty_list(people: Any) -> None:
    assert run(people, "INSERT INTO things VALUE {'pk': 'p', 'sk': ?}", {"N": "4"})["Items"] == []
    assert run(people, "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 4")["Items"] == []
    assert item_of(people, 4) == {"pk": {"S": "p"}, "sk": {"N": "4"}, "a": {"N": "1"}}
    for _ in range(2):  # the second finds none
        assert run(people, "DELETE FROM things WHERE pk = 'p' AND sk = 4")["Items"] == []
    assert item_of(people, 4) is None


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ("SET age = 1", {"age": {"N": "1"}}),
        ("SET age = 1 SET old = name", {"age": {"N": "1"}, "old": {"S": "Ann"}}),
        ("SET age = 40, n2 = 41 - 1", {"age": {"N": "40"}, "n2": {"N": "40"}}),
        ("SET ss = set_add(ss, <<'z'>>)", {"ss": {"SS": ["a", "b", "z"]}}),
        ("SET ss = SET_DELETE(ss, <<'a', 'b'>>) REMOVE g", {"ss": None, "g": None}),
        ("SET new = set_add(new, <<1>>)", {"new": {"NS": ["1"]}}),
        ("SET l = list_append(['x'], [2])", {"l": {"L": [{"S": "x"}, {"N": "2"}]}}),
        ("REMOVE name", {"name": None}),
    ],
)
def test_update(people: Any, change: str, wanted: dict[str, Any]) -> None:
    run(people, f"UPDATE things {change} WHERE pk = 'p' AND sk = 1")
    assert item_of(people) == {name: value for name, value in {**PEOPLE[0], **wanted}.items() if value is not None}


def test_returning(people: Any) -> None:
    def returned(statement: str) -> Any:
        return run(people, statement)["Items"]

    where = "WHERE pk = 'p' AND sk = 1 RETURNING"
    assert returned(f"UPDATE things SET name = 'Amy' {where} MODIFIED OLD *") == [{"name": {"S": "Ann"}}]
    assert returned(f"UPDATE things SET name = 'Ada' {where} MODIFIED NEW *") == [{"name": {"S": "Ada"}}]
    assert returned(f"UPDATE things REMOVE g {where} MODIFIED NEW *") == []
    assert returned(f"UPDATE things REMOVE ss {where} ALL OLD *")[0]["ss"] == {"SS": ["a", "b"]}
    gone = {"pk": {"S": "p"}, "sk": {"N": "1"}, "name": {"S": "Ada"}}
    gone["b"] = {"N": "1"}
    assert returned("FROM things WHERE pk = 'p' AND sk = 1 SET b = 1 RETURNING ALL NEW *") == [gone]
    assert returned(f"DELETE FROM things {where} ALL OLD *") == [gone]
    assert returned(f"DELETE FROM things {where} ALL OLD *") == []


def test_the_item_that_failed_a_condition(people: Any) -> None:
    error = refused(
        people.execute_statement,
        "ConditionalCheckFailedException",
        Statement="DELETE FROM things WHERE pk = 'q' AND sk = 1 AND age = 1",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    assert error["Item"] == PEOPLE[3]


def test_consumed_capacity(people: Any) -> None:
    def units(statement: str, **more: Any) -> float:
        return run(people, statement, ReturnConsumedCapacity="TOTAL", **more)["ConsumedCapacity"]["CapacityUnits"]  # type: ignore[no-any-return]

    assert units("SELECT * FROM things WHERE pk = 'p'") == 0.5
    assert units("SELECT * FROM things WHERE pk = 'p'", ConsistentRead=True) == 1.0
    assert units("SELECT * FROM things WHERE pk IN ['p', 'q']") == 1.0
    assert units("SELECT * FROM things WHERE pk = 'p' OR pk = 'q'") == 1.0
    assert units("UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 1") == 1.0
    assert "ConsumedCapacity" not in run(people, "SELECT * FROM things")


# --- batches ------------------------------------------------------------------------------------


def batch(client: Any, *statements: str, **more: Any) -> list[Any]:
    return client.batch_execute_statement(Statements=[{"Statement": text} for text in statements], **more)["Responses"]  # type: ignore[no-any-return]


def test_a_batch_of_writes(people: Any) -> None:
    responses = batch(
        people,
        "INSERT INTO things VALUE {'pk': 'b', 'sk': 1}",
        "UPDATE things SET name = 'Amy' WHERE pk = 'p' AND sk = 1 RETURNING MODIFIED NEW *",
        "UPDATE things REMOVE g WHERE pk = 'p' AND sk = 1 RETURNING MODIFIED NEW *",
        "INSERT INTO things VALUE {'pk': 'p', 'sk': 1}",
        "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 1 AND name = 'x'",
        "UPDATE nothing SET a = 1 WHERE pk = 'p'",
        "SLECT",
        "DELETE FROM things WHERE pk = 'x' RETURNING ALL NEW *",
    )
    table = {"TableName": "things"}
    failed = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
    assert responses[:7] == [
        table,
        {**table, "Item": {"name": {"S": "Amy"}}},
        table,
        {**table, "Error": {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}},
        {**table, "Error": failed},
        {"TableName": "nothing", "Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}},
        {
            "Error": {
                "Code": "ValidationError",
                "Message": "Statement wasn't well formed, can't be processed: Expected data manipulation",
            }
        },
    ]
    assert responses[7]["Error"]["Code"] == "ValidationError"


def test_a_batch_in_which_nothing_can_be_read(people: Any) -> None:
    exists = "EXISTS(SELECT * FROM things WHERE pk = 'p' AND sk = 1 AND a = 1)"
    assert [response["Error"] for response in batch(people, "SLECT", exists)] == [
        {
            "Code": "ValidationError",
            "Message": "Statement wasn't well formed, can't be processed: Expected data manipulation",
        },
        {"Code": "ValidationError", "Message": "EXISTS() is only supported in ExecuteTransaction"},
    ]


def test_a_batch_of_reads(people: Any) -> None:
    text = "Select statements within BatchExecuteStatement must specify the primary key in the where clause."
    wrong = {"Error": {"Code": "ValidationError", "Message": text}}
    assert batch(
        people,
        "SELECT name FROM things WHERE pk = 'p' AND sk = 2",
        "SELECT * FROM things WHERE pk = 'p' AND sk = 9",
        "SELECT * FROM things WHERE pk = 'p'",
        "SELECT * FROM things WHERE pk = 'p' AND sk = 1 AND attribute_exists(ss)",
        "SELECT * FROM things.\"by-g\" WHERE pk = 'p' AND sk = 1 AND g = 'x'",
    ) == [{"TableName": "things", "Item": {"name": {"S": "Bob"}}}, {"TableName": "things"}, wrong, wrong, wrong]


def test_each_read_of_a_batch_is_consistent_or_not(people: Any) -> None:
    where = "SELECT * FROM things WHERE pk = 'p' AND sk = 1"
    consumed = people.batch_execute_statement(
        Statements=[{"Statement": where, "ConsistentRead": True}, {"Statement": where}], ReturnConsumedCapacity="TOTAL"
    )["ConsumedCapacity"]
    assert [each["CapacityUnits"] for each in consumed] == [1.0, 0.5]


def test_a_batch_does_not_mix(people: Any) -> None:
    statements = ["SELECT * FROM things WHERE pk = 'p' AND sk = 1", "DELETE FROM things WHERE pk = 'p' AND sk = 1"]
    refused(
        people.batch_execute_statement,
        "ValidationException",
        Statements=[{"Statement": statement} for statement in statements],
    )
    assert item_of(people) == PEOPLE[0]


# --- transactions -------------------------------------------------------------------------------


def transact(client: Any, *statements: str, **more: Any) -> Any:
    return client.execute_transaction(TransactStatements=[{"Statement": text} for text in statements], **more)


def test_a_transaction_of_writes(people: Any) -> None:
    answer = transact(
        people,
        "EXISTS(SELECT * FROM things WHERE pk = 'q' AND sk = 1 AND age = 30)",
        "INSERT INTO things VALUE {'pk': 't', 'sk': 1}",
        "UPDATE things SET n = 1 WHERE pk = 'p' AND sk = 1",
        "DELETE FROM things WHERE pk = 'p' AND sk = 2",
        ReturnConsumedCapacity="TOTAL",
    )
    assert answer["Responses"] == []
    assert [each["TableName"] for each in answer["ConsumedCapacity"]] == ["things"]
    assert item_of(people)["n"] == {"N": "1"}
    assert item_of(people, 2) is None


def test_a_transaction_is_all_or_nothing(people: Any) -> None:
    error = refused(
        people.execute_transaction,
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        "[DuplicateItem, None, ConditionalCheckFailed]",
        TransactStatements=[
            {"Statement": "INSERT INTO things VALUE {'pk': 'p', 'sk': 1}"},
            {"Statement": "INSERT INTO things VALUE {'pk': 'p', 'sk': 7}"},
            {"Statement": "EXISTS(SELECT * FROM things WHERE pk = 'q' AND sk = 1 AND age = 31)"},
        ],
    )
    text = "Duplicate primary key exists in table"
    assert error["CancellationReasons"][0] == {"Code": "DuplicateItem", "Message": text}
    assert item_of(people, 7) is None


def test_a_transaction_of_reads(people: Any) -> None:
    answer = transact(
        people, "SELECT name FROM things WHERE pk = 'p' AND sk = 2", "SELECT * FROM things WHERE pk = 'p' AND sk = 9"
    )
    assert answer["Responses"] == [{"Item": {"name": {"S": "Bob"}}}, {}]


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (
            "SELECT * FROM things WHERE pk = 'p' AND sk = 1 AND attribute_exists(ss)",
            "Select statements within ExecuteTransaction must specify the primary key in the where clause.",
        ),
        ("SELECT * FROM things.\"by-g\" WHERE g = 'x'", "Reads on indices are not supported within transactions."),
        (
            "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 1 RETURNING ALL NEW *",
            "RETURNING clause is not supported in ExecuteTransaction.",
        ),
        (
            "EXISTS(SELECT * FROM things WHERE pk = 'p' AND sk = 1)",
            "EXISTS() must contain a single item read with additional condition",
        ),
    ],
)
def test_what_transactions_refuse(people: Any, statement: str, text: str) -> None:
    refused(
        people.execute_transaction,
        "ValidationException",
        f"Validation failed in TransactStatements[0]: {text}",
        TransactStatements=[{"Statement": statement}],
    )


def test_a_transaction_does_not_mix(people: Any) -> None:
    reads = {"Statement": "SELECT * FROM things WHERE pk = 'p' AND sk = 1"}
    writes = {"Statement": "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 1"}
    text = "A transaction must consist of either read statements or write statements; both cannot be mixed"
    refused(people.execute_transaction, "ValidationException", text, TransactStatements=[reads, writes])


def test_a_transaction_writes_an_item_once(people: Any) -> None:
    statement = {"Statement": "UPDATE things SET a = 1 WHERE pk = 'p' AND sk = 1"}
    text = "Transaction request cannot include multiple operations on one item"
    refused(people.execute_transaction, "ValidationException", text, TransactStatements=[statement, statement])


def test_a_repeated_transaction_does_nothing_again(people: Any) -> None:
    run(people, "UPDATE things SET n = 0 WHERE pk = 'p' AND sk = 1")
    consumed = []
    for _ in range(2):
        answer = transact(
            people,
            "UPDATE things SET n = n + 1 WHERE pk = 'p' AND sk = 1",
            ClientRequestToken="once",
            ReturnConsumedCapacity="TOTAL",
        )
        assert answer["Responses"] == []
        consumed.append(answer["ConsumedCapacity"][0])
    assert item_of(people)["n"] == {"N": "1"}
    assert consumed[0]["WriteCapacityUnits"] == consumed[1]["ReadCapacityUnits"] == 2.0
