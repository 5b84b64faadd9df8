"""What the SQLite store costs: `python bench/store.py [DIRECTORY]`, on the disk that DIRECTORY lies on.

wall: microseconds that pass for each; CPU: of the whole process, the writer's thread included.
"""

import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from cumulo.store import Store, Transaction, open_store
from cumulo.store.keys import pack, prefix_range

VALUE = os.urandom(300)


def key(number: int) -> bytes:
    return pack("sqs.messages", "000000000000", "us-east-1", "orders", number)


def scattered(number: int) -> bytes:
    """The worst case: every row on a page of its own."""
    return key(number * 2654435761 % 2**32)


async def measure(label: str, count: int, run: Callable[[], Awaitable[object]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    await run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{label:44} {count / wall:10.0f}/s {wall / count * 1e6:9.1f} µs wall {cpu / count * 1e6:8.1f} µs CPU")


def writing(rows: int, base: int, key: Callable[[int], bytes]) -> Callable[[Transaction], None]:
    def work(transaction: Transaction) -> None:
        for number in range(base, base + rows):
            transaction.put(key(number), VALUE)

    return work


async def commits(
    store: Store, clients: int, rounds: int, rows: int, base: int, key: Callable[[int], bytes] = key
) -> None:
    async def client(number: int) -> None:
        for turn in range(rounds):
            await store.run(writing(rows, base + (number * rounds + turn) * rows, key))

    await asyncio.gather(*(client(number) for number in range(clients)))


async def main(directory: str) -> None:
    loop = asyncio.get_running_loop()
    data_dir = Path(directory)
    start = time.perf_counter()
    store = open_store("", data_dir / "new", loop)
    print(f"create {(time.perf_counter() - start) * 1e3:.1f} ms", end=", ")
    await store.close()
    start = time.perf_counter()
    store = open_store("", data_dir / "new", loop)
    print(f"open {(time.perf_counter() - start) * 1e3:.1f} ms")

    await measure("commits, 1 client, 1 row", 1000, lambda: commits(store, 1, 1000, 1, 0))
    await measure("commits, 1 client, 4 rows", 1000, lambda: commits(store, 1, 1000, 4, 10_000))
    await measure("commits, 32 clients, 4 rows", 12800, lambda: commits(store, 32, 400, 4, 100_000))
    await measure("scattered, 32 clients, 4 rows", 6400, lambda: commits(store, 32, 200, 4, 1_000_000, scattered))
    await measure("rows, 1 client, 32 a commit", 9600, lambda: commits(store, 1, 300, 32, 200_000))
    await measure("rows, 1 client, 100 a commit", 20000, lambda: commits(store, 1, 200, 100, 300_000))

    async def reads(work: Callable[[Transaction], object], count: int) -> None:
        for _ in range(count):
            store.transact(work, lambda result, failure: None)

    keys = [key(number) for number in range(200_000, 200_300)]
    begin, end = prefix_range(pack("sqs.messages", "000000000000", "us-east-1", "orders"))
    await measure("transactions, empty", 20000, lambda: reads(lambda t: None, 20000))
    await measure("gets, hot", 60000, lambda: reads(lambda t: [t.get(k) for k in keys], 200))
    cold = iter([key(number) for number in range(300_000, 310_000)])
    store.cache.young, store.cache.old = {}, {}  # type: ignore[attr-defined]
    await measure("gets, cold", 10000, lambda: reads(lambda t: t.get(next(cold)), 10000))
    await measure("ranges of 10", 5000, lambda: reads(lambda t: t.range(begin, end, limit=10), 5000))

    def take(transaction: Transaction) -> None:
        for row, _ in transaction.range(begin, end, limit=4):
            transaction.delete(row)

    async def taking(count: int) -> None:
        for _ in range(count):
            await store.run(take)

    await measure("range of 4 and delete, 1 client", 1000, lambda: taking(1000))
    await measure("range of 4 and delete, 32 clients", 12800, lambda: asyncio.gather(*(taking(400) for _ in range(32))))
    size = max(path.stat().st_size for path in (data_dir / "new").glob("*-wal"))
    print(f"journal {size >> 10} KiB, most memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10} MiB")
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as place:
        try:
            import uvloop

            uvloop.run(main(place))
        except ImportError:
            asyncio.run(main(place))
