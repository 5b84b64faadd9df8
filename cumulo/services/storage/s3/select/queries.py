"""From a statement of S3 Select to the SQL of DuckDB.

Values of CSV are text and those of JSON are what they are, so every expression carries its kind, and operators cast
as S3 Select does: with a number beside it a text is read as one, and is NULL when it is none.

Source: S3 User Guide, "SQL reference for Amazon S3 Select"; DuckDB documentation, "SQL introduction" and "Functions".
"""

from __future__ import annotations

from typing import NamedTuple

from cumulo.services.storage.s3.select import errors as errors
from cumulo.services.storage.s3.select import instants as instants
from cumulo.services.storage.s3.select.expressions import AGGREGATES, Column, Expression, Literal, Step
from cumulo.services.storage.s3.select.likes import like
from cumulo.services.storage.s3.select.statements import ANY, TABLE, Statement

TEXT, NUMBER, BOOL, INSTANT, JSON, NULL = "text", "number", "bool", "instant", "json", "null"
_ROW = "j"  # the one column of a JSON source
_CASTS = {
    "BOOL": ("BOOLEAN", BOOL), "BOOLEAN": ("BOOLEAN", BOOL), "INT": ("BIGINT", NUMBER), "INTEGER": ("BIGINT", NUMBER),
    "SMALLINT": ("BIGINT", NUMBER), "BIGINT": ("BIGINT", NUMBER), "STRING": ("VARCHAR", TEXT),
    "VARCHAR": ("VARCHAR", TEXT), "CHAR": ("VARCHAR", TEXT), "CHARACTER": ("VARCHAR", TEXT),
    "FLOAT": ("DOUBLE", NUMBER), "DOUBLE": ("DOUBLE", NUMBER), "REAL": ("DOUBLE", NUMBER),
    "DECIMAL": ("DECIMAL", NUMBER), "NUMERIC": ("DECIMAL", NUMBER), "TIMESTAMP": ("TIMESTAMP", INSTANT),
    "DATE": ("TIMESTAMP", INSTANT),
}  # fmt: skip
_TARGETS = {NUMBER: "DOUBLE", BOOL: "BOOLEAN", INSTANT: "TIMESTAMP"}


class Source(NamedTuple):
    """What is read. `relation` is DuckDB's SQL for it; `columns` are (name there, name for the client, kind).

    `json`: its one column holds each record as JSON. `positional`: `_1` counts columns (CSV).
    """

    relation: str
    columns: tuple[tuple[str, str, str], ...] = ()
    json: bool = False
    positional: bool = False
    headed: bool = False


class Field(NamedTuple):
    """A column of the answer: its name, and whether its values are JSON text. `spread`: the record itself (`*`)."""

    name: str
    json: bool
    spread: bool = False


class Query(NamedTuple):
    """SQL for DuckDB, and what its columns are."""

    sql: str
    fields: tuple[Field, ...]


class Value(NamedTuple):
    """SQL of a value, and its kind."""

    sql: str
    kind: str


def compile_query(statement: Statement, source: Source, now: float) -> Query:
    """The query of a statement. `now` is what UTCNOW() says. Raises S3 Select's errors."""
    return _Compiler(statement, source, now).query()


def quoted(text: str) -> str:
    """A text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def named(name: str) -> str:
    """A name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


class _Compiler:
    def __init__(self, statement: Statement, source: Source, now: float) -> None:
        self._statement = statement
        self._source = source
        self._now = now
        self._roots = {TABLE.lower(), statement.alias.lower()} - {""}
        last = statement.path[-1] if statement.path else ANY
        self._last = str(last.key) if last != ANY and isinstance(last.key, str) else ""

    def query(self) -> Query:
        statement = self._statement
        relation = self._rows() if self._source.json else self._plain_source()
        selected, fields = self._selected()
        sql = f"SELECT {', '.join(selected)} FROM {relation}"
        if statement.where is not None:
            sql += f" WHERE {self._to(self._value(statement.where), BOOL)}"
        if statement.limit is not None:
            sql += f" LIMIT {statement.limit}"
        return Query(sql, fields)

    # ---- rows and columns

    def _plain_source(self) -> str:
        if any(step != ANY for step in self._statement.path) or len(self._statement.path) > 1:
            raise errors.INVALID_PATH()
        return self._source.relation

    def _rows(self) -> str:
        """The records of JSON, followed along the path of FROM."""
        relation = self._source.relation
        for number, step in enumerate(self._statement.path):
            if step != ANY:
                relation = f"(SELECT {_member(_ROW, step)} AS {_ROW} FROM {relation})"
            elif number:  # the first [*] means each record
                items = (
                    f"CASE json_type({_ROW}) WHEN 'ARRAY' THEN json_extract({_ROW}, '$[*]') "
                    f"WHEN 'OBJECT' THEN json_extract({_ROW}, '$.*') ELSE [{_ROW}] END"
                )
                relation = f"(SELECT unnest({items}) AS {_ROW} FROM {relation})"
        return relation

    def _selected(self) -> tuple[list[str], tuple[Field, ...]]:
        source = self._source
        if self._statement.items is None:
            if source.json:
                return [f"CAST({_ROW} AS VARCHAR)"], (Field("_1", True, spread=True),)
            shown = [self._shown(Value(named(name), kind)) for name, _, kind in source.columns]
            fields = [Field(label, json) for (_, json), (_, label, _) in zip(shown, source.columns, strict=True)]
            return [sql for sql, _ in shown], tuple(fields)
        selected, found = [], []
        for number, item in enumerate(self._statement.items, 1):
            sql, json = self._shown(self._value(item.value))
            selected.append(sql)
            found.append(Field(item.alias or _name_of(item.value) or f"_{number}", json))
        return selected, tuple(found)

    def _shown(self, value: Value) -> tuple[str, bool]:
        """A value as it is fetched: JSON as its text."""
        return (f"CAST({value.sql} AS VARCHAR)", True) if value.kind == JSON else (value.sql, False)

    def _column(self, column: Column) -> Value:
        path = column.path
        if str(path[0].key).lower() in self._roots and len(path) > 1:
            path = path[1:]
        elif self._source.json and len(path) == 1 and self._is_row(path[0]):
            return Value(_ROW, JSON)
        if self._source.json:
            if self._last and path[0].key == self._last and len(path) > 1:
                path = path[1:]
            sql = _ROW
            for step in path:
                sql = _member(sql, step)
            return Value(sql, JSON)
        found = self._find(path[0])
        for step in path[1:]:
            if found.kind != JSON:
                raise errors.INVALID_PATH()
            found = Value(_member(found.sql, step), JSON)
        return found

    def _is_row(self, step: Step) -> bool:
        name = str(step.key)
        return name.lower() in self._roots or (bool(self._last) and name == self._last)

    def _find(self, step: Step) -> Value:
        source = self._source
        name = str(step.key)
        if source.positional and name.startswith("_") and name[1:].isdigit():
            number = int(name[1:])
            if number < 1:
                raise errors.INVALID_COLUMN_INDEX()
            if number > len(source.columns):
                return Value("NULL", NULL)
            return Value(named(source.columns[number - 1][0]), TEXT)
        for column, label, kind in source.columns:
            if label == name or (not step.exact and label.lower() == name.lower()):
                return Value(named(column), kind)
        raise (errors.MISSING_HEADERS if source.headed else errors.NO_BINDING)()

    # ---- values

    def _value(self, expression: Expression) -> Value:
        if isinstance(expression, Column):
            if expression.star:
                raise errors.UNEXPECTED_TOKEN()
            return self._column(expression)
        if isinstance(expression, Literal):
            return self._literal(expression)
        name, arguments = expression.name, expression.arguments
        if name in AGGREGATES:
            return self._aggregate(name, arguments)
        if name.startswith("CAST:"):
            return self._cast(name[5:], arguments)
        method = _METHODS.get(name)
        if method is not None:
            return method(self, arguments)
        if name in ("AND", "OR"):
            left, right = (self._to(self._value(each), BOOL) for each in arguments)
            return Value(f"({left} {name} {right})", BOOL)
        if name in ("+", "-", "*", "/", "%"):
            left, right = (self._to(self._value(each), NUMBER) for each in arguments)
            return Value(f"({left} {name} {right})", NUMBER)
        return self._compared(name, *[self._value(each) for each in arguments])

    def _literal(self, literal: Literal) -> Value:
        if literal.kind == "text":
            return Value(quoted(literal.value), TEXT)
        if literal.kind == "number":
            return Value(literal.value, NUMBER)
        return Value("NULL", NULL) if literal.kind == "null" else Value(literal.value, BOOL)

    def _to(self, value: Value, kind: str) -> str:
        """A value as one of another kind; NULL where it is none."""
        if value.kind in (kind, NULL):
            return value.sql
        if value.kind == JSON:
            plain = f"({value.sql} ->> '$')"
            return plain if kind == TEXT else f"TRY_CAST({plain} AS {_TARGETS[kind]})"
        if kind == TEXT:
            return f"CAST({value.sql} AS VARCHAR)"
        if kind == INSTANT and value.sql.startswith("'"):
            return instants.literal(value.sql[1:-1])
        return f"TRY_CAST({value.sql} AS {_TARGETS[kind]})"

    def _compared(self, sign: str, left: Value, right: Value) -> Value:
        kinds = (left.kind, right.kind)
        for kind in (NUMBER, INSTANT, BOOL):
            if kind in kinds:
                return Value(f"({self._to(left, kind)} {sign} {self._to(right, kind)})", BOOL)
        as_text = f"({self._to(left, TEXT)} {sign} {self._to(right, TEXT)})"
        if kinds != (JSON, JSON):
            return Value(as_text, BOOL)
        numbers = [self._to(value, NUMBER) for value in (left, right)]
        both = f"{numbers[0]} IS NOT NULL AND {numbers[1]} IS NOT NULL"
        return Value(f"(CASE WHEN {both} THEN {numbers[0]} {sign} {numbers[1]} ELSE {as_text} END)", BOOL)

    def _aggregate(self, name: str, arguments: tuple[Expression, ...]) -> Value:
        if not arguments:
            return Value("count(*)", NUMBER)
        value = self._value(arguments[0])
        if name == "COUNT":
            return Value(f"count({self._to(value, TEXT)})", NUMBER)
        if value.kind == INSTANT and name in ("MIN", "MAX"):
            return Value(f"{name.lower()}({value.sql})", INSTANT)
        return Value(f"{name.lower()}({self._to(value, NUMBER)})", NUMBER)

    def _cast(self, name: str, arguments: tuple[Expression, ...]) -> Value:
        value = self._value(arguments[0])
        target, kind = _CASTS[name]
        if target == "DECIMAL":
            numbers = [int(each.value) for each in arguments[1:] if isinstance(each, Literal)]
            precision, scale = [*numbers, 0][:2] if numbers else (38, 10)
            if not 1 <= precision <= 38 or scale > precision:
                raise errors.INVALID_TYPE_PARAMETER()
            target = f"DECIMAL({precision}, {scale})"
        if kind == INSTANT and value.kind == TEXT and value.sql.startswith("'"):
            return Value(instants.literal(value.sql[1:-1]), INSTANT)
        sql = f"({value.sql} ->> '$')" if value.kind == JSON else value.sql
        return Value(f"CAST({sql} AS {target})", kind)

    # ---- operators and functions of their own

    def _not(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"(NOT {self._to(self._value(arguments[0]), BOOL)})", BOOL)

    def _negate(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"(-{self._to(self._value(arguments[0]), NUMBER)})", NUMBER)

    def _concatenated(self, arguments: tuple[Expression, ...]) -> Value:
        left, right = (self._to(self._value(each), TEXT) for each in arguments)
        return Value(f"({left} || {right})", TEXT)

    def _is_null(self, arguments: tuple[Expression, ...]) -> Value:
        value = self._value(arguments[0])
        sql = f"({value.sql} ->> '$')" if value.kind == JSON else value.sql
        return Value(f"({sql} IS NULL)", BOOL)

    def _is_missing(self, arguments: tuple[Expression, ...]) -> Value:
        value = self._value(arguments[0])
        return Value(f"({value.sql} IS NULL)" if value.kind in (JSON, NULL) else "FALSE", BOOL)

    def _in(self, arguments: tuple[Expression, ...]) -> Value:
        left = self._value(arguments[0])
        tests = [self._compared("=", left, self._value(each)).sql for each in arguments[1:]]
        return Value(f"({' OR '.join(tests)})", BOOL)

    def _between(self, arguments: tuple[Expression, ...]) -> Value:
        value, low, high = (self._value(each) for each in arguments)
        return Value(f"({self._compared('>=', value, low).sql} AND {self._compared('<=', value, high).sql})", BOOL)

    def _like(self, arguments: tuple[Expression, ...]) -> Value:
        values = [self._value(each) for each in arguments]
        if any(value.kind not in (TEXT, JSON, NULL) for value in values):
            raise errors.LIKE_INPUTS()
        value, pattern, *escape = (self._to(each, TEXT) for each in values)
        if escape and len(escape[0].strip("'")) > 1:
            raise errors.LIKE_INPUTS()
        return Value(like(value, pattern, escape[0] if escape else None), BOOL)

    def _case(self, arguments: tuple[Expression, ...]) -> Value:
        values = [self._value(each) for each in arguments]
        results = [*values[1:-1:2], values[-1]]
        kind, shown = self._common(results)
        sql = "CASE"
        for condition, result in zip(values[0:-1:2], shown, strict=False):
            sql += f" WHEN {self._to(condition, BOOL)} THEN {result}"
        return Value(f"({sql} ELSE {shown[-1]} END)", kind)

    def _common(self, values: list[Value]) -> tuple[str, list[str]]:
        """The kind that values of several kinds have together, and each as that."""
        kinds = {value.kind for value in values} - {NULL}
        kind = kinds.pop() if len(kinds) == 1 else TEXT
        return kind, [value.sql if kind == JSON else self._to(value, kind) for value in values]

    def _coalesce(self, arguments: tuple[Expression, ...]) -> Value:
        values = [self._value(each) for each in arguments]
        kind, shown = self._common(values)
        if kind == JSON:
            shown = [f"nullif({sql}, 'null'::JSON)" for sql in shown]
        return Value(f"coalesce({', '.join(shown)})", kind)

    def _nullif(self, arguments: tuple[Expression, ...]) -> Value:
        left, right = (self._value(each) for each in arguments)
        equal = self._compared("=", left, right).sql
        return Value(f"(CASE WHEN {equal} THEN NULL ELSE {left.sql} END)", left.kind)

    def _length(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"length({self._to(self._value(arguments[0]), TEXT)})", NUMBER)

    def _lower(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"lower({self._to(self._value(arguments[0]), TEXT)})", TEXT)

    def _upper(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(f"upper({self._to(self._value(arguments[0]), TEXT)})", TEXT)

    def _substring(self, arguments: tuple[Expression, ...]) -> Value:
        text = self._to(self._value(arguments[0]), TEXT)
        start, *count = (f"CAST({self._to(self._value(each), NUMBER)} AS BIGINT)" for each in arguments[1:])
        # Counted from 1; what lies before the text still counts: SUBSTRING("123456789", -1, 4) is "12".
        begin = f"greatest({start}, 1)"
        if not count:
            return Value(f"substring({text}, {begin})", TEXT)
        return Value(f"substring({text}, {begin}, greatest({start} + {count[0]} - {begin}, 0))", TEXT)

    def _trim(self, arguments: tuple[Expression, ...]) -> Value:
        side = arguments[0].value if isinstance(arguments[0], Literal) else "BOTH"
        characters, text = (self._to(self._value(each), TEXT) for each in arguments[1:])
        function = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(side, "trim")
        return Value(f"{function}({text}, {characters})", TEXT)

    def _date_add(self, arguments: tuple[Expression, ...]) -> Value:
        part, number, instant = arguments
        count = f"CAST({self._to(self._value(number), NUMBER)} AS BIGINT)"
        unit = instants.unit(part.value if isinstance(part, Literal) else "")
        return Value(f"({self._to(self._value(instant), INSTANT)} + to_{unit}s({count}))", INSTANT)

    def _date_diff(self, arguments: tuple[Expression, ...]) -> Value:
        part, *ends = arguments
        begin, end = (self._to(self._value(each), INSTANT) for each in ends)
        unit = instants.unit(part.value if isinstance(part, Literal) else "")
        return Value(f"date_sub('{unit}', {begin}, {end})", NUMBER)

    def _extract(self, arguments: tuple[Expression, ...]) -> Value:
        part = arguments[0].value if isinstance(arguments[0], Literal) else ""
        if part.startswith("TIMEZONE"):
            return Value("0", NUMBER)  # instants are kept in UTC
        return Value(f"extract({part.lower()} FROM {self._to(self._value(arguments[1]), INSTANT)})", NUMBER)

    def _to_string(self, arguments: tuple[Expression, ...]) -> Value:
        pattern = arguments[1]
        if not isinstance(pattern, Literal) or pattern.kind != "text":
            raise errors.ARGUMENT_TYPE()
        form = quoted(instants.strftime_form(pattern.value))
        return Value(f"strftime({self._to(self._value(arguments[0]), INSTANT)}, {form})", TEXT)

    def _to_timestamp(self, arguments: tuple[Expression, ...]) -> Value:
        value = self._value(arguments[0])
        if value.kind not in (TEXT, JSON, NULL):
            raise errors.ARGUMENT_TYPE()
        return self._cast("TIMESTAMP", arguments)

    def _utcnow(self, arguments: tuple[Expression, ...]) -> Value:
        return Value(instants.at(self._now), INSTANT)


_METHODS = {
    "NOT": _Compiler._not, "NEGATE": _Compiler._negate, "||": _Compiler._concatenated, "IS NULL": _Compiler._is_null,
    "IS MISSING": _Compiler._is_missing, "IN": _Compiler._in, "BETWEEN": _Compiler._between, "LIKE": _Compiler._like,
    "CASE": _Compiler._case, "COALESCE": _Compiler._coalesce, "NULLIF": _Compiler._nullif,
    "CHAR_LENGTH": _Compiler._length, "CHARACTER_LENGTH": _Compiler._length, "LOWER": _Compiler._lower,
    "UPPER": _Compiler._upper, "SUBSTRING": _Compiler._substring, "TRIM": _Compiler._trim,
    "DATE_ADD": _Compiler._date_add, "DATE_DIFF": _Compiler._date_diff, "EXTRACT": _Compiler._extract,
    "TO_STRING": _Compiler._to_string, "TO_TIMESTAMP": _Compiler._to_timestamp, "UTCNOW": _Compiler._utcnow,
}  # fmt: skip


def _member(sql: str, step: Step) -> str:
    """A member or an item of JSON; a bare name is looked for in any case when it is not there as written."""
    if isinstance(step.key, int):
        return f"json_extract({sql}, '$[{step.key}]')"
    exact = f"json_extract({sql}, {quoted(_json_path(step.key))})"
    if step.exact:
        return exact
    like = f"list_filter(json_keys({sql}), k -> lower(k) = {quoted(step.key.lower())})[1]"
    return f"coalesce({exact}, json_extract({sql}, '$.\"' || {like} || '\"'))"


def _json_path(name: str) -> str:
    return '$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _name_of(expression: Expression) -> str:
    if isinstance(expression, Column):
        names = [step.key for step in expression.path if isinstance(step.key, str)]
        return names[-1] if names and isinstance(expression.path[-1].key, str) else ""
    return ""
