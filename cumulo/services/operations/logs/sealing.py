"""Events of groups with a KMS key at rest: every batch and every segment is sealed under a data key of that key.

CloudWatch Logs uses the key in its own name: the key's policy must let `logs.<region>.amazonaws.com` in, and may ask
for the group in the encryption context. What was sealed stays so, whatever becomes of the group's key.
Source: CloudWatch Logs User Guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cumulo.core import data_keys, encryption
from cumulo.core.encryption import DataKey
from cumulo.core.errors import Fault
from cumulo.services.operations.logs.errors import KEY_NOT_USABLE

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.operations.logs.groups import Group

REUSED_S = 300.0  # a change of the key's state is felt within five minutes (User Guide)


def seal(ctx: Context, group: Group, data: bytes) -> bytes:
    """The bytes for the state, under the group's key."""
    return encryption.seal(ctx, "", data, context_of(group), under=sealing_key(ctx, group))


def open(ctx: Context, group: Group, data: bytes) -> bytes:
    """What was sealed."""
    return encryption.open(ctx, data, context_of(group), under=opened_key(ctx, group, encryption.sealed_key(data)))


def sealing_key(ctx: Context, group: Group) -> DataKey:
    """The data key under which the group's events are sealed now."""

    def ask() -> DataKey:
        return encryption.data_key(ctx, group.kms_key, context_of(group), **_as_service(group))

    return _asked(ctx, group, ("seal", group.id, group.kms_key), ask)


def opened_key(ctx: Context, group: Group, sealed: bytes) -> DataKey:
    """A data key under which events of the group were sealed."""

    def ask() -> DataKey:
        return encryption.opened_key(ctx, sealed, context_of(group), **_as_service(group))

    return _asked(ctx, group, ("open", sealed), ask)


def context_of(group: Group) -> dict[str, str]:
    """The encryption context: the group's ARN."""
    return {"aws:logs:arn": group.arn}


def check(ctx: Context, group: Group, key: str) -> None:
    """Refuse a key that CloudWatch Logs may not use for the group."""
    try:
        encryption.data_key(ctx, key, context_of(group), **_as_service(group))
    except Fault:
        raise KEY_NOT_USABLE(arn=group.arn) from None


def _as_service(group: Group) -> dict[str, Any]:
    return {
        "service": f"logs.{group.region}",
        "source_arn": group.arn,
        "account": group.account,
        "region": group.region,
    }


def _asked(ctx: Context, group: Group, what: tuple[Any, ...], ask: Callable[[], DataKey]) -> DataKey:
    try:
        return data_keys.remembered(ctx, what, REUSED_S, ask)
    except Fault:
        raise KEY_NOT_USABLE(arn=group.arn) from None
