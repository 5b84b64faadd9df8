"""kill -9 under load: what was acknowledged is there, and of no transaction a part."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.crash.store_load import CLIENTS
from tests.postgres_server import PostgresServer
from tests.store.conftest import Stand

ROUNDS = 24


def start(url: str, data_dir: Path, name: str, seed: int) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, "-m", "tests.crash.store_load", url, str(data_dir), name, str(seed)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def kill(process: "subprocess.Popen[bytes]") -> set[int]:
    """The numbers of the transactions that were acknowledged before the process died."""
    process.kill()
    output, _ = process.communicate()
    return {int(line) for line in output.split(b"\n")[:-1]}


def check(stored: dict[bytes, bytes], acknowledged: dict[str, set[int]]) -> int:
    """How many transactions are there; fails when one that was acknowledged is not, or a part of one is."""
    count = 0
    for name, numbers in acknowledged.items():
        found: dict[int, dict[int, int]] = {}
        for key, value in stored.items():
            if key.startswith(f"row/{name}/".encode()):
                _, _, number, row = key.decode().split("/")
                found.setdefault(int(number), {})[int(row)] = int(value)
        last = {index: int(stored.get(f"last/{name}/{index}".encode(), b"-1")) for index in range(CLIENTS)}
        present = {number for index in range(CLIENTS) for number in range(index, last[index] + 1, CLIENTS)}
        assert numbers <= present, "an acknowledged transaction is lost"
        assert set(found) <= present, "a transaction is there without its mark"
        for number in present:
            rows = found.get(number, {})
            first = 1 if number + 10 * CLIENTS in present else 0  # the later one removed the first row
            size = next(iter(rows.values()), 1)
            assert sorted(rows) == list(range(first, size)), f"transaction {number} is there in part"
        count += len(present)
    counted = sum(int(value) for key, value in stored.items() if key.startswith(b"counter/"))
    assert counted == count, "the counters lost or repeated some"
    return count


def test_sqlite_killed_under_load(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    chance = random.Random(seed)
    acknowledged: dict[str, set[int]] = {}
    for round_ in range(ROUNDS):
        name = f"r{round_}"
        process = start("", tmp_path, name, chance.randrange(1 << 30))
        time.sleep(chance.random() * 0.25)
        acknowledged[name] = kill(process)
        if round_ % 6 == 5:
            stand = Stand("", tmp_path)
            check(stand.everything(), acknowledged)
            stand.close()
    stand = Stand("", tmp_path)
    assert check(stand.everything(), acknowledged) > ROUNDS * 5
    stand.close()


@pytest.mark.interpreted
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_write_and_commit(tmp_path: Path, moment: str) -> None:
    """The process dies when a batch is in the journal but not committed, or committed but nobody was told."""
    code = f"""
import asyncio, os, pathlib, sys
from cumulo.store import open_store
async def main():
    store = open_store("", pathlib.Path(sys.argv[1]), asyncio.get_running_loop())
    await store.run(lambda t: t.put(b"first", b"1"))
    appliance = store._writer._appliance
    apply = appliance.apply
    def dying(batch):
        if "{moment}" == "before":
            appliance.connection.execute("PRAGMA cache_size = 1")  # spills into the journal
            appliance.connection.execute("BEGIN IMMEDIATE")
            appliance.connection.executemany("INSERT INTO main.kv VALUES (?, ?)", batch.writes.items())
        else:
            apply(batch)
        os.kill(os.getpid(), 9)
    appliance.apply = dying
    await store.run(lambda t: [t.put(b"%06d" % n, bytes(1000)) for n in range(2000)])
asyncio.run(main())
"""
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=False)
    assert child.returncode == -9, child.stderr
    if moment == "before":
        assert (tmp_path / "state.db-wal").stat().st_size > 1_000_000
    stand = Stand("", tmp_path)
    assert len(stand.everything()) == (1 if moment == "before" else 2001)
    stand.close()


@pytest.mark.postgres
def test_two_nodes_one_killed(postgres: PostgresServer, tmp_path: Path) -> None:
    """Two processes on one PostgreSQL, both under load; one is killed again and again, the other goes on."""
    url = postgres.create_database()
    seed = int.from_bytes(os.urandom(4), "big")
    print("seed", seed)
    chance = random.Random(seed)
    acknowledged: dict[str, set[int]] = {}
    steady = start(url, tmp_path, "steady", 1)
    for round_ in range(4):
        name = f"r{round_}"
        process = start(url, tmp_path, name, chance.randrange(1 << 30))
        time.sleep(0.3 + chance.random())
        acknowledged[name] = kill(process)
    acknowledged["steady"] = kill(steady)
    stand = Stand(url, tmp_path)
    check(stand.everything(), acknowledged)
    assert all(acknowledged.values())
    stand.close()
