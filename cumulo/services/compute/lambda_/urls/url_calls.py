"""A call of a function URL: who may make it, and the function's run. The bytes of HTTP are a face's business.

Source: Lambda Developer Guide, "Control access to Lambda function URLs": who calls needs lambda:InvokeFunctionUrl and,
since October 2025, lambda:InvokeFunction through the URL too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cumulo.core.errors import Fault
from cumulo.services.compute.lambda_.running import concurrency
from cumulo.services.compute.lambda_.running.invocation_requests import check_state, refuse_loop, trace_of
from cumulo.services.compute.lambda_.stored import function_names, qualifiers
from cumulo.services.compute.lambda_.stored.functions import arn_of
from cumulo.services.compute.lambda_.stored.policies import INVOKE, INVOKE_URL
from cumulo.services.compute.lambda_.urls import function_urls
from cumulo.services.compute.lambda_.urls.url_events import Caller

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.running.concurrency import Limits
    from cumulo.services.compute.lambda_.stored.qualifiers import Target
    from cumulo.services.compute.lambda_.urls.function_urls import FunctionUrl

NO_URL = Fault("ResourceNotFoundException", "", status=404)
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)


class Admitted(NamedTuple):
    """A call that may be made."""

    url: FunctionUrl
    target: Target
    limits: Limits
    trace_id: str
    caller: Caller | None


def find(ctx: Context, url_id: str, region: str) -> FunctionUrl:
    """The URL of a host. Raises ResourceNotFoundException."""
    url = function_urls.of_host(ctx, url_id, region)
    if url is None:
        raise NO_URL
    ctx.region = url.region
    return url


def admit(ctx: Context, url: FunctionUrl) -> Admitted:
    """Ask the policies, and find what is to run; the caller is known, or nobody. Raises Lambda's faults."""
    arn = arn_of(url.account, url.region, url.name, url.qualifier)
    context = {"lambda:FunctionUrlAuthType": url.auth_type}
    try:
        target = qualifiers.resolve(ctx, arn, action=INVOKE_URL, context=context, weighted=True)
        asked = function_names.read(ctx, arn)
        through = {"lambda:InvokedViaFunctionUrl": "true"}
        qualifiers.authorize(ctx, asked, target.function, action=INVOKE, context=through)
    except Fault as fault:
        if fault.code in ("AccessDeniedException", "AccessDenied", "MissingAuthenticationToken"):
            raise Fault("AccessDeniedException", FORBIDDEN, status=403) from None
        raise
    check_state(target, "")
    trace_id, looped = trace_of(ctx, target)
    refuse_loop(ctx, target, looped)
    principal = ctx.principal
    caller = None
    if url.auth_type == "AWS_IAM":
        caller = Caller(principal.access_key_id, principal.account, principal.user_id, principal.arn)
    limits = concurrency.limits_of(ctx, target.function)
    return Admitted(url, target, limits, trace_id, caller)
