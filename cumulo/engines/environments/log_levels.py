"""Levels of JSON logs: what a line of a function says its level is. Lines are its own words, and may be anything.

Source: AWS Lambda Developer Guide, "Log-level filtering".
"""

from __future__ import annotations

import json
from typing import Any

_WEIGHTS = {"TRACE": 1, "DEBUG": 2, "INFO": 3, "WARN": 4, "WARNING": 4, "ERROR": 5, "FATAL": 6, "CRITICAL": 6}


def weight(level: str) -> int:
    """How much a level weighs against others; 0 for none."""
    return _WEIGHTS.get(level, 0)


def of_line(text: str) -> int:
    """The weight of a line: of what its `level` says, else of INFO."""
    if text.startswith("{"):
        try:
            return _WEIGHTS.get(str(json.loads(text).get("level", "")).upper(), 3)
        except (ValueError, RecursionError):
            return 3
    return 3


def record(text: str) -> Any:
    """A line as subscribers of telemetry get it: objects as objects."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found if isinstance(found, dict) else text
