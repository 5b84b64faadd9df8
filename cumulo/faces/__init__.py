"""What is shown beside the API: S3's websites, upload forms, answers to pages of other origins; function URLs; logs."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from cumulo.faces import addresses, pages
from cumulo.faces.addresses import is_function_url as is_function_url
from cumulo.faces.addresses import is_log_ingestion as is_log_ingestion
from cumulo.wire.faults import Fault

if TYPE_CHECKING:
    from cumulo.app import Cloud
    from cumulo.gateway.exchange import Exchange
    from cumulo.wire.http import Request
    from cumulo.wire.protocols.failures import Response


def is_upload(request: Request) -> bool:
    """Whether a request is a browser's upload to a bucket."""
    return (
        request.method == "POST"
        and request.headers.get("content-type")[:19].lower() == "multipart/form-data"
        and not request.query
        and addresses.read(request) is not None
    )


def answer(cloud: Cloud, exchange: Exchange, request_id: str) -> Coroutine[Any, Any, None] | None:
    """The coroutine that answers a request without a signature in its header, None when the API does."""
    request = exchange.request
    if addresses.WEBSITE in request.headers.get("host"):
        address = addresses.website(request)
        if address is not None:
            from cumulo.faces import websites

            return websites.serve(cloud, exchange, address, request_id)
    if request.method == "POST":
        if not is_upload(request):
            return None
        from cumulo.faces import forms

        return forms.upload(cloud, exchange, request_id)
    if exchange.page and request.method == "OPTIONS":
        return pages.preflight(cloud, exchange, request_id)
    return None


def refusal(request: Request, request_id: str) -> Response | None:
    """S3's own refusal of a request that is no operation; None where it has none."""
    from cumulo.faces import forms

    fault = forms.wrong_type(request)
    if fault is None and request.method == "OPTIONS" and addresses.read(request) is not None:
        fault = Fault("BadRequest", pages.NO_ORIGIN, status=400)
    return None if fault is None else addresses.refusal(request, fault, request_id)
