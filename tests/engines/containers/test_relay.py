"""What a relay passes on of what comes from a container: a function may have got hold of its supervisor's link."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.containers.launchers import Launcher
from cumulo.engines.containers.relay import Relay

SPEC = {"container": "cumulo-1", "listen": [["tcp", "127.0.0.1", 9001]]}


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Any]:
    """Has the relay hear a message; gives what the server is told, None for nothing."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    launcher = Launcher({"engine_program": "none", "folder": str(tmp_path)})
    relay = Relay(launcher, theirs, SPEC, {})

    def hear(message: dict[str, Any]) -> Any:
        relay._hear(json.dumps(message).encode())
        try:
            data, descriptors, _, _ = socket.recv_fds(ours, 65536, 4)
        except BlockingIOError:
            return None
        for each in descriptors:
            os.close(each)
        return json.loads(data)

    with ours, theirs:
        yield hear


def test_no_process_is_named_by_a_container(heard: Any) -> None:
    assert heard({"pid": 1}) is None
    assert heard({"exit": "runtime", "status": 9, "peak": 5, "pid": 1}) == {"exit": "runtime", "status": 9, "peak": 5}
    assert heard({"memory": 7, "peak": 8, "pid": 1}) == {"memory": 7, "peak": 8}
    assert heard({"what": "ever"}) is None


def test_where_it_listens_is_not_for_a_container_to_say(heard: Any) -> None:
    said = heard({"ready": True, "addresses": [["10.0.0.1", 22]], "group": "0::/", "pid": 1})
    assert said == {"ready": True, "addresses": [["127.0.0.1", 9001]], "group": "0::/"}
    assert heard({"ready": True, "addresses": [], "group": ""}) is None


def test_what_is_no_number_ends_it(heard: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        heard({"exit": "runtime", "status": "many"})
