"""How fast cumulo is, in figures that neighbours on the machine do not change: CPU of the server per request.

    make bench                       # cumulo alone; and ministack, when `build/venv/bin/pip install ministack` was done
    make bench ARGS="--rounds 5 --connections 32"

Real requests of boto3, signed, are sent again by wrk, in rounds that alternate between the servers. Every cumulo runs
as delivered: signatures and policies checked, every change on disk before its answer. Linux; needs wrk.
"""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import processes
import signed

READY_TIMEOUT_S = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """One contestant: how to start it, and the running process."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in the foreground, in a session of its own."""
        environment = {**os.environ, "GATEWAY_PORT": str(self.port)}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once, not at every start
        if self.name == "cumulo":
            program = [sys.executable, "-P", "-m", "cumulo", "start", "--port", str(self.port)]
            command = [*program, "--data-dir", str(self.folder / "data"), "--log-level", "error"]
            environment.pop("GATEWAY_PORT")
        else:
            command = [str(Path(sys.executable).with_name("ministack"))]
        self.process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self.process is not None
        return self.process.pid

    def ask(self, request: bytes) -> bool:
        """Whether it answers this request with 2xx."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(30)
                connection.sendall(request)
                return connection.recv(4096)[9:10] == b"2"
        except OSError:
            return False

    def wait(self, request: bytes) -> float:
        """Seconds until it first answers."""
        begun = time.perf_counter()
        while not self.ask(request):
            if time.perf_counter() - begun > READY_TIMEOUT_S or (self.process and self.process.poll() is not None):
                raise SystemExit(f"{self.name} does not start")
            time.sleep(0.005)
        return time.perf_counter() - begun

    def stop(self) -> None:
        """End it, and what it started."""
        assert self.process is not None
        os.killpg(self.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait()


def measure_start(servers: list[Server], rounds: int) -> dict[str, dict[str, float]]:
    """First answer (ms), CPU until then (ms), idle memory three seconds later (MiB): medians."""
    rows: dict[str, list[tuple[float, float, float]]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            request = signed.sts(server.url)[0]
            server.start()
            ready_ms = server.wait(request) * 1000
            cpu_ms = processes.cpu_us(server.pid) / 1000
            time.sleep(3)
            rows[server.name].append((ready_ms, cpu_ms, processes.rss_mb(server.pid)))
            server.stop()
    names = ("ready_ms", "cpu_ms", "idle_mb")
    return {
        name: dict(zip(names, (statistics.median(column) for column in zip(*figures, strict=True)), strict=True))
        for name, figures in rows.items()
    }


def load(server: Server, script: Path, connections: int, seconds: float) -> tuple[float, float, float, float]:
    """Requests per second, server CPU per request (µs), p99 (ms) and the share that failed."""
    before = processes.cpu_us(server.pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s", "-s", str(script)]
    output = subprocess.run([*command, server.url], capture_output=True, text=True, check=True).stdout
    count, duration_us, failed, _, p99_us = (int(field) for field in output.rpartition("RESULT")[2].split()[:5])
    cpu = (processes.cpu_us(server.pid) - before) / max(1, count)
    return count / (duration_us / 1e6), cpu, p99_us / 1000, failed / max(1, count)


def measure_load(servers: list[Server], options: argparse.Namespace, folder: Path) -> dict[str, dict[str, list[float]]]:
    """Per operation and server the medians of `load` over all rounds."""
    results: dict[str, dict[str, list[float]]] = {}
    for operation in options.operations.split(","):
        scripts = {}
        for server in servers:
            scripts[server.name] = folder / f"{server.name}-{operation}.lua"
            requests = signed.OPERATIONS[operation](server.url)
            if not server.ask(requests[0]):
                raise SystemExit(f"{server.name} refuses {operation}")
            signed.write_script(requests, scripts[server.name])
        figures: dict[str, list[tuple[float, float, float, float]]] = {server.name: [] for server in servers}
        for _ in range(options.rounds):
            for server in servers:
                figures[server.name].append(load(server, scripts[server.name], options.connections, options.seconds))
        results[operation] = {
            name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in figures.items()
        }
        show_operation(operation, results[operation])
    return results


def transfer(server: Server, request: bytes, wanted: int) -> tuple[float, float]:
    """MB per second and server CPU (ms per GB) of one request that sends or fetches LARGE_B bytes."""
    before, begun = processes.cpu_us(server.pid), time.perf_counter()
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(120)
        connection.sendall(request)
        room = memoryview(bytearray(1 << 20))
        received = connection.recv_into(room)
        if bytes(room[9:10]) != b"2":
            raise SystemExit(f"{server.name}: {bytes(room[:200])!r}")
        while received < wanted:
            count = connection.recv_into(room)
            if not count:
                raise SystemExit(f"{server.name}: the answer ends too early")
            received += count
    gigabytes = signed.LARGE_B / 1e9
    seconds = time.perf_counter() - begun
    return gigabytes * 1000 / seconds, (processes.cpu_us(server.pid) - before) / 1000 / gigabytes


def measure_large(servers: list[Server], rounds: int) -> dict[str, dict[str, list[float]]]:
    """64 MiB up and down: MB/s and server CPU per GB, medians; and memory afterwards (MiB)."""
    requests = {server.name: signed.s3large(server.url) for server in servers}
    figures: dict[str, dict[str, list[tuple[float, float]]]] = {"up": {}, "down": {}}
    for number in range(rounds + 1):
        for server in servers:
            for way, request, wanted in zip(("up", "down"), requests[server.name], (1, signed.LARGE_B), strict=True):
                measured = transfer(server, request, wanted)
                if number:  # the first warms up
                    figures[way].setdefault(server.name, []).append(measured)
    results: dict[str, dict[str, list[float]]] = {}
    for way, rows in figures.items():
        results[way] = {
            name: [statistics.median(column) for column in zip(*row, strict=True)] for name, row in rows.items()
        }
        for name, (speed, cpu_ms) in results[way].items():
            print(f"64 MiB {way:4} {name:10} {speed:7.0f} MB/s {cpu_ms:8.0f} ms CPU per GB", flush=True)
    for server in servers:
        print(f"after 64 MiB {server.name:10} {processes.rss_mb(server.pid):6.1f} MiB", flush=True)
    return results


def show_operation(operation: str, figures: dict[str, list[float]]) -> None:
    """One line per server, and cumulo's ratio to its peer."""
    for name, (per_second, cpu_us, p99_ms, failed) in figures.items():
        line = f"{operation:8} {name:10} {per_second:8.0f} requests/s {cpu_us:8.1f} µs CPU p99 {p99_ms:7.2f} ms"
        print(line + (f"  {failed:.1%} FAILED" if failed else ""), flush=True)
    if len(figures) == 2:
        ours, theirs = figures["cumulo"], next(row for name, row in figures.items() if name != "cumulo")
        print(f"{operation:8} cumulo: {ours[0] / theirs[0]:.1f} x the requests, {ours[1] / theirs[1]:.3f} x the CPU")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="per round, operation and server")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--operations", default=",".join(signed.OPERATIONS))
    parser.add_argument("--large", action="store_true", help="objects of 64 MiB, too")
    parser.add_argument("--alone", action="store_true", help="without the peer, even when it is installed")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        raise SystemExit("needs wrk (apt install wrk, brew install wrk)")
    names = ["cumulo"]
    if not options.alone and importlib.util.find_spec("ministack") is not None:
        names.append("ministack")
    with tempfile.TemporaryDirectory(prefix="cumulo-bench-") as name:
        folder = Path(name)
        servers = [Server(name, folder) for name in names]
        starts = measure_start(servers, options.rounds)
        for name, row in starts.items():
            print(
                f"start    {name:10} first answer {row['ready_ms']:6.0f} ms, CPU {row['cpu_ms']:6.0f} ms, "
                f"idle {row['idle_mb']:6.1f} MiB",
                flush=True,
            )
        for server in servers:
            server.start()
            server.wait(signed.sts(server.url)[0])
        try:
            loads = measure_load(servers, options, folder)
            large = measure_large(servers, options.rounds) if options.large else {}
        finally:
            for server in servers:
                server.stop()
    if options.json:
        options.json.write_text(json.dumps({"start": starts, "load": loads, "large": large}, indent=2))


if __name__ == "__main__":
    main()
