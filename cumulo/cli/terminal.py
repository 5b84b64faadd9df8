"""Words on the terminal: colours only where a person looks, complaints with their remedy."""

import os
import sys
from typing import TextIO

CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "36"}


def coloured(stream: TextIO) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR is set (no-color.org) or the terminal is dumb."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def style(text: str, name: str, stream: TextIO | None = None) -> str:
    """The text in one of CODES, or plain where colours do not belong."""
    stream = stream or sys.stdout
    return f"\x1b[{CODES[name]}m{text}\x1b[0m" if coloured(stream) else text


def complain(message: str, fix: str = "") -> None:
    """Print a refusal and its remedy on standard error."""
    print(f"{style('cumulo:', 'red', sys.stderr)} {message}", file=sys.stderr)
    for line in fix.splitlines():
        print(f"  {line}", file=sys.stderr)


def note(message: str) -> None:
    """Print a passing remark on standard error."""
    print(f"{style('cumulo:', 'dim', sys.stderr)} {message}", file=sys.stderr, flush=True)


def confirm(question: str) -> bool:
    """Ask a yes-or-no question; without a terminal to ask on, the answer is no."""
    if not sys.stdin.isatty():
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def table(rows: list[list[str]], *, indent: str = "") -> str:
    """Rows as aligned columns; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
