"""What would leave the cloud and cannot: mail, text messages and pushes, kept as files where a person can read them.

Under the data directory: `mail/*.eml`, one file a mail; `sms/DATE.jsonl` and `push/DATE.jsonl`, one line a message.
Each is told in the log.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.services.messaging.sns.envelopes import iso8601

if TYPE_CHECKING:
    from cumulo.core.context import Context


async def line(ctx: Context, folder: str, entry: dict[str, Any]) -> Path:
    """Append one line of JSON to today's file in a folder of the data directory; the file."""
    path = ctx.data_dir / folder / f"{iso8601(ctx.now())[:10]}.jsonl"
    await asyncio.to_thread(_append, path, msgspec.json.encode(entry) + b"\n")
    return path


async def file(ctx: Context, folder: str, name: str, content: bytes) -> Path:
    """Write a file into a folder of the data directory; the same name again is the same file."""
    path = ctx.data_dir / folder / name
    await asyncio.to_thread(_write, path, content)
    return path


def _append(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as out:
        out.write(content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(content)
    unfinished.replace(path)
