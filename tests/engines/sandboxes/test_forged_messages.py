"""What a snapshot's function may say in our processes' place: it has their sockets, and it says anything."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from cumulo.engines.environments.zygotes import MOST_AT_ONCE, Forker, pair
from cumulo.engines.sandboxes import listeners
from cumulo.engines.sandboxes.sandbox import Limits, Sandbox, SandboxFailed

WORDS: list[Any] = [
    1, [], "x", {"ready": True}, {"ready": True, "addresses": [["a", "b"]]}, {"ready": True, "addresses": 3},
    {"ready": True, "addresses": [["127.0.0.1", 9001]]}, {"exit": "runtime", "status": "x", "peak": "y"}, {"pid": "x"},
    {"connected": []},
]  # fmt: skip


def sandbox() -> Sandbox:
    """Not "inside": its process would be the one that sends, which is this one, and it would be killed."""
    return Sandbox("1", {"limits": {}, "own_processes": True}, Limits(), None, lambda: None)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("word", WORDS, ids=json.dumps)
def test_nonsense_ends_the_sandbox_alone(word: Any) -> None:
    """And no descriptor that came with it stays open."""

    async def main() -> None:
        made = sandbox()
        theirs = made.theirs.dup()
        made.handed_over()
        read, write = os.pipe()
        socket.send_fds(theirs, [json.dumps(word).encode()], [write, write, write])
        os.close(write)
        await asyncio.sleep(0.02)
        theirs.close()
        await asyncio.sleep(0.02)
        assert os.read(read, 1) == b"", "the writing end is closed"
        os.close(read)
        with pytest.raises(SandboxFailed):
            await asyncio.wait_for(made.ready(), 5)

    asyncio.run(main())


def test_being_ready_twice_leaves_nothing_open() -> None:
    async def main() -> None:
        made = sandbox()
        theirs = made.theirs.dup()
        made.handed_over()
        before = descriptors()
        with socket.create_server(("127.0.0.1", 0)) as one:
            word = json.dumps({"ready": True, "addresses": [["127.0.0.1", 9001]]}).encode()
            for _ in range(50):
                socket.send_fds(theirs, [word], [one.fileno()])
                await asyncio.sleep(0)
            (listening,) = await made.ready()
            await asyncio.sleep(0.05)
            listening.close()
        assert descriptors() <= before + 1
        made.kill()
        theirs.close()

    asyncio.run(main())


def test_a_forker_that_never_stops_talking_does_not_keep_the_loop() -> None:
    async def main() -> None:
        ours, theirs = pair()
        forker = Forker("a snapshot")
        forker.attach(ours)
        theirs.setblocking(False)
        sent = 0
        try:
            while True:
                theirs.send(json.dumps({"forked": sent, "pid": 1}).encode())
                sent += 1
        except BlockingIOError:
            pass
        assert sent > MOST_AT_ONCE
        forker._readable()
        assert not forker._said, "nobody asked"
        with pytest.raises(BlockingIOError):
            while True:
                theirs.send(b"x" * 100)
        for _ in range(100):
            await asyncio.sleep(0)
        assert not forker.alive, "it said what means nothing"
        theirs.close()

    asyncio.run(main())


def test_only_who_listens_itself_is_connected_to(tmp_path: Path) -> None:
    """Where the network is the machine's a function could have its telemetry sent to any service on it."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        assert listeners.is_theirs(port, [os.getpid()])
        assert not listeners.is_theirs(port, [os.getppid()])
        assert not listeners.is_theirs(port, [])
    assert not listeners.is_theirs(port, [os.getpid()])
