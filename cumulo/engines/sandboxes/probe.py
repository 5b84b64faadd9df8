"""What this machine offers to keep functions apart, found out by trying."""

from __future__ import annotations

import ctypes
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from msgspec import Struct

from cumulo.engines.sandboxes import filters, groups, templates
from cumulo.engines.sandboxes.enter import Plain

NAMESPACES = ("mount", "pid", "ipc", "uts", "net", "cgroup")
SYS_LANDLOCK_CREATE = 444
TRIAL = Path(__file__).with_name("trial.py")
PACKAGE = Path(__file__).parents[3]
PATIENCE_S = 30.0


class Abilities(Struct, frozen=True):
    """The layers of isolation that work here."""

    namespaces: tuple[str, ...] = ()
    """As `enter` takes them; empty: processes are not separated by namespaces."""
    proc: bool = False
    """A /proc of its own can be mounted."""
    overlay: bool = False
    """Several layers can lie over each other without being copied."""
    own_users: bool = False
    """Each sandbox runs as a user of its own (a server that is root)."""
    seccomp: bool = False
    landlock: int = 0
    """The version of Landlock, 0 for none."""
    groups: int = 0
    """The version of control groups that limit memory, 0 for none."""
    refused: str = ""
    """Why there are no namespaces."""

    @property
    def own_root(self) -> bool:
        """Whether sandboxes have a file system of their own."""
        return "mount" in self.namespaces

    def lines(self) -> list[str]:
        """For people: what keeps functions apart, and what does not."""
        users = "a user of its own" if self.own_users else "the server's user without rights"
        if self.namespaces:
            shown = ", ".join(name for name in self.namespaces if name != "user")
            first = f"namespaces ({shown}), {users}"
        else:
            first = f"plain processes, {users}: no namespaces ({self.refused})"
        fences = [f"Landlock {self.landlock}"] if self.landlock else []
        fences += ["seccomp"] if self.seccomp else []
        memory = f"control groups v{self.groups}" if self.groups else "watching, no control groups"
        return [first, f"fences: {', '.join(fences) or 'none'}", f"memory: {memory}"]


@functools.cache
def abilities() -> Abilities:
    """Try it all, once. Takes some 100 ms and blocks: call it in a thread."""
    if sys.platform != "linux":
        return Abilities(own_users=os.geteuid() == 0, refused=f"{sys.platform} has none")
    root = os.geteuid() == 0
    place = groups.find()
    found = Abilities(
        own_users=root,
        seccomp=bool(filters.program()),
        landlock=landlock_version(),
        groups=place.version if place else 0,
    )
    candidates = [(names, proc) for names in _candidates(root) for proc in (True, False)]
    refused = ""
    with tempfile.TemporaryDirectory(prefix="cumulo-") as folder:
        outcomes = _try(Path(folder), candidates, ("",), root=root)
        for (names, proc), error in zip(candidates, outcomes, strict=True):
            if not error:
                overlay = _try(Path(folder), [(names, proc)], ("first", "second"), root=root) == [""]
                own_users = root and "user" not in names
                return _with(found, names, proc=proc, overlay=overlay, own_users=own_users)
            refused = refused or error
    return _with(found, (), proc=False, overlay=False, own_users=root, refused=refused)


def landlock_version() -> int:
    """The version of Landlock that the kernel speaks, 0 for none. Source: landlock(7)."""
    libc = ctypes.CDLL(None, use_errno=True)
    version: int = libc.syscall(SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    return max(version, 0)


def _candidates(root: bool) -> list[tuple[str, ...]]:
    with_user = ("user", *NAMESPACES)
    return [NAMESPACES, with_user] if root else [with_user]


def _with(
    found: Abilities, names: tuple[str, ...], *, proc: bool, overlay: bool, own_users: bool, refused: str = ""
) -> Abilities:
    return Abilities(
        namespaces=names,
        proc=proc,
        overlay=overlay,
        own_users=own_users,
        seccomp=found.seccomp,
        landlock=found.landlock,
        groups=found.groups,
        refused=refused,
    )


def _try(
    folder: Path, candidates: list[tuple[tuple[str, ...], bool]], layers: tuple[str, ...], *, root: bool
) -> list[str]:
    """The reason of refusal of each candidate, "" where a program ran."""
    folders = [folder / f"layer-{name}" for name in layers]
    for each in (folder / "root", *folders):
        each.mkdir(exist_ok=True)
    spec: Plain = {
        "tmp_bytes": 1 << 20,
        "layers": [str(each) for each in folders],
        "listen": [["tcp", "127.0.0.1", 9001]],
        "cwd": "/",
    }
    made = [templates.template(folder / "root", names, [], [], proc=proc) for names, proc in candidates]
    given = {"templates": made, "spec": spec}
    command = [sys.executable, "-I", "-S", str(TRIAL), str(PACKAGE), json.dumps(given)]
    ran = subprocess.run(command, capture_output=True, timeout=PATIENCE_S, check=False, cwd="/")
    lines = [json.loads(line)["error"] for line in ran.stdout.splitlines()]
    if len(lines) == len(candidates):
        return lines
    reason = ran.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return [reason or "the trial failed"] * len(candidates)
