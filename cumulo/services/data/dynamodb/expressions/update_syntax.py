"""How updates are written.

    update := [SET action {, action}] [REMOVE path {, path}] [ADD path value {, …}] [DELETE path value {, …}]
    action := path = operand { (+|-) operand }

Source: Developer Guide, "Update expressions". The sections come in any order, each at most once; keywords are not
case-sensitive. Parentheses around operands and several + or - were observed, or stand in "Quotas".
"""

from cumulo.services.data.dynamodb.expressions import paths, tokens
from cumulo.services.data.dynamodb.expressions.operands import Operand, PathOperand, ValueOperand
from cumulo.services.data.dynamodb.expressions.paths import PathSyntax
from cumulo.services.data.dynamodb.expressions.tokens import Tokens
from cumulo.services.data.dynamodb.expressions.update_operands import Sum, UpdateCall

SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")


class Clause:
    """One thing that an update does: its section, the path, and the operand (none for REMOVE)."""

    __slots__ = ("operand", "path", "section")

    def __init__(self, section: str, path: PathSyntax, operand: Operand | None) -> None:
        self.section = section
        self.path = path
        self.operand = operand


class UpdateParser:
    """Reads one update, and nothing after it."""

    def __init__(self, text: str) -> None:
        self.words = Tokens(text, "UpdateExpression")
        self.redundant = False

    def parse(self) -> list[Clause]:
        """The clauses as they were written. Raises ValidationException."""
        words = self.words
        clauses: list[Clause] = []
        sections: list[str] = []
        while words.current.kind != tokens.END:
            section = words.current.upper
            if words.current.kind != tokens.NAME or section not in SECTIONS:
                raise words.unexpected()
            words.next()
            sections.append(section)
            clauses.append(self._clause(section))
            while words.accept(","):
                clauses.append(self._clause(section))
        for at, section in enumerate(sections):
            if section in sections[:at]:
                raise words.fail(f'The "{section}" section can only be used once in an update expression;')
        if self.redundant:
            raise words.fail("The expression has redundant parentheses;")
        return clauses

    def _clause(self, section: str) -> Clause:
        words = self.words
        path = paths.parse(words)
        if section == "REMOVE":
            return Clause(section, path, None)
        if section == "SET":
            words.expect("=")
            return Clause(section, path, self._sum())
        if words.current.kind != tokens.VALUE_PLACEHOLDER:
            raise words.unexpected()
        return Clause(section, path, ValueOperand(words.next().text))

    def _sum(self) -> Operand:
        words = self.words
        found = self._operand()
        while words.current.text == "+" or words.current.text == "-":
            operator = words.next().text
            words.count_operator()
            found = Sum(operator, found, self._operand())
        return found

    def _operand(self) -> Operand:
        words = self.words
        if words.current.kind == tokens.VALUE_PLACEHOLDER:
            return ValueOperand(words.next().text)
        opened = 0
        while words.accept("("):
            opened += 1
        if opened:
            self.redundant = self.redundant or opened > 1
            found = self._sum()
            for _ in range(opened):
                words.expect(")")
            return found
        if words.current.kind == tokens.NAME and words.ahead().text == "(":
            function = words.next().text
            words.next()
            words.count_operator()
            arguments = [self._operand()]
            while words.accept(","):
                arguments.append(self._operand())
            words.expect(")")
            return UpdateCall(function, arguments)
        return PathOperand(paths.parse(words))
