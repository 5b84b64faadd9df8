"""One execution environment: its phases INIT, INVOKE and SHUTDOWN."""

from __future__ import annotations

from cumulo.engines.environments.builds import Build, Invocation, Outcome


class Environment:
    """Serves one invocation at a time."""

    build: Build
    log_stream: str
    idle_since: float
    """The loop's time when the last invocation or the init ended."""
    memory: int
    """Bytes in use now, as far as the machine tells."""
    init_failure: Outcome | None
    """How the init failed; None when the runtime asked for its first invocation."""
    dead: bool
    """Its processes are gone; start another."""

    async def invoke(self, invocation: Invocation) -> Outcome:
        """Run the function. Never raises for what the function does: the outcome tells."""
        raise NotImplementedError

    async def stop(self) -> None:
        """SHUTDOWN: extensions are told and given their time, then every process ends."""
