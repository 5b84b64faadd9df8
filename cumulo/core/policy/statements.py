"""Compiled policies: a document once, closures and an index by action ever after."""

from collections.abc import Callable, Sequence
from typing import Final

from cumulo.core.policy import conditions, documents, variables
from cumulo.core.policy.conditions import Condition
from cumulo.core.policy.documents import Document, Kind
from cumulo.core.policy.principals import PrincipalMatcher
from cumulo.core.policy.variables import Lookup, Part
from cumulo.core.policy.wildcards import Matcher, like, resource_matcher

ResourceTest = Callable[[str, Lookup], bool]


class Statement:
    """A statement ready to be tested. `resource`, `conditions` and `principal` are None where all match."""

    __slots__ = ("conditions", "denies", "index", "principal", "resource", "sid", "source")

    def __init__(self, index: int, source: documents.Statement, with_variables: bool) -> None:
        self.index = index
        self.source = source
        self.sid = source.sid
        self.denies = source.effect == "Deny"
        self.principal = PrincipalMatcher(source.principal) if source.principal else None
        self.resource = _resource_test(source.resources, source.not_resource, with_variables)
        self.conditions: tuple[Condition, ...] | None = (
            tuple(
                conditions.compile_condition(operator, key, values, with_variables=with_variables)
                for operator, key, values in source.conditions
            )
            or None
        )

    def applies(self, arn: str, lookup: Lookup) -> bool:
        """Whether resource and conditions match; the caller has looked at action and principal."""
        if self.resource is not None and not self.resource(arn, lookup):
            return False
        if self.conditions is not None:
            for condition in self.conditions:
                if not condition(lookup):
                    return False
        return True


Candidates = tuple[tuple[Statement, ...], tuple[Statement, ...]]
"""The statements whose action matches: those that deny, those that allow."""

_REMEMBERED_ACTIONS: Final = 512


class Compiled:
    """A document ready for decisions; shared by all policies with the same text."""

    __slots__ = ("_exact", "_known", "_others", "document", "statements")

    def __init__(self, document: Document) -> None:
        self.document = document
        with_variables = document.version == "2012-10-17"
        self.statements = tuple(
            Statement(index, statement, with_variables) for index, statement in enumerate(document.statements)
        )
        self._exact: dict[str, set[int]] = {}
        self._others: list[tuple[int, Callable[[str], bool]]] = []
        self._known: dict[str, Candidates] = {}
        for index, statement in enumerate(document.statements):
            patterns = [action.lower() for action in statement.actions]
            if statement.not_action:
                self._others.append((index, _none_of([like(pattern) for pattern in patterns])))
                continue
            for pattern in patterns:
                if "*" in pattern or "?" in pattern:
                    self._others.append((index, like(pattern)))
                else:
                    self._exact.setdefault(pattern, set()).add(index)

    def candidates(self, action: str) -> Candidates:
        """The statements for this action, in lower case ("sqs:sendmessage")."""
        found = self._known.get(action)
        if found is None:
            found = self._find(action)
            if len(self._known) >= _REMEMBERED_ACTIONS:
                self._known.clear()
            self._known[action] = found
        return found

    def _find(self, action: str) -> Candidates:
        indexes = set(self._exact.get(action, ()))
        indexes.update(index for index, match in self._others if match(action))
        matched = [self.statements[index] for index in sorted(indexes)]
        return (
            tuple(statement for statement in matched if statement.denies),
            tuple(statement for statement in matched if not statement.denies),
        )


class Policy:
    """A named, compiled policy: what is attached to users, roles, resources and accounts."""

    __slots__ = ("arn", "candidates", "compiled", "name")

    def __init__(self, compiled: Compiled, name: str = "", arn: str = "") -> None:
        self.compiled = compiled
        self.name = name
        self.arn = arn
        self.candidates = compiled.candidates


_GENERATION: Final = 1024
_young: dict[tuple[str, Kind], Compiled] = {}
_old: dict[tuple[str, Kind], Compiled] = {}


def compile_policy(text: str, kind: Kind, *, name: str = "", arn: str = "") -> Policy:
    """The compiled policy for a document. Raises Fault MalformedPolicyDocument.

    Documents are remembered by content in two generations: what was not used during the last 1,024
    new documents is forgotten.
    """
    global _young, _old
    key = (text, kind)
    compiled = _young.get(key)
    if compiled is None:
        compiled = _old.get(key) or Compiled(documents.parse(text, kind))
        if len(_young) >= _GENERATION:
            _old, _young = _young, {}
        _young[key] = compiled
    return Policy(compiled, name, arn)


def _none_of(matchers: Sequence[Matcher]) -> Matcher:
    return lambda action: not any(match(action) for match in matchers)


def _resource_test(patterns: Sequence[str], negated: bool, with_variables: bool) -> ResourceTest | None:
    """The test of a Resource or NotResource element; None when it matches every resource."""
    if "*" in patterns:
        return _no_resource if negated else None
    texts: set[str] = set()
    fixed: list[Matcher] = []
    varying: list[list[Part]] = []
    for pattern in patterns:
        position = variables.resource_position(pattern) if with_variables else len(pattern)
        parts = variables.parse(pattern, from_position=position)
        if variables.has_variables(parts):
            varying.append(parts)
        elif len(parts) == 1 and isinstance(parts[0], str):
            texts.add(parts[0])
        else:
            fixed.append(resource_matcher(variables.fixed(parts)))
    if varying:
        return _varying_resource(texts, fixed, varying, negated)
    if negated:
        return lambda arn, lookup: arn not in texts and not any(match(arn) for match in fixed)
    if not fixed:
        return lambda arn, lookup: arn in texts
    if len(fixed) == 1 and not texts:
        only = fixed[0]
        return lambda arn, lookup: only(arn)

    def test(arn: str, lookup: Lookup) -> bool:
        return arn in texts or any(match(arn) for match in fixed)

    return test


def _no_resource(arn: str, lookup: Lookup) -> bool:
    return False


def _varying_resource(texts: set[str], fixed: list[Matcher], varying: list[list[Part]], negated: bool) -> ResourceTest:
    """With variables: a pattern that cannot be resolved matches nothing, and voids a NotResource."""

    def test(arn: str, lookup: Lookup) -> bool:
        if arn in texts or any(match(arn) for match in fixed):
            return not negated
        for parts in varying:
            pattern = variables.resolve(parts, lookup)
            if pattern is None:
                if negated:
                    return False
            elif resource_matcher(pattern)(arn):
                return not negated
        return negated

    return test
