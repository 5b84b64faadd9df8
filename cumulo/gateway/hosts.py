"""Whose requests these are: the names that are ours, and the web pages that may call us.

A browser is the one client that carries other people's programs. Two rules keep them out:

- A Host that is not ours is refused. Otherwise a page could let its own name point at 127.0.0.1
  (DNS rebinding) and read a person's cloud as its own origin. An IP address as Host is safe:
  the page would need that address as its own.
- An Origin that is not allowed is refused, and so is a cross-site request without one
  (`Sec-Fetch-Site`, sent by all browsers to loopback): an <img> could carry a presigned query.

Pages of this machine (localhost, any port) may call: their server could do so anyway.

A service that decides about pages itself (S3, by the rules of a bucket) is handed their requests with where they stand.
"""

from collections.abc import Callable, Iterable

from cumulo.gateway.answers import Answer, refusal
from cumulo.wire.http import Request

# Suffixes with their dot, names without. The docker ones mean "the host" inside a container.
_OUR_NAMES = frozenset(
    {"localhost", "localhost.localstack.cloud", "amazonaws.com", "amazonaws.com.cn"}
    | {"host.docker.internal", "gateway.docker.internal", "host.containers.internal"}
)
_OUR_SUFFIXES = (
    ".localhost",
    ".localhost.localstack.cloud",
    ".127.0.0.1",  # what SDKs make of http://127.0.0.1 and a prefix; nobody can own such a name
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".on.aws",
    ".amazoncognito.com",
    ".cloudfront.net",
)
_CACHED_MOST = 4096
_LONGEST = 253 + len(":65535")

# Where a page stands whose request is left to a service: nobody knows it, this machine's own, named in the settings.
FOREIGN, OURS, CONFIGURED = range(1, 4)

BROWSER_FIELDS = ("origin", "sec-fetch-site")


class Hosts:
    """`allowed_hosts` and `allowed_origins` are the settings of these names.

    A host is a name ("cloud.example"), a pattern for all below it ("*.cloud.example") or "*".
    An origin is written as browsers send it ("https://app.example:8443"), or "*", or "null".
    """

    def __init__(self, allowed_hosts: Iterable[str] = (), allowed_origins: Iterable[str] = ()) -> None:
        hosts = {host.lower().rstrip(".") for host in allowed_hosts}
        self._names = _OUR_NAMES | {host for host in hosts if not host.startswith("*")}
        self._suffixes = _OUR_SUFFIXES + tuple(host[1:] for host in hosts if host.startswith("*."))
        self._any_host = "*" in hosts
        self._origins = {origin.lower().rstrip("/") for origin in allowed_origins}
        self._known: dict[str, bool] = {}
        self.service_decides: Callable[[Request], bool] | None = None

    def is_ours(self, host: str) -> bool:
        """Whether this Host value (any case, port allowed) names this cloud."""
        known = self._known.get(host)
        if known is None:
            known = self._decide(host.lower())
            if len(self._known) < _CACHED_MOST and len(host) <= _LONGEST:
                self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        name = _without_port(host)
        if not name or len(host) > _LONGEST or not host.isascii() or any(character in " ,/@\\?#" for character in host):
            return False
        name = name.rstrip(".")
        return self._any_host or _is_address(name) or name in self._names or name.endswith(self._suffixes)

    def allows_origin(self, origin: str, request: Request) -> bool:
        """Whether a page of this origin may call: our own, this machine's, or an allowed one."""
        return self.standing(origin, request) != FOREIGN

    def standing(self, origin: str, request: Request) -> int:
        """Where a page of this origin stands: FOREIGN, OURS or CONFIGURED."""
        origin = origin.lower()
        if "*" in self._origins or origin in self._origins:
            return CONFIGURED
        return OURS if self._is_local(origin, request) else FOREIGN

    def left_to_service(self, request: Request) -> bool:
        """Whether a service says itself which pages may make this request."""
        return self.service_decides is not None and self.service_decides(request)

    @staticmethod
    def _is_local(origin: str, request: Request) -> bool:
        scheme, mark, host = origin.partition("://")
        if not mark or scheme not in ("http", "https"):
            return False
        name = _without_port(host)
        if name == "localhost" or name.endswith(".localhost") or name == "[::1]":
            return True
        if name.startswith("127.") and _is_address(name):
            return True
        return host == request.host and scheme == request.scheme

    def refuse(self, request: Request) -> Answer | None:
        """The answer to a request that must not reach the application, or None."""
        host = request.headers.get("host")
        if not self.is_ours(host):
            if request.http_version != "1.0" or host:
                return self._refuse_host(request, host)
        elif request.headers.holds_none_of(BROWSER_FIELDS):
            return None
        return self._refuse_page(request)

    def _refuse_host(self, request: Request, host: str) -> Answer:
        if not host or "," in host:
            return refusal(request, 400, "InvalidRequest", "A request names exactly one Host.")
        text = (
            f'The host "{host}" is not a name of this cloud, so this request is refused: another page may have '
            "pointed its name at this machine (DNS rebinding). If the name is yours, add it to the setting "
            "allowed_hosts."
        )
        return refusal(request, 403, "ForbiddenHost", text)

    def _refuse_page(self, request: Request) -> Answer | None:
        origin = request.headers.get("origin")
        if self.left_to_service(request):
            return None
        if not origin:
            if request.headers.get("sec-fetch-site") != "cross-site" or _only_opens_a_page(request):
                return None
            origin = _origin_of(request.headers.get("referer"))
        if self.allows_origin(origin, request):
            return None
        return self._refuse_origin(request, origin)

    @staticmethod
    def _refuse_origin(request: Request, origin: str) -> Answer:
        text = (
            f'Pages of the origin "{origin or "null"}" may not call this cloud. '
            "If the page is yours, add its origin to the setting allowed_origins."
        )
        return refusal(request, 403, "ForbiddenOrigin", text)

    def preflight(self, request: Request) -> Answer | None:
        """The answer to a CORS preflight of an allowed origin; None for any other request."""
        wanted = request.headers
        if request.method != "OPTIONS" or "access-control-request-method" not in wanted or "origin" not in wanted:
            return None
        headers = [
            ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("Access-Control-Allow-Headers", wanted.get("access-control-request-headers") or "*"),
            ("Access-Control-Max-Age", "7200"),
        ]
        if wanted.get("access-control-request-private-network") == "true":
            headers.append(("Access-Control-Allow-Private-Network", "true"))
        return 204, headers, b""

    def preflight_or_refusal(self, request: Request) -> Answer:
        """The answer to OPTIONS of a page that was left to a service which is not meant after all."""
        origin = request.headers.get("origin")
        if not self.allows_origin(origin, request):
            return self._refuse_origin(request, origin)
        status, headers, body = self.preflight(request) or refusal(
            request, 405, "MethodNotAllowed", "The specified method is not allowed."
        )
        return status, [*headers, *cors_fields(origin)], body


def cors_fields(origin: str) -> list[tuple[str, str]]:
    """What every answer to an allowed page carries, so that its program may read all of it."""
    return [
        ("Access-Control-Allow-Origin", origin),
        ("Access-Control-Expose-Headers", "*"),
        ("Vary", "Origin"),
    ]


def _only_opens_a_page(request: Request) -> bool:
    # A link from another site to our console: it shows a page and can carry no signature.
    mode = request.headers.get("sec-fetch-mode")
    return mode == "navigate" and request.method == "GET" and not request.query


def _origin_of(referer: str) -> str:
    scheme, mark, rest = referer.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}" if mark else ""


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[: host.find("]") + 1]
    name, colon, port = host.partition(":")
    return name if not colon or port.isdecimal() else ""


def _is_address(name: str) -> bool:
    if name.startswith("["):
        return name.endswith("]") and len(name) > 3 and all(digit in "0123456789abcdef:." for digit in name[1:-1])
    parts = name.split(".")
    return len(parts) == 4 and all(part.isdecimal() and len(part) <= 3 and int(part) <= 255 for part in parts)
