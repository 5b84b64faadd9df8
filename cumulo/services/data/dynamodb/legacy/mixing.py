"""Legacy parameters and expressions do not mix."""

from collections.abc import Mapping
from typing import Any


def check(request: Mapping[str, Any]) -> None:
    """Raises ValidationException when a request mixes expressions and legacy parameters, or lacks what they need.

    To be called first: AWS checks this before it reads any expression.
    """
    raise NotImplementedError
