"""Hooks around snapshots of a function, for those who do not bring PyPI's package of this name.

Source: AWS Lambda Developer Guide, "Lambda SnapStart runtime hooks for Python".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]
_before: list[_Hook] = []
_after: list[_Hook] = []


def register_before_snapshot(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Call this before the snapshot is taken; the last registered is the first called. Also a decorator."""
    _before.append((func, args, kwargs))
    return func


def register_after_restore(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Callable[..., Any]:
    """Call this after every restore, in the order of registration. Also a decorator."""
    _after.append((func, args, kwargs))
    return func


def get_before_snapshot() -> list[_Hook]:
    """Those to call before the snapshot."""
    return _before


def get_after_restore() -> list[_Hook]:
    """Those to call after a restore."""
    return _after
