"""Events of groups with a KMS key at rest: every batch and every segment is sealed under a data key of that key.

CloudWatch Logs uses the key in its own name: the key's policy must let `logs.<region>.amazonaws.com` in, and may ask
for the group in the encryption context. What was sealed stays so, whatever becomes of the group's key.
Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from cumulo.core import data_keys, encryption
from cumulo.core.encryption import DataKey
from cumulo.core.errors import Fault
from cumulo.services.operations.logs.errors import KEY_NOT_USABLE

if TYPE_CHECKING:
    from cumulo.core.context import Context

ARN = "aws:logs:arn"
REUSED_S = 300.0  # a change of the key's state is felt within five minutes (User Guide)


class Owner(Protocol):
    """What has a KMS key: a log group, or anything else of CloudWatch Logs by its ARN."""

    @property
    def arn(self) -> str:
        """Its ARN, which is the encryption context."""

    @property
    def id(self) -> bytes:
        """What no other owner has."""

    @property
    def account(self) -> str:
        """The account it is in."""

    @property
    def region(self) -> str:
        """The region it is in."""

    @property
    def kms_key(self) -> str:
        """The ARN of its key."""


class Resource(NamedTuple):
    """A resource that is no group, as an owner."""

    arn: str
    account: str
    region: str
    kms_key: str
    names: tuple[str, ...] = (ARN,)  # by which policies of the key may ask for the ARN

    @property
    def id(self) -> bytes:
        """Its ARN: a resource of the same name later is under the same key or under another."""
        return self.arn.encode()


def seal(ctx: Context, owner: Owner, data: bytes) -> bytes:
    """The bytes for the state, under the owner's key."""
    return encryption.seal(ctx, "", data, context_of(owner), under=sealing_key(ctx, owner))


def open(ctx: Context, owner: Owner, data: bytes) -> bytes:
    """What was sealed."""
    return encryption.open(ctx, data, context_of(owner), under=opened_key(ctx, owner, encryption.sealed_key(data)))


def sealing_key(ctx: Context, owner: Owner) -> DataKey:
    """The data key under which what the owner has is sealed now."""

    def ask() -> DataKey:
        return encryption.data_key(ctx, owner.kms_key, context_of(owner), **_as_service(owner))

    return _asked(ctx, owner, ("seal", owner.id, owner.kms_key), ask)


def opened_key(ctx: Context, owner: Owner, sealed: bytes) -> DataKey:
    """A data key under which something of the owner's was sealed."""

    def ask() -> DataKey:
        return encryption.opened_key(ctx, sealed, context_of(owner), **_as_service(owner))

    return _asked(ctx, owner, ("open", sealed), ask)


def readers_key(ctx: Context, owner: Owner, sealed: bytes) -> DataKey:
    """The same, opened in the caller's name, who needs a permission for the KMS key then."""
    return encryption.opened_key(ctx, sealed, context_of(owner))


def context_of(owner: Owner) -> dict[str, str]:
    """The encryption context: the owner's ARN."""
    names = owner.names if isinstance(owner, Resource) else (ARN,)
    return dict.fromkeys(names, owner.arn)


def check(ctx: Context, owner: Owner, key: str) -> None:
    """Refuse a key that CloudWatch Logs may not use for the owner."""
    try:
        encryption.data_key(ctx, key, context_of(owner), **_as_service(owner))
    except Fault:
        raise KEY_NOT_USABLE(arn=owner.arn) from None


def _as_service(owner: Owner) -> dict[str, Any]:
    return {
        "service": f"logs.{owner.region}",
        "source_arn": owner.arn,
        "account": owner.account,
        "region": owner.region,
    }


def _asked(ctx: Context, owner: Owner, what: tuple[Any, ...], ask: Callable[[], DataKey]) -> DataKey:
    try:
        return data_keys.remembered(ctx, what, REUSED_S, ask)
    except Fault:
        raise KEY_NOT_USABLE(arn=owner.arn) from None
