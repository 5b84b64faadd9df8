"""The record of an export."""

from __future__ import annotations

from typing import Any

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table
from cumulo.services.data.dynamodb.tables.tables import TableRecord

IN_PROGRESS, COMPLETED, FAILED = "IN_PROGRESS", "COMPLETED", "FAILED"


class Export(Record):
    """An export. Times are cloud time in seconds; `caller` is who asked for it (job_callers.py)."""

    table: str
    id: str
    account: str
    region: str
    source: TableRecord
    started_at: float
    kind: str
    asked: dict[str, Any]
    token: str
    caller: bytes
    bucket: str
    owner: str
    prefix: str
    sse: str
    kms_key: str
    status: str = IN_PROGRESS
    time: float = 0.0
    begin: float = 0.0
    end: float = 0.0
    view: str = ""
    snapshot: str = ""
    manifest: str = ""
    ended_at: float = 0.0
    count: int = 0
    size: int = 0
    failure_code: str = ""
    failure: str = ""
    filter: dict[str, Any] = {}  # FilterSpecification

    @property
    def arn(self) -> str:
        """The export's ARN."""
        place = f"{self.region}:{self.account}:table/{self.table}/export/{self.id}"
        return f"arn:{partition_of(self.region)}:dynamodb:{place}"

    @property
    def folder(self) -> str:
        """Where its files are, without the prefix."""
        return f"AWSDynamoDB/{self.id}"


EXPORTS = Table(
    Export,
    name="dynamodb.exports",
    key=("table", "id"),
    scope=REGION,
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{table}/export/{id}",
    indexes={"by_token": ("token",)},
)
