"""What both S3 and S3 Control know of rights: canonical users, the public access block of accounts."""

from __future__ import annotations

from hashlib import sha256

from cumulo.core.table import GLOBAL, Record, Table

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
