"""One container as the server sees it: a sandbox whose supervisor is spoken to through a relay."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from cumulo.engines.sandboxes import groups
from cumulo.engines.sandboxes.enter import Plain
from cumulo.engines.sandboxes.groups import SLACK_BYTES, Group
from cumulo.engines.sandboxes.sandbox import MIB, Limits, Sandbox


class Container(Sandbox):
    """Made by `Containers.make`. `pid` is the relay's. What is in use is what the supervisor inside tells."""

    grace_s = 20.0
    """For the container's own program to remove it: docker is slow when there is much to do."""

    def __init__(self, name: str, spec: Plain, limits: Limits, group: Group | None, freed: Callable[[], None]) -> None:
        super().__init__(name, spec, limits, group, freed)
        self._theirs: Group | None = None
        """The group that the container's program has made."""
        self._used = self._highest = 0

    def watch(self, at_work: bool) -> None:
        """The supervisor tells ten times a second."""
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"watch": at_work}).encode())

    def kill_groups(self) -> None:
        """Nothing: they are the container's, and end with its pid 1."""

    def memory_bytes(self) -> int:
        """As it was told last."""
        return self._used

    def peak_bytes(self) -> int:
        """The most that was ever told, or the kernel saw of one process; at most the limit."""
        return min(max(self._peak, self._highest), self.limits.memory_mb * MIB)

    def oom_killed(self) -> bool:
        """Whether the kernel, or our watch, ended processes of it for their memory."""
        return super().oom_killed() or (self._theirs is not None and self._theirs.oom_kills() > 0)

    def over_limit(self, *, sockets: bool) -> bool:
        """Whether its programs use more memory than they may."""
        return not self._hung_up and self._used > self.limits.memory_mb * MIB + SLACK_BYTES

    def _told(self, message: dict[str, Any]) -> None:
        if "memory" in message:
            self._used = message["memory"]
            self._highest = max(self._highest, self._used, message["peak"])

    def _opened(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if self.spec["group_told"]:  # runc makes one of its own within ours, where the kernel counts what it kills
            self._theirs = groups.of_process(message["group"])
        super()._opened(message, descriptors)
