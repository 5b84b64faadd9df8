"""The images of one state directory: an OCI image layout, beside what is unpacked of it.

    index.json, oci-layout, blobs/     the images, and their names as annotations: other tools can read and write it
    layers/, roots/                    unpacked layers by their diff id, root file systems by the digest of the manifest
    new/                               what is not complete yet, swept
    lock                               held shared by whoever adds, alone by whoever sweeps

Everything appears complete or not at all; several processes may use one store.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from cumulo.engines.images import archives, layers, manifests, roots
from cumulo.engines.images.blobs import Blobs
from cumulo.engines.images.failures import BadImage, ImageFailed
from cumulo.engines.images.manifests import Descriptor, Index, Manifest, Settings
from cumulo.engines.images.references import Reference

MOST_BYTES = 10 * 1024**3
"""Of the files of an image, unpacked. Source: Lambda Developer Guide, "Lambda quotas", Container image code package."""


class Image(NamedTuple):
    """An image that is here."""

    digest: str
    manifest: Manifest
    settings: Settings

    @property
    def size(self) -> int:
        """Of its layers as they are kept, in bytes."""
        return sum(layer.size for layer in self.manifest.layers)


class Images:
    """See above."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.blobs = Blobs(folder)

    @property
    def is_there(self) -> bool:
        """Whether anything was ever kept."""
        return self._folder.is_dir()

    # names

    def names(self) -> dict[str, str]:
        """The digest of each name."""
        found: dict[str, str] = {}
        for each in self._index().manifests:
            name = each.annotations.get(archives.NAME)
            if name:
                found[name] = each.digest
        return found

    def find(self, reference: Reference) -> str | None:
        """The digest of an image by its name, with or without its registry."""
        names = self.names()
        for form in reference.forms():
            if not reference.digest:
                if form.name in names:
                    return names[form.name]
            elif any(digest == form.digest and name.startswith(f"{form.place}:") for name, digest in names.items()):
                return form.digest
        return None

    def image(self, digest: str) -> Image:
        """An image by its digest. Raises BadImage when it is not here, or damaged."""
        manifests.check_digest(digest)
        manifest = manifests.manifest(self.blobs.read(digest, manifests.MOST_BYTES))
        config = self.blobs.read(manifest.config.digest, manifests.MOST_BYTES)
        return Image(digest, manifest, manifests.settings(config, len(manifest.layers)))

    # adding and removing

    def held(self) -> contextlib.ExitStack:
        """Until it is closed nothing is swept: from before something comes until it is named, or used."""
        return self._taken(fcntl.LOCK_SH)

    def alone(self) -> contextlib.ExitStack | None:
        """Until it is closed nothing is added; None when somebody is at it."""
        try:
            return self._taken(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None

    def load(self, source: Path | IO[bytes], name: str = "", platform: str = "") -> list[tuple[str, str]]:
        """Add the images of an archive or of a layout's folder; (name, digest) of each. Raises ImageFailed.

        `name` is for an archive with one image, in place of its own.
        """
        with self.held():
            found = self.take(source, platform)
            if name and len(found) != 1:
                raise ImageFailed(f"there are {len(found)} images in it, and one name for them")
            named = [(each, image.digest) for image in found for each in ([name] if name else image.names)]
            if not named:
                raise ImageFailed("the image has no name")
            self._name(dict(named))
        return named

    def take(self, source: Path | IO[bytes], platform: str = "") -> list[archives.Found]:
        """The same without giving names; for whoever holds the store. Raises ImageFailed."""
        unpacked: list[Path] = []
        try:
            if isinstance(source, Path) and source.is_dir():
                return archives.images(archives.of_folder(source), self.blobs, platform)
            with source.open("rb") if isinstance(source, Path) else contextlib.nullcontext(source) as stream:
                return archives.images(archives.of_archive(stream, self.blobs, unpacked), self.blobs, platform)
        finally:
            for path in unpacked:
                path.unlink(missing_ok=True)

    def remove(self, name: str) -> bool:
        """Forget a name; whether there was one. What was kept under it goes with the next sweep."""
        with self._writing() as index:
            before = len(index.manifests)
            index.manifests = [each for each in index.manifests if each.annotations.get(archives.NAME) != name]
            return len(index.manifests) < before

    def _name(self, named: dict[str, str]) -> None:
        with self._writing() as index:
            kept = [each for each in index.manifests if each.annotations.get(archives.NAME) not in named]
            for name, digest in named.items():
                image = self.image(digest)
                platform = manifests.Platform(image.settings.architecture, image.settings.os)
                size = self.blobs.path(digest).stat().st_size
                notes = {archives.NAME: name}
                kept.append(Descriptor(image.manifest.media_type, digest, size, notes, platform))
            index.manifests = kept

    # what is unpacked

    def root(self, digest: str) -> Path:
        """The root file system of an image, made now if it was not yet. Raises BadImage and Unsupported."""
        place = self._root(digest)
        if place.is_dir():
            return place
        with self.held():
            image = self.image(digest)
            unpacked, new, left = [], [], MOST_BYTES
            work = self._work()
            try:
                pairs = zip(image.manifest.layers, image.settings.rootfs.diff_ids, strict=True)
                for number, (layer, diff_id) in enumerate(pairs):
                    folder = self._folder / "layers" / diff_id.removeprefix("sha256:")
                    if not folder.is_dir():
                        fresh = work / str(number)
                        layers.unpack(self._blob(layer.digest), layer.digest, diff_id, fresh, left)
                        new.append((fresh, folder))
                        folder = fresh
                    left -= layers.notes(folder).size
                    if left < 0:
                        raise BadImage(f"the files of the image have more than {MOST_BYTES} bytes")
                    unpacked.append(folder)
                roots.build(unpacked, work / "root")
                os.sync()  # before names say that it is complete
                for fresh, folder in new:
                    _appear(fresh, folder)
                _appear(work / "root", place)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        return place

    def sweep(self, used: set[str]) -> int:
        """Remove whatever neither a name nor `used` (digests) holds, for whoever is `alone`; the bytes that went."""
        kept: set[str] = set()
        unpacked: set[str] = set()
        for digest in {*self.names().values(), *used}:
            kept.add(digest)
            with contextlib.suppress(ImageFailed):  # a damaged one keeps what can be read of it
                image = self.image(digest)
                kept |= {image.manifest.config.digest, *(layer.digest for layer in image.manifest.layers)}
                if digest in used:
                    unpacked |= set(image.settings.rootfs.diff_ids)
        for folder, names in (("new", set[str]()), ("roots", used), ("layers", unpacked)):
            self._clear(self._folder / folder, {name.removeprefix("sha256:") for name in names})
        return self.blobs.sweep(kept)

    def _clear(self, folder: Path, kept: set[str]) -> None:
        for path in list(folder.iterdir()) if folder.is_dir() else []:
            if path.name in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                roots.remove(path)
            else:
                path.unlink()

    # files

    def _root(self, digest: str) -> Path:
        return self._folder / "roots" / digest.removeprefix("sha256:")

    def _blob(self, digest: str) -> Path:
        if not self.blobs.has(digest):
            raise BadImage(f"the blob {digest} is missing")
        return self.blobs.path(digest)

    def _work(self) -> Path:
        """A folder for what is not complete yet."""
        new = self._folder / "new"
        new.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=new))

    def _index(self) -> Index:
        try:
            return manifests.index((self._folder / "index.json").read_bytes())
        except FileNotFoundError:
            return Index([])

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Index]:
        """The index, to be changed by one at a time; on disk afterwards."""
        with self._locked(fcntl.LOCK_EX, "index.lock"):
            index = self._index()
            yield index
            (self._folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
            path, _, _ = self.blobs.arrived([msgspec.json.encode(index)])
            path.replace(self._folder / "index.json")

    def _taken(self, how: int) -> contextlib.ExitStack:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self._locked(how))
            return stack.pop_all()

    @contextlib.contextmanager
    def _locked(self, how: int, name: str = "lock") -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)


def _appear(fresh: Path, place: Path) -> None:
    """Give a complete folder its name, unless another process has made the same one meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        fresh.rename(place)
    except OSError:
        if not place.is_dir():
            raise
