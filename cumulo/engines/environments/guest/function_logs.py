"""What Python functions write: `logging` in both formats, and records that keep their lines together.

Source: AWS Lambda Developer Guide, "Log and monitor Python Lambda functions" and "Configuring advanced logging
controls"; the formats and the frames of awslambdaric 4.2.
"""

from __future__ import annotations

import json
import logging
import os
import time
import traceback
from typing import Any

TIME = "%Y-%m-%dT%H:%M:%SZ"
TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
FRAME = 0xA55A0003  # "text, level unknown"
LEVELS = {logging.DEBUG: 2, logging.INFO: 3, logging.WARNING: 4, logging.ERROR: 5, logging.CRITICAL: 6}
OWN_FIELDS = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) - {"taskName"} | {
    "aws_request_id", "tenant_id", "_frame_type",
}  # fmt: skip
_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


def frame_type(level: int, as_json: bool) -> int:
    """The number that a record begins with: 0xA55A, the level, whether it is JSON."""
    return 0xA55A0000 | LEVELS.get(level, 0) << 2 | (2 if as_json else 3)


class Sink:
    """Writes records, each whole, to the descriptor that the platform gave."""

    def __init__(self, descriptor: int, as_json: bool) -> None:
        self._descriptor = descriptor
        self._as_json = as_json

    def log(self, message: str, frame: int = FRAME) -> None:
        """One record, lines and all. Raises UnicodeEncodeError for lone surrogates."""
        encoded = message.encode()
        data = b"".join(
            (
                frame.to_bytes(4, "big"),
                len(encoded).to_bytes(4, "big"),
                (time.time_ns() // 1000).to_bytes(8, "big"),
                encoded,
            )
        )
        written = os.write(self._descriptor, data)
        while written < len(data):
            written += os.write(self._descriptor, data[written:])

    def log_error(self, document: dict[str, Any]) -> None:
        """An error that ended an invocation or the init."""
        kind = frame_type(logging.ERROR, self._as_json)
        if self._as_json:
            stamp = time.strftime(TIME, time.gmtime())
            self.log(_encode({"timestamp": stamp, "level": "ERROR", **document}), kind)
            return
        head = "[ERROR]"
        if document["errorType"]:
            head += f" {document['errorType']}"
        if document["errorMessage"]:
            head += (":" if document["errorType"] else "") + f" {document['errorMessage']}"
        lines = [head, "Traceback (most recent call last):"]
        for element in document["stackTrace"]:
            lines += [_indented(line) for line in element.splitlines()] or [""]
        self.log("\n".join(lines), kind)


def _indented(line: str) -> str:
    """Lines begin with no-break spaces, else the console would drop them."""
    text = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(text)) + text


class LambdaLoggerFilter(logging.Filter):
    """Puts the request's id into every record."""

    request_id = ""
    tenant_id: str | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep all."""
        record.aws_request_id = self.request_id
        record.tenant_id = self.tenant_id
        return True


class LambdaLoggerHandler(logging.Handler):
    """Sends records to the sink. Libraries know it by its name."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self.log_sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        self.log_sink.log(self.format(record))


class LambdaLoggerHandlerWithFrameType(logging.Handler):
    """Sends records and their levels to the sink."""

    def __init__(self, sink: Sink, as_json: bool) -> None:
        super().__init__()
        self.log_sink = sink
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        level = min(50, max(0, record.levelno)) // 10 * 10
        self.log_sink.log(self.format(record), frame_type(level, self._as_json))


class JsonFormatter(logging.Formatter):
    """The JSON log format."""

    def __init__(self) -> None:
        super().__init__(datefmt=TIME)

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object and a newline."""
        record.levelno = min(50, max(0, record.levelno)) // 10 * 10
        record.levelname = logging.getLevelName(record.levelno)
        error = record.exc_info
        own_words = isinstance(record.msg, dict) and not record.args
        result = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.msg if own_words else record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(error[2]) if error else None,
            "errorType": error[0].__name__ if error and error[0] else None,
            "errorMessage": str(error[1]) if error else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if error else None,
            "tenantId": getattr(record, "tenant_id", None),
        }
        for name, value in record.__dict__.items():
            if name not in OWN_FIELDS and name not in result:
                result[name] = value
        return _encode({name: value for name, value in result.items() if value is not None}) + "\n"


def install(descriptor: int) -> tuple[Sink, LambdaLoggerFilter]:
    """Make `logging` write as Lambda does, by the environment's AWS_LAMBDA_LOG_FORMAT and AWS_LAMBDA_LOG_LEVEL."""
    as_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    sink, numbered = Sink(descriptor, as_json), LambdaLoggerFilter()
    levelled = as_json or bool(level)
    handler = LambdaLoggerHandlerWithFrameType(sink, as_json) if levelled else LambdaLoggerHandler(sink)
    handler.setFormatter(JsonFormatter() if as_json else logging.Formatter(TEXT, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(numbered)
    logging.Formatter.converter = time.gmtime
    root = logging.getLogger()
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    root.addHandler(handler)
    return sink, numbered
