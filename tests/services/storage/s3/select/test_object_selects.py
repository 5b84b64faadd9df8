"""S3 Select end to end: its inputs, its SQL, its outputs, and its errors."""

import bz2
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Account
from tests.services.storage.s3.conftest import refused

PEOPLE = b'name,age,city\nann,30,Paris\nbob,25,"New, York"\n#comment\neve,41,Rome,extra\n'
EVENTS = b'{"a":1,"B":{"c":[1,2,{"d":"x"}]},"s":"str"}\n{"a":"2","n":null}\n'
RULES = b'{"Rules":[{"id":"1"},{"e":2},{"id":"3"}]}{"Rules":[]}'
USE: dict[str, Any] = {"CSV": {"FileHeaderInfo": "USE"}}
LINES: dict[str, Any] = {"JSON": {"Type": "LINES"}}
DOCUMENT: dict[str, Any] = {"JSON": {"Type": "DOCUMENT"}}
CSV: dict[str, Any] = {"CSV": {}}
JSON: dict[str, Any] = {"JSON": {}}

Select = Callable[..., str]


@pytest.fixture
def select(s3: Any, bucket: str) -> Select:
    """Puts bytes and asks them."""

    def ask(data: bytes, sql: str, given: dict[str, Any], wanted: dict[str, Any] | None = None, **more: Any) -> str:
        s3.put_object(Bucket=bucket, Key="data", Body=data)
        answer = s3.select_object_content(
            Bucket=bucket, Key="data", ExpressionType=more.pop("ExpressionType", "SQL"), Expression=sql,
            InputSerialization=given, OutputSerialization=JSON if wanted is None else wanted, **more,
        )  # fmt: skip
        events = list(answer["Payload"])
        assert [next(iter(event)) for event in events[-2:]] == ["Stats", "End"]
        return b"".join([event["Records"]["Payload"] for event in events if "Records" in event]).decode()

    return ask


@pytest.mark.parametrize(
    ("sql", "wanted", "answer"),
    [
        ("SELECT * FROM S3Object", CSV, 'ann,30,Paris,\nbob,25,"New, York",\neve,41,Rome,extra\n'),
        ("select s.name, s._2, cast(s.age as int)+1 as n from s3object s where s.age > 26 limit 1", JSON,
         '{"name":"ann","_2":"30","n":31}\n'),
        ("SELECT COUNT(*), AVG(CAST(age AS INT)), MAX(age), SUM(age) FROM S3Object", CSV, "3,32,41,96\n"),
        ("SELECT UPPER(_1) || '!' FROM S3Object WHERE city LIKE '%o%' AND NOT name IN ('eve')",
         {"CSV": {"QuoteFields": "ALWAYS"}}, '"BOB!"\n'),
        ("SELECT s.\"name\" FROM S3Object s WHERE s.city = 'Rome'", {"JSON": {"RecordDelimiter": ";"}},
         '{"name":"eve"};'),
        ("SELECT CASE WHEN age > 26 THEN 'old' ELSE 'young' END AS w, age BETWEEN 20 AND 30 FROM S3Object", CSV,
         "old,true\nyoung,true\nold,false\n"),
        ("SELECT _4 FROM S3Object s WHERE s._4 IS NOT NULL", CSV, "extra\n"),
        ("SELECT CHAR_LENGTH(name), SUBSTRING(name, 2), SUBSTRING(name FROM 1 FOR 2), NULLIF(age, '25'), "
         "COALESCE(_4, 'none') FROM S3Object LIMIT 2", CSV, "3,nn,an,30,none\n3,ob,bo,,none\n"),
        ("SELECT age FROM S3Object WHERE name <> 'bob' AND (age = 30 OR age >= 41.0)", CSV, "30\n41\n"),
        ("SELECT -age * 2 + 1, age % 7, age / 4 FROM S3Object WHERE name = 'ann'", CSV, "-59,2,7.5\n"),
        ("SELECT name FROM S3Object WHERE name LIKE 'a\\_n' ESCAPE '\\'", CSV, ""),
        ("SELECT CAST(age AS DECIMAL(5,2)), CAST(1.50 AS STRING), CAST('true' AS BOOL) FROM S3Object LIMIT 1", CSV,
         "30,1.50,true\n"),
    ],
)  # fmt: skip
def test_csv(select: Select, sql: str, wanted: dict[str, Any], answer: str) -> None:
    assert select(PEOPLE, sql, USE, wanted) == answer


@pytest.mark.parametrize(
    ("data", "form", "answer"),
    [
        (b"a,b\n1,2\n", {"FileHeaderInfo": "NONE"}, '{"_1":"a","_2":"b"}\n{"_1":"1","_2":"2"}\n'),
        (b"a,b\n1,2\n", {"FileHeaderInfo": "IGNORE"}, '{"_1":"1","_2":"2"}\n'),
        (b"a;b|c\nd;e|#x|", {"RecordDelimiter": "|", "FieldDelimiter": ";"},
         '{"_1":"a","_2":"b"}\n{"_1":"c\\nd","_2":"e"}\n'),
        (b"a,b\r\n'1,1',2\r\n", {"QuoteCharacter": "'"}, '{"_1":"a","_2":"b"}\n{"_1":"1,1","_2":"2"}\n'),
        (b'"a ""b""",c\n', {}, '{"_1":"a \\"b\\"","_2":"c"}\n'),
        (b'"a\nb",c\n', {"AllowQuotedRecordDelimiter": True}, '{"_1":"a\\nb","_2":"c"}\n'),
        (b"a#b,c\n;comment\n", {"Comments": ";"}, '{"_1":"a#b","_2":"c"}\n'),
        ("é,ü\n".encode(), {}, '{"_1":"é","_2":"ü"}\n'),
        (b"", {}, ""),
    ],
)  # fmt: skip
def test_forms_of_csv(select: Select, data: bytes, form: dict[str, Any], answer: str) -> None:
    assert select(data, "SELECT * FROM S3Object", {"CSV": form}) == answer


@pytest.mark.parametrize(
    ("data", "given", "sql", "answer"),
    [
        (EVENTS, LINES, "SELECT * FROM S3Object", EVENTS.decode()),
        (EVENTS, LINES, "SELECT s.a, s.b.c[2].d, s.s, s.n FROM S3Object s",
         '{"a":1,"d":"x","s":"str"}\n{"a":"2","n":null}\n'),
        (EVENTS, LINES, "SELECT a FROM S3Object s WHERE a = 1 OR s.n IS MISSING", '{"a":1}\n'),
        (EVENTS, LINES, "SELECT a FROM S3Object s WHERE s.n IS NULL", '{"a":1}\n{"a":"2"}\n'),
        (EVENTS, LINES, "SELECT SUM(a), COUNT(s), COUNT(*) FROM S3Object", '{"_1":3,"_2":1,"_3":2}\n'),
        (EVENTS, LINES, 'SELECT s."b" FROM S3Object s LIMIT 1', "{}\n"),
        (RULES, DOCUMENT, "SELECT id FROM S3Object[*].Rules[*].id", '{"id":"1"}\n{}\n{"id":"3"}\n'),
        (RULES, DOCUMENT, "SELECT r.id FROM S3Object[*].Rules[*] r WHERE r.id IS NOT MISSING",
         '{"id":"1"}\n{"id":"3"}\n'),
        (b'[{"x":1},{"x":2}]', DOCUMENT, "SELECT x FROM S3Object[*][*] x", '{"x":{"x":1}}\n{"x":{"x":2}}\n'),
        (b'[{"x":1},{"x":2}]', DOCUMENT, "SELECT * FROM S3Object[*][*] s WHERE s.x > 1", '{"x":2}\n'),
    ],
)  # fmt: skip
def test_json(select: Select, data: bytes, given: dict[str, Any], sql: str, answer: str) -> None:
    assert select(data, sql, given) == answer


def test_json_into_csv(select: Select) -> None:
    assert select(EVENTS, "SELECT * FROM S3Object", LINES, CSV).splitlines()[1] == "2,"
    assert select(EVENTS, "SELECT s.s, s.B FROM S3Object s LIMIT 1", LINES, {"CSV": {"FieldDelimiter": "|"}}) == (
        'str|"{""c"":[1,2,{""d"":""x""}]}"\n'
    )


def test_dates(select: Select) -> None:
    sql = (
        "SELECT DATE_ADD(year, 5, `2010-01-01T`), DATE_DIFF(day, `2010-01-01T23:00Z`, `2010-01-02T01:00Z`), "
        "DATE_DIFF(month, `2010-01-01T`, `2010-05T`), TO_STRING(`1969-07-20T20:18Z`, 'MMMM d, y'), "
        "EXTRACT(HOUR FROM TO_TIMESTAMP('2007-04-05T14:30+02:00')), SUBSTRING('123456789', -1, 4), "
        "TRIM(BOTH '12' FROM '1112211foobar22211122'), TRIM(LEADING FROM '  x') FROM S3Object LIMIT 1"
    )
    answer = '2015-01-01T00:00:00Z,0,4,"July 20, 1969",12,12,foobar,x\n'
    assert select(PEOPLE, sql, USE, CSV) == answer


def test_compressed_objects(select: Select) -> None:
    sql = "SELECT name FROM S3Object LIMIT 1"
    assert select(gzip.compress(PEOPLE), sql, {**USE, "CompressionType": "GZIP"}, CSV) == "ann\n"
    assert select(bz2.compress(PEOPLE), sql, {**USE, "CompressionType": "BZIP2"}, CSV) == "ann\n"
    with refused("TruncatedInput"):
        select(PEOPLE, sql, {**USE, "CompressionType": "GZIP"})
    with refused("TruncatedInput"):
        select(gzip.compress(PEOPLE)[:-9], sql, {**USE, "CompressionType": "GZIP"})


def test_scan_ranges_give_each_record_once(select: Select) -> None:
    data = b"".join([b"%d,row %d\n" % (number, number) for number in range(1000)])
    found = []
    for start in range(0, len(data), 1500):
        scan = {"Start": start, "End": start + 1500}
        found += select(data, "SELECT _1 FROM S3Object", {"CSV": {}}, CSV, ScanRange=scan).split()
    assert found == [str(number) for number in range(1000)]
    assert select(data, "SELECT _1 FROM S3Object", {"CSV": {}}, CSV, ScanRange={"End": 12}) == "999\n"
    assert select(PEOPLE, "SELECT name FROM S3Object", USE, CSV, ScanRange={"Start": 20}) == "bob\neve\n"
    with refused("InvalidScanRange"):
        select(data, "SELECT _1 FROM S3Object", {"CSV": {}}, CSV, ScanRange={"Start": 5, "End": 5})
    with refused("UnsupportedScanRangeInput"):
        select(RULES, "SELECT * FROM S3Object", DOCUMENT, ScanRange={"Start": 0, "End": 5})


def test_parquet(select: Select, tmp_path: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "x.parquet"
    duckdb.sql(
        "SELECT 1::INT AS i, 2.5::DECIMAL(5,2) AS d, 'x' AS s, true AS b, TIMESTAMP '2020-01-02 03:04:05' AS t, "
        "{'k': [1, 2]} AS o UNION ALL SELECT 2, 3.25, 'y', false, NULL, NULL ORDER BY 1"
    ).write_parquet(str(path))
    data = path.read_bytes()
    parquet: dict[str, Any] = {"Parquet": {}}
    assert select(data, "SELECT * FROM S3Object", parquet).splitlines()[0] == (
        '{"i":1,"d":2.5,"s":"x","b":true,"t":"2020-01-02T03:04:05Z","o":{"k":[1,2]}}'
    )
    assert select(data, "SELECT s.I, s.o.k[1] FROM S3Object s WHERE s.d < 3 AND b", parquet, CSV) == "1,2\n"
    with refused("ParquetParsingError"):
        select(b"PAR1 not", "SELECT * FROM S3Object", parquet)


def test_many_rows_come_in_order_with_their_stats(s3: Any, bucket: str) -> None:
    data = b"".join([b"%d,%s\n" % (number, b"x" * 100) for number in range(20_000)])
    s3.put_object(Bucket=bucket, Key="data", Body=data)
    answer = s3.select_object_content(
        Bucket=bucket, Key="data", ExpressionType="SQL", Expression="SELECT s._1 FROM S3Object s",
        InputSerialization={"CSV": {}}, OutputSerialization=CSV, RequestProgress={"Enabled": True},
    )  # fmt: skip
    events = list(answer["Payload"])
    records = b"".join([event["Records"]["Payload"] for event in events if "Records" in event])
    assert records == b"".join([b"%d\n" % number for number in range(20_000)])
    stats = next(event["Stats"]["Details"] for event in events if "Stats" in event)
    assert stats == {"BytesScanned": len(data), "BytesProcessed": len(data), "BytesReturned": len(records)}
    assert any("Progress" in event for event in events)


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELECT", "ParseExpectedExpression"),
        ("UPDATE x", "ParseExpectedKeyword"),
        ("SELECT FROM S3Object", "ParseEmptySelect"),
        ("SELECT * S3Object", "ParseSelectMissingFrom"),
        ("SELECT * FROM table1", "InvalidDataSource"),
        ("SELECT *, name FROM S3Object", "ParseAsteriskIsNotAloneInSelectList"),
        ("SELECT name FROM S3Object GROUP BY name", "ParseUnsupportedLiteralsGroupBy"),
        ("SELECT name FROM S3Object ORDER BY name", "UnsupportedSqlStructure"),
        ("SELECT name FROM S3Object s JOIN S3Object t", "ParseMalformedJoin"),
        ("SELECT name FROM S3Object a, S3Object b", "ParseMalformedJoin"),
        ("SELECT name FROM S3Object LIMIT x", "ParseExpectedNumber"),
        ("SELECT name FROM S3Object WHERE", "ParseExpectedExpression"),
        ("SELECT name FROM S3Object WHERE name = (SELECT 1)", "ParseUnsupportedSelect"),
        ("SELECT DISTINCT name FROM S3Object", "ParseUnsupportedSelect"),
        ("SELECT SUM(*) FROM S3Object", "ParseUnsupportedCallWithStar"),
        ("SELECT SUM(age, 1) FROM S3Object", "ParseNonUnaryAgregateFunctionCall"),
        ("SELECT name, SUM(age) FROM S3Object", "UnsupportedSqlStructure"),
        ("SELECT name FROM S3Object WHERE SUM(age) > 1", "UnsupportedSqlStructure"),
        ("SELECT md5(name) FROM S3Object", "UnsupportedFunction"),
        ("SELECT LOWER() FROM S3Object", "EvaluatorInvalidArguments"),
        ("SELECT LOWER(name FROM S3Object", "ParseExpectedRightParenBuiltinFunctionCall"),
        ("SELECT CAST(age AS blob) FROM S3Object", "ParseExpectedTypeName"),
        ("SELECT CAST(age AS DECIMAL(99,1)) FROM S3Object", "ParseInvalidTypeParam"),
        ("SELECT CAST(name AS INT) FROM S3Object", "CastFailed"),
        ("SELECT nothing FROM S3Object", "MissingHeaders"),
        ("SELECT _0 FROM S3Object", "InvalidColumnIndex"),
        ("SELECT name.x FROM S3Object", "ParseInvalidPathComponent"),
        ("SELECT name FROM S3Object[*].a", "ParseInvalidPathComponent"),
        ("SELECT name ~ 1 FROM S3Object", "LexerInvalidChar"),
        ("SELECT 'open FROM S3Object", "LexerInvalidLiteral"),
        ("SELECT name AS 1 FROM S3Object", "ParseExpectedIdentForAlias"),
        ("SELECT CASE END FROM S3Object", "ParseExpectedWhenClause"),
        ("SELECT DATE_ADD(week, 1, `2010T`) FROM S3Object", "ParseExpectedDatePart"),
        ("SELECT TO_TIMESTAMP('someday') FROM S3Object", "ValueParseFailure"),
        ("SELECT TO_STRING(`2010T`, 'QQQ') FROM S3Object", "EvaluatorInvalidTimestampFormatPattern"),
        ("SELECT name FROM S3Object WHERE name LIKE 5", "LikeInvalidInputs"),
        ("SELECT name FROM S3Object WHERE name IS 5", "ParseExpectedKeyword"),
        ("SELECT name FROM S3Object extra words", "ParseUnexpectedToken"),
        ("SELECT (age FROM S3Object", "ParseExpectedTokenType"),
        ("SELECT " + "x" * 262_200 + " FROM S3Object", "ExpressionTooLong"),
    ],
)
def test_expressions_that_are_refused(select: Select, sql: str, code: str) -> None:
    with refused(code):
        select(PEOPLE, sql, USE)


@pytest.mark.parametrize(
    ("given", "wanted", "code"),
    [
        ({"CSV": {"FileHeaderInfo": "MAYBE"}}, CSV, "InvalidFileHeaderInfo"),
        ({"JSON": {"Type": "ROWS"}}, CSV, "InvalidJsonType"),
        ({"JSON": {}}, CSV, "MissingRequiredParameter"),
        ({}, CSV, "MissingRequiredParameter"),
        (USE, {}, "MissingRequiredParameter"),
        ({**USE, **LINES}, CSV, "ObjectSerializationConflict"),
        (USE, {**CSV, **JSON}, "ObjectSerializationConflict"),
        (USE, {"CSV": {"QuoteFields": "NEVER"}}, "InvalidQuoteFields"),
        ({**USE, "CompressionType": "ZIP"}, CSV, "InvalidCompressionFormat"),
        ({"Parquet": {}, "CompressionType": "GZIP"}, CSV, "InvalidCompressionFormat"),
        ({"CSV": {"QuoteCharacter": "ab"}}, CSV, "InvalidRequestParameter"),
        ({"CSV": {"FieldDelimiter": "abc"}}, CSV, "InvalidRequestParameter"),
    ],
)
def test_requests_that_are_refused(select: Select, given: dict[str, Any], wanted: dict[str, Any], code: str) -> None:
    with refused(code):
        select(PEOPLE, "SELECT * FROM S3Object", given, wanted)


def test_words_may_be_written_small(select: Select) -> None:
    """As AWS's own library for pandas has them in its documentation."""
    given = {"CSV": {"FileHeaderInfo": "Use"}, "CompressionType": "None"}
    assert select(PEOPLE, "SELECT age FROM S3Object LIMIT 1", given, {"CSV": {"QuoteFields": "Always"}}) == '"30"\n'
    assert select(b'{"a": 1}', "SELECT s.a FROM S3Object s", {"JSON": {"Type": "Document"}}, CSV) == "1\n"


def test_data_that_is_not_what_it_should_be(select: Select) -> None:
    with refused("InvalidExpressionType"):
        select(PEOPLE, "SELECT * FROM S3Object", USE, ExpressionType="KQL")
    with refused("JSONParsingError"):
        select(b'{"a":', "SELECT * FROM S3Object", LINES)
    with refused("InvalidTextEncoding"):
        select(b"\xff\xfe,b\n" * 10, "SELECT * FROM S3Object", {"CSV": {}})
    with refused("OverMaxRecordSize"):
        select(b'{"a":"' + b"x" * 1_100_000 + b'"}\n', "SELECT * FROM S3Object", LINES)


def test_sealed_objects_are_opened(cloud: Account, s3: Any, bucket: str) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": b"k" * 32}
    given = {"ExpressionType": "SQL", "InputSerialization": USE, "OutputSerialization": CSV}
    given["Expression"] = "SELECT COUNT(*) FROM S3Object"
    for size in (1, 20_000):
        data = b"a,b\n" + b"1,2\n" * size
        s3.put_object(Bucket=bucket, Key="kms", Body=data, ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
        s3.put_object(Bucket=bucket, Key="own", Body=data, **customer)
        for name, more in (("kms", {}), ("own", customer)):
            answer = s3.select_object_content(Bucket=bucket, Key=name, **given, **more)
            assert next(iter(answer["Payload"]))["Records"]["Payload"] == f"{size}\n".encode()
            list(answer["Payload"])


def test_the_object_must_be_there_and_readable(s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError) as raised:
        s3.select_object_content(
            Bucket=bucket, Key="gone", ExpressionType="SQL", Expression="SELECT * FROM S3Object",
            InputSerialization=USE, OutputSerialization=CSV,
        )  # fmt: skip
    assert raised.value.response["Error"]["Code"] == "NoSuchKey"
