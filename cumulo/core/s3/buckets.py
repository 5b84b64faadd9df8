"""Buckets: their record and table, which S3 and S3 Control both read. Names are global: one table for all accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.arns import partition_of
from cumulo.core.errors import Error
from cumulo.core.s3.access import PublicAccessBlock
from cumulo.core.table import GLOBAL, Record, Table, prefix_range

if TYPE_CHECKING:
    from cumulo.core.context import Context

NO_SUCH_BUCKET = Error("NoSuchBucket", "The specified bucket does not exist", status=404)  # BucketName

BUCKET_OWNER_ENFORCED = "BucketOwnerEnforced"
ENABLED = "Enabled"
SUSPENDED = "Suspended"

Grants = list[tuple[str, str]]
"""An ACL: (grantee, permission); a grantee is a canonical user id or the URI of a group."""


class Bucket(Record):
    """A bucket: all that reading or writing an object has to know. Times are cloud time in seconds since 1970.

    `configured` names the rarer configurations that there are ("notification", "replication", "logging", "cors",
    "website", "lifecycle", ...): what is not named there need not be looked for. They are rows of `configurations`.
    """

    name: str
    account: str
    region: str
    created_at: float
    versioning: str = ""  # "", "Enabled" or "Suspended"
    mfa_delete: bool = False
    ownership: str = BUCKET_OWNER_ENFORCED  # "" where the controls were deleted: as ObjectWriter
    policy: str = ""
    acl: Grants | None = None  # None: the owner alone has all rights
    public_access_block: PublicAccessBlock | None = None
    encryption: str = "AES256"  # or "aws:kms", "aws:kms:dsse"
    kms_key: str = ""  # of the default encryption, as it was given; "" is alias/aws/s3
    bucket_key: bool = False
    blocked_encryption: list[str] = []  # "SSE-C"
    object_lock: bool = False
    lock_mode: str = ""  # of the default retention: "GOVERNANCE" or "COMPLIANCE"
    lock_days: int = 0
    lock_years: int = 0
    requester_pays: bool = False
    configured: list[str] = []
    tags: dict[str, str] = {}
    abac: bool = False  # whether tags take part in decisions
    namespace: str = ""  # "account-regional", else global
    location: str = ""  # the location constraint as it was given; "" in us-east-1
    acceleration: str = ""  # "", "Enabled" or "Suspended"
    zone: str = ""  # of a directory bucket: the id of its zone, as "use1-az4"
    local_zone: bool = False  # whether that is a Local Zone, rather than an Availability Zone
    only_key: str = ""  # of a directory bucket: the ARN of the one KMS key that it may ever be encrypted with
    lock_event_hold: bool = False  # whether the default retention begins when an event hold is released

    @property
    def arn(self) -> str:
        """The bucket's ARN."""
        if self.zone:
            return f"arn:{partition_of(self.region)}:s3express:{self.region}:{self.account}:bucket/{self.name}"
        return f"arn:{partition_of(self.region)}:s3:::{self.name}"


VENDED = "vended_logs"  # in `configured`: deliveries of CloudWatch Logs want its access log

BUCKETS = Table(
    Bucket,
    name="s3.buckets",
    key="name",
    scope=GLOBAL,
    arn="arn:{partition}:s3:::{name}",
    missing=NO_SUCH_BUCKET,
    indexes={"by_account": ("account",)},
)


class _Known(NamedTuple):
    key: bytes
    data: bytes
    bucket: Bucket


_MOST_KNOWN = 1024
_PLACE = "s3.known_buckets"


def known(ctx: Context, name: str) -> Bucket | None:
    """The bucket of a name for those who only read it, as every read and write of an object does: they share it.

    What is kept in memory is what was decoded of these very bytes of the store.
    """
    memory: dict[str, _Known] | None = ctx.runtime.memory.get(_PLACE)
    if memory is None:
        memory = ctx.runtime.memory[_PLACE] = {}
    found = memory.get(name)
    key = BUCKETS.key(ctx, name) if found is None else found.key
    data = ctx.txn.get(key)
    if data is None:
        return None
    if found is None or found.data != data:
        if len(memory) >= _MOST_KNOWN:
            memory.clear()
        found = memory[name] = _Known(key, data, BUCKETS.codec.decode(data))
    return found.bucket


def keep(ctx: Context, bucket: Bucket) -> None:
    """Write a bucket back."""
    BUCKETS.put(ctx, bucket)


def mark(ctx: Context, bucket: Bucket, kind: str, there: bool) -> None:
    """Note in a bucket that there is something of this kind, or no longer."""
    if (kind in bucket.configured) is not there:
        others = [each for each in bucket.configured if each != kind]
        bucket.configured = [*others, kind] if there else others
        keep(ctx, bucket)


def count(ctx: Context, account: str, most: int) -> int:
    """How many buckets the account has, counted up to `most`."""
    space = BUCKETS.indexes["by_account"][0]
    begin, end = prefix_range(space.key(ctx, account))
    return len(ctx.txn.range(begin, end, limit=most))
