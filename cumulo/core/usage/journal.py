"""Every call, written down: who asked what of which resource, how it ended, and why it was denied.

The journal is the one source of `cumulo why`, `/_cumulo/requests`, the trail and the bill. Lines are
JSON, appended to `journal/calls.jsonl` in the data directory. They are buffered for up to half a
second, so a crash may lose the last lines, never an answered change.
"""

from __future__ import annotations

import collections
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from cumulo.core.clock import Clock, Timer
from cumulo.core.policy.principals import PrincipalKind
from cumulo.core.usage.calls import Call
from cumulo.core.usage.key_uses import KeyUses
from cumulo.core.usage.metering import Metering
from cumulo.core.usage.service_uses import ServiceUses
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context

FLUSH_S = 0.5
FLUSH_CALLS = 256
KEEP_IN_MEMORY = 1000
ROTATE_BYTES = 64 * 1024 * 1024
KEEP_FILES = 4
_LAST_BYTES = 256 * 1024  # of the newest file: calls that are longer than a few kilobytes are rare


def written_calls(data_dir: Path) -> Iterator[Call]:
    """All calls that the files of this data directory hold, whether a cloud runs there or not."""
    decode = msgspec.json.Decoder(Call).decode
    for path in _files(data_dir / "journal"):
        try:
            with path.open("rb") as lines:
                for line in lines:
                    try:
                        yield decode(line)
                    except msgspec.DecodeError:
                        continue  # cut short by a crash or a full disk
        except FileNotFoundError:
            continue


def last_time(data_dir: Path) -> float:
    """The cloud time of the last call that was written down in this data directory, 0 where there is none."""
    for path in _files(data_dir / "journal")[:2]:  # the newest may have been rotated away just now
        try:
            with path.open("rb") as file:
                file.seek(max(0, path.stat().st_size - _LAST_BYTES))
                lines = file.read().splitlines()
        except OSError:
            continue
        for line in reversed(lines):
            with contextlib.suppress(msgspec.DecodeError):
                return msgspec.json.decode(line, type=Call).time
    return 0.0


def _files(folder: Path) -> list[Path]:
    """The newest first: what is rotated while they are read is read twice, never missed."""
    return [folder / "calls.jsonl", *[folder / f"calls.{number}.jsonl" for number in range(1, KEEP_FILES + 1)]]


class Journal:
    """The calls of this node: the newest in memory, all of them in a file that rotates."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._dir = data_dir / "journal"
        self._path = self._dir / "calls.jsonl"
        self._clock = clock
        self._calls: collections.deque[Call] = collections.deque(maxlen=KEEP_IN_MEMORY)
        self._unwritten: list[Call] = []
        self._file: BinaryIO | None = None
        self._timer: Timer | None = None
        self._encode_lines = msgspec.json.Encoder().encode_lines
        self.metering = Metering()
        self.key_uses = KeyUses()
        self.service_uses = ServiceUses()

    def record(self, ctx: Context, fault: Fault | None) -> None:
        """Write down how a call ended."""
        principal = ctx.principal
        call = Call(
            self._clock.now(),
            ctx.request_id,
            ctx.service,
            ctx.operation,
            ctx.account,
            ctx.region,
            principal.arn,
            principal.access_key_id,
            ctx.source_ip,
            ctx.headers.get("user-agent") if ctx.headers is not None else "",
            ctx.resources,
            audited=ctx.audited,
            actions=ctx.actions,
        )
        if fault is not None:
            call.error = fault.code
            call.message = fault.message
            call.denial = ctx.denial
        self.metering.count(ctx.account, ctx.region, ctx.service, ctx.operation, fault is not None)
        key_id = principal.access_key_id
        if key_id and (principal.kind is not PrincipalKind.ROOT or key_id.startswith("AKIA")):
            self.key_uses.note(ctx, call.time)
            self.service_uses.note(ctx, call.time)
        self._calls.append(call)
        self._unwritten.append(call)
        if self._timer is None:
            self._timer = self._clock.call_at(self._clock.now() + FLUSH_S, self.flush)
        elif len(self._unwritten) >= FLUSH_CALLS:  # under load in small pieces: a large one would hold up answers
            self.flush()

    def flush(self) -> None:
        """Append what is buffered to the file."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._unwritten:
            return
        lines = self._encode_lines(self._unwritten)
        self._unwritten.clear()
        try:
            if self._file is None:
                self._dir.mkdir(parents=True, exist_ok=True)
                self._file = self._path.open("ab")
            self._file.write(lines)
            self._file.flush()
            if self._file.tell() > ROTATE_BYTES:
                self._rotate()
        except OSError:  # a full disk must not stop the cloud: the calls stay in memory
            self._file = None

    def _rotate(self) -> None:
        assert self._file is not None
        self._file.close()
        self._file = None
        for number in range(KEEP_FILES - 1, 0, -1):
            older = self._dir / f"calls.{number}.jsonl"
            if older.exists():
                older.replace(self._dir / f"calls.{number + 1}.jsonl")
        self._path.replace(self._dir / "calls.1.jsonl")
        (self._dir / f"calls.{KEEP_FILES + 1}.jsonl").unlink(missing_ok=True)

    def recent(self, limit: int = 100) -> list[Call]:
        """The newest calls, the newest first."""
        return [call for call, _ in zip(reversed(self._calls), range(limit), strict=False)]

    def find(self, request_id: str) -> Call | None:
        """The call with this request id, in memory or in the files."""
        for call in reversed(self._calls):
            if call.request_id == request_id:
                return call
        self.flush()
        needle = request_id.encode()
        for path in _files(self._dir):
            if not path.exists():
                continue
            with path.open("rb") as lines:
                for line in lines:
                    if needle in line:
                        call = msgspec.json.decode(line, type=Call)
                        if call.request_id == request_id:
                            return call
        return None

    def close(self) -> None:
        """Write the rest and close."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None
