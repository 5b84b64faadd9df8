"""What Lambda itself writes about an environment: events, as lines of text or JSON and for the Telemetry API.

Source: AWS Lambda Developer Guide, "Lambda Telemetry API Event schema reference", "Viewing CloudWatch logs for Lambda
functions" and "Log-level filtering": the mapping of events to system log levels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cumulo.engines.environments.builds import Build, Outcome

Record = dict[str, Any]
DEBUG, INFO, WARN = "DEBUG", "INFO", "WARN"
_WEIGHT = {DEBUG: 0, INFO: 1, WARN: 2}


def iso(seconds: float) -> str:
    """2022-10-12T00:00:15.064Z."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rounded(milliseconds: float) -> float:
    """Two digits, as REPORT shows them."""
    return round(milliseconds, 2)


def tracing(trace_id: str) -> Record | None:
    """The tracing context of an event."""
    if "Root=" not in trace_id:
        return None
    parts = dict(part.partition("=")[::2] for part in trace_id.split(";"))
    return {"spanId": parts.get("Parent", ""), "type": "X-Amzn-Trace-Id", "value": trace_id}


class PlatformEvents:
    """Writes the events of one environment."""

    def __init__(
        self,
        build: Build,
        version: str,
        now: Callable[[], float],
        on_line: Callable[[str], None],
        on_event: Callable[[str, Record], None],
    ) -> None:
        """`on_line` is given what the log shows, `on_event` every event, for those who subscribed to telemetry."""
        self._build = build
        self._version = version
        self._now = now
        self._on_line = on_line
        self._on_event = on_event
        self._json = build.log_format == "JSON"
        self._least = _WEIGHT.get(build.system_level or INFO, 1)

    def init_start(self, phase: str) -> None:
        """INIT_START; RESTORE_START of a snapshot is its own."""
        arn = self._build.runtime_version_arn
        record = {"initializationType": self._build.init_type, "phase": phase}
        if self._version:
            record |= {"runtimeVersion": self._version, "runtimeVersionArn": arn}
        record |= {"functionName": self._build.function_name, "functionVersion": self._build.function_version}
        text = f"INIT_START Runtime Version: {self._version}\tRuntime Version ARN: {arn}\n" if self._version else ""
        self._write("initStart", record, INFO, text)

    def init_runtime_done(self, phase: str, status: str, error_type: str) -> None:
        """The runtime asked for its first event, or failed to."""
        record = {"initializationType": self._build.init_type, "phase": phase, "status": status}
        if error_type:
            record["errorType"] = error_type
        self._write("initRuntimeDone", record, DEBUG if status == "success" else WARN, "")

    def init_report(self, phase: str, status: str, error_type: str, duration_ms: float) -> None:
        """INIT_REPORT: the text log shows only those that failed."""
        record: Record = {"initializationType": self._build.init_type, "phase": phase, "status": status}
        if error_type:
            record["errorType"] = error_type
        record["metrics"] = {"durationMs": rounded(duration_ms)}
        text = ""
        if status != "success":
            text = f"INIT_REPORT Init Duration: {duration_ms:.2f} ms\tPhase: {phase}\tStatus: {status}"
            text += f"\tError Type: {error_type}\n" if status == "error" else "\n"
        self._write("initReport", record, INFO if status == "success" else WARN, text)

    def restore_start(self) -> None:
        """RESTORE_START: a snapshot is resumed."""
        arn = self._build.runtime_version_arn
        record = {"runtimeVersion": self._version, "runtimeVersionArn": arn}
        record |= {"functionName": self._build.function_name, "functionVersion": self._build.function_version}
        text = f"RESTORE_START Runtime Version: {self._version}\tRuntime Version ARN: {arn}\n"
        self._write("restoreStart", record, INFO, text)

    def restore_runtime_done(self, status: str, error_type: str) -> None:
        """The hooks after the restore have run."""
        record = {"status": status} | ({"errorType": error_type} if error_type else {})
        self._write("restoreRuntimeDone", record, DEBUG if status == "success" else WARN, "")

    def restore_report(self, status: str, error_type: str, duration_ms: float) -> None:
        """RESTORE_REPORT."""
        record: Record = {"status": status} | ({"errorType": error_type} if error_type else {})
        record["metrics"] = {"durationMs": rounded(duration_ms)}
        text = f"RESTORE_REPORT Restore Duration: {duration_ms:.2f} ms"
        if status != "success":
            text += f"\tStatus: {status}" + (f"\tError Type: {error_type}" if error_type else "")
        self._write("restoreReport", record, INFO if status == "success" else WARN, text + "\n")

    def start(self, request_id: str, trace_id: str) -> None:
        """START."""
        version = self._build.function_version
        record: Record = {"requestId": request_id, "functionArn": self._build.function_arn, "version": version}
        traced = tracing(trace_id)
        if traced:
            record["tracing"] = traced
        self._write("start", record, INFO, f"START RequestId: {request_id} Version: {version}\n")

    def runtime_done(self, request_id: str, trace_id: str, outcome: Outcome, spans: list[Record]) -> None:
        """The runtime has answered and asked for the next event, or ended."""
        status = status_of(outcome)
        record: Record = {"requestId": request_id, "status": status}
        if status in ("error", "failure"):
            record["errorType"] = outcome.error_type
        traced = tracing(trace_id)
        if traced:
            record["tracing"] = traced
        record["spans"] = spans
        record["metrics"] = {"durationMs": rounded(outcome.duration_ms), "producedBytes": outcome.produced_bytes}
        self._write("runtimeDone", record, DEBUG if status == "success" else WARN, "")

    def fault(self, text: str) -> None:
        """What ended an invocation from outside: a time-out, an exit. JSON logs have it in their reports."""
        if not self._json:
            self._on_line(text)
        self._on_event("fault", {"text": text})

    def report(self, request_id: str, trace_id: str, outcome: Outcome) -> None:
        """END and REPORT."""
        status = status_of(outcome)
        metrics: Record = {
            "durationMs": rounded(outcome.duration_ms),
            "billedDurationMs": outcome.billed_ms,
            "memorySizeMB": self._build.memory_mb,
            "maxMemoryUsedMB": outcome.max_memory_mb,
        }
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {outcome.duration_ms:.2f} ms",
            f"Billed Duration: {outcome.billed_ms} ms",
            f"Memory Size: {self._build.memory_mb} MB",
            f"Max Memory Used: {outcome.max_memory_mb} MB",
        ]
        if outcome.init_ms is not None:
            metrics["initDurationMs"] = rounded(outcome.init_ms)
            fields.append(f"Init Duration: {outcome.init_ms:.2f} ms")
        if outcome.restore_ms is not None:
            metrics["restoreDurationMs"] = rounded(outcome.restore_ms)
            fields.append(f"Restore Duration: {outcome.restore_ms:.2f} ms")
        record: Record = {"requestId": request_id, "metrics": metrics}
        traced = tracing(trace_id)
        if traced:
            record["tracing"] = traced
        record["status"] = status
        if status in ("error", "failure"):
            record["errorType"] = outcome.error_type
        if outcome.timed_out:
            fields.append("Status: timeout")
        elif status == "failure":
            fields.append(f"Status: error\tError Type: {outcome.error_type}")
        text = f"END RequestId: {request_id}\n"
        if not self._json:
            self._on_line(text)
        text = "\t".join(fields) + "\t\n"
        self._write("report", record, INFO if status == "success" else WARN, text)

    def _write(self, name: str, record: Record, level: str, text: str) -> None:
        self._on_event(f"platform.{name}", record)
        if not self._json:
            if text:
                self._on_line(text)
        elif _WEIGHT[level] >= self._least:
            self._on_line(json.dumps({"time": iso(self._now()), "type": f"platform.{name}", "record": record}) + "\n")


def status_of(outcome: Outcome) -> str:
    """success, error, failure (the runtime ended) or timeout."""
    if outcome.timed_out:
        return "timeout"
    if not outcome.error:
        return "success"
    return "failure" if outcome.dead else "error"


def billed(milliseconds: float) -> int:
    """Begun milliseconds."""
    return max(1, math.ceil(milliseconds))
