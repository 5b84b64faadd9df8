"""What starts containers for a server: a zygote (environments/guest/zygote.py has the messages) that forks relays.

Started as `python -I keeper.py <descriptor> <folder of cumulo> {}`. "prepare" takes what `Containers.template` gives.
"""

from __future__ import annotations

import os
import socket
import sys
from typing import Any, NoReturn

if __name__ == "__main__":
    sys.path.append(sys.argv[2])

from cumulo.engines.containers.launchers import Failed, Launcher, launcher
from cumulo.engines.containers.relay import Relay
from cumulo.engines.environments.guest import forking


class Keeper:
    """What it makes containers with, as soon as that is prepared."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._launcher: Launcher | None = None

    def prepare(self, template: dict[str, Any]) -> str:
        """Make what all containers share; the reason why not."""
        try:
            chosen = launcher(template)
            chosen.prepare()
        except (Failed, OSError) as error:
            return str(error)
        self._launcher = chosen
        return ""

    def become(self, message: dict[str, Any], descriptors: list[int]) -> NoReturn:
        """Be the relay of a container, which notices itself when the server is gone."""
        self._server.close()
        assert self._launcher is not None
        control, log, *others = descriptors
        program = message["program"]
        given = dict(zip(program["keep"], others))  # noqa: B905, zip() has no `strict` before 3.10
        Relay(self._launcher, socket.socket(fileno=control), message["sandbox"], program).run(log, given.get("go", -1))


if __name__ == "__main__":
    os.nice(5)
    _server = socket.socket(fileno=int(sys.argv[1]))
    _keeper = Keeper(_server)
    forking.serve(_server, _keeper.prepare, _keeper.become)
