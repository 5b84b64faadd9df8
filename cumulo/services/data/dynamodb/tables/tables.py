"""Tables: their record, where it is kept, and how an operation finds the table that a request names.

Items are kept under the table's `id`, not its name: another table of the same name later shares nothing with this one.

Who reads which: an operation on items calls `table_access.layout_for`; one on the table itself `described`, whose
text names the table. An index that is being made has `status` CREATING and takes no queries, but every write already
reaches it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.counters import Counters
from cumulo.core.errors import Fault
from cumulo.core.table import GLOBAL, REGION, Record, Space, Table
from cumulo.services.data.dynamodb.errors import RESOURCE_NOT_FOUND, TABLE_NOT_ACTIVE, TABLE_NOT_FOUND
from cumulo.services.data.dynamodb.tables.table_names import owner_and_name as owner_and_name

if TYPE_CHECKING:
    from cumulo.core.context import Context

CREATING, UPDATING, DELETING, ACTIVE = "CREATING", "UPDATING", "DELETING", "ACTIVE"
PROVISIONED, PAY_PER_REQUEST = "PROVISIONED", "PAY_PER_REQUEST"
LSI, GSI = "LSI", "GSI"
INSIGHTS_ENABLING, INSIGHTS_ENABLED, INSIGHTS_DISABLING, INSIGHTS_DISABLED = (
    "ENABLING",
    "ENABLED",
    "DISABLING",
    "DISABLED",
)
UNLIMITED = -1
STRONG = "STRONG"  # MultiRegionConsistency
UNSUPPORTED_WHEN_STRONG = "is not supported for global tables with MultiRegionConsistency set to STRONG."

# How many items, and how many bytes, are in a table (table id, "") and in each index (table id, index name).
COUNTS = Counters("dynamodb.counts")


class Throughput(Record):
    """Capacity of a table or of a global index. Units are per second; -1 for no maximum.

    Times are cloud time in seconds. `warm_*` is the throughput that the partitions are ready for.
    """

    read: int = 0
    write: int = 0
    increased_at: float = 0.0
    decreased_at: float = 0.0
    decreases: int = 0  # on the UTC day of decreased_at
    maximum_read: int = UNLIMITED
    maximum_write: int = UNLIMITED
    warm_read: int = 0
    warm_write: int = 0
    warm_asked: bool = False  # the answer to the call that asked shows it, and that it is on its way


class IndexRecord(Record):
    """A secondary index. `backfilling`: a task still copies what was in the table before the index was.

    `mark` keeps its entries apart from those of an earlier index of that name, which may still be swept.
    """

    name: str
    kind: str  # LSI or GSI
    hash_keys: list[str]  # one, or up to four in a global index
    range_keys: list[str]
    projection: str  # ALL, KEYS_ONLY or INCLUDE
    non_key_attributes: list[str] = []
    status: str = ACTIVE
    backfilling: bool = False
    throughput: Throughput | None = None
    mark: str = ""


class Replica(Record):
    """What a table knows of its replica in another region."""

    region: str
    status: str
    kms_key: str = ""
    table_class: str = ""
    read_override: int = 0
    maximum_read_override: int = 0
    index_read_overrides: dict[str, int] = {}
    since: float = 0.0
    index_maximum_overrides: dict[str, int] = {}
    sourced: bool = False  # from this region that one was filled


class InsightsRecord(Record):
    """Contributor insights of the table (`index` is "") or of a global index, since they were first switched on."""

    index: str
    status: str
    mode: str
    changed_at: float
    rules: list[tuple[str, str, bytes]] = []  # kind (PKC, SKC, PKT, SKT), name and id of CloudWatch's rules


class TableRecord(Record):
    """A table. Times are cloud time in seconds since 1970."""

    account: str
    region: str
    name: str
    id: str
    created_at: float
    status: str
    attribute_types: dict[str, str]  # S, N or B of every attribute that is part of a key
    hash_key: str
    range_key: str
    billing_mode: str
    throughput: Throughput
    filling: str = ""  # what a table that takes no items yet is being made from: "backup", "table" or "import"
    indexes: list[IndexRecord] = []
    stream_view: str = ""  # "" while no stream is enabled
    stream_label: str = ""  # of the latest stream, enabled or not
    ttl_attribute: str = ""  # "" while time to live is off
    ttl_changed_at: float = 0.0
    recovers_since: float = 0.0  # point-in-time recovery: when it was switched on; 0 while it is off
    recovery_days: int = 35
    sse_key: str = ""  # ARN of the KMS key, "" for DynamoDB's own
    sealed_key: bytes = b""  # the table's data key under sse_key: see sealing.py
    replicas: list[Replica] = []
    policy: str = ""
    policy_revision: str = ""
    tags: dict[str, str] = {}
    deletion_protection: bool = False
    table_class: str = ""  # "" until one is chosen
    class_changes: list[float] = []
    on_demand_since: float = 0.0
    sse_changes: list[float] = []
    restored_at: float = 0.0
    restored_from: str = ""  # ARN of the backup, if it was one
    restored_table: str = ""  # ARN of the table that was restored
    consistency: str = ""  # of a global table: EVENTUAL or STRONG
    witness: str = ""  # region of the witness of a strongly consistent global table
    copies: int = 0  # that are being made of it, for backups, exports and restores
    version: int = 0  # rises whenever this record changes
    insights: list[InsightsRecord] = []
    disassociable: bool = False  # of a global table: whether this region may leave it
    leaving: bool = False  # it does, once everything has arrived

    @property
    def arn(self) -> str:
        """The table's ARN."""
        return f"arn:{partition_of(self.region)}:dynamodb:{self.region}:{self.account}:table/{self.name}"

    @property
    def watched(self) -> bool:
        """Whether somebody wants to know of every change of an item: then call `changes.capture`."""
        return bool(self.stream_view or self.recovers_since or self.copies or self.replicas or self.ttl_attribute)

    @property
    def logged(self) -> bool:
        """Whether the undo log is kept: for point-in-time recovery, or for copies that are being made."""
        return bool(self.recovers_since or self.copies)

    @property
    def key_attributes(self) -> tuple[str, ...]:
        """The names of the primary key's attributes, the partition key first."""
        return (self.hash_key, self.range_key) if self.range_key else (self.hash_key,)

    def index(self, name: str) -> IndexRecord | None:
        """The index of this name."""
        for index in self.indexes:
            if index.name == name:
                return index
        return None

    def insights_of(self, index: str) -> InsightsRecord | None:
        """The contributor insights of an index, "" for the table itself."""
        for setting in self.insights:
            if setting.index == index:
                return setting
        return None


TABLES = Table(
    TableRecord,
    name="dynamodb.tables",
    key="name",
    scope=REGION,
    arn="arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    missing=RESOURCE_NOT_FOUND,
    policy=lambda table: table.policy or None,
    tags=lambda table: table.tags,
)


ALL_TABLES = Space(TABLES.name, scope=GLOBAL)  # the same keys, whatever account and region they name next


def keep(ctx: Context, table: TableRecord) -> None:
    """Write a table back to where it lives, whoever calls."""
    table.version += 1
    TABLES.put(ctx, table, account=table.account, region=table.region)


def described(ctx: Context, name_or_arn: str) -> TableRecord:
    """The table that an operation on tables names, found and authorized, whatever its state."""
    account, name = owner_and_name(ctx, name_or_arn)
    try:
        return TABLES.get(ctx, name, account=account)
    except Fault as fault:
        if fault.code == RESOURCE_NOT_FOUND.code:
            raise TABLE_NOT_FOUND(name=name) from None
        raise


def settled(ctx: Context, name_or_arn: str) -> TableRecord:
    """Like `described`; a table that is still being filled is not found.

    Source: answers of AWS while a restore runs: only DescribeTable knows the table.
    """
    table = described(ctx, name_or_arn)
    if table.filling:
        raise TABLE_NOT_FOUND(name=table.name)
    return table


def check_changeable(table: TableRecord) -> None:
    """ResourceInUseException unless nothing is going on with the table."""
    if table.status in (CREATING, UPDATING, DELETING):
        raise TABLE_NOT_ACTIVE(
            change={CREATING: "created", UPDATING: "updated"}.get(table.status, "deleted"), name=table.name
        )
