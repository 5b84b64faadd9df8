"""parse in SQL: globs, regular expressions, logfmt and CSV.

Source: CloudWatch Logs User Guide, "parse". An event that does not match keeps its row, without the fields.
"""

from __future__ import annotations

from cumulo.services.operations.logs.query.relations import Relation
from cumulo.services.operations.logs.query.tree import ParseCsv, ParseGlob, ParseLogfmt, ParseRegex
from cumulo.services.operations.logs.query.values import NODE, TEXT, Value, quoted


def glob(relation: Relation, command: ParseGlob) -> None:
    """Each star takes as little as it can, the last one, at the end of the pattern, all that is left.

    The literals are looked for one behind the other, which finds what the regular expression with lazy groups finds:
    if they follow each other anywhere, they follow the first place of the first.
    """
    rest = relation.identifier()
    text = relation.value(command.operand).text()
    first, *others = command.literals
    relation.sql = f"SELECT *, {_behind(text, first)} AS {rest} FROM ({relation.sql})"
    made = []
    for index, (name, literal) in enumerate(zip(command.names, others, strict=True)):
        column, following = relation.identifier(), relation.identifier()
        made.append((name, column))
        if not literal and index == len(others) - 1:
            relation.sql = f"SELECT *, {rest} AS {column} FROM ({relation.sql})"
            continue
        before = f"left({rest}, strpos({rest}, {quoted(literal)}) - 1)" if literal else "''"
        found = f"contains({rest}, {quoted(literal)})" if literal else f"{rest} IS NOT NULL"
        relation.sql = (
            f"SELECT *, CASE WHEN {found} THEN {before} END AS {column}, {_behind(rest, literal)} AS {following}"
            f" FROM ({relation.sql})"
        )
        rest = following
    whole = f"{rest} IS NOT NULL"  # all or nothing
    relation.extend([(name, Value(f"CASE WHEN {whole} THEN {column} END", TEXT)) for name, column in made])
    relation.show(command.names)


def _behind(text: str, literal: str) -> str:
    """What follows the first occurrence of a literal; NULL where there is none."""
    if not literal:
        return text
    behind = f"substring({text}, strpos({text}, {quoted(literal)}) + {len(literal)})"
    return f"CASE WHEN contains({text}, {quoted(literal)}) THEN {behind} END"


def regex(relation: Relation, command: ParseRegex) -> None:
    """Groups of a regular expression. With `multi`, a row for each match."""
    text = relation.value(command.operand).text()
    names = [name for _, name in command.names]
    if command.multi:
        lists = [f"regexp_extract_all({text}, {quoted(command.pattern)}, {number})" for number, _ in command.names]
        columns = [relation.identifier() for _ in names]
        parts = []
        for found, column in zip(lists, columns, strict=True):
            some = f"coalesce(len({found}), 0) > 0"
            parts.append(f"unnest(CASE WHEN {some} THEN {found} ELSE [NULL::VARCHAR] END) AS {column}")
        relation.sql = f"SELECT *, {', '.join(parts)} FROM ({relation.sql})"
        relation.unique = False
        for name, column in zip(names, columns, strict=True):
            relation.raw.pop(name, None)
            relation.columns = {**relation.columns, name: Value(column, TEXT)}
        relation.show(names)
        return
    matches, groups = relation.identifier(), relation.identifier()
    labels = ", ".join(f"'g{index}'" for index in range(command.groups + 1))
    pattern = quoted(f"({command.pattern})")
    # One group around all tells whether it matched, unless it matched nothing.
    added = f"regexp_extract({text}, {pattern}, [{labels}]) AS {groups}, {text} AS {matches}"
    relation.sql = f"SELECT *, {added} FROM ({relation.sql})"
    matched = f"({groups}.g0 <> '' OR regexp_matches({matches}, {quoted(command.pattern)}))"
    relation.extend(
        [(name, Value(f"CASE WHEN {matched} THEN {groups}.g{number} END", TEXT)) for number, name in command.names]
    )
    relation.show(names)


def logfmt(relation: Relation, command: ParseLogfmt) -> None:
    """key=value pairs, values in quotes where they have spaces, as a map."""
    text = relation.value(command.operand).text()
    pair = r'([A-Za-z0-9_.@/-]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)'
    keys = f"regexp_extract_all({text}, {quoted(pair)}, 1)"
    values = f"regexp_extract_all({text}, {quoted(pair)}, 2)"
    plain = (
        "lambda v: CASE WHEN starts_with(v, '\"') THEN replace(replace(v[2:-2], '\\\"', '\"'), '\\\\', '\\') ELSE v END"
    )
    unique = f"list_transform(list_zip({keys}, list_transform({values}, {plain})), lambda p: {{'k': p[1], 'v': p[2]}})"
    found = f"to_json(map_from_entries(list_filter({unique}, lambda p, i: list_position({keys}, p.k) = i)))"
    relation.extend([(command.name, Value(f"CASE WHEN {text} IS NOT NULL THEN {found} END", NODE))])
    relation.show([command.name])


def csv(relation: Relation, command: ParseCsv) -> None:
    """Values between commas; in quotes, commas are text and two quotes are one."""
    text = relation.value(command.operand).text()
    cell = r'(?:^|,)("(?:[^"]|"")*"|[^,]*)'
    cells = relation.identifier()
    relation.sql = f"SELECT *, regexp_extract_all({text}, {quoted(cell)}, 1) AS {cells} FROM ({relation.sql})"
    made = []
    for index, name in enumerate(command.names):
        value = f"trim({cells}[{index + 1}])"
        bare = f"CASE WHEN starts_with({value}, '\"') THEN replace({value}[2:-2], '\"\"', '\"') ELSE {value} END"
        made.append((name, Value(bare, TEXT)))
    relation.extend(made)
    relation.show(command.names)
