"""User metadata that is not ASCII, as S3 answers it: encoded words of RFC 2047, made as Java's mail library makes them.

Source: Amazon S3 User Guide, "User-defined object metadata"; recorded answers show the choice between Q and B, which is
that of `MimeUtility.encodeText`.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?\s]*)\?=")
_BETWEEN = re.compile(r"(\?=)[ \t]+(?==\?)")
_LONGEST = 68 - len("UTF-8")
_ESCAPED = frozenset("=_?")


def encode(text: str) -> str:
    """The text for a header: itself when it is ASCII."""
    if text.isascii():
        return text
    ascii_count = sum(character.isascii() for character in text)
    return " ".join(_words(text, quoted=ascii_count > len(text) - ascii_count))


def _words(text: str, quoted: bool) -> list[str]:
    data = text.encode("utf-8", "replace")
    body = _quoted(data) if quoted else b64encode(data).decode()
    if len(body) > _LONGEST and len(text) > 1:
        half = len(text) // 2
        return [*_words(text[:half], quoted), *_words(text[half:], quoted)]
    return [f"=?UTF-8?{'Q' if quoted else 'B'}?{body}?="]


def _quoted(data: bytes) -> str:
    out = []
    for byte in data:
        character = chr(byte)
        if character == " ":
            out.append("_")
        elif 32 < byte < 127 and character not in _ESCAPED:
            out.append(character)
        else:
            out.append(f"={byte:02X}")
    return "".join(out)


def decode(text: str) -> str:
    """The text of a header that a client may have written in encoded words; what is none stays as it is."""
    if "=?" not in text:
        return text
    return _WORD.sub(_decoded, _BETWEEN.sub(r"\1", text))


def _decoded(word: re.Match[str]) -> str:
    charset, kind, body = word.groups()
    try:
        if kind in "bB":
            data = b64decode(body, validate=True)
        else:
            data = _unquoted(body)
        return data.decode(charset, "replace")
    except (ValueError, LookupError):
        return word[0]


def _unquoted(body: str) -> bytes:
    spaced = body.replace("_", " ").encode("latin-1", "replace")
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), spaced)
