"""Keys: their record, their table, their states and what DescribeKey tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core.arns import partition_of
from cumulo.core.table import REGION, Record, Table
from cumulo.services.identity.kms import specs
from cumulo.services.identity.kms.errors import DISABLED, PENDING_DELETION, PENDING_IMPORT
from cumulo.services.identity.kms.materials import Material

if TYPE_CHECKING:
    from cumulo.core.context import Context

AWS_KMS = "AWS_KMS"
EXTERNAL = "EXTERNAL"
DAY_S = 86_400


class Key(Record):
    """A KMS key. Times are cloud time in seconds, 0 when there is none; windows and periods are days.

    `materials` are all that ever were, `current` is the place of the one that encrypts, -1 while there is none.
    `public` is the SubjectPublicKeyInfo of an asymmetric key. `managed_for` is the service of an AWS managed key
    ("sqs"). A multi-Region key knows its primary region and all its replicas' regions.
    """

    account: str
    region: str
    key_id: str
    created_at: float
    spec: str
    usage: str
    origin: str
    policy: str
    description: str = ""
    enabled: bool = True
    tags: dict[str, str] = {}
    materials: list[Material] = []
    current: int = -1
    public: bytes = b""
    managed_for: str = ""
    deletion_days: int = 0
    deletion_at: float = 0.0
    rotation_days: int = 0
    next_rotation_at: float = 0.0
    multi_region: bool = False
    primary_region: str = ""
    replica_regions: list[str] = []

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return arn_of(self.account, self.region, self.key_id)

    @property
    def symmetric(self) -> bool:
        """Whether it is a symmetric encryption key."""
        return self.spec == specs.SYMMETRIC

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The algorithms of its usage."""
        return specs.SPECS[self.spec].usages[self.usage]

    @property
    def primary(self) -> bool:
        """Whether it is a multi-Region primary key."""
        return self.multi_region and self.region == self.primary_region

    def material(self, material_id: str) -> Material | None:
        """The material with this id."""
        for material in self.materials:
            if material.id == material_id:
                return material
        return None

    def pending_material(self) -> Material | None:
        """The imported material that waits for RotateKeyOnDemand."""
        for material in self.materials:
            if material.pending:
                return material
        return None

    def state(self, now: float) -> str:
        """The KeyState. Source: Developer Guide, "Key states of AWS KMS keys"."""
        if self.deletion_days:
            return "PendingDeletion" if self.deletion_at else "PendingReplicaDeletion"
        if self.origin == EXTERNAL and not self.imported(now):
            return "PendingImport"
        return "Enabled" if self.enabled else "Disabled"

    def imported(self, now: float) -> bool:
        """Whether all material that it encrypts or decrypts with is there."""
        return self.current >= 0 and all(each.present(now) for each in self.materials if not each.pending)


KEYS = Table(
    Key,
    name="kms.keys",
    key="key_id",
    scope=REGION,
    arn="arn:{partition}:kms:{region}:{account}:key/{key_id}",
    policy=lambda key: key.policy,
    tags=lambda key: key.tags,
)


def arn_of(account: str, region: str, key_id: str) -> str:
    """The ARN of a key."""
    return f"arn:{partition_of(region)}:kms:{region}:{account}:key/{key_id}"


def peek(ctx: Context, account: str, region: str, key_id: str) -> Key | None:
    """The key, unless its waiting period is over: then it is gone, even if nobody has swept it yet."""
    key = KEYS.peek(ctx, key_id, account=account, region=region)
    return None if key is None or 0 < key.deletion_at <= ctx.now() else key


def keep(ctx: Context, key: Key) -> None:
    """Write a key back to where it lives, whoever calls."""
    KEYS.put(ctx, key, account=key.account, region=key.region)


def relatives(ctx: Context, key: Key) -> list[Key]:
    """The other keys of a multi-Region set, in whatever state."""
    regions = [key.primary_region, *key.replica_regions] if key.multi_region else []
    found = [peek(ctx, key.account, region, key.key_id) for region in regions if region != key.region]
    return [each for each in found if each is not None]


def check_not_deleted(key: Key) -> None:
    """KMSInvalidStateException when the key waits for its deletion."""
    if key.deletion_days:
        raise PENDING_DELETION(arn=key.arn)


def check_enabled(ctx: Context, key: Key) -> None:
    """DisabledException or KMSInvalidStateException unless the key is enabled; texts as AWS was seen to answer."""
    state = key.state(ctx.now())
    if state == "Enabled":
        return
    if state == "Disabled":
        raise DISABLED(arn=key.arn)
    raise (PENDING_IMPORT if state == "PendingImport" else PENDING_DELETION)(arn=key.arn)


def metadata(ctx: Context, key: Key) -> dict[str, Any]:
    """KeyMetadata, with the members that AWS gives for such a key in such a state."""
    state = key.state(ctx.now())
    answer: dict[str, Any] = {
        "AWSAccountId": key.account,
        "KeyId": key.key_id,
        "Arn": key.arn,
        "CreationDate": key.created_at,
        "Enabled": state == "Enabled",
        "Description": key.description,
        "KeyUsage": key.usage,
        "KeyState": state,
        "Origin": key.origin,
        "KeyManager": "AWS" if key.managed_for else "CUSTOMER",
        "CustomerMasterKeySpec": key.spec,
        "KeySpec": key.spec,
        specs.ALGORITHM_MEMBERS[key.usage]: list(key.algorithms),
        "MultiRegion": key.multi_region,
    }
    if state == "PendingDeletion":
        answer["DeletionDate"] = key.deletion_at
    if state == "PendingReplicaDeletion":
        answer["PendingDeletionWindowInDays"] = key.deletion_days
    if key.current >= 0:
        current = key.materials[key.current]
        if key.symmetric:
            answer["CurrentKeyMaterialId"] = current.id
        if key.origin == EXTERNAL and current.present(ctx.now()):
            answer["ExpirationModel"] = expiration_model(current)
            if current.expires_at:
                answer["ValidTo"] = current.expires_at
    if key.multi_region:
        answer["MultiRegionConfiguration"] = {
            "MultiRegionKeyType": "PRIMARY" if key.primary else "REPLICA",
            "PrimaryKey": _region_entry(key, key.primary_region),
            "ReplicaKeys": [_region_entry(key, region) for region in key.replica_regions],
        }
    return answer


def expiration_model(material: Material) -> str:
    """Whether imported material expires."""
    return "KEY_MATERIAL_EXPIRES" if material.expires_at else "KEY_MATERIAL_DOES_NOT_EXPIRE"


def _region_entry(key: Key, region: str) -> dict[str, str]:
    return {"Arn": arn_of(key.account, region, key.key_id), "Region": region}
