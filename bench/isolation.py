"""Cold starts and warm calls of a Python function under each kind of isolation.

    python bench/isolation.py [namespaces podman docker runc crun gvisor] [--cold 10] [--warm 500]

Environments alone, without a server before them: the time from the wish for an environment until its function is
ready, one after the other, and of calls of that function. Prints the medians of each kind. Linux.
"""

import argparse
import asyncio
import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

from cumulo.engines.containers.engines import ISOLATIONS
from cumulo.engines.environments.builds import Build, Invocation
from cumulo.engines.environments.environments import Environments

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f"
REQUEST = "00000000-0000-4000-8000-000000000001"


async def measure(isolation: str, folder: Path, cold: int, warm: int) -> tuple[float, float]:
    """Milliseconds of a cold start and of a warm call."""
    code = folder / "code"
    code.mkdir()
    (code / "index.py").write_text("def handler(event, context):\n    return event\n")
    runtime = f"python3.{sys.version_info.minor}"
    build = Build("k", runtime, "index.handler", code, "f", "$LATEST", ARN, memory_mb=256)
    homes = Environments(folder / "state", logging.getLogger(), time.time, time.time, isolation=isolation)
    starts, calls = [], []
    try:
        await (await homes.start(build, lambda _: None)).stop()  # makes what all of them share
        for number in range(cold):
            began = time.perf_counter()
            environment = await homes.start(build, lambda _: None)
            starts.append(time.perf_counter() - began)
            if number + 1 < cold:
                await environment.stop()
        for _ in range(warm):
            began = time.perf_counter()
            outcome = await environment.invoke(Invocation(REQUEST, b'{"a": 1}'))
            calls.append(time.perf_counter() - began)
            assert outcome.payload == b'{"a": 1}', outcome
    finally:
        await homes.close()
    return statistics.median(starts) * 1000, statistics.median(calls) * 1000


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(ISOLATIONS))
    parser.add_argument("--cold", type=int, default=10)
    parser.add_argument("--warm", type=int, default=500)
    options = parser.parse_args()
    for isolation in options.kinds:
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            cold, warm = asyncio.run(measure(isolation, Path(name), options.cold, options.warm))
        print(f"{isolation:10}  cold {cold:6.0f} ms  warm {warm:6.2f} ms", flush=True)


if __name__ == "__main__":
    main()
