"""Say whether a cloud is running: where, since when, with which state. Exit code 0 when it is, 3 when not."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from cumulo.cli import configuration, servers
from cumulo.cli.terminal import style


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo status`."""
    configuration.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="the health document as it is")


def run(options: Any) -> int:
    """Print the health of the running cloud."""
    settings = configuration.load(options)
    running = servers.find(settings, options)
    if options.json:
        print(
            json.dumps({"running": running is not None, **({"url": running.url, **running.health} if running else {})})
        )
        return 0 if running else 3
    if running is None:
        print("no cloud is running")
        print(f"  state  {settings.data_dir}" + ("" if servers.is_ours(settings.data_dir) else " (none yet)"))
        return 3
    health = running.health
    print(
        f"{style('running', 'green')}  {running.url}  version {health['version']}, process {running.pid or 'unknown'}"
    )
    print(f"  up     {_duration(float(health.get('uptime_s', 0)))}")
    print(f"  state  {health.get('data_dir', settings.data_dir)}")
    print(f"  {len(health.get('services', {}))} services: {', '.join(sorted(health.get('services', {})))}")
    _print_functions(running.pid, settings.runtimes, settings.isolation)
    return 0


def _print_functions(pid: int | None, stand_ins: dict[str, str], isolation: str) -> None:
    """The runtimes of Lambda's functions that are here, `stand_ins` for some of them, and what keeps functions apart.

    Nothing of the latter about a server of another user, which may be allowed something else.
    """
    from cumulo.engines.containers import engines
    from cumulo.engines.environments import runtimes
    from cumulo.engines.sandboxes.probe import abilities

    runtimes.configure(stand_ins)
    print("  runtimes  " + ", ".join(each.label for each in runtimes.here()))
    if isolation != engines.NAMESPACES:
        print(f"  functions {engines.line(isolation)}")
        return
    try:
        ours = pid is not None and Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
    except OSError:
        ours = pid is not None and sys.platform != "linux"
    for line, name in zip(abilities().lines() if ours else (), ("functions", "", ""), strict=False):
        print(f"  {name:9} {line}")


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"
