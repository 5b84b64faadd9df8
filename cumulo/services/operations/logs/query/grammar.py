"""A query's text to its tree: what it reads from, and its commands between pipes.

Source: CloudWatch Logs User Guide, "CloudWatch Logs Insights language query syntax" and the page of each command.
"""

from __future__ import annotations

from collections.abc import Callable

from cumulo.services.operations.logs.query import checks, commands, further_commands, sources
from cumulo.services.operations.logs.query.failures import Malformed
from cumulo.services.operations.logs.query.tokens import END, NAME, Tokens
from cumulo.services.operations.logs.query.tree import Command, Dedup, Diff, Limit, Pattern, Query, Sort, Source, Stats

_COMMANDS: dict[str, Callable[[Tokens], Command]] = {**commands.COMMANDS, **further_commands.COMMANDS}
STATS_MOST = 2


def parse(text: str) -> Query:
    """The query. Raises Malformed, and Unsupported for what is not here yet."""
    tokens = Tokens(text, _query)
    if tokens.peek.kind == END:
        raise Malformed("Query string is empty", 0, 0)
    try:
        found = _query(tokens)
        if tokens.peek.kind != END:
            raise tokens.refused()
        checks.check(found)
    except RecursionError:
        raise Malformed("The query is nested too deeply", 0, len(text)) from None
    return found


def _query(tokens: Tokens) -> Query:
    source: Source | None = None
    found: list[Command] = []
    if tokens.peek.is_symbol("|"):
        tokens.take()
    while True:
        token = tokens.peek
        if token.is_word("source") and not found:
            source = sources.merged(source, sources.read(tokens))
        else:
            found.append(_command(tokens, found))
        if not tokens.peek.is_symbol("|"):
            return Query(source, tuple(found))
        tokens.take()
        if tokens.peek.kind == END:  # a pipe behind the last command is forgiven
            return Query(source, tuple(found))


def _command(tokens: Tokens, before: list[Command]) -> Command:
    token = tokens.peek
    read = _COMMANDS.get(token.text.lower()) if token.kind == NAME else None
    if read is None:
        raise tokens.refused()
    tokens.take()
    found = read(tokens)
    # "The only query command that you can use in a query after the dedup command is limit."
    if any(isinstance(each, Dedup) for each in before) and not isinstance(found, Limit):
        raise tokens.refused(token)
    if isinstance(found, Pattern) and any(isinstance(each, Sort) for each in before):
        raise tokens.refused(token)
    if isinstance(found, Diff) and not found.compare and not any(isinstance(each, Pattern) for each in before):
        text = "Diff compilation Failed : Diff operation has to be used after Pattern"
        raise Malformed(text, token.start, tokens.last_end)
    if isinstance(found, Stats):
        if sum(isinstance(each, Stats) for each in before) >= STATS_MOST:
            raise tokens.refused(token)
        if any(isinstance(each, Sort | Limit) for each in before):
            raise tokens.refused(token)
    return found
