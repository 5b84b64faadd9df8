"""The root key: what wraps all other keys at rest.

It is a file of the data directory, `kms/root.key`, which only its owner may read: made when it is first needed, never
sent anywhere, never logged. Whoever takes the state without this file has ciphertexts only; whoever loses the file has
lost all keys. A cloud whose store is shared by several nodes keeps the root key in the store instead, unless the file
is there before the first key: then every node needs the same file. See docs/decisions/0011-kms-root-key.md.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cumulo.core.table import GLOBAL, Record, Table
from cumulo.services.identity.kms.errors import INTERNAL

if TYPE_CHECKING:
    from cumulo.core.context import Context

BYTES = 32
NONCE_BYTES = 12
SHARED_STORES = ("postgres",)
_KEPT_OPEN = 1024
_REMEMBERED = "kms.root_key"
_SETTLED = "kms.root_key_is_on_disk"


class RootKeyRecord(Record):
    """Which root key this cloud has: its fingerprint, and the key itself only where the store keeps it."""

    name: str
    fingerprint: bytes
    key: bytes = b""


ROOT_KEYS = Table(RootKeyRecord, name="kms.root_keys", key="name", scope=GLOBAL)


class RootKey:
    """Wraps and opens secrets; what was opened is remembered, as every call needs it."""

    __slots__ = ("_cipher", "_opened")

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._cipher: Any = AESGCM(key)
        self._opened: dict[bytes, bytes] = {}

    def wrap(self, secret: bytes, context: bytes, nonce: bytes) -> bytes:
        """The secret, for the state; `context` says whose it is and must be given again."""
        return nonce + bytes(self._cipher.encrypt(nonce, secret, context))

    def open(self, wrapped: bytes, context: bytes) -> bytes:
        """The secret again. ValueError when it is another's, or was changed."""
        at = sha256(context + wrapped).digest()
        secret = self._opened.get(at)
        if secret is None:
            from cryptography.exceptions import InvalidTag

            try:
                secret = bytes(self._cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], context))
            except InvalidTag:
                raise ValueError("wrapped by another root key, or for another purpose") from None
            if len(self._opened) >= _KEPT_OPEN:
                self._opened.clear()
            self._opened[at] = secret
        return secret


async def prepare(ctx: Context) -> None:
    """Make the file that the first key needs while nobody waits for the disk: on a busy one an fsync takes seconds.

    Operations that wait anyway call this, and a new cloud soon after its start. Where a service's call inside a
    transaction needs a root key before that, it is made there and then.
    """
    memory = ctx.runtime.memory
    if _REMEMBERED in memory or _SETTLED in memory or ctx.runtime.store.name in SHARED_STORES:
        return
    path = ctx.data_dir / "kms" / "root.key"
    if await ctx.transact(lambda ctx: ROOT_KEYS.peek(ctx, "current")) is not None:
        return
    if path.exists():
        await ctx.in_thread(lambda: _settle(path.parent))
    else:
        key = ctx.random_bytes(BYTES)
        await ctx.in_thread(lambda: _write(path, key))
    memory[_SETTLED] = True


def root_key(ctx: Context) -> RootKey:
    """This cloud's root key, made when it is first needed. KMSInternalException when its file is lost."""
    memory = ctx.runtime.memory
    found: RootKey | None = memory.get(_REMEMBERED)
    if found is None:
        known = found = RootKey(_read_or_make(ctx))
        ctx.txn.on_commit(lambda: memory.__setitem__(_REMEMBERED, known))
    return found


def _read_or_make(ctx: Context) -> bytes:
    path = ctx.data_dir / "kms" / "root.key"
    record = ROOT_KEYS.peek(ctx, "current")
    if record is not None and record.key:
        return record.key
    key = _read(path)
    if record is not None:
        if key is None or _fingerprint(key) != record.fingerprint:
            problem = "is missing" if key is None else "is not the one that the keys of this cloud were wrapped with"
            raise INTERNAL(f"The root key of KMS, {path}, {problem}. Put the file back; without it no key can be used.")
        return key
    in_store = key is None and ctx.runtime.store.name in SHARED_STORES
    if key is None:
        key = ctx.random_bytes(BYTES)
        if not in_store:
            key = _write(path, key)
    elif _SETTLED not in ctx.runtime.memory:
        _settle(path.parent)  # a thread may have made the file a moment ago
    ROOT_KEYS.put(ctx, RootKeyRecord("current", _fingerprint(key), key if in_store else b""))
    return key


def _fingerprint(key: bytes) -> bytes:
    return sha256(b"cumulo kms root key" + key).digest()


def _read(path: Path) -> bytes | None:
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(key) != BYTES:
        raise INTERNAL(f"The root key of KMS, {path}, must have {BYTES} bytes.")
    return key


def _write(path: Path, key: bytes) -> bytes:
    """Put the file on disk for good, before anything that it wraps; another thread's file wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{_fingerprint(key).hex()[:8]}")
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, key)
        os.fsync(file)
    finally:
        os.close(file)
    try:
        os.link(unfinished, path)  # unlike a rename, never replaces what is there
    except FileExistsError:
        key = path.read_bytes()
    finally:
        unfinished.unlink()
    _settle(path.parent)
    return key


def _settle(folder: Path) -> None:
    """The names in the folder are on disk."""
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
