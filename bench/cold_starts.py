"""A thousand cold starts at once: how long they take, and what everybody else's calls take meanwhile.

    python bench/cold_starts.py [--count 1000] [--hold 60] [--most-ms 50]

Every invocation holds its environment for so many seconds, so that none is used twice: each is a cold start. Beside
them one client asks STS over and over. Prints a line each for the idle and the busy cloud; the exit code is 1 when the
99th percentile of STS is above the bound, when an invocation fails or when an environment served twice. Linux.
"""

import argparse
import asyncio
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import processes
import run
import signed

HANDLER = """import time
def handler(event, context):
    time.sleep(event["hold"])
    return context.log_stream_name
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
PROBE = """
import json, socket, sys, time
host, port = sys.argv[1], int(sys.argv[2])
request = bytes.fromhex(sys.argv[3])
took = []
connection = socket.create_connection((host, port))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print("ready", flush=True)
connection.settimeout(60)
import threading
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
while not done.wait(0.01):
    began = time.perf_counter()
    connection.sendall(request)
    answer = b""
    while b"</GetCallerIdentityResponse>" not in answer:
        part = connection.recv(65536)
        if not part:
            sys.exit("the server hung up: " + repr(answer))
        answer += part
    took.append((time.perf_counter() - began) * 1000)
print(json.dumps(took))
"""


class Probe:
    """Asks STS a hundred times a second, in a process of its own."""

    def __init__(self, server: run.Server) -> None:
        (request,) = signed.sts(server.url)
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", PROBE, "127.0.0.1", str(server.port), request.hex()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def stop(self) -> list[float]:
        """The milliseconds that each call took."""
        output, _ = self._process.communicate("")
        took: list[float] = json.loads(output)
        return took


def percentile(values: list[float], part: float) -> float:
    """The value below which this part of all lies."""
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def create(server: run.Server, memory_mb: int) -> None:
    """The function, and its role."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", HANDLER)
    role = signed.client("iam", server.url).create_role(RoleName="worker", AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]["Arn"]
    aws = signed.client("lambda", server.url)
    aws.create_function(
        FunctionName="sleeper", Runtime=f"python3.{sys.version_info.minor}", Role=role, Handler="index.handler",
        Code={"ZipFile": buffer.getvalue()}, Timeout=900, MemorySize=memory_mb,
    )  # fmt: skip
    aws.get_waiter("function_active_v2").wait(FunctionName="sleeper")


async def invoke(server: run.Server, request: bytes) -> tuple[float, Any]:
    """Seconds until the answer, and the answer."""
    began = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    body = await reader.readexactly(length)
    writer.close()
    return time.perf_counter() - began, (head.split(b" ", 2)[1], json.loads(body))


async def burst(server: run.Server, count: int, hold: float) -> list[tuple[float, Any]]:
    """So many invocations at once."""
    aws = signed.client("lambda", server.url)
    payload = json.dumps({"hold": hold})
    request = signed.catch(aws, "invoke", FunctionName="sleeper", Payload=payload)
    return await asyncio.gather(*(invoke(server, request) for _ in range(count)))


def main() -> int:
    """Measure; 1 when a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--hold", type=float, default=60.0, help="seconds; longer than all starts take")
    parser.add_argument("--memory", type=int, default=128, help="MB of each environment")
    parser.add_argument("--most-ms", type=float, default=50.0, help="for 99 of 100 calls of STS")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cumulo-bench-") as folder:
        server = run.Server("cumulo", Path(folder))
        server.start()
        try:
            server.wait(signed.sts(server.url)[0])
            return measure(server, options)
        finally:
            server.stop()


def measure(server: run.Server, options: argparse.Namespace) -> int:
    """Print what an idle and a busy cloud need."""
    create(server, options.memory)
    asyncio.run(burst(server, 1, 0))
    single = asyncio.run(burst(server, 1, 0))[0][0]
    assert server.process is not None
    probe = Probe(server)
    time.sleep(3)
    idle = probe.stop()
    print(
        f"idle: STS p50 {statistics.median(idle):.1f} ms, p99 {percentile(idle, 0.99):.1f}; warm {single * 1000:.1f} ms"
    )
    probe = Probe(server)
    began = time.perf_counter()
    answers = asyncio.run(burst(server, options.count, options.hold))
    took = probe.stop()
    waits = [seconds - options.hold for seconds, _ in answers]
    failed = [answer for _, answer in answers if answer[0] != b"200" or not isinstance(answer[1], str)]
    streams = {json.dumps(answer[1]) for _, answer in answers}
    print(
        f"busy: STS p50 {statistics.median(took):.1f} ms, p99 {percentile(took, 0.99):.1f}, max {max(took):.1f};"
        f" {options.count} starts in {max(waits):.1f} s, {max(waits) / options.count * 1000:.0f} ms each;"
        f" environments {len(streams)}, failed {len(failed)} {failed[:1] or ''};"
        f" server {processes.rss_mb(server.process.pid):.0f} MB of RSS after {time.perf_counter() - began:.0f} s"
    )
    return int(bool(failed) or len(streams) < options.count or percentile(took, 0.99) > options.most_ms)


if __name__ == "__main__":
    sys.exit(main())
