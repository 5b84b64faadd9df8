"""Logs Insights over ten million lines: what typical queries take, on two threads and half a gigabyte.

    python bench/insights.py [--lines 10000000] [--folder /tmp/insights-bench] [--served]

Lines lie in files as segments of log groups do (Parquet, zstd, row groups of 20,000 lines); half of them are JSON, half
are plain text. Each query is run once on a connection of its own, as the server does it; wall and processor time in
seconds. `--served` starts a server, puts all lines with PutLogEvents, and runs the queries with StartQuery: processor
time is the server's then.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cumulo.engines.duckdb import Session
from cumulo.services.operations.logs.query import grammar
from cumulo.services.operations.logs.query.compiling import Times
from cumulo.services.operations.logs.query.execution import Execution, Work
from cumulo.services.operations.logs.query.planning import GroupRows

START_MS = 1_700_000_000_000
STEP_MS = 10
FILE_LINES = 200_000

QUERIES = (
    "fields @timestamp, @message | sort @timestamp desc | limit 20",
    "filter @message like /ERROR/ | stats count(*) as errors by bin(5m)",
    "filter @message like 'timeout' | fields @timestamp, @message | limit 100",
    "stats count(*) by @logStream",
    "parse @message 'took * ms for *' as took, who | stats avg(took), pct(took, 99), count(*) by bin(1h)",
    r"parse @message /took (?<took>\d+) ms/ | stats max(took) by bin(1h)",
    "filter level = 'ERROR' | stats count(*), avg(latency) by status",
    "filter status >= 500 and user.id = 7 | fields @timestamp, requestId, latency | sort latency desc | limit 20",
    "stats count_distinct(requestId) by bin(1d)",
    "filter ispresent(level) | dedup user.id | limit 100",
    "filter @message like /ERROR/ | pattern @message",
)


def make(folder: Path, lines: int) -> list[Path]:
    """Files with so many lines."""
    files = []
    session = Session(folder)
    for number in range(0, lines, FILE_LINES):
        target = folder / f"segment-{lines}-{number}.parquet"
        files.append(target)
        if target.exists():
            continue
        document = (
            """'{"level":"' || CASE WHEN i % 50 = 0 THEN 'ERROR' WHEN i % 7 = 0 THEN 'WARN' ELSE 'INFO' END"""
            """ || '","status":' || (CASE WHEN i % 50 = 0 THEN 500 ELSE 200 + i % 5 END) || ',"latency":'"""
            """ || (hash(i) % 10000) / 10.0 || ',"requestId":"' || md5(CAST(i AS VARCHAR)) || '","user":{"id":'"""
            """ || hash(i * 7) % 1000 || ',"name":"bob"},"path":"/api/v1/items/' || hash(i * 3) % 5000 || '"}'"""
        )
        text = (
            "CASE WHEN i % 100 = 1 THEN 'ERROR timeout' ELSE 'INFO done' END || ' took ' || hash(i) % 3000"
            " || ' ms for customer-' || hash(i * 5) % 10000 || ' on host web-' || i % 40"
        )
        session.execute(
            f"COPY (SELECT {START_MS} + i * {STEP_MS} AS ts, (i << 14)::UBIGINT AS seq, (i % 16)::UBIGINT AS sid,"
            f" 'stream-' || i % 16 AS stream, CASE WHEN i % 2 = 0 THEN {document} ELSE {text} END AS message,"
            f" {START_MS} + i * {STEP_MS} + 40 AS ingested FROM range({number}, {min(number + FILE_LINES, lines)}) t(i)"
            f" ORDER BY sid, ts, seq) TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20000)"
        )
    session.close()
    return files


def measure(folder: Path, files: list[Path], lines: int) -> None:
    """Run the queries and print what they took."""
    listed = ", ".join(f"'{path}'" for path in files)
    columns = "ts, ingested, stream, message, seq, sid"
    sql = f"(SELECT {columns} FROM read_parquet([{listed}]))"
    size = sum(path.stat().st_size for path in files)
    print(f"{lines:,} lines, {size / 1e6:.0f} MB in {len(files)} files")
    for text in QUERIES:
        query = grammar.parse(text)
        times = Times(START_MS, START_MS, START_MS + lines * STEP_MS)
        work = Work(query, times, {id(query): [GroupRows("000000000000:/bench", "00", sql)]})
        scratch = Path(tempfile.mkdtemp(dir=folder))
        before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        outcome = Execution(scratch, (folder,), work).run()
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        shutil.rmtree(scratch)
        print(f"{wall:7.2f} s {cpu:7.2f} s cpu {len(outcome.rows):6} rows {outcome.matched:9} matched  {text}")
    print(json.dumps({"peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}))


# --- through a server ---------------------------------------------------------------------------

GROUP, BATCH_BYTES = "/bench/lines", 1_000_000


def message(number: int) -> str:
    """A line of the kinds that `make` writes."""
    if number % 2:
        kind = "ERROR timeout" if number % 100 == 1 else "INFO done"
        who, took = number * 5 % 10_007, number * 31 % 3001
        return f"{kind} took {took} ms for customer-{who} on host web-{number % 40}"
    level = "ERROR" if number % 50 == 0 else "WARN" if number % 7 == 0 else "INFO"
    status = 500 if number % 50 == 0 else 200 + number % 5
    request = hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
    return (
        f'{{"level":"{level}","status":{status},"latency":{number * 37 % 10_009 / 10},"requestId":"{request}",'
        f'"user":{{"id":{number * 7 % 1009},"name":"bob"}},"path":"/api/v1/items/{number * 3 % 5003}"}}'
    )


def batches(lines: int, start_ms: int) -> Iterator[list[dict[str, Any]]]:
    """Batches of a megabyte at most, as PutLogEvents takes them."""
    events: list[dict[str, Any]] = []
    size = 0
    for number in range(lines):
        text = message(number)
        size += len(text) + 26
        if size > BATCH_BYTES or len(events) == 10_000:
            yield events
            events, size = [], len(text) + 26
        events.append({"timestamp": start_ms + number // 1000, "message": text})
    yield events


def processor_s(pid: int) -> float:
    """Processor seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def served(folder: Path, lines: int) -> None:
    """Put all lines, and run the queries, through a server."""
    import boto3
    from botocore.config import Config

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    data = Path(tempfile.mkdtemp(dir=folder))
    program = [sys.executable, "-P", "-m", "cumulo", "start", "--port", str(port), "--data-dir", str(data)]
    server = subprocess.Popen([*program, "--log-level", "error"], start_new_session=True)
    config = Config(parameter_validation=False, retries={"max_attempts": 10}, read_timeout=600)
    logs = boto3.client(
        "logs",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    try:
        logs.create_log_group(logGroupName=GROUP)
        streams = [f"stream-{number}" for number in range(16)]
        for name in streams:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=name)
        start_ms = int(time.time() * 1000) - 4 * 3_600_000
        began, before = time.perf_counter(), processor_s(server.pid)
        for number, events in enumerate(batches(lines, start_ms)):
            logs.put_log_events(logGroupName=GROUP, logStreamName=streams[number % 16], logEvents=events)
        wall, cpu = time.perf_counter() - began, processor_s(server.pid) - before
        print(f"{wall:7.2f} s {cpu:7.2f} s cpu  {lines:,} lines put", flush=True)
        _settle(server.pid)
        print(f"{processor_s(server.pid) - before - cpu:17.2f} s cpu  to make the rest into segments", flush=True)
        for text in QUERIES:
            _ask(logs, server.pid, text, start_ms)
        peak = next(line for line in Path(f"/proc/{server.pid}/status").read_text().splitlines() if "VmHWM" in line)
        print(peak)
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(data)


def _settle(pid: int) -> None:
    """Wait until the server has nothing to do."""
    while True:
        before = processor_s(pid)
        time.sleep(3)
        if processor_s(pid) - before < 0.1:
            return


def _ask(logs: Any, pid: int, text: str, start_ms: int) -> None:
    began, before = time.perf_counter(), processor_s(pid)
    query = logs.start_query(
        logGroupName=GROUP,
        queryString=text,
        startTime=start_ms // 1000,
        endTime=start_ms // 1000 + 4 * 3600,
    )["queryId"]
    while (answer := logs.get_query_results(queryId=query))["status"] in ("Scheduled", "Running"):
        time.sleep(0.02)
    wall, cpu = time.perf_counter() - began, processor_s(pid) - before
    matched = answer["statistics"]["recordsMatched"]
    rows = len(answer["results"])
    print(f"{wall:7.2f} s {cpu:7.2f} s cpu {rows:6} rows {matched:9.0f} matched  {text}", flush=True)


def main() -> None:
    """Make the lines, if they are not there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "insights-bench")
    parser.add_argument("--served", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    if options.served:
        served(options.folder, options.lines)
        return
    measure(options.folder, make(options.folder, options.lines), options.lines)


if __name__ == "__main__":
    main()
