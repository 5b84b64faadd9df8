"""Logs Insights over ten million lines: what typical queries take, on two threads and half a gigabyte.

    python bench/insights.py [--lines 10000000] [--folder /tmp/insights-bench]

Lines lie in files as segments of log groups do (Parquet, zstd, row groups of 20,000 lines); half of them are JSON, half
are plain text. Each query is run once on a connection of its own, as the server does it; wall and processor time in
seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import tempfile
import time
from pathlib import Path

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


def main() -> None:
    """Make the lines, if they are not there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "insights-bench")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    measure(options.folder, make(options.folder, options.lines), options.lines)


if __name__ == "__main__":
    main()
