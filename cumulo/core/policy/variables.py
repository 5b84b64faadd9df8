"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, `${*}`, `${?}`, `${$}`.

Source: IAM User Guide, "IAM policy elements: Variables and tags".
"""

import re
from collections.abc import Callable, Sequence

from cumulo.core.policy.condition_keys import Value
from cumulo.core.policy.wildcards import Token, tokens

Lookup = Callable[[str], Value | None]
"""The request context: lower-case key to its value, a list when the key holds several, or None."""

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_WITH_DEFAULT = re.compile(r"\s*([^,\s]+)\s*,\s*'([^']*)'\s*")
_ESCAPES = {"*", "?", "$"}


class Variable:
    """One `${key}` in a text: its lower-case key, and the default to take where the key is absent."""

    __slots__ = ("default", "key")

    def __init__(self, key: str, default: str | None) -> None:
        self.key = key
        self.default = default

    def resolve(self, lookup: Lookup) -> str | None:
        """The value in this request, or None: unknown, or several values, which no variable may take."""
        value = lookup(self.key)
        if value is None:
            return self.default
        return value if isinstance(value, str) else None


Part = Token | Variable


def parse(text: str, *, from_position: int = 0) -> list[Part]:
    """The parts of a text of a 2012-10-17 policy; variables before `from_position` stay plain text."""
    parts: list[Part] = []
    position = 0
    for found in _VARIABLE.finditer(text):
        if found.start() < from_position:
            continue
        parts.extend(tokens(text[position : found.start()]))
        position = found.end()
        inside = found[1]
        with_default = _WITH_DEFAULT.fullmatch(inside)
        if inside in _ESCAPES:
            parts.append(inside)
        elif with_default is not None:
            parts.append(Variable(with_default[1].lower(), with_default[2]))
        else:
            parts.append(Variable(inside.strip().lower(), None))
    parts.extend(tokens(text[position:]))
    return parts


def has_variables(parts: Sequence[Part]) -> bool:
    """Whether the text depends on the request."""
    return any(isinstance(part, Variable) for part in parts)


def fixed(parts: Sequence[Part]) -> list[Token]:
    """The tokens of a text without variables."""
    return [part for part in parts if not isinstance(part, Variable)]


def resolve(parts: Sequence[Part], lookup: Lookup) -> list[Token] | None:
    """The tokens for this request; None when a variable has no value: nothing can match then."""
    resolved: list[Token] = []
    for part in parts:
        if isinstance(part, Variable):
            value = part.resolve(lookup)
            if value is None:
                return None
            resolved.append(value)
        else:
            resolved.append(part)
    return resolved


def resource_position(pattern: str) -> int:
    """Where variables are allowed in a Resource pattern: after the fifth colon."""
    position = -1
    for _ in range(5):
        position = pattern.find(":", position + 1)
        if position < 0:
            return len(pattern) if ":" in pattern else 0
    return position + 1
