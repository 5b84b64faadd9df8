"""Subscription filter policies: event patterns with limits of SNS's own.

Source: the SNS guide, "Filter policy constraints". `filter_matching` holds the matching itself.
"""

from functools import lru_cache

from cumulo.core.event_patterns.grammar import Compiler, Fields, PatternError, fields_only
from cumulo.core.event_patterns.json_reader import JsonError, Token, tokens
from cumulo.services.messaging.sns.filter_matching import Policy

MAX_COMBINATIONS = 150
MAX_KEYS = 5
MAX_DOCUMENT_BYTES = 256 * 1024


class FilterPolicyError(PatternError):
    """A filter policy that SNS refuses; its text is what follows `FilterPolicy: ` in AWS's message."""


@lru_cache(maxsize=4096)
def compile_policy(document: str, nested: bool) -> Policy:
    """The matcher of a policy document; `nested` says that the scope is MessageBody.

    Raises FilterPolicyError. The same document and scope give the same object, so a hot topic
    compiles once.
    """
    if len(document.encode()) > MAX_DOCUMENT_BYTES:
        raise FilterPolicyError("Filter policy is too large")
    try:
        found = tokens(document)
    except JsonError as error:
        raise FilterPolicyError(f"failed to parse JSON. {error}") from None
    compiler = _Compiler(document, found, nested)
    rules = compiler.compile()
    _limit(compiler, rules, nested)
    return Policy(fields_only(rules), nested)


def _limit(compiler: Compiler, rules: list[Fields], nested: bool) -> None:
    """The limits on keys and on combinations (SNS guide, "Filter policy constraints").

    Only top-level keys count. The combinations of a branch multiply the number of values of every key, which for
    a nested key counts once per level; the branches that `$or` opens add up.
    """
    if compiler.top_level_keys > MAX_KEYS:
        raise FilterPolicyError(f"Filter policy can not have more than {MAX_KEYS} keys")
    combinations = 0
    for rule in rules:
        branch = 1
        for conditions, depth in rule.values():
            branch *= len(conditions) * (depth if nested else 1)
        combinations += branch
    if combinations > MAX_COMBINATIONS:
        raise FilterPolicyError("Filter policy is too complex")


class _Compiler(Compiler):
    """SNS's dialect: `{}` takes a policy away, documents are not quoted, attributes have no parts."""

    error = FilterPolicyError
    quoted = False
    empty_allowed = True
    combinations = MAX_COMBINATIONS

    def __init__(self, document: str, found: list[Token], nested: bool) -> None:
        super().__init__(document, found)
        self.nested = nested

    def _enter(self, path: tuple[str, ...]) -> None:
        """Attributes have no parts: a nested policy needs the scope MessageBody. Its own errors come first."""
        if self.nested or path:
            return
        start = self.index
        self._object([{}], ("",), in_or=False)
        self.index = start
        raise FilterPolicyError("Filter policy scope MessageAttributes does not support nested filter policy")

    def _too_complex(self) -> PatternError:
        return FilterPolicyError("Filter policy is too complex")
