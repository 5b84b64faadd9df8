"""MFA delete: the x-amz-mfa header, "the device's serial number, a space, the code that it shows".

Source: S3 User Guide, "Configuring MFA delete": requests that change the versioning state of such a bucket, or delete
a version for good, must bring it. On AWS the device is that of the account's root user, which only the console can give
it; here any device in use in the account stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.errors import Fault
from cumulo.services.storage.s3.errors import ACCESS_DENIED, MFA_REQUIRED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context


def check(ctx: Context, request: Mapping[str, Any]) -> None:
    """AccessDenied unless the request brings a code that the caller's device shows now; the code is used up."""
    given = request.get("MFA")
    if not given:
        raise MFA_REQUIRED()
    serial, _, code = given.strip().rpartition(" ")
    try:
        ctx.runtime.identities.check_mfa(ctx, serial, code, of_account=True)
    except Fault:
        raise ACCESS_DENIED() from None
