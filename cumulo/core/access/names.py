"""The names of services, by their names in policies ("sqs" is "Amazon SQS"), from the service reference."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from cumulo.core import access


@lru_cache(maxsize=1)
def service_names() -> dict[str, str]:
    """Every service of AWS's: prefix to name."""
    return msgspec.json.decode((access._data() / "serviceNames.json").read_bytes(), type=dict[str, str])
