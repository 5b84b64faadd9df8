"""Manifests: which configuration and which layers an image is made of, and how its program is to be run.

Sources: OCI Image Format Specification, "Image Manifest", "Image Index", "Image Configuration"; Docker's "Image
Manifest Version 2, Schema 2".
"""

from __future__ import annotations

import platform
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from cumulo.engines.images.failures import BadImage, Unsupported
from cumulo.engines.images.references import DIGEST

MOST_BYTES = 4 * 1024 * 1024
"""Of a manifest or a configuration, as registries take them."""
MOST_LAYERS = 127  # Docker's limit
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
MANIFESTS, INDEXES = (OCI_MANIFEST, DOCKER_MANIFEST), (OCI_INDEX, DOCKER_INDEX)
OCI_CONFIG, OCI_LAYER = "application/vnd.oci.image.config.v1+json", "application/vnd.oci.image.layer.v1.tar"
CONFIGS = (OCI_CONFIG, "application/vnd.docker.container.image.v1+json")
LAYERS = (
    OCI_LAYER, f"{OCI_LAYER}+gzip", f"{OCI_LAYER}+zstd",
    "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd",
)  # fmt: skip
T = TypeVar("T")
MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class Platform(Struct):
    """What an image runs on."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(Struct, rename="camel"):
    """A blob, by its digest."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}
    platform: Platform | None = None


class Manifest(Struct, rename="camel"):
    """An image: its configuration, and its layers from the lowest up."""

    config: Descriptor
    layers: list[Descriptor]
    schema_version: int = 2
    media_type: str = OCI_MANIFEST


class Index(Struct, rename="camel"):
    """Several images: for several platforms, or all that a folder holds."""

    manifests: list[Descriptor]
    schema_version: int = 2
    media_type: str = OCI_INDEX


class _Run(Struct, rename="pascal"):
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    working_dir: str | None = None


class _RootFs(Struct):
    diff_ids: list[str]


class Settings(Struct):
    """The configuration of an image: how it is run, and the digests of its layers when unpacked."""

    architecture: str
    os: str
    rootfs: _RootFs
    config: _Run | None = field(default=None)

    @property
    def variables(self) -> dict[str, str]:
        """ENV."""
        given = self.config.env if self.config else None
        return dict(each.partition("=")[::2] for each in given or ())

    @property
    def entry_point(self) -> list[str]:
        """ENTRYPOINT."""
        return (self.config.entrypoint if self.config else None) or []

    @property
    def command(self) -> list[str]:
        """CMD."""
        return (self.config.cmd if self.config else None) or []

    @property
    def working_directory(self) -> str:
        """WORKDIR; "" for none."""
        return (self.config.working_dir if self.config else None) or ""


def manifest(data: bytes) -> Manifest:
    """Read a manifest. Raises BadImage and Unsupported."""
    read = _decoded(data, Manifest, "manifest")
    if read.media_type not in MANIFESTS or read.config.media_type not in CONFIGS:
        raise Unsupported(f"a manifest of {read.media_type} with a configuration of {read.config.media_type}")
    for layer in read.layers:
        if layer.media_type not in LAYERS:
            raise Unsupported(f"a layer of {layer.media_type}")
    if len(read.layers) > MOST_LAYERS:
        raise Unsupported(f"{len(read.layers)} layers: {MOST_LAYERS} are the most")
    for each in (read.config, *read.layers):
        check_digest(each.digest)
    return read


def index(data: bytes) -> Index:
    """Read an index. Raises BadImage."""
    read = _decoded(data, Index, "index")
    for each in read.manifests:
        check_digest(each.digest)
    return read


def settings(data: bytes, layers: int) -> Settings:
    """Read the configuration of an image with so many layers. Raises BadImage and Unsupported."""
    read = _decoded(data, Settings, "configuration")
    if read.os != "linux":
        raise Unsupported(f"an image for {read.os}")
    if len(read.rootfs.diff_ids) != layers:
        raise BadImage(f"the configuration knows {len(read.rootfs.diff_ids)} layers, the manifest {layers}")
    for digest in read.rootfs.diff_ids:
        check_digest(digest)
    return read


def check_digest(digest: str) -> None:
    """Raises Unsupported for other digests than SHA-256, which could not be a file's name either."""
    if DIGEST.fullmatch(digest) is None:
        raise Unsupported(f"the digest {digest!r}")


def media_type(data: bytes) -> str:
    """What a document says that it is, or looks like."""
    found = _decoded(data, dict[str, Any], "manifest")
    said = found.get("mediaType")
    if isinstance(said, str) and said:
        return said
    return OCI_INDEX if "manifests" in found else OCI_MANIFEST


def choose(found: list[Descriptor], wanted: str = "") -> Descriptor:
    """The image for a platform, "linux/arm64": by default this machine's, or the only one. Raises Unsupported.

    What build tools add to describe the others (attestations) is no image.
    """
    images = [each for each in found if not _describes(each)]
    if len(images) == 1 and not wanted:
        return images[0]
    mine = wanted or f"linux/{MACHINES.get(platform.machine(), platform.machine())}"
    for each in images:
        if platform_of(each) in (mine, mine.rpartition("/v")[0]) or platform_of(each).startswith(f"{mine}/"):
            return each
    there = ", ".join(platform_of(each) for each in images) or "nothing"
    raise Unsupported(f"no image for {mine}: there is {there}")


def platform_of(each: Descriptor) -> str:
    """ "linux/arm64/v8"."""
    found = each.platform
    if found is None:
        return "unknown"
    return "/".join(part for part in (found.os, found.architecture, found.variant) if part)


def _describes(each: Descriptor) -> bool:
    return (
        each.annotations.get("vnd.docker.reference.type") == "attestation-manifest"
        or platform_of(each) == "unknown/unknown"
    )


def _decoded(data: bytes, kind: type[T], what: str) -> T:
    if len(data) > MOST_BYTES:
        raise BadImage(f"the {what} has {len(data)} bytes")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadImage(f"the {what} cannot be read: {error}") from None
