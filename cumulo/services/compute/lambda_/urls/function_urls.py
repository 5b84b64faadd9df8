"""Function URLs: the addresses at which functions answer HTTP. The texts were observed in AWS's answers."""

from __future__ import annotations

import base64
import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cumulo.core.operation import operation
from cumulo.core.table import GLOBAL, REGION, Record, Table
from cumulo.services.compute.lambda_ import errors
from cumulo.services.compute.lambda_.stored import function_names, function_pages, qualifiers, versions
from cumulo.services.compute.lambda_.stored.aliases import ALIASES
from cumulo.services.compute.lambda_.stored.functions import FUNCTIONS, arn_of

if TYPE_CHECKING:
    from cumulo.core.context import Context
    from cumulo.services.compute.lambda_.stored.function_names import FunctionName
    from cumulo.services.compute.lambda_.stored.functions import Function
    from cumulo.stubs import lambda_ as t

BUFFERED, RESPONSE_STREAM = "BUFFERED", "RESPONSE_STREAM"
LABEL = "lambda-url"  # the part of the host that says what it is


class FunctionUrl(Record):
    """The URL of a function ("" as its qualifier) or of an alias. Times are cloud time in seconds."""

    account: str
    region: str
    name: str
    qualifier: str
    url_id: str
    auth_type: str
    created_at: float
    modified_at: float
    invoke_mode: str = ""  # "" for what was never said: BUFFERED
    cors: dict[str, Any] | None = None


class UrlPlace(Record):
    """Whose URL an id is."""

    url_id: str
    account: str
    region: str
    name: str
    qualifier: str


FUNCTION_URLS = Table(FunctionUrl, name="lambda.urls", key=("name", "qualifier"), scope=REGION)
URL_PLACES = Table(UrlPlace, name="lambda.url_places", key="url_id", scope=GLOBAL)


def of_host(ctx: Context, url_id: str, region: str) -> FunctionUrl | None:
    """The URL with this id, None when there is none."""
    place = URL_PLACES.peek(ctx, url_id)
    if place is None or (region and place.region != region):
        return None
    return FUNCTION_URLS.peek(ctx, place.name, place.qualifier, account=place.account, region=place.region)


def forget(ctx: Context, account: str, region: str, name: str, qualifier: str = "") -> None:
    """A function, or one alias of it, is deleted."""
    prefix = (name, qualifier) if qualifier else (name,)
    for url in FUNCTION_URLS.range(ctx, *prefix, account=account, region=region):
        _drop(ctx, url)


def _drop(ctx: Context, url: FunctionUrl) -> None:
    FUNCTION_URLS.delete(ctx, url, account=url.account, region=url.region)
    place = URL_PLACES.peek(ctx, url.url_id)
    if place is not None:
        URL_PLACES.delete(ctx, place)


def _keep(ctx: Context, url: FunctionUrl) -> None:
    FUNCTION_URLS.put(ctx, url, account=url.account, region=url.region)


def _asked(ctx: Context, request: Any, auth_type: str = "") -> tuple[FunctionName, Function | None, FunctionUrl | None]:
    """The function or alias of a request and its URL, authorized."""
    asked = function_names.read(ctx, request["FunctionName"], request.get("Qualifier"))
    function = FUNCTIONS.peek(ctx, asked.name, account=asked.account)
    url = FUNCTION_URLS.peek(ctx, asked.name, asked.qualifier, account=asked.account)
    shown = auth_type or (url.auth_type if url is not None else "")
    qualifiers.authorize(ctx, asked, function, context={"lambda:FunctionUrlAuthType": shown} if shown else None)
    return asked, function, url


def _found(ctx: Context, request: Any, auth_type: str = "") -> FunctionUrl:
    _, function, url = _asked(ctx, request, auth_type)
    if function is None or url is None:
        raise errors.RESOURCE_NOT_FOUND()
    return url


@operation
def create_function_url_config(
    ctx: Context, request: t.CreateFunctionUrlConfigRequest
) -> t.CreateFunctionUrlConfigResponse:
    asked, function, url = _asked(ctx, request, request["AuthType"])
    if function is None:
        raise errors.NO_FUNCTION()
    if asked.qualifier and ALIASES.peek(ctx, asked.name, asked.qualifier, account=asked.account) is None:
        raise errors.NO_FUNCTION()
    if url is not None:
        raise errors.URL_EXISTS(arn=asked.arn)
    versions.refuse_tenants(ctx, function, "Function URLs are")
    now = ctx.now()
    url_id = base64.b32encode(ctx.random_bytes(20)).decode().lower()
    url = FunctionUrl(
        *asked,
        url_id,
        request["AuthType"],
        now,
        now,
        request.get("InvokeMode", ""),
        _cors(request),
    )
    _keep(ctx, url)
    URL_PLACES.put(ctx, UrlPlace(url_id, *asked))
    shown = _shown(ctx, url)
    del shown["LastModifiedTime"]
    answer: t.CreateFunctionUrlConfigResponse = shown
    return answer


@operation
def update_function_url_config(
    ctx: Context, request: t.UpdateFunctionUrlConfigRequest
) -> t.UpdateFunctionUrlConfigResponse:
    url = _found(ctx, request, request.get("AuthType", ""))
    url.auth_type = request.get("AuthType", url.auth_type)
    url.invoke_mode = request.get("InvokeMode", url.invoke_mode)
    if "Cors" in request:
        url.cors = _cors(request) or None  # an empty one ends it
    url.modified_at = ctx.now()
    _keep(ctx, url)
    answer: t.UpdateFunctionUrlConfigResponse = _shown(ctx, url)
    return answer


@operation
def get_function_url_config(ctx: Context, request: t.GetFunctionUrlConfigRequest) -> t.GetFunctionUrlConfigResponse:
    url = _found(ctx, request)
    answer: t.GetFunctionUrlConfigResponse = _shown(ctx, url)
    answer["InvokeMode"] = url.invoke_mode or BUFFERED
    return answer


@operation
def delete_function_url_config(ctx: Context, request: t.DeleteFunctionUrlConfigRequest) -> None:
    _drop(ctx, _found(ctx, request))


@operation
def list_function_url_configs(
    ctx: Context, request: t.ListFunctionUrlConfigsRequest
) -> t.ListFunctionUrlConfigsResponse:
    name = function_pages.owner(ctx, request, errors.NO_FUNCTION)
    answer: t.ListFunctionUrlConfigsResponse = function_pages.page(
        ctx,
        request,
        lambda after, limit: FUNCTION_URLS.range(ctx, name.name, after=after, limit=limit, account=name.account),
        lambda url: {**_shown(ctx, url), "InvokeMode": url.invoke_mode or BUFFERED},
        key=(name.name,),
        member="FunctionUrlConfigs",
    )
    return answer


_CORS = ("AllowCredentials", "AllowHeaders", "AllowMethods", "AllowOrigins", "ExposeHeaders", "MaxAge")


def _cors(request: Any) -> dict[str, Any] | None:
    """The CORS settings of a request."""
    given = request.get("Cors")
    return None if given is None else {name: given[name] for name in _CORS if name in given}


def _shown(ctx: Context, url: FunctionUrl) -> Any:
    answer: dict[str, Any] = {
        "FunctionUrl": address(ctx.endpoint, url),
        "FunctionArn": arn_of(url.account, url.region, url.name, url.qualifier),
        "AuthType": url.auth_type,
        "CreationTime": _time(url.created_at),
        "LastModifiedTime": _time(url.modified_at),
    }
    if url.cors is not None:
        answer["Cors"] = url.cors
    if url.invoke_mode:
        answer["InvokeMode"] = url.invoke_mode
    return answer


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def address(endpoint: str, url: FunctionUrl) -> str:
    """The URL as a caller of this endpoint reaches it; callers of AWS's own names get AWS's form."""
    parts = urlsplit(endpoint)
    host = parts.hostname or "localhost"
    prefix = f"{url.url_id}.{LABEL}.{url.region}"
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws")):
        return f"https://{prefix}.on.aws/"
    if not host.endswith("localhost.localstack.cloud"):
        host = "localhost"
    else:
        host = "localhost.localstack.cloud"
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{prefix}.{host}{port}/"
