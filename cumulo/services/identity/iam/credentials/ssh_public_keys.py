"""SSH public keys: how a user signs in to CodeCommit. A user has five at most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import access_key_ids
from cumulo.core.errors import Error
from cumulo.core.operation import operation
from cumulo.core.table import ACCOUNT, Record, Table
from cumulo.services.identity.iam import pages
from cumulo.services.identity.iam.credentials import ssh_key_formats
from cumulo.services.identity.iam.credentials.requested_users import user_of
from cumulo.services.identity.iam.entities import users
from cumulo.services.identity.iam.errors import INVALID_INPUT, LIMIT_EXCEEDED, NO_SUCH_ENTITY

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import iam as t

QUOTA = 5

DUPLICATE_KEY = Error(
    "DuplicateSSHPublicKey", "The specified SSH public key is already associated with this user.", status=400
)


class SSHPublicKey(Record):
    """A key of one user, in both forms."""

    user_id: str
    key_id: str
    openssh: str
    pem: str
    fingerprint: str
    status: str
    uploaded_at: float


SSH_PUBLIC_KEYS = Table(SSHPublicKey, name="iam.ssh_public_keys", key=("user_id", "key_id"), scope=ACCOUNT)


users.BEFORE_DELETION.append(
    (
        Error("DeleteConflictException", "Cannot delete entity, must remove referenced objects first."),
        lambda ctx, user: SSH_PUBLIC_KEYS.range(ctx, user.user_id, limit=1),
    )
)


def _find(ctx: Context, user_id: str, key_id: str) -> SSHPublicKey:
    found = SSH_PUBLIC_KEYS.peek(ctx, user_id, key_id)
    if found is None:
        raise NO_SUCH_ENTITY(f"The Public Key with id {key_id} cannot be found.")
    return found


def _shown(user_name: str, key: SSHPublicKey, body: str) -> t.SSHPublicKey:
    return {
        "UserName": user_name,
        "SSHPublicKeyId": key.key_id,
        "Fingerprint": key.fingerprint,
        "SSHPublicKeyBody": body,
        "Status": key.status,
        "UploadDate": key.uploaded_at,
    }


@operation
def upload_ssh_public_key(ctx: Context, request: t.UploadSSHPublicKeyRequest) -> t.UploadSSHPublicKeyResponse:
    user = user_of(ctx, request)
    parsed = ssh_key_formats.parse(request["SSHPublicKeyBody"])
    theirs = SSH_PUBLIC_KEYS.range(ctx, user.user_id)
    if any(each.fingerprint == parsed.fingerprint for each in theirs):
        raise DUPLICATE_KEY()
    if len(theirs) >= QUOTA:
        raise LIMIT_EXCEEDED(quota="SSHPublicKeysPerUser", limit=QUOTA)
    key = SSHPublicKey(
        user.user_id,
        access_key_ids.new_access_key_id("APKA", ctx.account, ctx.random_bytes),
        parsed.openssh,
        parsed.pem,
        parsed.fingerprint,
        "Active",
        ctx.now(),
    )
    SSH_PUBLIC_KEYS.put(ctx, key)
    return {"SSHPublicKey": _shown(user.name, key, request["SSHPublicKeyBody"].strip())}


@operation
def get_ssh_public_key(ctx: Context, request: t.GetSSHPublicKeyRequest) -> t.GetSSHPublicKeyResponse:
    user = user_of(ctx, request)
    key = _find(ctx, user.user_id, request["SSHPublicKeyId"])
    return {"SSHPublicKey": _shown(user.name, key, key.openssh if request["Encoding"] == "SSH" else key.pem)}


@operation
def list_ssh_public_keys(ctx: Context, request: t.ListSSHPublicKeysRequest) -> t.ListSSHPublicKeysResponse:
    user = user_of(ctx, request)

    def listed(key: SSHPublicKey) -> t.SSHPublicKeyMetadata:
        return {
            "UserName": user.name,
            "SSHPublicKeyId": key.key_id,
            "Status": key.status,
            "UploadDate": key.uploaded_at,
        }

    keys = SSH_PUBLIC_KEYS.range(ctx, user.user_id)
    answer: t.ListSSHPublicKeysResponse = pages.of_list(
        ctx, keys, request, "SSHPublicKeys", listed, lambda key: key.key_id
    )
    return answer


@operation
def update_ssh_public_key(ctx: Context, request: t.UpdateSSHPublicKeyRequest) -> None:
    user = user_of(ctx, request)
    key = _find(ctx, user.user_id, request["SSHPublicKeyId"])
    if request["Status"] == "Expired":
        raise INVALID_INPUT("The status of an SSH public key can be set to Active or Inactive only.")
    key.status = request["Status"]
    SSH_PUBLIC_KEYS.put(ctx, key)


@operation
def delete_ssh_public_key(ctx: Context, request: t.DeleteSSHPublicKeyRequest) -> None:
    user = user_of(ctx, request)
    SSH_PUBLIC_KEYS.delete(ctx, _find(ctx, user.user_id, request["SSHPublicKeyId"]))
