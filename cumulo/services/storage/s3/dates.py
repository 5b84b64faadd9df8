"""Dates as S3 writes them in its documents. Pure."""

import time


def iso(seconds: float) -> str:
    """2026-01-31T00:00:00.000Z."""
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"
