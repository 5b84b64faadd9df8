"""The managed policies that AWS itself maintains: arn:aws:iam::aws:policy/….

Names, dates and the newest document of every one of them are data (`aws_policies.index`, `aws_policies.documents`),
written by `scripts/pack_aws_policies.py` from a public record of what GetPolicyVersion answers. They are read when
somebody first asks for one.
"""

from __future__ import annotations

import zlib
from base64 import b32encode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from cumulo.core.context import Context

_INDEX = Path(__file__).with_name("aws_policies.index")
_DOCUMENTS = Path(__file__).with_name("aws_policies.documents")


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """One policy in the index: `chunk` is the place (offset, length) of the chunk that holds its document, under
    its name. Times are seconds since 1970."""

    name: str
    path: str
    version: int
    created_at: int
    updated_at: int
    chunk: tuple[int, int]


class AwsPolicy(msgspec.Struct, frozen=True):
    """One of AWS's policies. `version` is the number of the newest version, which is the one in force."""

    name: str
    path: str
    arn: str
    policy_id: str
    version: int
    created_at: float
    updated_at: float


@lru_cache(maxsize=1)
def _entries() -> dict[str, Entry]:
    """All entries by path and name."""
    found = msgspec.msgpack.decode(zlib.decompress(_INDEX.read_bytes()), type=list[Entry])
    return {entry.path + entry.name: entry for entry in found}


def is_aws(arn: str) -> bool:
    """Whether an ARN names a policy of AWS."""
    return arn.split(":", 5)[4:5] == ["aws"]


def _policy(partition: str, entry: Entry) -> AwsPolicy:
    # AWS's own ids of these policies are not in the record: ours are as long, and the same on every node.
    policy_id = "ANPA" + b32encode(sha256(f"{entry.path}{entry.name}".encode()).digest()).decode()[:17]
    arn = f"arn:{partition}:iam::aws:policy{entry.path}{entry.name}"
    return AwsPolicy(
        entry.name, entry.path, arn, policy_id, entry.version, float(entry.created_at), float(entry.updated_at)
    )


def find(ctx: Context, arn: str) -> AwsPolicy | None:
    """AWS's policy with this ARN, if there is one."""
    entry = _entries().get(arn.split(":", 5)[5][len("policy") :])
    return None if entry is None else _policy(ctx.partition, entry)


def every(ctx: Context) -> list[AwsPolicy]:
    """All of AWS's policies."""
    return [_policy(ctx.partition, entry) for entry in _entries().values()]


def document(arn: str) -> str:
    """The document of the newest version, as JSON text. KeyError when there is no such policy."""
    entry = _entries()[arn.split(":", 5)[5][len("policy") :]]
    return _chunk(*entry.chunk)[entry.name]


@lru_cache(maxsize=4)
def _chunk(offset: int, length: int) -> dict[str, str]:
    """Documents by name: some thirty are packed together, which makes them small and one of them quick to reach."""
    with _DOCUMENTS.open("rb") as file:
        file.seek(offset)
        return msgspec.msgpack.decode(zlib.decompress(file.read(length)), type=dict[str, str])
