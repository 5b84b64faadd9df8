"""The canonical forms of a request that SigV4 signs, and the other spellings that clients sign.

AWS's rule is one: decode what came, encode it again in one way, sort. Clients sign *before* their HTTP library writes
the request, so the same request can be signed in a few honest spellings: botocore signs a query string as it stands,
Go does not normalise paths, Python and Java sign header text as UTF-8 that travels as Latin-1. Each function here
gives every spelling that AWS or a well-known client uses, AWS's most likely one first; a signature that fits any of
them was made by someone who knows the secret, over this very request.
Source: "Create a signed AWS API request" (IAM User Guide); botocore's, the JavaScript SDK's and the Go SDK's signers.
"""

import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from cumulo.wire.http import Headers

_PLAIN_PATH = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?\Z")
_WHITE = re.compile(r"[ \t\r\n\f\v]+")
_MOST_LINES = 256
_LONGEST_LINE = 1024
_lines: Final[dict[tuple[str, ...], tuple[tuple[str, ...], str]]] = {}


def _octets(text: str) -> bytes:
    """The bytes of a raw request part: Latin-1 as the gateway read it, else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _unique(forms: list[str]) -> list[str]:
    return list(dict.fromkeys(forms))


def normalise(path: str) -> str:
    """The path without dot segments and empty segments (RFC 3986 5.2.4, and `//` folded as the SDKs do)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment and segment != ".":
            if segment == "..":
                if kept:
                    kept.pop()
            else:
                kept.append(segment)
    first = "/" if path.startswith("/") else ""
    last = "/" if path.endswith("/") and kept else ""
    return first + "/".join(kept) + last or "/"


def paths(raw: str, single: bool) -> list[str]:
    """The canonical URIs of a raw (percent-encoded) path.

    `single` is S3's way: encoded once, never normalised. Everywhere else the path is normalised and encoded a second
    time on top of the encoding it travels in.
    """
    if not raw or raw == "/":
        return ["/"]
    if _PLAIN_PATH.match(raw):
        return [raw]
    try:
        octets = raw.encode("latin-1")
    except UnicodeEncodeError:
        octets = raw.encode("utf-8", "surrogatepass")
    if single:
        return _unique([raw, quote(unquote_to_bytes(octets), safe="/~")])
    forms = []
    for path in (normalise(raw), raw):
        octets = _octets(path)
        forms.append(quote(octets, safe="/~"))
        forms.append(quote(quote(unquote_to_bytes(octets), safe="/~"), safe="/~"))
    return _unique(forms)


def queries(raw: str, without: Sequence[str] = ()) -> list[str]:
    """The canonical query strings of a raw query, leaving out the parameters named in `without`."""
    if not raw:
        return [""]
    pairs = []
    for pair in raw.split("&"):
        name, _, value = pair.partition("=")
        if name not in without:
            pairs.append((name, value))
    pairs.sort()
    as_sent = "&".join([f"{name}={value}" for name, value in pairs])
    filled = [(name, value) for name, value in pairs if name or value]
    return _unique([as_sent, _reencoded(filled, plus_is_space=True), _reencoded(filled, plus_is_space=False)])


def _reencoded(pairs: list[tuple[str, str]], plus_is_space: bool) -> str:
    def encode(text: str) -> str:
        if plus_is_space:
            text = text.replace("+", "%20")
        return quote(unquote_to_bytes(_octets(text)), safe="~")

    return "&".join([f"{name}={value}" for name, value in sorted([(encode(n), encode(v)) for n, v in pairs])])


def _lines_of(names: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """What stands between the values of these signed headers, and after the last: most clients sign the same ones."""
    lines = tuple([f"\n{name}:" for name in names]), f"\n\n{';'.join(names)}\n"
    if len(_lines) >= _MOST_LINES:
        _lines.clear()
    if len(lines[1]) <= _LONGEST_LINE:
        _lines[names] = lines
    return lines


def likeliest(top: str, headers: Headers, names: tuple[str, ...], payload: str) -> bytes:
    """A canonical request: method, URI and query string in `top`, then what `header_block` makes of the fields."""
    starts, end = _lines.get(names) or _lines_of(names)
    fields = headers.fields
    parts = [top]
    for at, start in enumerate(starts):
        parts.append(start)
        parts.append(fields.get(names[at], ""))
    parts.append(end)
    parts.append(payload)
    text = "".join(parts)
    if "  " in text or "\t" in text:
        block = header_block(headers, names)
        tail = f"\n{';'.join(names)}\n{payload}"
        return f"{top}\n".encode("latin-1", "replace") + block + tail.encode("latin-1", "replace")
    return text.encode("latin-1", "replace")


def header_block(headers: Headers, names: Sequence[str]) -> bytes:
    """The likeliest of `header_blocks`, alone."""
    get = headers.get
    block = "".join([f"{name}:{get(name)}\n" for name in names])
    if "  " in block or "\t" in block:
        block = "".join([f"{name}:{_WHITE.sub(' ', get(name))}\n" for name in names])
    return block.encode("latin-1", "replace")


def header_blocks(headers: Headers, names: Sequence[str], scheme: str) -> list[bytes]:
    """The canonical headers (each line with its line feed) for these lower-case names, in this order.

    A repeated field is joined with commas, runs of blanks become one. HTTP/2's `:authority` stands in for `host`.
    A `host` that names the scheme's own port is also tried without it, since clients differ in which they sign.
    """
    get = headers.get
    blocks = [header_block(headers, names)]
    if not blocks[0].isascii():
        unicode_form = "".join([f"{name}:{' '.join(get(name).split())}\n" for name in names])
        blocks.append(unicode_form.encode())
    if "host" in names:
        blocks += _other_hosts(blocks, get("host"), get(":authority"), scheme)
    return list(dict.fromkeys(blocks))


def _other_hosts(blocks: list[bytes], host: str, authority: str, scheme: str) -> list[bytes]:
    port = ":443" if scheme == "https" else ":80"
    others = []
    if not host and authority:
        others.append(authority)
    if (host or authority).endswith(port):
        others.append((host or authority).removesuffix(port))
    line = b"host:" + host.encode("latin-1", "replace") + b"\n"
    return [
        (b"\n" + block).replace(b"\n" + line, b"\nhost:" + other.encode("latin-1", "replace") + b"\n", 1)[1:]
        for other in others
        for block in blocks
    ]
