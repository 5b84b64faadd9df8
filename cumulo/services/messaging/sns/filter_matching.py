"""Whether a message passes a filter policy: by its attributes, or by its body."""

import json
from functools import lru_cache
from typing import Any, NamedTuple

from cumulo.core.event_patterns.matching import Leaves, Rule, accepts, document_leaves


class Policy(NamedTuple):
    """A compiled filter policy; `nested` when it is about the message's body."""

    rules: tuple[Rule, ...]
    nested: bool

    def accepts(self, attributes: dict[str, list[str]], body: str) -> bool:
        """Whether a message passes.

        `attributes` maps names to [type, value] as the notification's JSON has them. A body that is no JSON object
        never passes a policy on the body.
        """
        if not self.nested:
            return accepts(self.rules, attribute_leaves(attributes))
        leaves = body_leaves(body)
        return leaves is not None and accepts(self.rules, leaves)


def attribute_leaves(attributes: dict[str, list[str]]) -> Leaves:
    """The leaves of message attributes: String, Number, and String.Array with its elements; Binary has none.

    Custom labels ("String.Custom") do not change what a type is compared as.
    """
    leaves: Leaves = {}
    for name, (data_type, value) in attributes.items():
        if data_type == "String.Array":
            try:
                elements = json.loads(value)
            except ValueError:
                continue
            if isinstance(elements, list):
                scalars = [element for element in elements if not isinstance(element, dict | list)]
                leaves[name] = [(element, ()) for element in scalars]
            continue
        logical = data_type.partition(".")[0]
        if logical == "Number":
            leaves[name] = [(_number(value), ())]
        elif logical == "String":
            leaves[name] = [(value, ())]
    return leaves


def _number(text: str) -> float | str:
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 20 else float(text)
    except ValueError:
        return text


@lru_cache(maxsize=64)
def body_leaves(body: str) -> Leaves | None:
    """The leaves of a body; None when the body is no JSON object.

    The same body is asked once per subscription, hence the cache.
    """
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document_leaves(document) if isinstance(document, dict) else None
