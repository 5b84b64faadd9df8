"""Data keys in this process's memory: a service that seals much does not ask KMS for each message.

A data key is used again, for some minutes, by the requester it was given to: sessions of one role that differ in their
name alone are one, other session policies make another. So a change of the KMS key's policy or state is felt when that
time is over. In plaintext data keys are nowhere else; a restart forgets them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from cumulo.core.encryption import DataKey
from cumulo.core.errors import Error, Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context

_MOST = 10_000


class _Remembered(NamedTuple):
    """A data key in memory, and since when."""

    key: DataKey
    since: float


def remembered(ctx: Context, what: tuple[Any, ...], for_s: float, ask: Callable[[], DataKey]) -> DataKey:
    """The data key for `what` that this requester was given not longer ago than `for_s`, or the one that `ask` gets."""
    memory: dict[tuple[Any, ...], _Remembered] = ctx.runtime.memory.setdefault("data_keys", {})
    place = (ctx.service, *what, *_requester(ctx))
    now = ctx.now()
    found = memory.get(place)
    if found is not None and found.since <= now < found.since + for_s:
        return found.key
    key = ask()
    # Only once this transaction is kept: an AWS managed key may have been made in it.
    ctx.txn.on_commit(lambda: _remember(memory, place, _Remembered(key, now)))
    return key


def _remember(memory: dict[tuple[Any, ...], _Remembered], place: tuple[Any, ...], entry: _Remembered) -> None:
    if len(memory) >= _MOST:
        memory.clear()
    memory[place] = entry


def _requester(ctx: Context) -> tuple[Any, ...]:
    caller = ctx.principal
    tags = tuple(sorted(caller.tags.items())) if caller.tags else ()
    mfa = caller.mfa_at is not None
    return caller.policy_arn, caller.session_policies, tags, mfa, ctx.source_arn


def key_arn(key: str, partition: str, region: str, account: str) -> str:
    """A resource's KMS key by an ARN: an id or alias means one of the resource's account, whoever calls."""
    if key.startswith("arn:"):
        return key
    name = key if key.startswith("alias/") else f"key/{key}"
    return f"arn:{partition}:kms:{region}:{account}:{name}"


def worded(ctx: Context, fault: Fault, errors: Mapping[str, Error]) -> Fault:
    """KMS's fault as a service passes it on, in its own code.

    The text is as SQS was seen to give it (opensearch-project/data-prepper#2422), and SNS (aws/aws-cdk#24337).
    """
    error = errors.get(fault.code)
    if error is None:
        return fault
    return error(
        f"{fault.message} (Service: AWSKMS; Status Code: {fault.status or 400}; Error Code: {fault.code}; "
        f"Request ID: {ctx.uuid()}; Proxy: null)"
    )
