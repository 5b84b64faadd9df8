"""ORC files: columns of rows, compressed with zlib. The writer comes with the extra `analytics`, loaded when needed.

All of it blocks: call it in a thread. Source: Apache ORC, "ORC Specification v1"; pyorc documentation, "Writer".
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from typing import Any

INSTALL = "pip install 'cumulo[analytics]'"
ZONES = "install the IANA time zones (the package tzdata)"


def missing() -> str:
    """What has to be done before ORC can be written here; "" when nothing has.

    Beside the writer it is the time zones of the system, which slim images lack: every stripe names its zone.
    """
    if find_spec("pyorc") is None:
        return INSTALL
    try:
        write("struct<t:timestamp>", ())
    except RuntimeError:
        return ZONES
    return ""


def write(schema: str, rows: Iterable[tuple[Any, ...]]) -> bytes:
    """A file of rows that are as the schema says ("struct<key:string,size:bigint>"); times have a zone."""
    import pyorc

    file = BytesIO()
    writer = pyorc.Writer(file, schema, compression=pyorc.CompressionKind.ZLIB)
    writer.writerows(rows)
    writer.close()
    return file.getvalue()
