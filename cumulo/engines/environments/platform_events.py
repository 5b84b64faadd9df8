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
        on_event: Callable[[str, Record | str], None],
        is_heard: Callable[[], bool],
    ) -> None:
        """`on_line` is given what the log shows, `on_event` every event while `is_heard`: somebody subscribed."""
        self._build = build
        self._version = version
        self._now = now
        self._on_line = on_line
        self._on_event = on_event
        self._is_heard = is_heard
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

    def extension(self, name: str, events: list[str], error_type: str) -> None:
        """An extension took part in the init."""
        state = "Ready" if not error_type else "RegistrationError"
        record = {"name": name, "state": state, "events": events} | ({"errorType": error_type} if error_type else {})
        text = f"EXTENSION\tName: {name}\tState: {state}\tEvents: [{', '.join(events)}]"
        text += f"\tError Type: {error_type}\n" if error_type else "\n"
        self._write("extension", record, INFO, text)

    def subscription(self, name: str, types: list[str], old: bool) -> None:
        """An extension subscribed to telemetry."""
        record = {"name": name, "state": "Subscribed", "types": types}
        shown = ", ".join(each.capitalize() for each in types)
        text = f"{'LOGS' if old else 'TELEMETRY'}\tName: {name}\tState: Subscribed\tTypes: [{shown}]\n"
        self._write("logsSubscription" if old else "telemetrySubscription", record, INFO, text)

    def start(self, request_id: str, trace_id: str) -> None:
        """START."""
        version = self._build.function_version
        if self._in_words():
            self._on_line(f"START RequestId: {request_id} Version: {version}\n")
            return
        record: Record = {"requestId": request_id, "functionArn": self._build.function_arn, "version": version}
        traced = tracing(trace_id)
        if traced:
            record["tracing"] = traced
        self._write("start", record, INFO, f"START RequestId: {request_id} Version: {version}\n")

    def runtime_done(self, request_id: str, trace_id: str, outcome: Outcome, spans: list[Record]) -> None:
        """The runtime has answered and asked for the next event, or ended."""
        if self._in_words():
            return
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
        self._on_event("platform.fault", text.rstrip("\n"))

    def report(self, request_id: str, trace_id: str, outcome: Outcome) -> None:
        """END and REPORT."""
        if self._in_words():
            self._on_line(f"END RequestId: {request_id}\n")
            self._on_line(self._report_line(request_id, trace_id, outcome))
            return
        if not self._json:
            self._on_line(f"END RequestId: {request_id}\n")
        self._on_event("platform.end", {"requestId": request_id})
        status = status_of(outcome)
        metrics: Record = {
            "durationMs": rounded(outcome.duration_ms),
            "billedDurationMs": outcome.billed_ms,
            "memorySizeMB": self._build.memory_mb,
            "maxMemoryUsedMB": outcome.max_memory_mb,
        }
        if outcome.init_ms is not None:
            metrics["initDurationMs"] = rounded(outcome.init_ms)
        if outcome.restore_ms is not None:
            metrics["restoreDurationMs"] = rounded(outcome.restore_ms)
        record: Record = {"requestId": request_id, "metrics": metrics}
        traced = tracing(trace_id)
        if traced:
            record["tracing"] = traced
        record["status"] = status
        if status in ("error", "failure"):
            record["errorType"] = outcome.error_type
        level = INFO if status == "success" else WARN
        self._write("report", record, level, self._report_line(request_id, trace_id, outcome))

    def _report_line(self, request_id: str, trace_id: str, outcome: Outcome) -> str:
        text = (
            f"REPORT RequestId: {request_id}\tDuration: {outcome.duration_ms:.2f} ms\t"
            f"Billed Duration: {outcome.billed_ms} ms\tMemory Size: {self._build.memory_mb} MB\t"
            f"Max Memory Used: {outcome.max_memory_mb} MB\t"
        )
        if outcome.init_ms is not None:
            text += f"Init Duration: {outcome.init_ms:.2f} ms\t"
        if outcome.restore_ms is not None:
            text += f"Restore Duration: {outcome.restore_ms:.2f} ms\t"
            text += f"Billed Restore Duration: {billed(outcome.restore_ms)} ms\t"
        if outcome.timed_out:
            text += "Status: timeout\t"
        elif outcome.error and outcome.dead:
            text += f"Status: error\tError Type: {outcome.error_type}\t"
        if "Sampled=1" in trace_id:
            parts = dict(part.partition("=")[::2] for part in trace_id.split(";"))
            text += f"\nXRAY TraceId: {parts.get('Root', '')}\tSegmentId: {parts.get('Parent', '')}\tSampled: true\t"
        return text + "\n"

    def _in_words(self) -> bool:
        """Whether only the text log is written, as for most functions: no records then."""
        return not self._json and not self._is_heard()

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
