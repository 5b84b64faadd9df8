"""Reads statements."""

from cumulo.core.errors import Fault
from cumulo.services.data.dynamodb.errors import VALIDATION
from cumulo.services.data.dynamodb.expressions import paths
from cumulo.services.data.dynamodb.expressions.operands import GivenOperand, Operand, PathOperand, attribute
from cumulo.services.data.dynamodb.expressions.paths import Path
from cumulo.services.data.dynamodb.expressions.update_operands import ListAppend, Sum
from cumulo.services.data.dynamodb.expressions.updates import Action
from cumulo.services.data.dynamodb.partiql import lexer
from cumulo.services.data.dynamodb.partiql.conditions import ConditionReader, StatementScope, read_path
from cumulo.services.data.dynamodb.partiql.lexer import Word, Words, not_well_formed
from cumulo.services.data.dynamodb.partiql.literals import ValueReader, check_parameters
from cumulo.services.data.dynamodb.partiql.syntax import (
    NOTHING,
    Delete,
    Exists,
    Insert,
    Select,
    Statement,
    Update,
    Where,
)
from cumulo.services.data.dynamodb.values.attribute_values import Value

_SETS = frozenset(("SS", "NS", "BS"))
_CHANGED_SETS = {"set_add": "ADD", "set_delete": "DELETE"}


def parse(statement: str, parameters: list[Value] | None) -> Statement:
    """The statement with its parameters. Raises ValidationException."""
    given = parameters or []
    check_parameters(given)
    return _StatementReader(statement, given).read()


class _StatementReader:
    """Reads one statement, and nothing after it."""

    def __init__(self, statement: str, parameters: list[Value]) -> None:
        self.words = Words(statement)
        self.values = ValueReader(self.words, parameters)
        self.conditions = ConditionReader(self.words, self.values)

    def read(self) -> Statement:
        words = self.words
        if words.accept("select"):
            found: Statement = self._select()
        elif words.accept("insert", "into"):
            found = self._insert()
        elif words.accept("update"):
            found = self._update()
        elif words.accept("delete", "from"):
            found = self._delete()
        elif words.accept("from"):
            found = self._update_from()
        elif words.accept("exists", "("):
            words.expect("select")
            select = self._select()
            words.expect(")")
            found = Exists(select.table, select.where)
        else:
            raise not_well_formed("Expected data manipulation")
        words.accept(";")
        if words.current.kind != lexer.END:
            raise not_well_formed("Unexpected token after expression")
        if self.values.taken != len(self.values.parameters):
            raise self.values.miscounted()
        return found

    # --- SELECT ---------------------------------------------------------------------------------

    def _select(self) -> Select:
        words = self.words
        columns: list[Path] | None = None
        if not words.accept("*"):
            columns = [self._column()]
            while words.accept(","):
                columns.append(self._column())
        words.expect("from")
        names = self._table(2)
        where = self._where()
        order: list[tuple[str, bool]] = []
        if words.accept("order", "by"):
            order.append(self._ordered())
            while words.accept(","):
                order.append(self._ordered())
        for clause in (("group", "by"), ("having",), ("limit",), ("offset",)):
            if words.accept(*clause):
                raise VALIDATION(f"Unsupported clause: {' '.join(clause).upper()}")
        return Select(names[0], names[1] if len(names) > 1 else None, columns, where, order)

    def _column(self) -> Path:
        word = self.words.current
        if self.words.ahead().text == "(" and not word.quoted:
            raise VALIDATION(f"Unexpected path component at {word.place}")
        path = read_path(self.words)
        self._refuse_alias(columns=True)
        return path

    def _ordered(self) -> tuple[str, bool]:
        path = read_path(self.words)
        if self.words.accept("desc"):
            return str(path[0]), True
        self.words.accept("asc")
        return str(path[0]), False

    # --- writes ---------------------------------------------------------------------------------

    def _insert(self) -> Insert:
        words = self.words
        table = self._names(1)[0]
        if not words.accept("value"):
            raise not_well_formed("Unexpected token after expression")
        return Insert(table, self.values.item())

    def _update(self) -> Update:
        table = self._table(1)[0]
        actions = self._actions()
        return Update(table, actions, self._where(), self._returning())

    def _update_from(self) -> Update:
        table = self._table(1)[0]
        where = self._where()
        return Update(table, self._actions(), where, self._returning())

    def _delete(self) -> Delete:
        if self.words.current.kind != lexer.NAME:
            raise not_well_formed("Expected identifier for simple path")
        table = self._table(1)[0]
        where = self._where()
        returning = self._returning()
        if returning and returning != "ALL OLD":
            raise VALIDATION(
                f"Invalid returning clause: RETURNING {returning} *. Only RETURNING ALL OLD * is allowed in DELETE "
                "statements."
            )
        return Delete(table, where, returning)

    def _returning(self) -> str:
        words = self.words
        if not words.accept("returning"):
            return ""
        what, when = words.next().text.upper(), words.next().text.upper()
        if what not in ("ALL", "MODIFIED") or when not in ("OLD", "NEW"):
            raise words.unexpected()
        words.expect("*")
        return f"{what} {when}"

    def _actions(self) -> list[Action]:
        words = self.words
        found: list[Action] = []
        while True:
            if words.accept("set"):
                found.append(self._set())
                while words.accept(","):
                    found.append(self._set())
            elif words.accept("remove"):
                found.append(Action("REMOVE", read_path(words), None))
                while words.accept(","):
                    found.append(Action("REMOVE", read_path(words), None))
            else:
                break
        if not found:
            raise not_well_formed("Expected data manipulation")
        paths.check_apart([action.path for action in found], StatementScope())
        return found

    def _set(self) -> Action:
        words = self.words
        path = read_path(words)
        words.expect("=")
        section = _CHANGED_SETS.get(words.current.lower)
        if section is not None and words.ahead().text == "(":
            return Action(section, path, self._members_of(path))
        return Action("SET", path, self._sum())

    def _members_of(self, path: Path) -> Operand:
        """The set that set_add or set_delete adds to, or takes from, the set at the path."""
        words = self.words
        function = words.next()
        name = function.text.upper()
        words.next()
        first = words.current
        arguments: list[Operand] = []
        while not words.accept(")"):
            if arguments:
                words.expect(",")
            arguments.append(self._argument())
        if len(arguments) != 2:
            raise _at(f"{name} must have exactly two arguments", function)
        target, members = arguments
        if not isinstance(target, PathOperand) or target.path != path:
            raise _at(f"The first argument to {name} must equal the assignment value", function)
        if not isinstance(members, GivenOperand) or members.kind not in _SETS:
            raise _at(f"The second argument to {name} must be a value with type SET", first)
        return members

    def _sum(self) -> Operand:
        words = self.words
        found = self._argument()
        while words.current.text in ("+", "-") and words.current.kind == lexer.SYMBOL:
            operator = words.next().text
            found = Sum(operator, found, self._argument()).check(StatementScope())
        return found

    def _argument(self) -> Operand:
        words = self.words
        if self.values.starts():
            return GivenOperand(self.values.read())
        word = words.current
        if words.ahead().text == "(" and not word.quoted:
            if word.lower != "list_append":
                raise VALIDATION(f"Unrecognized function: {word.lower} at {word.place}")
            words.next()
            words.next()
            left = self._argument()
            words.expect(",")
            right = self._argument()
            words.expect(")")
            return ListAppend(left, right)
        return attribute(*read_path(words))

    # --- what statements have in common ---------------------------------------------------------

    def _table(self, most: int) -> list[str]:
        names = self._names(most)
        self._refuse_alias()
        return names

    def _names(self, most: int) -> list[str]:
        words = self.words
        if words.current.kind != lexer.NAME:
            raise words.unexpected()
        names = [words.next().text]
        while words.accept("."):
            if words.current.kind != lexer.NAME:
                raise not_well_formed("Invalid path dot component")
            names.append(words.next().text)
        if len(names) > 2:
            raise VALIDATION("A path may contain at most 2 components in the FROM clause")
        if not all(names):
            raise VALIDATION("Path component cannot be an empty string")
        if len(names) > most:
            raise VALIDATION("Index is not supported in INSERT, UPDATE and DELETE statements")
        return names

    def _refuse_alias(self, *, columns: bool = False) -> None:
        words = self.words
        if words.at("as") or (words.current.kind == lexer.NAME and not columns):
            raise VALIDATION("Aliasing is not supported")

    def _where(self) -> Where:
        return self.conditions.read() if self.words.accept("where") else NOTHING


def _at(reason: str, word: Word) -> Fault:
    return VALIDATION(f"{reason} at {word.place}")
