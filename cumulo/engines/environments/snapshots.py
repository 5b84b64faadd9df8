"""SnapStart: an initialised process that forks, and is begun again in every environment of its function.

Source: AWS Lambda Developer Guide, "Improving startup performance with Lambda SnapStart".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cumulo.engines.environments import extensions, programs
from cumulo.engines.environments.builds import StartFailed
from cumulo.engines.environments.zygotes import Forker, pair

if TYPE_CHECKING:
    from cumulo.engines.environments.environment import Environment
    from cumulo.engines.environments.environments import Environments
    from cumulo.engines.environments.lives import Life


class Snapshot(Forker):
    """The process, in a sandbox of its own that lives as long as it may be forked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.life: Life | None = None

    def close(self) -> None:
        """End it, and with it whatever was forked from it: all are in its namespace of processes."""
        super().close()
        if self.life is not None:
            life, self.life = self.life, None
            life.end()


def possible(environment: Environment, own_root: bool) -> bool:
    """Whether a fork can be the snapshot: Python in the fork itself, no programs beside it, namespaces.

    Others are initialised anew in every environment: slower, with the hooks called all the same.
    """
    build = environment.build
    chosen = programs.program(build, environment.runtime)
    return build.snap_start and own_root and chosen.framed and not chosen.argv and not extensions.names(build)


async def take(home: Environments, environment: Environment) -> Snapshot | None:
    """Initialise the function and keep its process; None when it cannot be: an ordinary init says why."""
    template = environment.twin()
    snapshot = Snapshot(f"the snapshot of {environment.build.function_name}")
    ours, theirs = pair()
    snapshot.attach(ours)
    try:
        if await template.init_snapshot(snapshot, theirs.fileno()):
            return snapshot
    except StartFailed:
        snapshot.close()
        raise
    finally:
        theirs.close()
    snapshot.close()
    return None


async def first_ready(snapshot: Snapshot, life: Life) -> bool:
    """Whether the snapshot is there before the init fails."""
    waiting = asyncio.ensure_future(snapshot.wait("ready"))
    try:
        await asyncio.wait([waiting, life.ready], return_when=asyncio.FIRST_COMPLETED)
        return waiting.done() and bool(waiting.result())
    finally:
        waiting.cancel()
