"""Ed25519ph, the form of Ed25519 that signs a digest; `cryptography` has the plain form only. Pure.

Source: RFC 8032, sections 5.1 and 6 (the reference code), with the empty context.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final

_Point = tuple[int, int, int, int]

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
_PREFIX: Final = b"SigEd25519 no Ed25519 collisions\x01\x00"


def sign(seed: bytes, digest: bytes) -> bytes:
    """The signature of a SHA-512 digest by the private key with this seed of 32 bytes."""
    hashed = sha512(seed).digest()
    scalar = int.from_bytes(hashed[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    public = _pack(_times(scalar, _BASE))
    r = _number(_PREFIX + hashed[32:] + digest)
    first = _pack(_times(r, _BASE))
    s = (r + _number(_PREFIX + first + public + digest) * scalar) % _L
    return first + s.to_bytes(32, "little")


def verify(public: bytes, signature: bytes, digest: bytes) -> bool:
    """Whether the signature is that of the digest, for the raw public key of 32 bytes."""
    if len(signature) != 64 or len(public) != 32:
        return False
    key, first, s = _unpack(public), _unpack(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or first is None or s >= _L:
        return False
    h = _number(_PREFIX + signature[:32] + public + digest)
    left, right = _times(s, _BASE), _add(first, _times(h, key))
    same_x = (left[0] * right[2] - right[0] * left[2]) % _P == 0
    return same_x and (left[1] * right[2] - right[1] * left[2]) % _P == 0


def _number(data: bytes) -> int:
    return int.from_bytes(sha512(data).digest(), "little") % _L


def _add(p: _Point, q: _Point) -> _Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _P
    b = (p[1] + p[0]) * (q[1] + q[0]) % _P
    c = 2 * p[3] * q[3] * _D % _P
    d = 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: _Point) -> _Point:
    sum_: _Point = (0, 1, 1, 0)
    while number:
        if number & 1:
            sum_ = _add(sum_, point)
        point = _add(point, point)
        number >>= 1
    return sum_


def _x(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _pack(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _P)
    x, y = point[0] * inverse % _P, point[1] * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpack(data: bytes) -> _Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = _x(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


def _base() -> _Point:
    y = 4 * pow(5, -1, _P) % _P
    x = _x(y, 0)
    assert x is not None
    return x, y, 1, x * y % _P


_BASE: Final = _base()
