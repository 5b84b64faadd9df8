"""All the containers of one server, in place of sandboxes: users, groups, limits, names."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterable
from pathlib import Path

import cumulo
from cumulo.engines.containers import engines
from cumulo.engines.containers.container import Container
from cumulo.engines.sandboxes import filters, groups, templates
from cumulo.engines.sandboxes.enter import Plain
from cumulo.engines.sandboxes.groups import SLACK_BYTES
from cumulo.engines.sandboxes.sandbox import MIB, Limits
from cumulo.engines.sandboxes.sandboxes import OOM_SCORE, Sandboxes

KEEPER = Path(__file__).with_name("keeper.py")
TREE = Path(cumulo.__file__).parents[1]
ENGINE_BYTES = {engines.GVISOR: 256 * MIB}
OTHERS_BYTES = 64 * MIB
"""What a container may use beside its programs and their /tmp: the supervisor, and what its engine takes."""
OWN_GROUPS = (engines.RUNC, engines.CRUN, engines.GVISOR)
"""They are put into groups of ours; the others are told what to limit."""


class Containers:
    """Makes containers by one engine."""

    def __init__(self, folder: Path, sandboxes: Sandboxes, logger: logging.Logger, engine: str) -> None:
        """`folder` is ours; users and groups are those of `sandboxes`."""
        self.engine = engine
        self._folder = folder
        self._sandboxes = sandboxes
        self._logger = logger
        self._server = groups.server_name()
        self._made = 0

    def template(
        self,
        binds: Iterable[tuple[str, str]],
        interpreter: list[str],
        variables: dict[str, str],
        lang: str,
        *,
        image: bool = False,
    ) -> Plain:
        """What a keeper prepares. `interpreter` is the command of the Python inside, `image`: whether roots are images.

        Raises EngineMissing.
        """
        program = engines.find(self.engine)
        made = templates.template(self._folder, (), binds, self._sandboxes.hidden, proc=True)
        made["links"] = [*made["links"], ["/var/lang", lang]]
        return {
            **made,
            "engine": self.engine,
            "engine_program": program,
            "folder": str(self._folder),
            "tree": str(TREE),
            "interpreter": interpreter,
            "variables": variables,
            "server": self._server,
            "image": image,
        }

    def make(
        self,
        limits: Limits,
        binds: Iterable[tuple[str, str]] = (),
        layers: Iterable[str] = (),
        listen: Iterable[tuple[str, str, int]] = (),
        *,
        cwd: str = "/",
        hostname: str = "sandbox",
        names: Plain | None = None,
        image: str = "",
    ) -> Container:
        """A container that is waiting for its relay; see `Sandboxes.make`."""
        self._made += 1
        name = f"{self._server}-{self._made}"
        number = self._sandboxes.numbers.take()
        user = self._user(number)
        slack = ENGINE_BYTES.get(self.engine, OTHERS_BYTES)
        hard_bytes = (limits.memory_mb + limits.ephemeral_mb) * MIB + slack
        group = self._sandboxes.groups.group(name) if self.engine in OWN_GROUPS else None
        listening = [list(each) for each in listen]
        spec: Plain = {
            "container": name,
            "groups": [{"folder": str(group.folder), "files": group.limits(hard_bytes)}] if group else [],
            "memory_bytes": hard_bytes,
            "processes": limits.processes,
            "tmp_bytes": limits.ephemeral_mb * MIB,
            "binds": [list(pair) for pair in binds],
            "layers": list(layers),
            "image": image,
            "listen": listening,
            "hostname": hostname,
            "user": [user, user],
            "files": templates.users(user, user),
            "own_network": True,
            "group_told": self.engine != engines.GVISOR,  # whose programs see groups that are not the machine's
            "supervisor": {
                "listen": listening,
                "names": names,
                "limits": self._limits(limits, in_group=group is not None),
                "oom": OOM_SCORE,
                "seccomp": "" if self.engine == engines.GVISOR else base64.b64encode(filters.program()).decode(),
                "cwd": cwd,
                "memory_bytes": limits.memory_mb * MIB + SLACK_BYTES,
            },
        }
        made = Container(name, spec, limits, group, lambda: self._freed(name, number))
        self._sandboxes.keep(made)
        return made

    def _freed(self, name: str, number: int) -> None:
        self._sandboxes.let_go(name)
        self._sandboxes.numbers.give(number)

    def _user(self, number: int) -> int:
        """Who programs are inside: a user of their own, or the server's user where that is not root.

        The engines of ordinary users show it as root, without its rights; docker's daemon, which is root, as it is.
        """
        if os.geteuid() == 0:
            return number
        return os.geteuid() if self.engine == engines.DOCKER else 0

    def _limits(self, limits: Limits, *, in_group: bool) -> Plain:
        made: Plain = {"nofile": limits.files, "nproc": limits.processes}
        if not in_group and (self.engine in OWN_GROUPS or os.geteuid() != 0):
            made["data"] = (limits.memory_mb + 256) * MIB
        return made
