"""Jobs that compute the checksum of each object.

Source: S3 User Guide, "Compute checksums", "Examples: S3 Batch Operations completion reports"; S3 API Reference,
S3ComputeObjectChecksumOperation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from cumulo.core.errors import Fault
from cumulo.core.s3 import jobs as s3_jobs
from cumulo.services.storage.s3control.errors import BAD_JOB

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cumulo.core.context import Context
    from cumulo.services.storage.s3control.job_manifests import Target

Row = tuple[str, str, str, str, int, str]

NAME = "S3ComputeObjectChecksum"
PERMANENT = "PermanentFailure"
_ALGORITHM, _TYPE = "CRC64NVME", "FULL_OBJECT"  # of an object put without a checksum, and so of a job
_TEXTS = {"NoSuchKey": "Key not found", "NoSuchVersion": "Key not found"}


def check(wanted: Mapping[str, Any]) -> None:
    """BadRequestException for a checksum that there is not: CRC64NVME is always of the full object."""
    options: Any = wanted.get(NAME)
    if options and options.get("ChecksumAlgorithm", _ALGORITHM) == _ALGORITHM and options.get("ChecksumType") not in (
        None, _TYPE,
    ):  # fmt: skip
        raise BAD_JOB("The COMPOSITE checksum type cannot be used with the CRC64NVME checksum algorithm.")


async def compute(acting: Context, options: dict[str, Any], target: Target) -> Row:
    """The row of the report: the checksum as JSON."""
    algorithm, kind = options.get("ChecksumAlgorithm", _ALGORITHM), options.get("ChecksumType", _TYPE)
    hand = s3_jobs.hand(acting.runtime)
    try:
        found = await hand.checksum(acting, *target, algorithm, kind)
    except Fault as fault:
        text = f"Task {acting.uuid()} {_TEXTS.get(fault.code, fault.message)}"
        told = msgspec.json.encode({"failureMessage": text, "errorCode": str(fault.status or 400)}).decode()
        return (*target, PERMANENT, 200, f"error details: {told}")
    return (*target, "", 200, msgspec.json.encode(found).decode())
