"""The website configuration of a bucket.

Source: S3 API Reference, PutBucketWebsite; the texts were observed in AWS's answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cumulo.core.operation import operation
from cumulo.services.storage.s3.errors import INVALID_ARGUMENT, INVALID_REQUEST, MALFORMED_XML, NO_SUCH_WEBSITE
from cumulo.services.storage.s3.rights import access
from cumulo.services.storage.s3.stored import configurations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cumulo.core.context import Context
    from cumulo.stubs import s3 as t

KIND = "website"
MOST_RULES = 50
_PROTOCOLS = frozenset(("http", "https"))


@operation
def put_bucket_website(ctx: Context, request: t.PutBucketWebsiteRequest) -> None:
    """Replace the configuration: one redirect of everything, or an index document with rules."""
    bucket = access.bucket_for(ctx, request)
    given = request["WebsiteConfiguration"]
    redirect = given.get("RedirectAllRequestsTo")
    if redirect is not None:
        if len(given) > 1:
            raise INVALID_ARGUMENT(
                "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
                members={"ArgumentName": "RedirectAllRequestsTo", "ArgumentValue": "not null"},
            )
        _check_protocol(redirect)
    else:
        _check_index(given.get("IndexDocument"))
        rules = given.get("RoutingRules", [])
        if not rules and "RoutingRules" in given:
            raise MALFORMED_XML()
        if len(rules) > MOST_RULES:
            raise INVALID_REQUEST(
                f"The number of routing rules must not exceed {MOST_RULES}. Number of rules found: {len(rules)}."
            )
        for rule in rules:
            _check_rule(rule)
    configurations.put(ctx, bucket, KIND, dict(given))


def _check_index(index: Mapping[str, Any] | None) -> None:
    if index is None:
        raise INVALID_ARGUMENT(
            "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty",
            members={"ArgumentName": "IndexDocument", "ArgumentValue": "null"},
        )
    suffix = index["Suffix"]
    if not suffix or "/" in suffix:
        members = {"ArgumentName": "IndexDocument", "ArgumentValue": suffix}
        raise INVALID_ARGUMENT("The IndexDocument Suffix is not well formed", members=members)


def _check_protocol(redirect: Mapping[str, Any]) -> None:
    if redirect.get("Protocol", "http") not in _PROTOCOLS:
        raise INVALID_REQUEST(
            "Invalid protocol, protocol can be http or https. If not defined the protocol will be selected "
            "automatically."
        )


def _check_rule(rule: Mapping[str, Any]) -> None:
    redirect, condition = rule["Redirect"], rule.get("Condition")
    if not redirect:
        raise MALFORMED_XML()
    _check_protocol(redirect)
    if "ReplaceKeyPrefixWith" in redirect and "ReplaceKeyWith" in redirect:
        raise INVALID_REQUEST("You can only define ReplaceKeyPrefix or ReplaceKey but not both.")
    if condition is not None and not condition:
        raise INVALID_REQUEST(
            "Condition cannot be empty. To redirect all requests without a condition, the condition element shouldn't "
            "be present."
        )
    code = redirect.get("HttpRedirectCode")
    if code is not None and not (code.isdigit() and 300 < int(code) < 400):
        raise INVALID_REQUEST(f"The provided HTTP redirect code ({code}) is not valid. Valid codes are 3XX except 300.")
    error = (condition or {}).get("HttpErrorCodeReturnedEquals")
    if error is not None and not (error.isdigit() and 400 <= int(error) < 600):
        raise INVALID_REQUEST(f"The provided HTTP error code ({error}) is not valid. Valid codes are 4XX or 5XX.")


@operation
def get_bucket_website(ctx: Context, request: t.GetBucketWebsiteRequest) -> t.GetBucketWebsiteOutput:
    """The configuration."""
    return configurations.get(ctx, access.bucket_for(ctx, request), KIND, NO_SUCH_WEBSITE)  # type: ignore[return-value]


@operation
def delete_bucket_website(ctx: Context, request: t.DeleteBucketWebsiteRequest) -> None:
    """Remove the configuration, if there is one."""
    bucket = access.bucket_for(ctx, request)
    configurations.remove(ctx, bucket, KIND)
