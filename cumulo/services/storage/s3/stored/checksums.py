"""Checksums of objects: the algorithms, what a request announces, and what its bytes turn out to be.

Source: Amazon S3 User Guide, "Checking object integrity for data uploads in Amazon S3": an object put without a
checksum gets a CRC64NVME. Texts of the refusals as AWS was seen to answer.
"""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cumulo.services.storage.s3.errors import BAD_DIGEST, INVALID_DIGEST, INVALID_REQUEST

if TYPE_CHECKING:
    from cumulo.core.context import Context

FULL_OBJECT: Final = "FULL_OBJECT"
COMPOSITE: Final = "COMPOSITE"
DEFAULT: Final = "CRC64NVME"
_md5: Final = hashlib.md5

# Algorithm → bytes of its digest.
SIZES: Final = {
    "CRC32": 4, "CRC32C": 4, "CRC64NVME": 8, "SHA1": 20, "SHA256": 32, "SHA512": 64, "MD5": 16, "XXHASH64": 8,
    "XXHASH3": 8, "XXHASH128": 16,
}  # fmt: skip
# Member of requests and answers → algorithm.
MEMBERS: Final = {
    "ChecksumCRC32": "CRC32", "ChecksumCRC32C": "CRC32C", "ChecksumCRC64NVME": "CRC64NVME", "ChecksumSHA1": "SHA1",
    "ChecksumSHA256": "SHA256", "ChecksumSHA512": "SHA512", "ChecksumMD5": "MD5", "ChecksumXXHASH64": "XXHASH64",
    "ChecksumXXHASH3": "XXHASH3", "ChecksumXXHASH128": "XXHASH128",
}  # fmt: skip
_FIELDS: Final = {f"x-amz-checksum-{algorithm.lower()}": algorithm for algorithm in SIZES}


class Digest:
    """A running checksum: `update` with bytes as they come, then `digest`."""

    __slots__ = ("_state", "_update", "_value", "algorithm")

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self._value = 0
        self._update: Callable[[bytes, int], int] | None = _crc(algorithm)
        self._state: Any = None if self._update is not None else _hash(algorithm)

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        if self._update is not None:
            self._value = self._update(data, self._value)
        else:
            self._state.update(data)

    def digest(self) -> str:
        """The checksum of all bytes so far, in Base64."""
        if self._update is not None:
            return encoded(self._value, self.algorithm)
        if self.algorithm.startswith("XXHASH"):
            return b64encode(self._state.finalize()).decode()
        return b64encode(self._state.digest()).decode()


def combiner(algorithm: str) -> Callable[[int, int, int], int]:
    """From the CRCs of two texts, and the length of the second in bytes, to that of both together."""
    from awscrt import checksums

    found: dict[str, Callable[[int, int, int], int]] = {
        "CRC32": checksums.combine_crc32,
        "CRC32C": checksums.combine_crc32c,
        "CRC64NVME": checksums.combine_crc64nvme,
    }
    return found[algorithm]


def encoded(value: int, algorithm: str) -> str:
    """The Base64 of a CRC that is at hand as a number."""
    return b64encode(value.to_bytes(SIZES[algorithm], "big")).decode()


def _crc(algorithm: str) -> Callable[[bytes, int], int] | None:
    if algorithm == "CRC32":
        return zlib.crc32
    if algorithm == "CRC64NVME" or algorithm == "CRC32C":
        from awscrt import checksums

        update: Callable[[bytes, int], int] = checksums.crc32c if algorithm == "CRC32C" else checksums.crc64nvme
        return update
    return None


def _hash(algorithm: str) -> Any:
    if algorithm.startswith("XXHASH"):
        from awscrt.checksums import XXHash

        made = {"XXHASH64": XXHash.new_xxhash64, "XXHASH3": XXHash.new_xxhash3_64, "XXHASH128": XXHash.new_xxhash3_128}
        return made[algorithm]()
    return hashlib.new(algorithm.lower(), usedforsecurity=False)


def checksum(algorithm: str, data: bytes) -> str:
    """The checksum of bytes at hand, in Base64."""
    if algorithm == "CRC32":
        return str(b2a_base64(zlib.crc32(data).to_bytes(4, "big"), newline=False), "ascii")
    digest = Digest(algorithm)
    digest.update(data)
    return digest.digest()


class Announced:
    """What a request says of its body: the checksum to compute, its value if it is known ("" when it follows as a
    trailer, or is ours to find), and the MD5 in Base64 ("" for none)."""

    __slots__ = ("algorithm", "md5", "trailer", "value")

    def __init__(self, algorithm: str = "", value: str = "", md5: str = "", trailer: str = "") -> None:
        self.algorithm = algorithm
        self.value = value
        self.md5 = md5
        self.trailer = trailer  # the field that will carry the value, "" for none


def announced(ctx: Context, request: Mapping[str, Any]) -> Announced:
    """What the head of a request announces. Raises InvalidDigest and InvalidRequest for what cannot be."""
    md5 = request.get("ContentMD5", "")
    if md5 and not _is_digest(md5, 16):
        raise INVALID_DIGEST(members={"Content-MD5": md5})
    given = [name for name in request if name in MEMBERS]
    if len(given) == 1:
        algorithm, value = MEMBERS[given[0]], request[given[0]]
        if not _is_digest(value, SIZES[algorithm]):
            raise INVALID_REQUEST(f"Value for x-amz-checksum-{algorithm.lower()} header is invalid.")
        _check_sdk(request, algorithm)
        return Announced(algorithm, value, md5, "")
    if given:
        raise INVALID_REQUEST("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
    trailer = _trailer(ctx)
    if trailer:
        _check_sdk(request, _FIELDS[trailer])
        return Announced(_FIELDS[trailer], "", md5, trailer)
    if "ChecksumAlgorithm" in request:
        raise INVALID_REQUEST(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found."
        )
    return Announced("", "", md5, "")


def _check_sdk(request: Mapping[str, Any], algorithm: str) -> None:
    named = request.get("ChecksumAlgorithm")
    if named is not None and named.upper() != algorithm:
        raise INVALID_REQUEST("Value for x-amz-sdk-checksum-algorithm header is invalid.")


def _trailer(ctx: Context) -> str:
    """The checksum's field among those that the request announces to follow its body."""
    names = ctx.headers.get("x-amz-trailer") if ctx.headers is not None else ""
    for name in names.lower().split(",") if names else ():
        if name.strip() in _FIELDS:
            return name.strip()
    return ""


def _is_digest(value: str, size: int) -> bool:
    try:
        return len(a2b_base64(value, strict_mode=True)) == size
    except ValueError:
        return False


class Digests:
    """What is computed of a body as it comes: its MD5, for the ETag, its checksum, `also` that of another algorithm."""

    __slots__ = ("_also", "_announced", "_digest", "_md5", "size")

    def __init__(self, said: Announced, *, default: str = DEFAULT, also: str = "") -> None:
        self._announced = said
        self._md5 = hashlib.md5(usedforsecurity=False)
        algorithm = said.algorithm or default
        self._digest = Digest(algorithm) if algorithm else None
        self._also = Digest(also) if also and also != algorithm else None
        self.size = 0

    def update(self, pieces: Iterable[bytes]) -> None:
        """Take the next bytes; in any thread."""
        for piece in pieces:
            self.size += len(piece)
            self._md5.update(piece)
            if self._digest is not None:
                self._digest.update(piece)
            if self._also is not None:
                self._also.update(piece)

    def verified(self, trailers: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """The MD5 in hexadecimal and the checksum by algorithm. Raises BadDigest where they are not the announced."""
        found = self._digest.digest() if self._digest is not None else ""
        said = self._announced
        value = said.value
        if said.trailer:
            value = trailers.get(said.trailer, "")
            if not _is_digest(value, SIZES[said.algorithm]):
                raise INVALID_REQUEST(f"Value for {said.trailer} trailing header is invalid.")
        check(said, value, self._md5.digest(), found)
        all_found = {self._digest.algorithm: found} if self._digest is not None else {}
        if self._also is not None:
            all_found[self._also.algorithm] = self._also.digest()
        return self._md5.hexdigest(), all_found


def check(said: Announced, value: str, md5: bytes, found: str) -> None:
    """Hold what was found against what was announced."""
    if said.md5:
        calculated = b64encode(md5).decode()
        if calculated != said.md5:
            raise BAD_DIGEST(members={"ExpectedDigest": said.md5, "CalculatedDigest": calculated})
    if value and value != found:
        raise BAD_DIGEST(f"The {said.algorithm} you specified did not match the calculated checksum.")


def of_bytes(said: Announced, data: bytes, *, default: str = DEFAULT) -> tuple[str, dict[str, str]]:
    """`Digests` for bytes at hand: the MD5 in hexadecimal, the checksum by algorithm."""
    md5: str = _md5(data, usedforsecurity=False).hexdigest()
    algorithm = said.algorithm or default
    found = checksum(algorithm, data) if algorithm else ""
    if said.md5:
        check(said, said.value, bytes.fromhex(md5), found)
    elif said.value and said.value != found:
        check(said, said.value, b"", found)
    return md5, {algorithm: found} if algorithm else {}


def members(checksums: Mapping[str, str]) -> dict[str, str]:
    """Checksums as the members of an answer."""
    return {f"Checksum{algorithm}": value for algorithm, value in checksums.items()}
