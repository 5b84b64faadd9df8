"""Closures for shapes that hold themselves."""

from collections.abc import Callable
from typing import Any


def later(holder: list[Callable[..., Any]]) -> Callable[..., Any]:
    """A stand-in for a closure that is still being compiled: it calls what `holder` will have by then.

    A recursive shape meets the stand-in of itself while its own closure is made.
    """

    def call(*arguments: Any) -> Any:
        return holder[0](*arguments)

    return call
