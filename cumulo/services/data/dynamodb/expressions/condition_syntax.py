"""How conditions are written: operands, comparisons, AND, OR, NOT and parentheses.

    condition := operand comparator operand | operand BETWEEN operand AND operand | operand IN ( operand, … )
               | function ( operand, … )
               | condition AND condition | condition OR condition | NOT condition | ( condition )

Source: Developer Guide, "Condition and filter expressions, operators, and functions", Syntax and Precedence. Keywords
are not case-sensitive. What nests (NOT and parentheses) is kept on a list instead of Python's stack: 4 KB hold 4,096.
"""

from cumulo.services.data.dynamodb.expressions import paths, tokens
from cumulo.services.data.dynamodb.expressions.functions import CallPredicate
from cumulo.services.data.dynamodb.expressions.operands import CallOperand, Operand, PathOperand, ValueOperand
from cumulo.services.data.dynamodb.expressions.predicates import AllOf, AnyOf, Between, Comparison, In, Not, Predicate
from cumulo.services.data.dynamodb.expressions.tokens import Tokens

_COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))


class _Level:
    """What stands between two parentheses: alternatives (OR) of parts that all hold (AND)."""

    __slots__ = ("alternatives", "nots", "wraps")

    def __init__(self) -> None:
        self.alternatives: list[list[Predicate]] = [[]]
        self.nots = 0  # that stand before the next part
        self.wraps = False  # its last part is in parentheses itself

    def add(self, part: Predicate, *, in_parentheses: bool) -> None:
        self.wraps = in_parentheses and not self.nots
        for _ in range(self.nots):
            part = Not(part)
        self.nots = 0
        self.alternatives[-1].append(part)

    def empty(self) -> bool:
        return not self.nots and len(self.alternatives) == 1 and not self.alternatives[0]

    def redundant(self) -> bool:
        return self.wraps and len(self.alternatives) == 1 and len(self.alternatives[0]) == 1

    def predicate(self) -> Predicate:
        parts = [parts[0] if len(parts) == 1 else AllOf(parts) for parts in self.alternatives]
        return parts[0] if len(parts) == 1 else AnyOf(parts)


class ConditionParser:
    """Reads one condition, and nothing after it."""

    def __init__(self, words: Tokens) -> None:
        self.words = words
        self.redundant = False
        self.levels = [_Level()]

    def parse(self) -> Predicate:
        """The condition. Raises ValidationException."""
        words = self.words
        while True:
            self._part()
            while self.levels[1:] and words.accept(")"):
                level = self.levels.pop()
                self.redundant = self.redundant or level.redundant()
                self.levels[-1].add(level.predicate(), in_parentheses=True)
            if words.accept("AND"):
                words.count_operator()
            elif words.accept("OR"):
                words.count_operator()
                self.levels[-1].alternatives.append([])
            else:
                break
        if self.levels[1:]:
            raise words.unexpected()
        words.finish()
        if self.redundant:
            raise words.fail("The expression has redundant parentheses;")
        return self.levels[0].predicate()

    def _part(self) -> None:
        """One comparison or function, and the NOTs and parentheses that open before it."""
        words = self.words
        while True:
            if words.accept("NOT"):
                words.count_operator()
                self.levels[-1].nots += 1
            elif words.accept("("):
                self.levels.append(_Level())
            else:
                break
        operand = self._operand()
        depth = 0
        while not self._continues() and self.levels[1:] and self.levels[-1].empty() and _is_value(operand):
            words.expect(")")  # it was an operand that stood in parentheses, not a condition
            self.levels.pop()
            depth += 1
        self.redundant = self.redundant or depth > 1
        self.levels[-1].add(self._comparison(operand), in_parentheses=False)

    def _continues(self) -> bool:
        word = self.words.current
        return word.upper in _COMPARATORS or (word.kind == tokens.NAME and word.upper in ("BETWEEN", "IN"))

    def _comparison(self, operand: Operand) -> Predicate:
        words = self.words
        operator = words.current.upper
        if operator in _COMPARATORS:
            words.next()
            words.count_operator()
            return Comparison(operator, operand, self._operand())
        if words.accept("BETWEEN"):
            words.count_operator()
            lower = self._operand()
            words.expect("AND")
            return Between(operand, lower, self._operand())
        if words.accept("IN"):
            words.count_operator()
            words.expect("(")
            return In(operand, self._operands())
        if isinstance(operand, CallOperand):
            return CallPredicate(operand.function, operand.arguments)
        raise words.unexpected()

    def _operands(self) -> list[Operand]:
        """Operands up to a closing parenthesis."""
        found = [self._operand()]
        while self.words.accept(","):
            found.append(self._operand())
        self.words.expect(")")
        return found

    def _operand(self) -> Operand:
        words = self.words
        if words.current.kind == tokens.VALUE_PLACEHOLDER:
            return ValueOperand(words.next().text)
        opened = 0
        while words.accept("("):
            opened += 1
        operand = self._operand() if opened else self._path_or_call()
        for _ in range(opened):
            words.expect(")")
        self.redundant = self.redundant or opened > 1
        return operand

    def _path_or_call(self) -> Operand:
        words = self.words
        if words.current.kind == tokens.NAME and words.ahead().text == "(":
            function = words.next().text
            words.next()
            words.count_operator()
            return CallOperand(function, self._operands())
        return PathOperand(paths.parse(words))


def _is_value(operand: Operand) -> bool:
    """Whether it cannot be a condition by itself."""
    return not isinstance(operand, CallOperand)


def parse(text: str, parameter: str) -> Predicate:
    """The condition of a text. Raises ValidationException."""
    return ConditionParser(Tokens(text, parameter)).parse()
