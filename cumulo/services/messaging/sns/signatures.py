"""The signatures on what SNS sends, and the certificate that they are checked with.

One RSA key and a certificate signed by itself serve a whole cloud. They lie in the store, so all
nodes of a cloud sign alike and a restart changes nothing. The certificate's URL names AWS's
own host, as validators insist; `cumulo exec` and every cumulo endpoint answer that path.
"""

from __future__ import annotations

from base64 import b64encode
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cumulo.core.operation import task
from cumulo.core.table import GLOBAL, Record, Table

if TYPE_CHECKING:
    from cumulo.core.context import Context

PATH_PREFIX = "/SimpleNotificationService-"
_KEY_BITS = 2048
_LASTS_DAYS = 3650
_KEPT = 256  # signatures: the subscriptions of a topic get the same one


class SigningKey(Record):
    """The key and certificate, in PEM; `id` is the hexadecimal part of the certificate's name."""

    name: str
    id: str
    key: str
    certificate: str


SIGNING_KEYS = Table(SigningKey, name="sns.signing_keys", key="name", scope=GLOBAL)

_signatures: OrderedDict[bytes, str] = OrderedDict()


def prepare(ctx: Context) -> None:
    """Have this cloud's key made, for whoever makes a topic: something will have to be signed soon."""
    if SIGNING_KEYS.peek(ctx, "current") is None:
        ctx.later(make_signing_key, {})


@task
async def make_signing_key(ctx: Context, payload: dict[str, Any]) -> None:
    """Make the key in a thread: it takes some 50 ms, in which the loop would answer nobody."""
    if await ctx.transact(lambda ctx: SIGNING_KEYS.peek(ctx, "current")) is None:
        now = ctx.now()
        made = await ctx.in_thread(lambda: _make(now))
        await ctx.transact(lambda ctx: _keep(ctx, made))


def _keep(ctx: Context, made: SigningKey) -> None:
    if SIGNING_KEYS.peek(ctx, "current") is None:  # else it was needed before: another one signs already
        SIGNING_KEYS.put(ctx, made)


def signing_key(ctx: Context) -> SigningKey:
    """This cloud's key; made here and now when it is needed before `prepare`'s is there."""
    found = SIGNING_KEYS.peek(ctx, "current")
    if found is None:
        found = _make(ctx.now())
        SIGNING_KEYS.put(ctx, found)
    return found


def certificate(ctx: Context, path: str) -> str | None:
    """The PEM certificate at `/SimpleNotificationService-<id>.pem`; None when that is another's."""
    found = SIGNING_KEYS.peek(ctx, "current")
    return found.certificate if found is not None and path == f"{PATH_PREFIX}{found.id}.pem" else None


def sign(ctx: Context, text: str, version: str) -> tuple[str, str]:
    """(signature in base64, URL of the certificate) of a text: SHA1withRSA for version 1, SHA256withRSA for 2."""
    key = signing_key(ctx)
    suffix = ".cn" if ctx.partition == "aws-cn" else ""
    url = f"https://sns.{ctx.region}.amazonaws.com{suffix}{PATH_PREFIX}{key.id}.pem"
    digest = sha256(f"{key.id} {version} {text}".encode()).digest()
    signature = _signatures.get(digest)
    if signature is None:
        signature = _signatures[digest] = _sign(key.key, text, version)
        if len(_signatures) > _KEPT:
            _signatures.popitem(last=False)
    return signature, url


def _sign(key: str, text: str, version: str) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

    algorithm = hashes.SHA256() if version == "2" else hashes.SHA1()  # AWS's default
    return b64encode(_load(key).sign(text.encode(), PKCS1v15(), algorithm)).decode()


@lru_cache(maxsize=4)
def _load(key: str) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(key.encode(), None, unsafe_skip_rsa_key_validation=True)  # it is our own


def _make(now: float) -> SigningKey:
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    key = generate_private_key(65537, _KEY_BITS)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    # Clients check the validity against real time, so cloud time that a test moved must not come near the edges.
    begin = datetime.fromtimestamp(now, UTC) - timedelta(days=_LASTS_DAYS)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3 * _LASTS_DAYS))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificate_id = certificate.fingerprint(hashes.SHA256()).hex()[:32]
    return SigningKey("current", certificate_id, private.decode(), certificate.public_bytes(pem).decode())
