"""What both S3 and S3 Control know of rights: canonical users, accounts' public access blocks, access points."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from cumulo.core.arns import partition_of
from cumulo.core.errors import Error
from cumulo.core.table import GLOBAL, REGION, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

_DIGEST = 54  # hexadecimal digits of 64; the other ten hold the account


class PublicAccessBlock(Record):
    """The four settings that keep a bucket, or all of an account's, from the public."""

    block_acls: bool = False
    ignore_acls: bool = False
    block_policy: bool = False
    restrict_buckets: bool = False


class AccountAccess(Record):
    """What holds for all buckets of an account."""

    account: str
    block: PublicAccessBlock


ACCOUNT_ACCESS = Table(AccountAccess, name="s3.account_access", key="account", scope=GLOBAL)


def canonical_user_id(account: str) -> str:
    """The canonical user id of an account: 64 hexadecimal digits, by which ACLs know it.

    Ours can be read back (`account_of_canonical_user`), so no table of them is needed.
    """
    digest = sha256(f"canonical user {account}".encode()).hexdigest()[:_DIGEST]
    return f"{digest}{int(account) ^ int(digest[:10], 16):010x}"


def account_of_canonical_user(id: str) -> str:
    """The account of a canonical user id; "" for one that is none."""
    if len(id) != 64:
        return ""
    try:
        account = f"{int(id[_DIGEST:], 16) ^ int(id[:10], 16):012d}"
    except ValueError:
        return ""
    return account if len(account) == 12 and canonical_user_id(account) == id else ""


NO_SUCH_ACCESS_POINT = Error("NoSuchAccessPoint", "The specified accesspoint does not exist", status=404)


class AccessPoint(Record):
    """A named way to a bucket, with a policy of its own. `vpc` is the one it is for, "" for the Internet.

    `prefixes` and `permissions` ("GetObject") are the scope of one of a directory bucket's: what is let through; none
    of either is all.
    """

    account: str
    region: str
    name: str
    bucket: str
    bucket_account: str
    alias: str
    created_at: float
    block: PublicAccessBlock
    vpc: str = ""
    policy: str = ""
    tags: dict[str, str] = {}
    zone: str = ""  # of the directory bucket whose access point it is
    prefixes: list[str] = []
    permissions: list[str] = []

    @property
    def arn(self) -> str:
        """The access point's ARN."""
        if self.zone:
            return directory_arn(self.region, self.account, self.name)
        return f"arn:{partition_of(self.region)}:s3:{self.region}:{self.account}:accesspoint/{self.name}"


def directory_arn(region: str, account: str, name: str) -> str:
    """The ARN of an access point of a directory bucket."""
    return f"arn:{partition_of(region)}:s3express:{region}:{account}:accesspoint/{name}"


class AccessPointAlias(Record):
    """Whose alias it is: aliases are as global as the names of buckets, which they stand for."""

    alias: str
    account: str
    region: str
    name: str


ACCESS_POINTS = Table(
    AccessPoint,
    name="s3.access_points",
    key="name",
    scope=REGION,
    arn="arn:{partition}:s3:{region}:{account}:accesspoint/{name}",
    missing=NO_SUCH_ACCESS_POINT,
    policy=lambda point: point.policy or None,
    tags=lambda point: point.tags,
)
ACCESS_POINT_ALIASES = Table(AccessPointAlias, name="s3.access_point_aliases", key="alias", scope=GLOBAL)
ALIAS_SUFFIX = "-s3alias"
DIRECTORY_SUFFIX = "--xa-s3"  # of names that are aliases as well: those of directory buckets' access points
_ON_HOSTS = re.compile(r"([a-z0-9-]{3,50})-(\d{12})", re.ASCII)


def has_access_points(ctx: Context, bucket: str) -> bool:
    """Whether any account has an access point of this bucket."""
    for alias in ACCESS_POINT_ALIASES.range(ctx):
        point = ACCESS_POINTS.peek(ctx, alias.name, account=alias.account, region=alias.region)
        if point is not None and point.bucket == bucket:
            return True
    return False


def access_point(ctx: Context, named: str) -> AccessPoint | None:
    """The access point of an ARN, an alias, or the first label of its host name (`name-account`); None for others.

    Raises NoSuchAccessPoint for an ARN, or a host of access points, that nobody has.
    """
    if named.startswith("arn:"):
        parts = named.split(":", 5)
        if len(parts) != 6 or parts[2] != "s3" or not parts[5].startswith(("accesspoint/", "accesspoint:")):
            return None
        found = ACCESS_POINTS.peek(ctx, parts[5][len("accesspoint/") :], account=parts[4], region=parts[3])
        if found is None:
            ctx.authorized = True
            raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": parts[5][len("accesspoint/") :]})
        return found
    if named.endswith((ALIAS_SUFFIX, DIRECTORY_SUFFIX)):
        alias = ACCESS_POINT_ALIASES.peek(ctx, named)
        if alias is None:
            return None
        return ACCESS_POINTS.peek(ctx, alias.name, account=alias.account, region=alias.region)
    match = _ON_HOSTS.fullmatch(named)
    if match is None:
        return None
    found = ACCESS_POINTS.peek(ctx, match[1], account=match[2])
    if found is None and ".s3-accesspoint" in ctx.endpoint:
        ctx.authorized = True
        raise NO_SUCH_ACCESS_POINT(members={"AccessPointName": match[1]})
    return found
