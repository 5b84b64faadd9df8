"""What an environment is made of, what it is asked and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct, field

NEEDS_ROOT = (
    "container images need mount namespaces, which this machine does not let us have, or podman or docker"
    " in their place"
)
ON_DEMAND, PROVISIONED, SNAP_START = "on-demand", "provisioned-concurrency", "snap-start"


class Build(Struct, frozen=True):
    """All that an environment is made of; those with the same `key` are interchangeable."""

    key: str
    runtime: str
    """Lambda's identifier, "python3.12"; "" for an image."""
    handler: str
    code: Path
    """The folder that is /var/task."""
    function_name: str
    function_version: str
    function_arn: str
    layers: tuple[Path, ...] = ()
    """Folders that are merged to /opt, later ones over earlier ones."""
    variables: dict[str, str] = field(default_factory=dict)
    """The environment but what the engine itself sets: AWS_LAMBDA_*, LAMBDA_*, PATH, LANG, TZ, _HANDLER."""
    memory_mb: int = 128
    timeout_s: float = 3.0
    ephemeral_mb: int = 512
    log_group: str = ""
    log_stream: str = ""
    """Given to the function as its name; `Environments.start` may be told another."""
    log_format: str = "Text"
    application_level: str = ""
    """TRACE … FATAL; "" when the function's log format has none."""
    system_level: str = ""
    """DEBUG, INFO or WARN; only with the format JSON."""
    snap_start: bool = False
    init_type: str = ON_DEMAND
    runtime_version_arn: str = ""
    entry_point: tuple[str, ...] = ()
    """The program of an image; `command` are its arguments."""
    command: tuple[str, ...] = ()
    working_directory: str = ""
    endpoint: str = ""
    """The cloud's URL as functions reach it, "http://127.0.0.1:4566"."""
    port: int = 0
    """The port of `endpoint`: served inside the environment's network namespace. 0 for none."""
    image: Path | None = None
    """The root file system of an image, in place of code and layers."""
    image_variables: dict[str, str] = field(default_factory=dict)
    """What the image sets; all else is stronger."""
    credentials_end_at: float = 0.0
    """When the credentials among `variables` end, in cloud time; 0 where there are none."""


class LogLine(NamedTuple):
    """One event of the log stream."""

    timestamp_ms: int
    """Cloud time."""
    text: str


class Invocation(Struct):
    """What an environment is asked."""

    request_id: str
    payload: bytes
    invoked_arn: str = ""
    deadline_ms: int = 0
    """Wall clock; 0: now and the function's timeout."""
    trace_id: str = ""
    client_context: str = ""
    """JSON."""
    identity: str = ""
    """JSON of the Cognito identity."""
    tenant_id: str = ""
    on_chunk: Callable[[bytes], asyncio.Future[None] | None] | None = None
    """Wanted as a stream: called for every part of the answer, which `Outcome.payload` then does not hold.

    The function waits for what it gives back, if it does: whoever reads the answer is behind.
    """
    on_prelude: Callable[[str], None] | None = None
    """Called with the content type before the first part of an answer that is a stream."""


class Outcome(Struct):
    """What became of an invocation."""

    payload: bytes = b""
    """The function's answer, or the document of its error."""
    error: str = ""
    """"" or "Unhandled", as X-Amz-Function-Error tells it."""
    error_type: str = ""
    """As the runtime named it, or ours: Sandbox.Timedout, Runtime.ExitError, Function.ResponseSizeTooLarge …"""
    timed_out: bool = False
    duration_ms: float = 0.0
    init_ms: float | None = None
    """Of the first invocation of an environment that was started on demand."""
    restore_ms: float | None = None
    billed_ms: int = 0
    max_memory_mb: int = 0
    tail: bytes = b""
    """The last 4 KB of this invocation's log."""
    dead: bool = False
    """The environment must be thrown away."""
    content_type: str = "application/json"
    streamed: bool = False
    """The runtime answered with a stream."""
    produced_bytes: int = 0


class RuntimeMissing(Exception):
    """The machine has not got what runs this runtime; the text says how to install it."""


class StartFailed(Exception):
    """The environment could not be made (no sandbox, no process): the machine's fault, not the function's."""
