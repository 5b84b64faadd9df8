"""Encryption of objects at rest: under KMS keys (SSE-KMS, DSSE-KMS) and keys of the customer (SSE-C).

Every sealed object has a content key of its own. It is kept wrapped: under a data key that KMS gave (and has to open
again for every reader), under the bucket's key, which KMS gave for a while and for one requester, or under the
customer's key, which is not kept. So KMS decides who reads, and a copy needs no new content.

SSE-S3 (AES256) is what S3 answers for all other objects: AWS holds its keys, whose like here would lie beside the data.
Their bytes are stored as they came; encrypting the disk under the data directory is the host's.

Source: Amazon S3 User Guide, "Protecting data with server-side encryption", "Using server-side encryption with AWS KMS
keys", "Reducing the cost of SSE-KMS with Amazon S3 Bucket Keys", "Using server-side encryption with customer-provided
keys". Texts as AWS was seen to answer.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from cumulo.core import encryption
from cumulo.core.encryption import DataKey
from cumulo.core.errors import Fault
from cumulo.services.storage.s3.encryption import directory_encryption
from cumulo.services.storage.s3.encryption.wrapped_keys import WrappedKey
from cumulo.services.storage.s3.errors import (
    ACCESS_DENIED,
    ENCRYPTION_NOT_APPLICABLE,
    ENCRYPTION_REQUIRED,
    INVALID_ARGUMENT,
    INVALID_ENCRYPTION_ALGORITHM,
    WRONG_CUSTOMER_KEY,
)
from cumulo.services.storage.s3.stored.sealed_bytes import KEY_B, Sealer

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.core.s3.buckets import Bucket

AES256 = "AES256"
KMS = "aws:kms"
DSSE = "aws:kms:dsse"
CUSTOMER = "SSE-C"
MANAGED_KEY = "alias/aws/s3"
BUCKET_KEY_S = 300  # so long a bucket's key is used again for a requester; AWS says no more than "time-limited"
_REMEMBERED = 10_000
_NONCE_B = 12
_FIELD = "x-amz-server-side-encryption"
_C = "Requests specifying Server Side Encryption with Customer provided keys must provide"


class Encrypted(Protocol):
    """What says how bytes are encrypted: a version, an upload, a Plan."""

    encryption: str
    kms_key: str
    kms_context: str
    bucket_key: bool
    sealed_key: bytes
    customer_key_md5: str


class Plan(msgspec.Struct):
    """How the bytes of one request will be encrypted; fields as an ObjectVersion's. `key` opens and seals them, and
    is never stored; b"" when they are not sealed."""

    encryption: str = AES256
    kms_key: str = ""
    kms_context: str = ""
    bucket_key: bool = False
    sealed_key: bytes = b""
    customer_key_md5: str = ""
    key: bytes = b""

    def describe(self, target: Encrypted) -> None:
        """Write it into a version or an upload."""
        target.encryption = self.encryption
        target.kms_key = self.kms_key
        target.kms_context = self.kms_context
        target.bucket_key = self.bucket_key
        target.sealed_key = self.sealed_key
        target.customer_key_md5 = self.customer_key_md5


class _Remembered(NamedTuple):
    key: DataKey
    since: float


PLAIN: Final = Plan()
_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(WrappedKey).decode


def plan(ctx: Context, bucket: Bucket, request: Mapping[str, Any], key: str) -> Plan:
    """How to encrypt a new object of this key, as the request or else the bucket says; KMS may refuse."""
    customer_key = customers(request)
    if customer_key is not None:
        if "ServerSideEncryption" in request:
            raise INVALID_ARGUMENT(
                "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                "specified",
                members={"ArgumentName": _FIELD, "ArgumentValue": request["ServerSideEncryption"]},
            )
        if CUSTOMER in bucket.blocked_encryption:
            raise ACCESS_DENIED()
        content_key = ctx.random_bytes(KEY_B)
        digest = request["SSECustomerKeyMD5"]
        return Plan(CUSTOMER, "", "", False, _wrap(ctx, customer_key, content_key), digest, content_key)
    asked = request.get("ServerSideEncryption")
    if asked is None and bucket.encryption == AES256 and "SSEKMSKeyId" not in request:
        return PLAIN
    if bucket.zone:
        algorithm = directory_encryption.algorithm_of_new(ctx, bucket, request)
    else:
        _check_asked(request, asked)
        algorithm = asked or bucket.encryption
    if algorithm == AES256:
        return PLAIN
    return _kms_plan(ctx, bucket, request, key, algorithm)


def _check_asked(request: Mapping[str, Any], asked: str | None) -> None:
    if asked is not None and asked not in (AES256, KMS, DSSE):
        raise INVALID_ARGUMENT(
            "The encryption method specified is not supported",
            members={"ArgumentName": _FIELD, "ArgumentValue": asked},
        )
    if "SSEKMSKeyId" in request and asked not in (KMS, DSSE):
        raise INVALID_ARGUMENT(
            f"Server Side Encryption with AWS KMS managed key requires HTTP header {_FIELD} : aws:kms",
            members={"ArgumentName": _FIELD},
        )


def _kms_plan(ctx: Context, bucket: Bucket, request: Mapping[str, Any], key: str, algorithm: str) -> Plan:
    by_default = "ServerSideEncryption" not in request
    named = request.get("SSEKMSKeyId") or (bucket.kms_key if by_default else "") or MANAGED_KEY
    shared = request.get("BucketKeyEnabled", bucket.bucket_key) and algorithm == KMS
    given = request.get("SSEKMSEncryptionContext", "")
    if bucket.zone:
        named, shared, given = bucket.only_key, ctx.operation not in directory_encryption.COPIES, ""
    context = _context(bucket, key, given, shared)
    data_key = _data_key(ctx, bucket, named, context, shared)
    content_key = ctx.random_bytes(KEY_B * (2 if algorithm == DSSE else 1))
    wrapped = _wrap(ctx, data_key.plaintext, content_key, data_key.sealed)
    return Plan(algorithm, data_key.key_arn, given, bool(shared), wrapped, "", content_key)


def rewrapped(ctx: Context, bucket: Bucket, key: str, stored: Encrypted, named: str, shared: bool) -> Plan:
    """The content key of what is sealed under a KMS key, wrapped under another one (or anew); KMS may refuse."""
    opened = content_key(ctx, bucket, key, stored, {})
    data_key = _data_key(ctx, bucket, named, _context(bucket, key, stored.kms_context, shared), shared)
    wrapped = _wrap(ctx, data_key.plaintext, opened, data_key.sealed)
    return Plan(KMS, data_key.key_arn, stored.kms_context, shared, wrapped, "", opened)


def begin_session(ctx: Context, bucket: Bucket) -> None:
    """Ask KMS for the key that a session of a directory bucket will write under; it may refuse."""
    _data_key(ctx, bucket, bucket.only_key, directory_encryption.context(bucket), True)


def _context(bucket: Bucket, key: str, given: str, shared: bool) -> dict[str, str]:
    """The encryption context: the object's ARN, or the bucket's under its key, and what the caller adds."""
    if bucket.zone:
        return directory_encryption.context(bucket)
    context = _read_context(given) if given else {}
    context["aws:s3:arn"] = bucket.arn if shared else f"{bucket.arn}/{key}"
    return context


def _read_context(given: str) -> dict[str, str]:
    try:
        return msgspec.json.decode(b64decode(given, validate=True), type=dict[str, str])
    except (ValueError, msgspec.MsgspecError):
        raise INVALID_ARGUMENT(
            f"The header '{_FIELD}-context' shall be Base64-encoded UTF-8 string holding JSON which represents a "
            "string-string map",
            members={"ArgumentName": f"{_FIELD}-context", "ArgumentValue": given},
        ) from None


# --- the customer's keys


def customers(request: Mapping[str, Any], prefix: str = "") -> bytes | None:
    """The key that a request brings for SSE-C, checked against its MD5; None when it brings none.

    `prefix` is "CopySource" for the key of a copy's source.
    """
    algorithm = request.get(prefix + "SSECustomerAlgorithm")
    key, digest = request.get(prefix + "SSECustomerKey"), request.get(prefix + "SSECustomerKeyMD5")
    if algorithm is None:
        if key is None and digest is None:
            return None
        raise INVALID_ARGUMENT(f"{_C} a valid encryption algorithm.", members={"ArgumentName": _FIELD})
    if algorithm != AES256:
        raise INVALID_ENCRYPTION_ALGORITHM(members={"ArgumentName": _FIELD, "ArgumentValue": algorithm})
    if key is None:
        raise INVALID_ARGUMENT(f"{_C} an appropriate secret key.", members={"ArgumentName": _FIELD})
    if digest is None:
        raise INVALID_ARGUMENT(f"{_C} the client calculated MD5 of the secret key.", members={"ArgumentName": _FIELD})
    try:
        raw = b64decode(key, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != KEY_B:
        raise INVALID_ARGUMENT(
            "The secret key was invalid for the specified algorithm.", members={"ArgumentName": _FIELD}
        )
    if b64encode(md5(raw, usedforsecurity=False).digest()).decode() != digest:
        raise INVALID_ARGUMENT(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            members={"ArgumentName": _FIELD},
        )
    return raw


def content_key(
    ctx: Context,
    bucket: Bucket,
    key: str,
    stored: Encrypted,
    request: Mapping[str, Any],
    *,
    prefix: str = "",
    asked: bool = False,
) -> bytes:
    """The key that opens stored bytes, b"" when they are not sealed; the customer's key or KMS may refuse.

    `asked`: nobody is asked for permission, for a task that goes on with what somebody was let do.
    """
    if stored.encryption == AES256:
        if prefix + "SSECustomerAlgorithm" in request:
            raise ENCRYPTION_NOT_APPLICABLE()
        return b""
    if stored.encryption == CUSTOMER:
        return _unwrap(_customers_to_read(request, prefix), _decode(stored.sealed_key))
    if prefix + "SSECustomerAlgorithm" in request:
        raise ENCRYPTION_NOT_APPLICABLE()
    wrapped = _decode(stored.sealed_key)
    context = _context(bucket, key, stored.kms_context, stored.bucket_key)
    data_key = _opened(ctx, bucket, wrapped.data_key, context, stored.bucket_key and not asked, asked)
    return _unwrap(data_key.plaintext, wrapped)


def check_customer(stored: Encrypted, request: Mapping[str, Any]) -> None:
    """What the head of an object may be told without opening its bytes: SSE-C needs its key all the same."""
    if stored.encryption == CUSTOMER:
        _unwrap(_customers_to_read(request, ""), _decode(stored.sealed_key))
    elif "SSECustomerAlgorithm" in request:
        raise ENCRYPTION_NOT_APPLICABLE()


def _customers_to_read(request: Mapping[str, Any], prefix: str) -> bytes:
    if prefix + "SSECustomerAlgorithm" not in request:
        raise ENCRYPTION_REQUIRED()
    if prefix + "SSECustomerKeyMD5" not in request and request[prefix + "SSECustomerAlgorithm"] == AES256:
        raise WRONG_CUSTOMER_KEY()  # as AWS was seen to answer to readers
    key = customers(request, prefix)
    assert key is not None
    return key


def _wrap(ctx: Context, key: bytes, content_key: bytes, data_key: bytes = b"") -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = ctx.random_bytes(_NONCE_B)
    return _encode(WrappedKey(data_key, nonce, AESGCM(key).encrypt(nonce, content_key, None)))


def _unwrap(key: bytes, wrapped: WrappedKey) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return bytes(AESGCM(key).decrypt(wrapped.nonce, wrapped.content_key, None))
    except InvalidTag:
        raise WRONG_CUSTOMER_KEY() from None


# --- KMS


def _data_key(ctx: Context, bucket: Bucket, named: str, context: dict[str, str], shared: bool) -> DataKey:
    place = ("new", bucket.name, named, *sorted(context.items()), *_requester(ctx)) if shared else None
    return _kept(ctx, place) or _asked(
        ctx, place, lambda: encryption.data_key(ctx, named, context, region=bucket.region)
    )


def _opened(
    ctx: Context, bucket: Bucket, sealed: bytes, context: dict[str, str], shared: bool, asked: bool = False
) -> DataKey:
    place = ("open", sealed, *_requester(ctx)) if shared else None
    return _kept(ctx, place) or _asked(
        ctx, place, lambda: encryption.opened_key(ctx, sealed, context, region=bucket.region, asked=asked)
    )


def _memory(ctx: Context) -> dict[tuple[Any, ...], _Remembered]:
    memory: dict[tuple[Any, ...], _Remembered] = ctx.runtime.memory.setdefault("s3.bucket_keys", {})
    return memory


def _kept(ctx: Context, place: tuple[Any, ...] | None) -> DataKey | None:
    found = _memory(ctx).get(place) if place is not None else None
    return found.key if found is not None and found.since <= ctx.now() < found.since + BUCKET_KEY_S else None


def _asked(ctx: Context, place: tuple[Any, ...] | None, ask: Any) -> DataKey:
    try:
        key: DataKey = ask()
    except Fault as fault:
        raise directory_encryption.worded(fault) from None
    if place is not None:
        entry = _Remembered(key, ctx.now())
        memory = _memory(ctx)
        # Only once this transaction is kept: an AWS managed key may have been made in it.
        ctx.txn.on_commit(lambda: _remember(memory, place, entry))
    return key


def _remember(memory: dict[tuple[Any, ...], _Remembered], place: tuple[Any, ...], entry: _Remembered) -> None:
    if len(memory) >= _REMEMBERED:
        memory.clear()
    memory[place] = entry


def _requester(ctx: Context) -> tuple[Any, ...]:
    """Whom S3 takes for one requester. Source: "… S3 Bucket Keys": roles, accounts, scoping policies."""
    caller = ctx.principal
    tags = tuple(sorted(caller.tags.items())) if caller.tags else ()
    return caller.account, caller.policy_arn, caller.session_policies, tags, caller.mfa_at is not None, ctx.source_arn


# --- answers


def shown(stored: Encrypted, answer: dict[str, Any]) -> None:
    """Say in an answer how the bytes are encrypted."""
    if stored.encryption == CUSTOMER:
        answer["SSECustomerAlgorithm"] = AES256
        answer["SSECustomerKeyMD5"] = stored.customer_key_md5
        return
    answer["ServerSideEncryption"] = stored.encryption
    if stored.kms_key:
        answer["SSEKMSKeyId"] = stored.kms_key
        if stored.bucket_key:
            answer["BucketKeyEnabled"] = True


def sealer(ctx: Context, key: bytes) -> Sealer | None:
    """What seals a body under this content key; None for b""."""
    return Sealer(key, ctx.random_bytes(8)) if key else None
