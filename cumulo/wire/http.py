"""One HTTP request as it came: raw path, raw header case, nothing decoded twice.

SigV4 signs the bytes that the client wrote, so nothing here normalises them.
"""

from collections.abc import Iterator
from typing import Any, Final

# Lower-case names by their bytes: the same thirty spellings come with every request.
_NAMES: Final[dict[bytes, str]] = {}
_SPACE: Final = 0x20
_NAMES_MOST = 1024  # a client that invents names only loses the shortcut


def _name(raw: bytes) -> str:
    name = raw.decode("latin-1").lower()
    if len(_NAMES) < _NAMES_MOST and len(raw) <= 64:
        _NAMES[raw] = name
    return name


def _joined(raw: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """The fields by lower-case name where one comes more than once."""
    fields: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name = name_bytes.decode("latin-1").lower()
        value = value_bytes.decode("latin-1").strip(" \t")
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


class Headers:
    """The header fields of a request in arrival order, found by lower-case name.

    Values are str (latin-1 decoded, outer white space stripped). A repeated field is
    joined with ",", as RFC 9110 and SigV4 both want it. `fields` is for those who read them all, and change nothing.
    """

    __slots__ = ("fields", "raw")

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self.raw = raw
        fields: dict[str, str] = {}
        for name_bytes, value_bytes in raw:
            name = _NAMES.get(name_bytes) or _name(name_bytes)
            value = value_bytes.decode("latin-1")
            if value_bytes and (value_bytes[0] <= _SPACE or value_bytes[-1] <= _SPACE):
                value = value.strip(" \t")
            fields[name] = value
        self.fields = fields if len(fields) == len(raw) else _joined(raw)

    def get(self, name: str, default: str = "") -> str:
        """The value of the field with this lower-case name, or the default."""
        return self.fields.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def items(self) -> Iterator[tuple[str, str]]:
        """Lower-case names with their values, in order of first arrival."""
        return iter(self.fields.items())

    def within(self, names: frozenset[str], prefix: str) -> bool:
        """Whether all fields whose lower-case names start so are among these."""
        return all(name in names for name in self.fields if name.startswith(prefix))

    def holds_none_of(self, names: tuple[str, ...]) -> bool:
        """Whether no field has one of these few lower-case names."""
        fields = self.fields
        for name in names:  # noqa: SIM110 - compiled, the loop makes no generator
            if name in fields:
                return False
        return True


class Request:
    """The head of a request and, once it has come whole, its body.

    `target` is the request target as sent; `path` and `query` are its raw, still
    percent-encoded parts ("" when there is no query). `peer` is the client's address.
    """

    __slots__ = ("body", "headers", "http_version", "method", "path", "peer", "query", "scheme", "signed", "target")

    def __init__(
        self,
        method: str,
        target: str,
        headers: Headers,
        *,
        body: bytes = b"",
        scheme: str = "http",
        peer: str = "127.0.0.1",
        http_version: str = "1.1",
    ) -> None:
        self.method = method
        self.target = target
        if target[:1] != "/" and "://" in target:  # absolute form, as proxies send it
            _, _, rest = target.partition("://")
            slash = rest.find("/")
            target = rest[slash:] if slash >= 0 else "/"
        self.path, _, self.query = target.partition("?")
        self.headers = headers
        self.body = body
        self.scheme = scheme
        self.peer = peer
        self.http_version = http_version
        self.signed: Any = None  # what `sigv4` knows of its Authorization field

    @property
    def host(self) -> str:
        """The Host field (HTTP/2's :authority), lower case, with its port if any."""
        return self.headers.get("host").lower()
