"""URLs that carry their signature, for programs that fetch something for somebody else.

Source: S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from cumulo.wire import sigv4

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cumulo.core.callers.credentials import Issued
    from cumulo.core.context import Context


def local_endpoint(ctx: Context) -> str:
    """The cloud as programs on this machine reach it, functions among them: by address, which needs no resolver."""
    port = urlsplit(ctx.runtime.endpoint).port
    return f"http://127.0.0.1:{port}" if port else ctx.runtime.endpoint


def of_s3(
    ctx: Context,
    held: Issued,
    method: str,
    path: str,
    *,
    query: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    lasts_s: int,
) -> str:
    """A URL to `path` (decoded, with its slash) of S3 at this cloud, good for so many seconds of real time.

    Whoever uses it sends `headers` (by lower-case names) as well, as they are signed.
    """
    endpoint = local_endpoint(ctx)
    signed = {"host": urlsplit(endpoint).netloc, **(headers or {})}
    names = ";".join(sorted(signed))
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(ctx.runtime.clock.wall()))
    scope = f"{moment[:8]}/{ctx.region}/s3/aws4_request"
    pairs = [
        *query,
        ("X-Amz-Algorithm", sigv4.ALGORITHM),
        ("X-Amz-Credential", f"{held.key.access_key_id}/{scope}"),
        ("X-Amz-Date", moment),
        ("X-Amz-Expires", str(lasts_s)),
        ("X-Amz-Security-Token", held.session_token),
        ("X-Amz-SignedHeaders", names),
    ]
    sent = sorted([(quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs])
    encoded = "&".join([f"{name}={value}" for name, value in sent])
    place = quote(path, safe="/~")
    block = "".join([f"{name}:{signed[name]}\n" for name in sorted(signed)])
    canonical = f"{method}\n{place}\n{encoded}\n{block}\n{names}\n{sigv4.UNSIGNED}"
    text = f"{sigv4.ALGORITHM}\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = sigv4.signing_key(held.secret, moment[:8], ctx.region, "s3")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    return f"{endpoint}{place}?{encoded}&X-Amz-Signature={signature}"
