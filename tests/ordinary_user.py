"""Run a command as a user without rights, from tests that run as root: `python ordinary_user.py UID COMMAND…`.

The interpreter and this tree may lie in root's home, which others cannot enter: they are shown to the command in a
mount namespace of its own, where the folders above them are open.
"""

import ctypes
import os
import stat
import sys
from pathlib import Path

MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
CLONE_NEWNS = 0x00020000
TREE = Path(__file__).parents[1]
FIRST, MANY = 61_000, 4_000  # users that nobody is, by systemd's "Users, Groups, UIDs and GIDs"


def nobody() -> int:
    """A user of this process's own: the kernel counts the processes of each, and hostile tests make many of them."""
    return FIRST + os.getpid() % MANY


def needed() -> list[Path]:
    """What the command must be able to read."""
    paths = {Path(sys.base_prefix), Path(sys.prefix), TREE}
    real = {path.resolve() for path in paths}
    return sorted(paths | real)


def closed(path: Path) -> Path | None:
    """The highest folder above a path that others cannot enter."""
    for parent in reversed(path.parents):
        if not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None


def open_the_way(libc: ctypes.CDLL) -> None:
    """Cover closed folders with open ones that hold only what is needed."""

    def mount(source: str, target: Path, kind: bytes | None, flags: int, options: bytes | None = None) -> None:
        if libc.mount(source.encode(), str(target).encode(), kind, flags, options) != 0:
            raise OSError(ctypes.get_errno(), f"mount at {target}")

    covered: dict[Path, list[Path]] = {}
    for path in needed():
        above = closed(path)
        if above is not None:
            covered.setdefault(above, []).append(path)
    for folder, paths in covered.items():
        opened = [(path, os.open(path, os.O_PATH)) for path in paths]
        mount("open", folder, b"tmpfs", 0, b"mode=755,size=1m")
        for path, descriptor in opened:
            path.mkdir(parents=True, exist_ok=True)
            mount(f"/proc/self/fd/{descriptor}", path, None, MS_BIND | MS_REC)
            os.close(descriptor)


def main() -> None:
    """Become the user and run the command."""
    uid = int(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")
    open_the_way(libc)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    os.umask(0o022)
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
