"""All the sandboxes of one server: users, groups, limits, and the watch over memory."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from cumulo.engines.sandboxes import filters, templates, user_processes
from cumulo.engines.sandboxes.enter import Plain
from cumulo.engines.sandboxes.groups import SLACK_BYTES, Groups
from cumulo.engines.sandboxes.layers import merge
from cumulo.engines.sandboxes.probe import Abilities, abilities
from cumulo.engines.sandboxes.sandbox import MIB, RUNTIME, Limits, Sandbox

FIRST_USER = 1_900_000_000
"""Systemd's "Users, Groups, UIDs and GIDs" leaves 1879048192 to 2147483647 unused."""
USERS_PER_SERVER = 10_000
WATCH_S = 0.1
"""How often memory is looked at while an invocation runs."""
LOOKS_PER_LIST, MOST_LISTS = 4, 8
"""How many of these looks there are for one at what sockets hold; and of how many sandboxes at most in each look: it
takes a quarter of a millisecond, and a thousand may be at work."""
ROUND_S, PARTS = 2.0, 8
"""How long a look at all others takes, and in how many parts it comes where they are many."""
OOM_SCORE = 500
NICENESS = 5
MOST_FILES = 65536
DATA_SLACK_BYTES = 256 * MIB
"""Without groups: of what interpreters map and never touch."""


class Sandboxes:
    """Makes sandboxes. `open` first: it finds out what the machine offers."""

    def __init__(self, folder: Path, logger: logging.Logger, hidden: Iterable[Path] = ()) -> None:
        """`folder` is ours, in the state directory; `hidden`: folders that no sandbox may see, whatever is bound."""
        self._folder = folder
        self._logger = logger
        self.hidden = [str(path) for path in hidden]
        self.groups = Groups()
        self.numbers = _Numbers(FIRST_USER + zlib.crc32(str(folder).encode()) % 10_000 * USERS_PER_SERVER)
        self._made = 0
        self._shown: set[str] = set()
        self._living: dict[str, Sandbox] = {}
        self._working: dict[str, Sandbox] = {}
        self._watch: asyncio.TimerHandle | None = None
        self._round: asyncio.TimerHandle | None = None
        self._unseen: list[str] = []
        self._looking = False
        self._looks = 0
        self._merging: dict[str, asyncio.Future[None]] = {}
        self._opening: asyncio.Future[Abilities] | None = None
        self.abilities = Abilities()
        self._processes_seen = False

    async def open(self) -> Abilities:
        """Find out, once, what keeps sandboxes apart here; what is missing is said in the log."""
        if self._opening is None:
            self._opening = asyncio.ensure_future(asyncio.to_thread(self._open))
        self.abilities = await asyncio.shield(self._opening)
        return self.abilities

    def _open(self) -> Abilities:
        found = abilities()
        self.groups.open()
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "root").mkdir(parents=True)
        if not found.namespaces:
            self._logger.warning(
                "functions are plain processes that can see each other and the machine: no namespaces (%s)",
                found.refused,
            )
            self._processes_seen = user_processes.all_seen()
        _raise_file_limit()
        if not self.groups.here:
            self._logger.info("no control groups: the memory of functions is watched instead")
        return found

    def template(self, binds: Iterable[tuple[str, str]] = ()) -> Plain:
        """What a zygote prepares. `binds`: (outside, inside) that its programs need beside the system's folders."""
        names = self.abilities.namespaces
        binds = list(binds)
        self._shown.update(outside for outside, _ in binds)
        if not self.abilities.own_root:
            return {"root": "", "namespaces": list(names), "proc": False}
        return templates.template(self._folder / "root", names, binds, self.hidden, proc=self.abilities.proc)

    def stacked(self, layers: Sequence[str], *, merged: bool = False) -> list[str]:
        """The folders to give to `make` for these layers: a merged one where the machine cannot overlay them."""
        if len(layers) < 2 or (self.abilities.own_root and self.abilities.overlay and not merged):
            return list(layers)
        key = hashlib.sha256("\0".join(layers).encode()).hexdigest()[:32]
        return [str(self._folder / f"layers-{key}")]

    async def stack(self, layers: Sequence[str], *, merged: bool = False) -> None:
        """Make what `stacked` names. Raises OSError."""
        (into, *others) = self.stacked(layers, merged=merged) or [""]
        if others or into in ("", *layers):
            return
        merging = self._merging.get(into)
        if merging is None:
            merging = self._merging[into] = asyncio.ensure_future(asyncio.to_thread(merge, list(layers), Path(into)))
            merging.add_done_callback(lambda done: done.exception() and self._merging.pop(into, None))
        await asyncio.shield(merging)

    def zygote_groups(self) -> list[str]:
        """The cgroup.procs files that a zygote writes 0 to."""
        return self.groups.zygote_files()

    def make(
        self,
        limits: Limits,
        binds: Iterable[tuple[str, str]] = (),
        layers: Iterable[str] = (),
        listen: Iterable[tuple[str, str, int]] = (),
        *,
        cwd: str = "/",
        nested: bool = False,
        inside: bool = False,
        hostname: str = "sandbox",
        names: Plain | None = None,
        image: str = "",
    ) -> Sandbox:
        """A sandbox that is waiting for its process. Raises OSError when the machine refuses a group.

        `image`: a folder that is the root, in place of the system's folders; only where sandboxes have a root.

        `nested`: forks of its program will enter sandboxes; `inside`: it is entered by such a fork, whose user and
        files it keeps; it joins its group when it is ready. `names`: what a name server inside knows, see `enter`.
        """
        self._made += 1
        name = str(self._made)
        number = self.numbers.take()
        hard_bytes = (limits.memory_mb + limits.ephemeral_mb) * MIB + SLACK_BYTES
        group = self.groups.group(name)
        if group is not None and inside:
            try:
                group.make(hard_bytes)
            except OSError:
                self.numbers.give(number)
                raise
        shown = [list(pair) for pair in binds]
        spec: Plain = {
            # The fork makes its group: that waits, at times, for what the kernel does to other groups.
            "groups": [{"folder": str(group.folder), "files": group.limits(hard_bytes)}] if group else [],
            "tmp_bytes": limits.ephemeral_mb * MIB,
            "binds": shown,
            "layers": list(layers),
            "image": image,
            "listen": [list(each) for each in listen],
            "names": names if "net" in self.abilities.namespaces else None,
            "limits": self._limits(limits, in_group=group is not None),
            "nice": NICENESS,
            "oom": OOM_SCORE,
            "seccomp": base64.b64encode(self._filter(nested=nested, counted=group is not None)).decode(),
            "cwd": cwd,
            "hostname": hostname,
            "own_network": "net" in self.abilities.namespaces,
            "own_processes": "pid" in self.abilities.namespaces,
        }
        own_user = self.abilities.own_users and (self.abilities.own_root or self._all_reachable(spec))
        if own_user:
            spec["uid"] = spec["gid"] = number
        elif os.geteuid() == 0:
            spec["limits"].pop("nproc", None)  # which does not hold for root: they are counted instead
        if self.abilities.own_root:
            spec["files"] = templates.users(*((number, number) if own_user else (os.geteuid(), os.getegid())))
        else:
            spec["tmp"] = self._tmp(name, number if own_user else os.geteuid())
        spec["landlock"] = None if nested else self._landlock(spec)
        if inside:
            spec |= {"groups": [], "files": {}, "binds": [], "layers": [], "nice": 0, "oom": None}
            spec["uid"] = spec["gid"] = None
            spec["inside"] = True
        made = Sandbox(name, spec, limits, group, lambda: self._freed(name, number))
        self.keep(made)
        return made

    def keep(self, sandbox: Sandbox) -> None:
        """Look at it at times from now on, until it is `let_go`: programs may go on when nobody waits for them."""
        self._living[sandbox.name] = sandbox
        self._round_on()

    def let_go(self, name: str) -> None:
        """It has ended."""
        self._living.pop(name, None)
        self._working.pop(name, None)

    def working(self, sandbox: Sandbox, at_work: bool) -> None:
        """Watch a sandbox's memory while it is at work."""
        sandbox.watch(at_work)
        if not at_work:
            self._working.pop(sandbox.name, None)
            return
        self._working[sandbox.name] = sandbox
        self._watch_on()

    def _watch_on(self) -> None:
        if self._watch is None and not self._looking and self._working:
            self._watch = asyncio.get_running_loop().call_later(WATCH_S, self._look)

    def close(self) -> None:
        """Remove the groups; sandboxes that are left end."""
        for timer in (self._watch, self._round):
            if timer is not None:
                timer.cancel()
        self._watch = self._round = None
        self.groups.close()

    def _look(self) -> None:
        self._watch = None
        sandboxes = list(self._working.values())
        count = min(-(-len(sandboxes) // LOOKS_PER_LIST), MOST_LISTS)
        listed = [sandboxes[(self._looks + number) % len(sandboxes)] for number in range(count)]
        self._looks += count
        if self.groups.here:
            self._looked(_over_limit(sandboxes, listed))
            return
        self._looking = True
        self._look_aside(sandboxes, listed, self._looked)

    def _looked(self, over: list[Sandbox]) -> None:
        self._looking = False
        self._judge(over)
        self._watch_on()

    def _round_on(self) -> None:
        if self._round is None and self._living:
            wait_s = ROUND_S / min(len(self._living), PARTS)
            self._round = asyncio.get_running_loop().call_later(wait_s, self._look_around)

    def _look_around(self) -> None:
        """At a part of those that do nothing now."""
        self._unseen = self._unseen or list(self._living)
        count = -(-len(self._living) // PARTS)
        names, self._unseen = self._unseen[:count], self._unseen[count:]
        sandboxes = [self._living[name] for name in names if name in self._living and name not in self._working]
        self._look_aside(sandboxes, sandboxes, self._looked_around)

    def _looked_around(self, over: list[Sandbox]) -> None:
        self._round = None
        self._judge(over)
        self._round_on()

    def _look_aside(
        self, sandboxes: list[Sandbox], listed: list[Sandbox], then: Callable[[list[Sandbox]], None]
    ) -> None:
        """In a thread: without groups it means to read of every process, of which there may be many."""
        looking = asyncio.get_running_loop().run_in_executor(None, _over_limit, sandboxes, listed)
        looking.add_done_callback(lambda done: None if done.cancelled() else then(done.result()))

    def _judge(self, over: list[Sandbox]) -> None:
        for sandbox in over:
            if not sandbox.exceeded:
                self._working.pop(sandbox.name, None)
                sandbox.exceeded = True
                sandbox.kill_groups()
                sandbox.signal(RUNTIME, signal.SIGKILL)
            elif sandbox.left_behind:
                sandbox.kill()

    def _freed(self, name: str, number: int) -> None:
        self.let_go(name)
        self.numbers.give(number)
        if not self.abilities.own_root:
            _remove_soon(self._folder / f"tmp-{name}")

    def _limits(self, limits: Limits, *, in_group: bool) -> Plain:
        made: Plain = {"nofile": limits.files}
        if not self.abilities.own_root:
            made["fsize"] = limits.ephemeral_mb * MIB  # of one file: a folder has no size that could be held
        if self.abilities.own_users or "user" in self.abilities.namespaces:
            made["nproc"] = limits.processes  # counted by user, in its namespace
        elif self._processes_seen:
            made["nproc"] = limits.processes + user_processes.count()  # the server's own count too
        if not in_group and sys.platform == "linux":
            made["data"] = limits.memory_mb * MIB + DATA_SLACK_BYTES
        return made

    def _filter(self, *, nested: bool, counted: bool) -> bytes:
        return filters.program(nested=nested, shared="pid" not in self.abilities.namespaces, counted=counted)

    def _landlock(self, spec: Plain) -> Plain | None:
        if not self.abilities.landlock:
            return None
        if self.abilities.own_root:
            return {"read": None, "write": ["/tmp", "/proc", "/dev"], "connect": None}
        shown = [*(outside for outside, _ in spec["binds"]), *spec["layers"], *self._shown]
        return {
            "read": [*templates.readable(), "/proc", "/dev/urandom", "/dev/random", "/dev/zero", "/dev/full", *shown],
            "write": ["/dev/null", spec["tmp"]],
            "connect": [],
        }

    def _all_reachable(self, spec: Plain) -> bool:
        """Whether another user gets to all it needs; with folders under a closed home it must stay the server's."""
        shown = {*(outside for outside, _ in spec["binds"]), *spec["layers"], *self._shown, str(self._folder)}
        return all(_is_open(folder) for path in shown for folder in (Path(path), *Path(path).parents))

    def _tmp(self, name: str, owner: int) -> str:
        folder = self._folder / f"tmp-{name}"
        folder.mkdir(mode=0o700)
        if owner != os.geteuid():
            shutil.chown(folder, owner, owner)
        return str(folder)


def _remove_soon(folder: Path) -> None:
    """In a thread: a function may have left a million files, or folders in folders a thousand deep."""
    try:
        asyncio.get_running_loop().run_in_executor(None, remove, folder)
    except RuntimeError:  # there is no loop any more
        remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder of a function's, whatever it has made of it. Blocks."""
    for command in (("chmod", "-R", "u+rwX"), ("rm", "-rf")):  # not shutil, whose recursion ends before the folders do
        with contextlib.suppress(OSError):
            subprocess.run([*command, "--", str(folder)], capture_output=True, check=False)


def _over_limit(sandboxes: list[Sandbox], listed: list[Sandbox]) -> list[Sandbox]:
    """Those that use more than they may; what the sockets of the `listed` ones hold is looked at, too."""
    with_sockets = set(listed)
    return [sandbox for sandbox in sandboxes if sandbox.over_limit(sockets=sandbox in with_sockets)]


def _raise_file_limit() -> None:
    """Each sandbox is some ten descriptors of the server's: 1,024, the usual limit, would be a hundred sandboxes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False


class _Numbers:
    """User ids that no living sandbox has."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._free: list[int] = []

    def take(self) -> int:
        if self._free:
            return self._free.pop()
        self._next += 1
        return self._next - 1

    def give(self, number: int) -> None:
        self._free.append(number)
