"""Statements as they were read: tables by name, conditions ready to be asked, keys not yet known as such."""

from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.predicates import Predicate
from cumulo.services.data.dynamodb.expressions.updates import Action
from cumulo.services.data.dynamodb.values.attribute_values import Item


class Where:
    """The condition of a statement: parts that must all hold, and the top-level attributes that it names."""

    __slots__ = ("attributes", "parts")

    def __init__(self, parts: list[Predicate], attributes: frozenset[str]) -> None:
        self.parts = parts
        self.attributes = attributes


NOTHING = Where([], frozenset())


class Statement:
    """A statement about one table."""

    __slots__ = ("table", "where")
    action = ""  # the permission that it takes

    def __init__(self, table: str, where: Where) -> None:
        self.table = table
        self.where = where


class Select(Statement):
    """SELECT; `columns` None for `*`. `order`: attributes with whether they sort downwards."""

    __slots__ = ("columns", "index", "order")
    action = "dynamodb:PartiQLSelect"

    def __init__(
        self,
        table: str,
        index: str | None,
        columns: list[Path] | None,
        where: Where,
        order: list[tuple[str, bool]],
    ) -> None:
        super().__init__(table, where)
        self.index = index
        self.columns = columns
        self.order = order


class Insert(Statement):
    """INSERT."""

    __slots__ = ("item",)
    action = "dynamodb:PartiQLInsert"

    def __init__(self, table: str, item: Item) -> None:
        super().__init__(table, NOTHING)
        self.item = item


class Update(Statement):
    """UPDATE; `returning` is "", or such as "ALL NEW"."""

    __slots__ = ("actions", "returning")
    action = "dynamodb:PartiQLUpdate"

    def __init__(self, table: str, actions: list[Action], where: Where, returning: str) -> None:
        super().__init__(table, where)
        self.actions = actions
        self.returning = returning


class Delete(Statement):
    """DELETE."""

    __slots__ = ("returning",)
    action = "dynamodb:PartiQLDelete"

    def __init__(self, table: str, where: Where, returning: str) -> None:
        super().__init__(table, where)
        self.returning = returning


class Exists(Statement):
    """EXISTS(SELECT …): in transactions, that an item satisfies a condition."""

    __slots__ = ()
    action = "dynamodb:PartiQLSelect"
