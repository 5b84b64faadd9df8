"""Registries on this machine, "localhost:5000/app:1": asked by plain HTTP, without credentials.

Source: OCI Distribution Specification, "Pull".
"""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator

from cumulo.engines.images import manifests
from cumulo.engines.images.blobs import PIECE, digest_of
from cumulo.engines.images.failures import BadImage, ImageFailed
from cumulo.engines.images.manifests import INDEXES, MANIFESTS
from cumulo.engines.images.references import LATEST, Reference
from cumulo.engines.images.store import Images

TIMEOUT_S = 30.0


def take(store: Images, reference: Reference, platform: str = "") -> str | None:
    """Take an image over into a store that is held; its digest, None when it is not there. Raises ImageFailed."""
    try:
        data = _manifest(reference, reference.digest or reference.tag or LATEST)
        if data is not None and manifests.media_type(data) in INDEXES:
            chosen = manifests.choose(manifests.index(data).manifests, platform)
            data = _manifest(reference, chosen.digest)
        if data is None:
            return None
        manifest = manifests.manifest(data)
        for part in (manifest.config, *manifest.layers):
            store.blobs.keep(_blob(reference, part.digest), part.digest, part.size)
        manifests.settings(store.blobs.read(manifest.config.digest, manifests.MOST_BYTES), len(manifest.layers))
        return store.blobs.put(data)
    except (OSError, http.client.HTTPException) as error:
        raise ImageFailed(f"the registry at {reference.registry} does not answer: {error}") from None


def _manifest(reference: Reference, name: str) -> bytes | None:
    with _got(reference, f"manifests/{name}") as answer:
        if answer is None:
            return None
        data = answer.read(manifests.MOST_BYTES + 1)
    if name.startswith("sha256:") and digest_of(data) != name:
        raise BadImage(f"the manifest {name} is damaged")
    return data


def _blob(reference: Reference, digest: str) -> Iterator[bytes]:
    with _got(reference, f"blobs/{digest}") as answer:
        if answer is None:
            raise BadImage(f"the registry has no blob {digest}")
        while piece := answer.read(PIECE):
            yield piece


@contextlib.contextmanager
def _got(reference: Reference, what: str) -> Iterator[http.client.HTTPResponse | None]:
    connection = http.client.HTTPConnection(reference.registry, timeout=TIMEOUT_S)
    try:
        headers = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
        connection.request("GET", f"/v2/{reference.repository}/{what}", headers=headers)
        answer = connection.getresponse()
        if answer.status == http.client.NOT_FOUND:
            yield None
        elif answer.status == http.client.OK:
            yield answer
        else:
            raise ImageFailed(f"the registry at {reference.registry} answers {answer.status} {answer.reason}")
    finally:
        connection.close()
