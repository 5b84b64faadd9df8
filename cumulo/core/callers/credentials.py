"""Access keys: who holds them, for how long, and whether a request that names one may pass.

`authenticate` is the pipeline's question. `issue` is for those who make keys: STS for sessions, IAM for users, the
command line for root. A key lives in the table ACCESS_KEYS, which no service's API reads or writes directly.

Keys that nobody issued exist only while the server listens on loopback: `test` (secret `test`, and that is checked)
and any unknown id are root of account 000000000000, a 12-digit id is root of that account. The secrets of those two
cannot be known, so of their signatures only the unsigned parts are checked: dates, scope, the body's hash. An id that
this cloud issued itself is recognised (`access_key_ids.is_ours`) and never taken for a free one.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from cumulo.core.callers import access_key_ids
from cumulo.core.errors import Error
from cumulo.core.policy.principals import ANONYMOUS, Principal, PrincipalKind, root
from cumulo.core.table import GLOBAL, Record, Table
from cumulo.wire import signature_faults, sigv4
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.wire.http import Request
    from cumulo.wire.models import Service

__all__ = ["ANONYMOUS", "AccessKey", "Credential", "Issued", "authenticate", "issue", "resolve", "root"]

DEFAULT_ACCOUNT = "000000000000"
LOCAL_KEY = "test"
LOCAL_SECRET = "test"
KEEP_EXPIRED_S = 129_600  # so long is a session known to have expired, rather than unknown

INVALID_TOKEN = Error("InvalidClientTokenId", "The security token included in the request is invalid.")
EXPIRED_TOKEN = Error("ExpiredToken", "The security token included in the request is expired")
S3_UNKNOWN_KEY = Error(
    "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", status=403
)
S3_INVALID_TOKEN = Error("InvalidToken", "The provided token is malformed or otherwise invalid.", status=400)
S3_EXPIRED_TOKEN = Error("ExpiredToken", "The provided token has expired.", status=400)


class AccessKey(Record):
    """A key that this cloud issued.

    `kind`, `arn`, `entity_arn`, `user_id`, `name`, `external_provider` and `tags` become the Principal's. Times are
    whole seconds of cloud time; `expires_at` 0 is never. `token_digest` is the SHA-256 of the session token, empty
    for a lasting key. `transitive_keys` are the session tags that the next role in a chain inherits. `issuer_keys`
    are the ids of the keys that this one came from, the nearest first: two or more of a role are a chain.
    `bucket` is the directory bucket of S3 whose session this is: the key is good for S3 alone, and with `read_only` for
    reading alone; `encryption` is what the session writes with ("AES256", "aws:kms"; "" as the bucket).
    `called_via` are the services that use the key for its holder (aws:CalledVia).
    """

    access_key_id: str
    secret: str
    account: str
    kind: str
    arn: str
    user_id: str
    name: str = ""
    entity_arn: str = ""
    partition: str = "aws"
    active: bool = True
    created_at: int = 0
    expires_at: int = 0
    token_digest: bytes = b""
    tags: dict[str, str] = {}
    transitive_keys: list[str] = []
    source_identity: str = ""
    mfa_at: int | None = None
    external_provider: str = ""
    session_policies: list[str] = []
    session_policy_arns: list[str] = []
    issuer_keys: list[str] = []
    bucket: str = ""
    read_only: bool = False
    encryption: str = ""
    called_via: list[str] = []

    def principal(self) -> Principal:
        """Who a request signed with this key comes from."""
        return Principal(
            PrincipalKind(self.kind),
            self.arn,
            self.account,
            self.partition,
            user_id=self.user_id,
            name=self.name,
            entity_arn=self.entity_arn,
            access_key_id=self.access_key_id,
            tags=self.tags,
            token_issued_at=float(self.created_at) if self.expires_at else None,
            mfa_at=None if self.mfa_at is None else float(self.mfa_at),
            source_identity=self.source_identity,
            external_provider=self.external_provider,
            session_policies=tuple(self.session_policies),
        )


ACCESS_KEYS = Table(
    AccessKey,
    name="credentials.access_keys",
    key="access_key_id",
    scope=GLOBAL,
    indexes={"by_expiry": ("expires_at",), "by_holder": ("arn",)},
)


class Credential(NamedTuple):
    """What an access key id stands for: its principal, and its secret or None where that cannot be known."""

    principal: Principal
    secret: str | None
    called_via: tuple[str, ...] = ()


class Issued(NamedTuple):
    """A key just made, with what is told only once: its secret and its session token."""

    key: AccessKey
    secret: str
    session_token: str


_local: Final[dict[str, Credential]] = {}


def local_credential(access_key_id: str) -> Credential:
    """The root user that a key nobody issued stands for (see the module's text)."""
    known = _local.get(access_key_id)
    if known is None:
        is_account = len(access_key_id) == 12 and access_key_id.isascii() and access_key_id.isdigit()
        principal = root(access_key_id if is_account else DEFAULT_ACCOUNT)
        principal = msgspec.structs.replace(principal, access_key_id=access_key_id)
        known = Credential(principal, LOCAL_SECRET if access_key_id == LOCAL_KEY else None)
        if len(_local) >= 4096:
            _local.clear()
        _local[access_key_id] = known
    return known


def is_local(access_key_id: str) -> bool:
    """Whether an id that has no record may stand for a root user."""
    return not access_key_ids.is_ours(access_key_id)


def resolve(
    find: Callable[[str], AccessKey | None],
    access_key_id: str,
    session_token: str,
    now: float,
    *,
    local_keys: bool,
    s3: bool = False,
    express: bool = False,
) -> Credential:
    """The credential behind an access key id.

    `find` looks a key up, `now` is cloud time, `local_keys` whether keys that nobody issued are welcome. Raises
    InvalidClientTokenId (S3: InvalidAccessKeyId, InvalidToken) for an unknown, inactive or deleted key and for a
    missing or foreign session token, ExpiredToken for a session that is over. `express`: signed for a directory bucket,
    as a key of such a bucket's session must be.
    """
    if access_key_id == LOCAL_KEY and local_keys:
        return local_credential(access_key_id)
    key = find(access_key_id)
    if key is None:
        if local_keys and is_local(access_key_id):
            return local_credential(access_key_id)
        raise (S3_UNKNOWN_KEY if s3 else INVALID_TOKEN)()
    if not key.active or (key.bucket and not express):
        raise (S3_UNKNOWN_KEY if s3 else INVALID_TOKEN)()
    if key.token_digest:
        if not session_token:
            raise (S3_UNKNOWN_KEY if s3 else INVALID_TOKEN)()
        if not compare_digest(sha256(session_token.encode("latin-1", "replace")).digest(), key.token_digest):
            raise (S3_INVALID_TOKEN if s3 else INVALID_TOKEN)()
        if now >= key.expires_at:
            raise (S3_EXPIRED_TOKEN if s3 else EXPIRED_TOKEN)()
    elif session_token:
        raise (S3_INVALID_TOKEN if s3 else INVALID_TOKEN)()
    return Credential(key.principal(), key.secret, tuple(key.called_via))


def authenticate(ctx: Context, request: Request, service: Service) -> Principal:
    """Who sent this request; ANONYMOUS when it is not signed. Raises AWS's fault for a claim that does not hold.

    Inside the call's transaction. Signatures are held against real time, sessions against cloud time.
    """
    try:
        claim = sigv4.read(request, service.name)
        if claim is None:
            return ANONYMOUS
        ctx.claim = claim
        return _believed(ctx, request, service, claim).principal
    except Fault as fault:
        if ctx.protocol == "ec2" and fault.code in ("SignatureDoesNotMatch", "InvalidClientTokenId"):
            raise signature_faults.ec2_refusal() from None
        raise


def identify(
    ctx: Context, request: Request, service: Service, *, streamed: bool
) -> tuple[Principal, sigv4.Claim | None, str | None]:
    """Who sent a request that carries a body, with what holds the body against the signature: claim and secret.

    With `streamed` the body is not there yet, and only the head is believed. Raises as `authenticate`.
    """
    claim = sigv4.read(request, service.name)
    if claim is None:
        return ANONYMOUS, None, None
    ctx.claim = claim
    credential = _believed(ctx, request, service, claim, streamed)
    return credential.principal, claim, credential.secret


def of_claim(ctx: Context, claim: sigv4.Claim) -> Credential:
    """The credential of the key that a claim names; its signature is still to be held against it.

    Raises InvalidClientTokenId (S3: InvalidAccessKeyId, InvalidToken), ExpiredToken.
    """
    runtime = ctx.runtime
    key_id = claim.access_key_id
    if runtime.local_keys and (key_id == LOCAL_KEY or key_id in _local):
        # A key that was local stays so: an issued id never is (`is_ours`).
        return local_credential(key_id)
    return resolve(
        lambda access_key_id: ACCESS_KEYS.peek(ctx, access_key_id),
        key_id,
        claim.session_token,
        runtime.clock.now(),
        local_keys=runtime.local_keys,
        s3=claim.service in sigv4.S3_SIGNING_NAMES,
        express=claim.service == "s3express",
    )


def _believed(
    ctx: Context, request: Request, service: Service, claim: sigv4.Claim, streamed: bool = False
) -> Credential:
    credential = of_claim(ctx, claim)
    if credential.called_via:
        ctx.called_via = credential.called_via
    now = ctx.runtime.clock.wall()
    if claim.region_set:
        sigv4.check_region(claim, ctx.region)
    signing_name = "" if claim.service in sigv4.S3_SIGNING_NAMES else service.signing_name
    if credential.secret is None:
        sigv4.check_unsigned_parts(request, claim, now, service.name, signing_name=signing_name, streamed=streamed)
    else:
        secret = credential.secret
        sigv4.verify(request, claim, secret, now, service.name, signing_name=signing_name, streamed=streamed)
    return credential


def issue(
    ctx: Context,
    *,
    account: str,
    kind: PrincipalKind,
    arn: str,
    user_id: str,
    lasts_s: int | None = None,
    token_size: int = 0,
    **known: Any,
) -> Issued:
    """Make a key: a lasting one, or with `lasts_s` a session's, whose token has `token_size` bytes or more.

    `known` are further fields of AccessKey.
    """
    now = int(ctx.now())
    prefix = access_key_ids.USER_KEY if lasts_s is None else access_key_ids.SESSION_KEY
    key_id = access_key_ids.new_access_key_id(prefix, account, ctx.random_bytes)
    while ACCESS_KEYS.peek(ctx, key_id) is not None:
        key_id = access_key_ids.new_access_key_id(prefix, account, ctx.random_bytes)
    secret = b64encode(ctx.random_bytes(30)).decode()
    token = ""
    if lasts_s is not None:
        content = max(240, -(-token_size * 3 // 4))
        token = b64encode(ctx.random_bytes(content + -content % 3)).decode()
    key = AccessKey(
        access_key_id=key_id,
        secret=secret,
        account=account,
        kind=kind.value,
        arn=arn,
        user_id=user_id,
        partition=ctx.partition,
        created_at=now,
        expires_at=0 if lasts_s is None else now + lasts_s,
        token_digest=sha256(token.encode()).digest() if token else b"",
        **known,
    )
    ACCESS_KEYS.put(ctx, key)
    return Issued(key, secret, token)


def issue_alike(ctx: Context, lasts_s: int, **known: Any) -> Issued:
    """A session's key that stands for the caller, and for no more than the caller is. `known` as for `issue`."""
    who = ctx.principal
    own = find(ctx, who.access_key_id)
    return issue(
        ctx,
        account=who.account,
        kind=who.kind,
        arn=who.arn,
        user_id=who.user_id,
        lasts_s=lasts_s,
        name=who.name,
        entity_arn=who.entity_arn,
        tags=who.tags,
        transitive_keys=own.transitive_keys if own is not None else [],
        source_identity=who.source_identity,
        mfa_at=None if who.mfa_at is None else int(who.mfa_at),
        external_provider=who.external_provider,
        session_policies=list(who.session_policies),
        session_policy_arns=own.session_policy_arns if own is not None else [],
        issuer_keys=own.issuer_keys if own is not None else [],
        **known,
    )


def create_root_key(ctx: Context, account: str) -> Issued:
    """A lasting key of an account's root user: what a cloud that listens beyond loopback begins with."""
    principal = root(account, ctx.partition)
    return issue(ctx, account=account, kind=PrincipalKind.ROOT, arn=principal.arn, user_id=account)


def find(ctx: Context, access_key_id: str) -> AccessKey | None:
    """The record of a key, None for a key that nobody issued (or that is gone)."""
    return ACCESS_KEYS.peek(ctx, access_key_id) if access_key_id else None


def keys_of(ctx: Context, arn: str) -> list[AccessKey]:
    """The keys of one holder (a user, the root user), without those of its sessions."""
    return [key for key in ACCESS_KEYS.range(ctx, arn, index="by_holder") if not key.token_digest]


def set_active(ctx: Context, key: AccessKey, active: bool) -> None:
    """Switch a key on or off."""
    key.active = active
    ACCESS_KEYS.put(ctx, key)


def revoke(ctx: Context, key: AccessKey) -> None:
    """Forget a key; requests signed with it are refused from now on."""
    ACCESS_KEYS.delete(ctx, key)


def forget_expired(ctx: Context, limit: int = 500) -> int:
    """Drop sessions that have been over for long; how many it dropped."""
    over = int(ctx.now()) - KEEP_EXPIRED_S
    gone = ACCESS_KEYS.range(ctx, index="by_expiry", start=(1,), end=(max(over, 1),), limit=limit)
    for key in gone:
        ACCESS_KEYS.delete(ctx, key)
    return len(gone)
