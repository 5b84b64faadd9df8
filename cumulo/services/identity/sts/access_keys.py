"""Access keys: to which account does an id belong?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.callers import access_key_ids, credentials
from cumulo.core.operation import operation
from cumulo.services.identity.sts.sessions import VALIDATION_ERROR

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import sts as t


@operation
def get_access_key_info(ctx: Context, request: t.GetAccessKeyInfoRequest) -> t.GetAccessKeyInfoResponse:
    """The account of an access key id: it is written into the id, so the key need not exist (any more).

    An id without an account stands for the account that it signs in to here, if local keys are free.
    """
    key_id = request["AccessKeyId"]
    account = access_key_ids.account_of(key_id)
    if account is None and ctx.runtime.local_keys:
        account = credentials.local_credential(key_id).principal.account
    if account is None:
        raise VALIDATION_ERROR(f"The access key ID {key_id} is not valid")
    return {"Account": account}
