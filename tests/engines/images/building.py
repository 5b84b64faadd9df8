"""Images made here: layers of given entries, OCI layouts and archives of them, and one that runs, of bash and its
libraries. Nothing comes from a registry."""

import functools
import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
MANIFEST, CONFIG = "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.config.v1+json"
INDEX, LAYER = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.layer.v1.tar"

# A runtime of nothing but bash: the event is a command in quotes, the answer what that writes.
ANSWERING = r"""#!/bin/bash
API=${AWS_LAMBDA_RUNTIME_API/:/\/}
arguments=("$@")
call() { # method path body: ID and BODY
  exec 3<>"/dev/tcp/$API"
  printf '%s /2018-06-01/runtime/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
    "$1" "$2" "${#3}" "$3" >&3
  local name value size=0
  while IFS=' ' read -r name value <&3; do
    value=${value%$'\r'}
    case "${name,,}" in
      lambda-runtime-aws-request-id:) ID=$value ;;
      content-length:) size=$value ;;
      $'\r') break ;;
    esac
  done
  BODY=""
  if [ "$size" -gt 0 ]; then IFS= read -r -N "$size" BODY <&3; fi
  exec 3>&-
}
quoted() { local text=${1//\\/\\\\}; text=${text//\"/\\\"}; text=${text//$'\n'/\\n}; printf '"%s"' "$text"; }
while true; do
  call GET invocation/next ""
  command=${BODY#\"}; command=${command%\"}; command=${command//\\\"/\"}
  said=$(eval "$command" 2>&1)
  call POST "invocation/$ID/response" "$(quoted "$said")"
done
"""


def file(name: str, data: bytes | str = b"", mode: int = 0o644, **more: Any) -> tuple[tarfile.TarInfo, bytes]:
    """A regular file of a layer."""
    content = data.encode() if isinstance(data, str) else data
    return _entry(name, tarfile.REGTYPE, mode=mode, size=len(content), **more), content


def folder(name: str, mode: int = 0o755) -> tuple[tarfile.TarInfo, bytes]:
    return _entry(name, tarfile.DIRTYPE, mode=mode), b""


def symlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return _entry(name, tarfile.SYMTYPE, linkname=target), b""


def hardlink(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return _entry(name, tarfile.LNKTYPE, linkname=target), b""


def device(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return _entry(name, tarfile.CHRTYPE, devmajor=1, devminor=3), b""


def _entry(name: str, kind: bytes, **members: Any) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type = kind
    for member, value in {"mtime": 1_700_000_000, **members}.items():
        setattr(entry, member, value)
    return entry


Entry = tuple[tarfile.TarInfo, bytes]


def layer(entries: Iterable[Entry]) -> bytes:
    """The archive of a layer."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry, data in entries:
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Layout:
    """An OCI image layout in the making."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.manifests: list[dict[str, Any]] = []

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        """Add bytes; their descriptor."""
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    def image(
        self,
        layers: Sequence[bytes],
        name: str = "",
        *,
        compress: str = "",
        architecture: str = MACHINE,
        os: str = "linux",
        config: dict[str, Any] | None = None,
        listed: bool = True,
    ) -> dict[str, Any]:
        """Add an image of these layers; its descriptor. `config`: Env, Entrypoint, Cmd, WorkingDir."""
        settings = {
            "architecture": architecture,
            "os": os,
            "config": config or {},
            "rootfs": {"type": "layers", "diff_ids": [digest(each) for each in layers]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(settings).encode(), CONFIG),
            "layers": [self._layer(each, compress) for each in layers],
        }
        found = self.blob(json.dumps(manifest).encode(), MANIFEST)
        found["platform"] = {"architecture": architecture, "os": os}
        if name:
            found["annotations"] = {"org.opencontainers.image.ref.name": name}
        if listed:
            self.manifests.append(found)
        return found

    def _layer(self, data: bytes, compress: str) -> dict[str, Any]:
        if compress == "gzip":
            return self.blob(gzip.compress(data, mtime=0), f"{LAYER}+gzip")
        if compress == "zstd":
            from cumulo.engines import zstandard

            return self.blob(zstandard.module().compress(data), f"{LAYER}+zstd")
        return self.blob(data, LAYER)

    def files(self) -> dict[str, bytes]:
        """All files of the layout."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": self.manifests}
        blobs = {f"blobs/{name.replace(':', '/')}": data for name, data in self.blobs.items()}
        return {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": json.dumps(index).encode(), **blobs}

    def write(self, place: Path) -> Path:
        """The layout as a folder."""
        for name, data in self.files().items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(data)
        return place

    def archive(self) -> bytes:
        """The layout as an archive."""
        return layer([file(name, data) for name, data in self.files().items()])


def saved(
    layers: Sequence[bytes],
    tags: list[str],
    config: dict[str, Any] | None = None,
    *,
    compress: bool = False,
    **more: Any,
) -> bytes:
    """What `docker save` wrote before it knew OCI layouts, and `podman save` writes; others compress the layers."""
    diff_ids = [digest(each) for each in layers]
    settings = {
        "architecture": MACHINE,
        "os": "linux",
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        **more,
    }
    data = json.dumps(settings).encode()
    name = f"{hashlib.sha256(data).hexdigest()}.json"
    entries: list[Entry] = []
    places: list[str] = []
    for number, (each, diff_id) in enumerate(zip(layers, diff_ids, strict=True)):
        place = f"{number}/layer.tar"
        first = diff_ids.index(diff_id)
        content = gzip.compress(each, mtime=0) if compress else each
        entries.append(file(place, content) if first == number else symlink(place, f"../{first}/layer.tar"))
        places.append(place)
    listed = [{"Config": name, "RepoTags": tags, "Layers": places}]
    return layer([*entries, file(name, data), file("manifest.json", json.dumps(listed))])


@functools.cache
def bash() -> bytes:
    """A layer with bash, what it is linked with, and a runtime for it: see ANSWERING."""
    program = Path("/bin/bash").resolve()
    listed = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True).stdout
    words = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    entries = [folder("bin"), folder("opt"), file("bin/bash", program.read_bytes(), 0o755), symlink("bin/sh", "bash")]
    entries += [file(path.lstrip("/"), Path(path).read_bytes(), 0o755) for path in words]
    return layer([*entries, file("bootstrap", ANSWERING, 0o755)])
