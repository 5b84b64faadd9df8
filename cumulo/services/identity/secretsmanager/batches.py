"""BatchGetSecretValue: the values of many secrets; what one of them refuses does not stop the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cumulo.core import paging
from cumulo.core.errors import Fault
from cumulo.core.operation import operation
from cumulo.services.identity.secretsmanager import listings, values
from cumulo.services.identity.secretsmanager.errors import INVALID_NEXT_TOKEN, INVALID_PARAMETER

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.stubs import secretsmanager as t

PAGE = 20
EITHER = "Either 'SecretIdList' or 'Filters' must be provided, but not both."
FILTERS_FIRST = "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided."


@operation
def batch_get_secret_value(ctx: Context, request: t.BatchGetSecretValueRequest) -> t.BatchGetSecretValueResponse:
    if "MaxResults" in request and "Filters" not in request:
        raise INVALID_PARAMETER(FILTERS_FIRST)
    if ("SecretIdList" in request) == ("Filters" in request):
        raise INVALID_PARAMETER(EITHER)
    token: str | None = None
    if "SecretIdList" in request:
        chosen = list(dict.fromkeys(request["SecretIdList"]))
    else:
        chosen, token = _filtered(ctx, request)
    found: Any = []
    errors: Any = []
    for secret_id in chosen:
        try:
            with ctx.txn.savepoint():
                found.append(values.read(ctx, {"SecretId": secret_id}, action="secretsmanager:GetSecretValue"))
        except Fault as fault:
            errors.append({"SecretId": secret_id, "ErrorCode": fault.code, "Message": fault.message})
    answer: t.BatchGetSecretValueResponse = {"SecretValues": found, "Errors": errors}
    if token:
        answer["NextToken"] = token
    return answer


def _filtered(ctx: Context, request: Any) -> tuple[list[str], str | None]:
    """The ARNs of one page of the secrets that pass the filters."""
    if not ctx.trusted(ctx.account):
        ctx.authorize("*", action="secretsmanager:ListSecrets")
    secrets = listings.select(ctx, request, deleted=False)
    found, token = paging.page(
        ctx,
        lambda after, limit: [each for each in secrets if after is None or each.name > str(after[0])][:limit],
        lambda secret: (secret.name,),
        token=request.get("NextToken"),
        limit=request.get("MaxResults", PAGE),
        error=INVALID_NEXT_TOKEN(),
    )
    return [secret.arn for secret in found], token
