"""Delete all state: every queue, topic, object and key. A running cloud is stopped first."""

import shutil
import sys
from pathlib import Path
from typing import Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.stop import stop
from cumulo.cli.terminal import confirm

KEPT = (servers.MARKER, "init", "ca")  # the person's hooks, and the CA that their browser may trust


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo reset`."""
    configuration.add_arguments(parser)
    parser.add_argument("--yes", "-y", action="store_true", help="do not ask")


def run(options: Any) -> int:
    """Ask, stop what runs, delete what is in the data directory, keep the directory and its marker."""
    settings = configuration.load(options)
    data_dir = settings.data_dir
    if not data_dir.exists():
        print(f"nothing to delete: there is no {data_dir}")
        return 0
    if not servers.is_ours(data_dir):
        raise Refusal(
            f"{data_dir} does not carry the marker of a cumulo directory; nothing was deleted",
            "if it is the right one, delete it yourself",
        )
    if settings.store.startswith("postgres"):
        raise Refusal(
            "the state is in PostgreSQL, which other processes may share; nothing was deleted",
            "drop and create that database, then `cumulo start`",
        )
    running = servers.find(settings)
    ours = running is not None and (servers.read_pid_file(settings) or {}).get("pid") == running.pid
    if not options.yes and not confirm(f"delete everything in {data_dir}?"):
        raise Refusal("nothing was deleted", "" if sys.stdin.isatty() else "add --yes to delete without being asked")
    if ours and running is not None:
        stop(running.pid)
    delete(data_dir)
    print(f"deleted all state in {data_dir}")
    if ours:
        print("start it again with `cumulo start`")
    return 0


def delete(data_dir: Path) -> None:
    """Empty the directory. The marker stays until the end, so that an interrupted reset can be run again."""
    for entry in data_dir.iterdir():
        if entry.name in KEPT:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
