"""What processes have in memory, as the kernel tells of each: proc_pid_status(5), proc_pid_smaps(5). Python 3.9."""

from __future__ import annotations

from collections.abc import Iterable

OWN = ("Pss_Anon", "Pss_Shmem")
"""Memory that only ends with the processes; a file's pages are the machine's, which takes them back."""

LIST_BYTES = 64 * 1024
"""Of a list of sockets, some six hundred: nobody needs as many, and reading a million would take long."""
ENDLESS = 1 << 50


def figures(pid: int | str, file: str = "status") -> dict[str, int]:
    """The fields of a process that are given in kB, in bytes; none when it has ended."""
    found = {}
    try:
        with open(f"/proc/{pid}/{file}") as lines:  # noqa: PTH123, many times a second
            for line in lines:
                name, _, value = line.partition(":")
                if value.endswith(" kB\n"):
                    found[name] = int(value[:-4]) * 1024
    except OSError:
        pass
    return found


def own_bytes(pids: Iterable[int | str]) -> int | None:
    """What processes have themselves, what forks share counted once; None where the kernel does not tell. Slow."""
    if OWN[0] not in figures("self", "smaps_rollup"):  # before Linux 5.3, and in gVisor
        return None
    shares = [figures(pid, "smaps_rollup") for pid in pids]
    return sum(each.get(name, 0) for each in shares for name in OWN)


def netlink_bytes(pid: int | str) -> int:
    """What waits to be read from the netlink sockets of a process's network: the kernel counts it for nobody.

    Any program may ask for addresses and read no answer, two megabytes of each of its sockets.
    """
    try:
        with open(f"/proc/{pid}/net/netlink", "rb") as file:  # noqa: PTH123
            text = file.read(LIST_BYTES)
    except OSError:
        return 0
    lines = text.splitlines()[1:]
    return ENDLESS if len(text) == LIST_BYTES else sum(int(fields[4]) for fields in map(bytes.split, lines))
