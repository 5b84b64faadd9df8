"""Control groups: memory that a sandbox may use, how much it used, and a small share of the processors for all of them.

Both versions of the kernel's interface, cgroups(7): the memory controller is in version 1 or 2, whichever this machine
gave it to. As an ordinary user groups can be made where systemd delegates them (`user@.service`). Nothing is assumed:
a place is tried out, and what it refuses is left to `setrlimit` and to watching.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
from pathlib import Path

PROC = Path("/proc")
PREFIX = "cumulo"
SHARES_V1 = 1024
WEIGHT_V2 = 100
"""Of the processors, for all functions together: as much as one ordinary program, so that the server always answers."""
SLACK_BYTES = 8 << 20
"""For the supervisor beside the program, and pages that are counted late: a JVM that tells its OutOfMemoryError, for
one, has 5 MB beside what it counts itself."""

_serial = itertools.count()


class Place:
    """Where groups are made: a folder of the memory controller, and one of the cpu controller where there is one."""

    def __init__(self, version: int, memory: Path, cpu: Path | None) -> None:
        self.version = version
        self.memory = memory
        self.cpu = cpu


class Group:
    """One sandbox's memory group."""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder = folder
        self._version = version

    def limits(self, memory_bytes: int) -> list[tuple[str, int, bool]]:
        """Files, what to write to them, and whether each must be there (kernels without accounting of swap lack some).

        Nothing in the group gets more: the kernel kills what asks for it.
        """
        if self._version == 1:
            return [
                ("memory.limit_in_bytes", memory_bytes, True),
                ("memory.memsw.limit_in_bytes", memory_bytes, False),
                ("memory.kmem.tcp.limit_in_bytes", memory_bytes, False),  # else it is the machine's tcp_mem that fills
            ]
        return [("memory.max", memory_bytes, True), ("memory.swap.max", 0, False)]

    def make(self, memory_bytes: int) -> None:
        """Make it here and now; raises OSError. It may wait for the kernel's other work on groups."""
        self.folder.mkdir()
        for file, value, needed in self.limits(memory_bytes):
            try:
                _write(self.folder / file, value)
            except OSError:
                if needed:
                    raise

    def add(self, pid: int) -> None:
        """Move a process in; nothing if it has ended."""
        with contextlib.suppress(OSError):
            _write(self.folder / "cgroup.procs", pid)

    def usage_bytes(self) -> int:
        """What is charged to the group now, caches and /tmp among it."""
        return _number(self.folder / ("memory.usage_in_bytes" if self._version == 1 else "memory.current"))

    def peak_bytes(self) -> int:
        """The most that was charged at any time."""
        peak = _number(self.folder / ("memory.max_usage_in_bytes" if self._version == 1 else "memory.peak"))
        return peak or self.usage_bytes()  # memory.peak is there since Linux 5.19

    def kept_bytes(self) -> int:
        """What cannot be given back: memory of processes and what is shared in memory, /tmp among it; no caches."""
        statistics = _statistics(self.folder / "memory.stat")
        if self._version == 1:
            return statistics.get("total_rss", 0) + statistics.get("total_shmem", statistics.get("shmem", 0))
        return sum(statistics.get(name, 0) for name in ("anon", "shmem", "kernel_stack", "pagetables"))

    def oom_kills(self) -> int:
        """How many processes the kernel killed because the group was full."""
        file = "memory.oom_control" if self._version == 1 else "memory.events"
        return _statistics(self.folder / file).get("oom_kill", 0)

    def kill(self) -> None:
        """Kill every process of the group."""
        if self._version == 2:
            with contextlib.suppress(OSError):
                _write(self.folder / "cgroup.kill", 1)
                return
        for pid in _pids(self.folder):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> bool:
        """Whether the group is gone; it cannot go while a process is in it."""
        with contextlib.suppress(FileNotFoundError):
            try:
                self.folder.rmdir()
            except OSError:
                return False
        return True


class Groups:
    """The groups of one server; `here` is False where none can be made."""

    def __init__(self, place: Place | None = None) -> None:
        self._place = place
        self._name = server_name()  # a process may have several, as tests do

    @property
    def here(self) -> bool:
        """Whether memory is limited by groups."""
        return self._place is not None

    @property
    def version(self) -> int:
        """1 or 2; 0 without groups."""
        return self._place.version if self._place else 0

    def zygote_files(self) -> list[str]:
        """What a zygote joins, and all its forks with it: the small share of the processors."""
        if self._place is None or self._place.cpu is None:
            return []
        return [f"{self._place.cpu}/{self._name}/cgroup.procs"]

    def open(self) -> None:
        """Find a place and make our folders in it; sweep what servers left that were killed."""
        if self._place is None:
            self._place = find()
        place = self._place
        if place is None:
            return
        sweep(place)
        try:
            _make_parents(place, self._name)
        except OSError:
            self._place = None

    def group(self, name: str) -> Group | None:
        """A group that is still to be made; None where there are none."""
        if self._place is None:
            return None
        return Group(self._place.memory / self._name / name, self._place.version)

    def close(self) -> None:
        """Remove our folders; processes whose memory they limit are killed."""
        if self._place is not None:
            for folder in _folders(self._place):
                _clear(self._place, folder / self._name)


def server_name() -> str:
    """A name for what this server leaves on the machine, by which another sees whether it still runs."""
    return f"{PREFIX}-{_own_name()}-{next(_serial)}"


def is_running(name: str) -> bool:
    """Whether the server that gave a `server_name`, or a name that begins with one, runs; for all we can see."""
    words = name.split("-")
    if len(words) < 4 or words[0] != PREFIX or words[1] != _namespace():
        return True
    return words[2].isdecimal() and bool(words[3]) and _started(words[2]) == words[3]


def of_process(text: str) -> Group | None:
    """The memory group that a process is in, by its /proc/…/cgroup; None where it cannot be read here."""
    own, mounted = _groups_in(text), _mounts()
    for controller, version in (("memory", 1), ("", 2)):
        if own.get(controller, "/") != "/" and controller in mounted:
            group = Group(_below(mounted[controller], own[controller]), version)
            if group.usage_bytes():
                return group
    return None


def find() -> Place | None:
    """Where this process may make groups that limit memory; None when nowhere."""
    own = _own_groups()
    mounts = _mounts()
    if "memory" in own and "memory" in mounts:
        memory = _below(mounts["memory"], own["memory"])
        cpu = _below(mounts["cpu"], own["cpu"]) if "cpu" in own and "cpu" in mounts else None
        place = Place(1, memory, cpu)
        return place if _works(place) else None
    if "" not in own or "" not in mounts:
        return None
    ours = _below(mounts[""], own[""])
    for folder in dict.fromkeys((ours.parent, ours)):  # groups with processes cannot have limited groups below them
        if folder.is_relative_to(Path(mounts[""][1])):
            place = Place(2, folder, folder)
            if _works(place):
                return place
    return None


def sweep(place: Place) -> None:
    """Remove the groups of servers that are gone, in this process's own process namespace only."""
    namespace = _namespace()
    for folder in _folders(place):
        for left in folder.glob(f"{PREFIX}-{namespace}-*-*-*"):
            pid, started = left.name.split("-")[2:4]
            if not pid.isdecimal() or _started(pid) != started:
                _clear(place, left)


def _clear(place: Place, folder: Path) -> None:
    """Remove a server's folder. What only shares its processors ends by itself, and may have to tidy up before."""
    if folder.parent == place.memory:
        remove_tree(folder, place.version)
    else:
        Group(folder, place.version).remove()


def remove_tree(folder: Path, version: int) -> None:
    """Kill what is in a group and the groups below it, and remove them as far as they are empty by then."""
    for each in sorted(folder.glob("**/"), reverse=True):
        group = Group(each, version)
        if each.is_dir() and not group.remove():
            group.kill()
            group.remove()


def _make_parents(place: Place, name: str) -> None:
    for folder in _folders(place):
        (folder / name).mkdir(exist_ok=True)
    if place.version == 1:
        if place.cpu is not None:
            with contextlib.suppress(OSError):
                _write(place.cpu / name / "cpu.shares", SHARES_V1)
        return
    ours = place.memory / name
    for folder in (place.memory, ours):  # systemd has done so above; without it nobody may have, at the root
        for controller in ("+memory", "+cpu"):
            with contextlib.suppress(OSError):
                _write(folder / "cgroup.subtree_control", controller)
    with contextlib.suppress(OSError):
        _write(ours / "cpu.weight", WEIGHT_V2)
    place.cpu = None  # a zygote cannot be in a group that has groups below it


def _works(place: Place) -> bool:
    """Make a limited group and remove it again."""
    name = f"{PREFIX}-{_own_name()}-try{next(_serial)}"
    trial = Place(place.version, place.memory, place.cpu)
    try:
        _make_parents(trial, name)
        Group(place.memory / name / "try", place.version).make(64 << 20)
    except OSError:
        return False
    finally:
        for folder in _folders(place):
            remove_tree(folder / name, place.version)
    return os.access(place.memory / "cgroup.procs", os.W_OK)


def _folders(place: Place) -> list[Path]:
    return [folder for folder in dict.fromkeys((place.memory, place.cpu)) if folder is not None]


def _own_groups() -> dict[str, str]:
    """Controller to path of this process; "" for version 2."""
    return _groups_in(_text(PROC / "self/cgroup"))


def _groups_in(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            found[controller] = path
    return found


def _mounts() -> dict[str, tuple[str, str]]:
    """Controller to (the group that is mounted, where); "" for version 2. Source: proc_pid_mountinfo(5)."""
    found: dict[str, tuple[str, str]] = {}
    for line in _text(PROC / "self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if kind[0] == "cgroup2":
            found.setdefault("", (fields[3], fields[4]))
        elif kind[0] == "cgroup":
            for option in kind[2].split(","):
                found.setdefault(option, (fields[3], fields[4]))
    return found


def _below(mount: tuple[str, str], path: str) -> Path:
    root, where = mount
    inside = path.removeprefix(root.rstrip("/")) if root != "/" else path
    return Path(where + inside.rstrip("/"))


def _own_name() -> str:
    pid = os.getpid()
    return f"{_namespace()}-{pid}-{_started(str(pid))}"


def _namespace() -> str:
    try:
        return str((PROC / "self/ns/pid").stat().st_ino)
    except OSError:
        return "0"


def _started(pid: str) -> str:
    """When a process began, in ticks since the machine did; "" when it is gone."""
    text = _text(PROC / pid / "stat")
    return text.rpartition(")")[2].split()[19] if text else ""


def _pids(folder: Path) -> list[int]:
    return [int(line) for line in _text(folder / "cgroup.procs").split()]


def _statistics(file: Path) -> dict[str, int]:
    found = {}
    for line in _text(file).splitlines():
        name, _, value = line.partition(" ")
        if value.isdecimal():
            found[name] = int(value)
    return found


def _number(file: Path) -> int:
    text = _text(file).strip()
    return int(text) if text.isdecimal() else 0


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _write(file: Path, value: int | str) -> None:
    descriptor = os.open(file, os.O_WRONLY)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)
