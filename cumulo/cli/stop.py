"""Stop a running cloud. It finishes what it has begun to answer; its state stays."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers

TIMEOUT_S = 20.0


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo stop`."""
    configuration.add_arguments(parser)


def run(options: Any) -> int:
    """Send SIGTERM and wait until the process is gone."""
    settings = configuration.load(options)
    running = servers.find(settings, options)
    noted = servers.read_pid_file(settings)
    if running is None:
        if options.port:
            print(f"no cloud is running on port {options.port}")
            return 0
        if noted and servers.alive(noted["pid"]) and _is_cumulo(noted["pid"]):
            return stop(noted["pid"])  # there, but not answering
        servers.pid_file(settings).unlink(missing_ok=True)
        print("no cloud is running")
        return 0
    if not running.pid:
        raise Refusal(f"{running.url} does not tell its process id")
    if not servers.alive(running.pid):
        raise Refusal(f"{running.url} runs on another machine or in a container", "stop it there")
    return stop(running.pid)


def stop(pid: int) -> int:
    """End this process; after 20 s of patience, at once."""
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        raise Refusal(f"process {pid} belongs to another user")
    deadline = time.monotonic() + TIMEOUT_S
    while servers.alive(pid) and not _is_zombie(pid):
        if time.monotonic() > deadline:
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            print(f"process {pid} did not stop within {TIMEOUT_S:.0f} s and was killed; nothing answered is lost")
            return 0
        time.sleep(0.02)
    print("stopped")
    return 0


def _is_cumulo(pid: int) -> bool:
    """Whether the process is one of ours, as far as this system tells: a pid file may name a later stranger."""
    try:
        return b"cumulo" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return not Path("/proc/self").is_dir()


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
