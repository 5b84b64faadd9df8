"""How much work a wildcard may make: its matcher follows every reading of the text so far at once.

Event Ruler refuses expressions of which too many prefixes may end at the same character ("*aaaa…" in "aaaa…"). AWS
publishes neither the measure nor its bound: this counts the states that one text can hold active together, and
refuses what goes beyond a hundred.
"""

from cumulo.core.event_patterns.matching import wildcard_parts

_MOST_STATES = 100
_MOST_STEPS = 2_000


def too_complex(expression: str) -> bool:
    """Whether AWS's matcher would refuse a wildcard expression for the work that it makes."""
    parts = wildcard_parts(expression)
    if len(parts) == 1 or len(expression) <= _MOST_STATES:
        return False
    steps: list[str | None] = []  # None is a `*`
    for number, part in enumerate(parts):
        if number:
            steps.append(None)
        steps.extend(part)
    letters = {step for step in steps if step is not None}
    start = _opened(steps, frozenset((0,)))
    seen, waiting = {start}, [start]
    while waiting and len(seen) < _MOST_STEPS:
        states = waiting.pop()
        if len(states) > _MOST_STATES:
            return True
        for letter in letters:
            after = _opened(steps, _read(steps, states, letter))
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return False


def _read(steps: list[str | None], states: frozenset[int], letter: str) -> frozenset[int]:
    after = set()
    for state in states:
        if state < len(steps):
            if steps[state] is None:
                after.add(state)
            elif steps[state] == letter:
                after.add(state + 1)
    return frozenset(after)


def _opened(steps: list[str | None], states: frozenset[int]) -> frozenset[int]:
    """The states with those behind a `*` that takes nothing."""
    opened = set(states)
    opened.update(state + 1 for state in states if state < len(steps) and steps[state] is None)
    return frozenset(opened)
