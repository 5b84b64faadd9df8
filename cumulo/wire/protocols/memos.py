"""Closures for shapes that hold themselves."""

from collections.abc import Callable, Hashable
from typing import Any


def make(memo: dict[Any, Any], key: Hashable, build: Callable[[], Any]) -> Any:
    """The closure that `build` gives, kept in the memo under this key.

    A recursive shape meets a stand-in of itself there while its own closure is made: it calls what is there by then.
    """
    made: Any = None

    def call(*arguments: Any) -> Any:
        return made(*arguments)

    memo[key] = call
    memo[key] = made = build()
    return made
