"""A private view of the file system for one program (Linux's user and mount namespaces, namespaces(7))."""

import ctypes
import os
from pathlib import Path

from cumulo.engines.environments.aws_names import BUNDLES

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000

NAME_CACHES = ("/run/nscd", "/var/run/nscd")


def enter(bundle: Path, folder: Path) -> str:
    """Move this process into a namespace where the bundle lies over the distribution's; "" or why it was not possible.

    `folder` is ours, for the files that are laid over the system's. The user keeps uid and gid; as root no user
    namespace is needed. Called in the child before it executes the program.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    if not (uid == 0 and libc.unshare(CLONE_NEWNS) == 0):
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0:
            return f"no private mount namespace ({os.strerror(ctypes.get_errno())})"
        try:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        except OSError as error:
            return f"no user namespace ({error.strerror})"

    def mount(source: str | None, target: str, flags: int) -> bool:
        result: int = libc.mount(source and source.encode(), target.encode(), None, flags, None)
        return result == 0

    if not mount(None, "/", MS_REC | MS_PRIVATE):
        return f"no private mounts ({os.strerror(ctypes.get_errno())})"
    failed = [
        path
        for path in sorted({os.path.realpath(name) for name in BUNDLES if Path(name).exists()})
        if not mount(str(bundle), path, MS_BIND)
    ]
    for path in sorted({os.path.realpath(name) for name in NAME_CACHES if Path(name).is_dir()}):
        mount(str(folder / "empty"), path, MS_BIND)  # a cache of names outside would answer before us
    switch = folder / "nsswitch.conf"
    if switch.exists():
        mount(str(switch), "/etc/nsswitch.conf", MS_BIND)
    return f"cannot lay our certificates over {', '.join(failed)}" if failed else ""


def prepare(folder: Path) -> None:
    """Write what `enter` lays over the system's files: names come from files and DNS, not from a daemon outside."""
    (folder / "empty").mkdir(parents=True, exist_ok=True)
    try:
        lines = Path("/etc/nsswitch.conf").read_text().splitlines()
    except OSError:
        return
    ours = ["hosts: files dns" if line.startswith("hosts:") else line for line in lines]
    if any("resolve" in line or "mdns" in line for line in lines if line.startswith("hosts:")):
        (folder / "nsswitch.conf").write_text("\n".join(ours) + "\n")
