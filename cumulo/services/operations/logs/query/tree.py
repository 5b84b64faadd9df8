"""A query as values: expressions, and the commands that they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

# --- expressions --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, a string or a truth value that the query spells out."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time: 5m. Months, quarters and years have no length in milliseconds: they count calendars."""

    count: int
    unit: str  # as in periods.UNITS


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name. `parts` are the name's steps, a list's positions as integers."""

    parts: tuple[str | int, ...]
    start: int = 0
    end: int = 0

    @property
    def name(self) -> str:
        """The name with dots."""
        return ".".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Call:
    """A function's result; `name` is the one of the catalogue."""

    name: str
    arguments: tuple[Expression, ...]
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Star:
    """What count(*) counts."""


@dataclass(frozen=True, slots=True)
class Negative:
    """Minus something."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values and what is between them: or and = != < <= > >= + - * / % ^."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Like:
    """Whether a text contains a string, or matches a regular expression."""

    operand: Expression
    pattern: str
    regex: bool


@dataclass(frozen=True, slots=True)
class In:
    """Whether a value is one of these."""

    operand: Expression
    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class InQuery:
    """Whether a value is among the first column of another query's results."""

    operand: Expression
    query: Query


@dataclass(frozen=True, slots=True)
class Access:
    """A part of a map or list that a function gives: jsonParse(x).a[0]."""

    operand: Expression
    parts: tuple[str | int, ...]


Expression: TypeAlias = Literal | Period | Field | Call | Star | Negative | Not | Binary | Like | In | InQuery | Access


@dataclass(frozen=True, slots=True)
class Item:
    """An expression with the name of its column: the alias, or the expression as it was written."""

    expression: Expression
    name: str
    aliased: bool


# --- commands -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fields:
    """fields, display or unmask."""

    items: tuple[Item, ...]
    display: bool = False
    unmask: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """filter, where, or filterIndex."""

    condition: Expression
    index: bool = False


@dataclass(frozen=True, slots=True)
class Stats:
    """Aggregates by keys. `offset` moves the bins."""

    items: tuple[Item, ...]
    by: tuple[Item, ...]
    offset: Period | None = None


@dataclass(frozen=True, slots=True)
class Sort:
    """Keys, each with whether it goes down."""

    keys: tuple[tuple[Expression, bool], ...]


@dataclass(frozen=True, slots=True)
class Limit:
    """The first rows, or the last (`tail`). `anywhere`: whichever are found first."""

    count: int
    tail: bool = False
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class ParseGlob:
    """Literals with a value between each two (and behind the last, where that is empty)."""

    operand: Expression
    literals: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParseRegex:
    """A regular expression in RE2's form whose groups are named; `multi` gives a row for each match."""

    operand: Expression
    pattern: str
    groups: int
    names: tuple[tuple[int, str], ...]  # the number of a group and its name
    multi: bool = False


@dataclass(frozen=True, slots=True)
class ParseLogfmt:
    """key=value pairs as a map."""

    operand: Expression
    name: str


@dataclass(frozen=True, slots=True)
class ParseCsv:
    """Values between commas."""

    operand: Expression
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JsonField:
    """A key of a JSON text."""

    operand: Expression
    parts: tuple[str | int, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Dedup:
    """One row for each combination of values."""

    keys: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unnest:
    """A row for each item of a list. `strict`: unnest, which takes what jsonParse gives; else expand."""

    operand: Expression
    name: str
    strict: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """The patterns of a text."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class Diff:
    """The patterns of a time before beside those of now. `shift` None: the time right before."""

    shift: Period | None
    compare: bool = False  # logcompare, which brings its own pattern


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What is unusual about patterns."""


@dataclass(frozen=True, slots=True)
class Source:
    """Log groups by name or by what they have in common; the time range, in milliseconds or relative to now.

    `data_sources` are "name.type", or names alone.
    """

    names: tuple[str, ...] = ()
    selects: bool = False
    prefixes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    start: str = ""
    end: str = ""
    data_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lookup:
    """Columns of a table: `keys` are (its column, our field). `keep`: OUTPUTNEW. `cidr`: keys hold ranges."""

    table: str
    keys: tuple[tuple[str, Field], ...]
    outputs: tuple[tuple[str, str], ...]  # its column, our name
    keep: bool
    cidr: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Join:
    """Rows of another query beside ours. `keys` are (our field, theirs)."""

    outer: bool
    left: str
    right: str
    keys: tuple[tuple[Field, Field], ...]
    query: Query


@dataclass(frozen=True, slots=True)
class AppendColumns:
    """Columns of another query, row by row."""

    query: Query
    override: bool
    most: int


@dataclass(frozen=True, slots=True)
class AddTotals:
    """Sums across (`row`) and down (`column`)."""

    name: str
    row: bool
    column: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accumulate:
    """A running sum."""

    field: Field
    name: str


@dataclass(frozen=True, slots=True)
class AutoRegress:
    """Values of rows before."""

    field: Field
    name: str
    first: int
    last: int
    aliased: bool


@dataclass(frozen=True, slots=True)
class FillDown:
    """Gaps get the value above; names may end with a star, and none are all."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FillMissing:
    """Rows for bins that have none, with constants."""

    values: tuple[tuple[str, str | float], ...]


@dataclass(frozen=True, slots=True)
class Outlier:
    """Values beyond the quartiles by `factor` times their distance."""

    fields: tuple[str, ...]
    remove: bool
    factor: float
    lower: bool
    mark: bool


@dataclass(frozen=True, slots=True)
class Sessionize:
    """Sessions of whoever the fields tell, apart by a gap."""

    fields: tuple[Field, ...]
    gap: Period
    name: str


@dataclass(frozen=True, slots=True)
class CountFrequent:
    """How often combinations of values are."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class RelevantFields:
    """Which fields have to do with a condition."""

    fields: tuple[Field, ...]
    condition: Expression


Command: TypeAlias = (
    Fields
    | Filter
    | Stats
    | Sort
    | Limit
    | ParseGlob
    | ParseRegex
    | ParseLogfmt
    | ParseCsv
    | JsonField
    | Dedup
    | Unnest
    | Pattern
    | Diff
    | Anomaly
    | Lookup
    | Join
    | AppendColumns
    | AddTotals
    | Accumulate
    | AutoRegress
    | FillDown
    | FillMissing
    | Outlier
    | Sessionize
    | CountFrequent
    | RelevantFields
)


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query."""

    source: Source | None
    commands: tuple[Command, ...]
