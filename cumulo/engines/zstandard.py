"""Zstandard: from Python 3.14 on in the standard library, before that with the extra `zstd` (backports.zstd)."""

from __future__ import annotations

from typing import Any

INSTALL = "pip install 'cumulo[zstd]'"


def is_here() -> bool:
    """Whether this Python can read it."""
    try:
        module()
    except ImportError:
        return False
    return True


def module() -> Any:
    """`compression.zstd`, or what brings it to older Pythons. Raises ImportError."""
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd  # type: ignore[import-not-found,unused-ignore]
    return zstd
