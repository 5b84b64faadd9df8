"""Names of images: "registry/repository:tag" or "registry/repository@digest".

Source: OCI Distribution Specification, "Pulling manifests"; the grammar of github.com/distribution/reference's README.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from cumulo.engines.images.failures import ImageFailed

LATEST = "latest"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REGISTRY = (
    r"localhost(?::\d+)?|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::\d+)?|[A-Za-z0-9-]+:\d+|\[[0-9a-fA-F:]+\](?::\d+)?"
)
_REFERENCE = re.compile(
    rf"(?:(?P<registry>{_REGISTRY})/)?(?P<repository>{_PART}(?:/{_PART})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?",
    re.ASCII,
)
# What docker and podman put before names that say no registry.
_IMPLIED = ("docker.io/library/", "docker.io/", "localhost/")


class Reference(NamedTuple):
    """The parts of a name; "" for one that was not given."""

    registry: str
    repository: str
    tag: str
    digest: str

    @property
    def place(self) -> str:
        """The name without tag and digest."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def name(self) -> str:
        """The name with its tag, which may have been left out."""
        return f"{self.place}:{self.tag or LATEST}"

    @property
    def is_near(self) -> bool:
        """Whether its registry is one on the loopback network, "localhost:5000"."""
        host, _, port = self.registry.rpartition(":")
        if not port.isdigit():
            return False
        if host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return False

    def forms(self) -> list[Reference]:
        """Itself, and itself without the registry: an image is often built under the latter."""
        return [self, self._replace(registry="")] if self.registry and not self.is_near else [self]


def parse(text: str) -> Reference:
    """The parts of a name. Raises ImageFailed."""
    for prefix in _IMPLIED:
        if text.startswith(prefix):
            text = text.removeprefix(prefix)
            break
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise ImageFailed(f"{text!r} is not the name of an image, such as repository:tag")
    return Reference(*(found[part] or "" for part in Reference._fields))
