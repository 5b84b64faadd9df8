"""Images as tools write them into files: OCI image layouts, and the archives of `docker save` and `podman save`.

Sources: OCI Image Format Specification, "Image Layout"; Docker's "Docker Image Specification v1.2", "Combined Image
JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec
from msgspec import Struct

from cumulo.engines.images import manifests
from cumulo.engines.images.blobs import PIECE, Blobs, digest_of, pieces_of
from cumulo.engines.images.failures import BadImage, ImageFailed
from cumulo.engines.images.manifests import INDEXES, OCI_CONFIG, OCI_LAYER, OCI_MANIFEST, Descriptor, Manifest
from cumulo.engines.images.references import parse
from cumulo.engines.images.tar_entries import Entry

NAME, CONTAINERD_NAME = "org.opencontainers.image.ref.name", "io.containerd.image.name"
MOST_FILES = 100_000
_BLOBS = "blobs/sha256/"
_PACKED = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}


class Found(NamedTuple):
    """An image of an archive, whose blobs are kept by now."""

    digest: str
    names: list[str]


class _Saved(Struct, rename="pascal"):
    """What manifest.json says of an image."""

    config: str
    layers: list[str]
    repo_tags: list[str] | None = None


class Source:
    """The files of an archive or of a folder, by their names in it."""

    def __init__(self, files: dict[str, Path], digests: dict[Path, str] | None = None) -> None:
        """`digests`: of files that have arrived in the store and need not be copied."""
        self._files = files
        self._digests = digests or {}

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def path(self, name: str) -> Path:
        """The file. Raises BadImage."""
        found = self._files.get(name)
        if found is None:
            raise BadImage(f"the archive has no {name}")
        return found

    def read(self, name: str) -> bytes:
        """A small file. Raises BadImage."""
        with self.path(name).open("rb") as file:
            data = file.read(manifests.MOST_BYTES + 1)
        if len(data) > manifests.MOST_BYTES:
            raise BadImage(f"{name} is too large")
        return data

    def keep(self, name: str, blobs: Blobs, digest: str) -> int:
        """Keep a file as the blob of this digest; its size. Raises BadImage."""
        path = self.path(name)
        arrived = self._digests.get(path)
        if arrived is not None and not path.exists():  # two names, one file: it is kept by now
            path = blobs.path(arrived)
        size = path.stat().st_size
        if arrived is not None:
            blobs.adopt(path, arrived, digest)
        else:
            blobs.keep(pieces_of(path), digest, size)
        return size

    def packed(self, name: str, blobs: Blobs) -> tuple[str, str]:
        """How a layer that has arrived is compressed, as media types say it, and its digest then. Raises BadImage."""
        path = self.path(name)
        arrived = self._digests[path]
        with (path if path.exists() else blobs.path(arrived)).open("rb") as file:
            return _PACKED.get(file.read(2), ""), arrived


def of_folder(folder: Path) -> Source:
    """The files of an OCI image layout. Raises ImageFailed."""
    names = {"index.json": folder / "index.json", "oci-layout": folder / "oci-layout"}
    blobs = folder / "blobs" / "sha256"
    if blobs.is_dir():
        names |= {_BLOBS + path.name: path for path in blobs.iterdir()}
    files = {name: path for name, path in names.items() if path.is_file()}
    if "index.json" not in files:
        raise ImageFailed(f"{folder} is no OCI image layout: it has no index.json")
    return Source(files)


def of_archive(stream: IO[bytes], blobs: Blobs, unpacked: list[Path]) -> Source:
    """The files of an archive, written down as they come and listed in `unpacked`, for whoever asks to remove.

    Raises BadImage.
    """
    files: dict[str, Path] = {}
    digests: dict[Path, str] = {}
    links: dict[str, str] = {}
    wrapped: Any = _Filled(stream)
    try:
        with tarfile.open(fileobj=wrapped, mode="r|*", bufsize=PIECE, tarinfo=Entry) as archive:
            while (entry := archive.next()) is not None:
                name = _normal(entry.name)
                if entry.isreg():
                    content = archive.extractfile(entry)
                    path, digest, size = blobs.arrived(_pieces(content))
                    digests[path] = digest
                    unpacked.append(path)
                    if size != entry.size:
                        raise BadImage(f"the archive ends within {name}")
                    files[name] = path
                elif entry.issym():  # as `docker save` shows layers that several images share
                    links[name] = _normal(f"{name.rpartition('/')[0]}/{entry.linkname}")
                elif entry.islnk():
                    links[name] = _normal(entry.linkname)
                if len(unpacked) > MOST_FILES:
                    raise BadImage(f"the archive has more than {MOST_FILES} files")
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BadImage(f"this is no archive of an image, or a damaged one: {error}") from None
    for name, target in links.items():
        if target in files:
            files[name] = files[target]
    return Source(files, digests)


def images(source: Source, blobs: Blobs, platform: str = "") -> list[Found]:
    """Keep all images of a source: one for each name, of one platform. Raises ImageFailed."""
    saved = _saved(source) if source.has("manifest.json") else []
    if source.has("index.json"):
        tags = {each.config.removeprefix(_BLOBS): each.repo_tags or [] for each in saved}
        found: dict[str, list[str]] = {}
        for each in manifests.index(source.read("index.json")).manifests:
            digest, config = _keep(source, blobs, each, platform)
            names = found.setdefault(digest, [])
            names += [name for name in _names(each, tags.get(config, [])) if name not in names]
        return [Found(digest, names) for digest, names in found.items()]
    if not saved:
        raise ImageFailed("this is neither an OCI image layout nor what `docker save` or `podman save` write")
    return [_kept(source, blobs, each) for each in saved]


def _names(each: Descriptor, tags: list[str]) -> list[str]:
    """The names of an image in an OCI layout: Docker's own, else those of its archive, else the annotation."""
    notes = each.annotations
    if CONTAINERD_NAME in notes:
        return [_name(notes[CONTAINERD_NAME])]
    if tags:
        return [_name(tag) for tag in tags]
    name = notes.get(NAME, "")
    return [_name(name)] if "/" in name or ":" in name else []


def _name(text: str) -> str:
    return parse(text).name


def _saved(source: Source) -> list[_Saved]:
    try:
        return msgspec.json.decode(source.read("manifest.json"), type=list[_Saved])
    except msgspec.DecodeError as error:
        raise BadImage(f"manifest.json cannot be read: {error}") from None


def _keep(source: Source, blobs: Blobs, each: Descriptor, platform: str, depth: int = 0) -> tuple[str, str]:
    """Keep an image with its blobs; its digest, and the name of its configuration."""
    data = source.read(_BLOBS + each.digest.removeprefix("sha256:"))
    if digest_of(data) != each.digest:
        raise BadImage(f"the manifest {each.digest} is damaged")
    if manifests.media_type(data) in INDEXES:
        if depth > 3:
            raise BadImage("an index of indexes of indexes")
        chosen = manifests.choose(manifests.index(data).manifests, platform)
        return _keep(source, blobs, chosen, platform, depth + 1)
    manifest = manifests.manifest(data)
    for part in (manifest.config, *manifest.layers):
        source.keep(_BLOBS + part.digest.removeprefix("sha256:"), blobs, part.digest)
    manifests.settings(blobs.read(manifest.config.digest, manifests.MOST_BYTES), len(manifest.layers))
    return blobs.put(data), manifest.config.digest.removeprefix("sha256:")


def _kept(source: Source, blobs: Blobs, saved: _Saved) -> Found:
    """Keep an image that an archive has without a manifest of its own: we write one."""
    config = source.read(_normal(saved.config))
    settings = manifests.settings(config, len(saved.layers))
    layers = []
    for name, diff_id in zip(saved.layers, settings.rootfs.diff_ids, strict=True):
        kind, digest = source.packed(_normal(name), blobs)
        digest = digest if kind else diff_id
        layers.append(Descriptor(OCI_LAYER + kind, digest, source.keep(_normal(name), blobs, digest)))
    made = Manifest(Descriptor(OCI_CONFIG, blobs.put(config), len(config)), layers, 2, OCI_MANIFEST)
    digest = blobs.put(msgspec.json.encode(made))
    return Found(digest, [_name(tag) for tag in saved.repo_tags or []])


def _normal(name: str) -> str:
    """A name within the archive, without "." and ".."."""
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            parts = parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _pieces(content: IO[bytes] | None) -> Iterator[bytes]:
    while content is not None and (piece := content.read(PIECE)):
        yield piece


class _Filled(io.RawIOBase):
    """A stream that gives what is asked for, where a pipe gives what it has."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1, /) -> bytes:
        parts = []
        while size:
            piece = self._stream.read(size)
            if not piece:
                break
            parts.append(piece)
            size -= len(piece)
        return b"".join(parts)
