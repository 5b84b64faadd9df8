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
    stars = length = 0  # a state is a bit: its number is how many characters of the expression were passed
    taking: dict[str, int] = {}
    for number, part in enumerate(parts):
        if number:
            stars |= 1 << length
            length += 1
        for letter in part:
            taking[letter] = taking.get(letter, 0) | 1 << length
            length += 1
    start = _opened(1, stars)
    seen, waiting = {start}, [start]
    while waiting and len(seen) < _MOST_STEPS:
        states = waiting.pop()
        if states.bit_count() > _MOST_STATES:
            return True
        for steps in taking.values():
            after = _opened((states & steps) << 1 | states & stars, stars)
            if after not in seen:
                seen.add(after)
                waiting.append(after)
    return False


def _opened(states: int, stars: int) -> int:
    """The states with those behind a `*` that takes nothing."""
    return states | (states & stars) << 1
