"""A process that loads a store until it is killed: run as `python -m tests.crash.store_load URL DIRECTORY NAME SEED`.

Each transaction writes rows that name each other (so that a part of one can be told) and counts in a shared counter.
Each that was acknowledged is then written, unbuffered, to standard output.
"""

import asyncio
import os
import random
import sys
from pathlib import Path
from typing import Any

from cumulo.store import Transaction, open_store

CLIENTS = 6


def work(name: str, number: int, rows: int) -> Any:
    def write(transaction: Transaction) -> None:
        for row in range(rows):
            transaction.put(f"row/{name}/{number:08}/{row}".encode(), b"%d" % rows)
        transaction.put(f"last/{name}/{number % CLIENTS}".encode(), b"%d" % number)
        transaction.delete(f"row/{name}/{number - 10 * CLIENTS:08}/0".encode())
        counter = f"counter/{number % 3}".encode()
        transaction.put(counter, b"%d" % (int(transaction.get(counter) or b"0") + 1))

    return write


async def main(url: str, directory: str, name: str, seed: int) -> None:
    chance = random.Random(seed)
    store = open_store(url, Path(directory), asyncio.get_running_loop())
    os.write(1, b"ready\n")

    async def client(index: int) -> None:
        number = index
        while True:
            await store.run(work(name, number, chance.randint(1, 9)))
            os.write(1, b"%d\n" % number)
            number += CLIENTS

    await asyncio.gather(*(client(index) for index in range(CLIENTS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
