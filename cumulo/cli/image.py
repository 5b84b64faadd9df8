"""Keep container images for Lambda functions, without a registry.

    docker save app:1 | cumulo image load -
    cumulo image load app.tar --name app:1
    cumulo image list
    cumulo image remove app:1

FILE is what `docker save`, `podman save`, `buildah push` or `skopeo copy` write: an archive, or the folder of an OCI
image layout. A function's ImageUri names the image, with or without the host of a registry before it.
"""

import sys
import time
from pathlib import Path
from typing import IO, Any

from cumulo.cli import Refusal, configuration, servers
from cumulo.cli.terminal import table

SECOND_S = 1.0


def add_arguments(parser: Any) -> None:
    """Flags of `cumulo image`."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    load = commands.add_parser("load", help="keep the images of a file")
    load.add_argument("file", metavar="FILE", help="an archive, a folder, or - for standard input")
    load.add_argument("--name", help="repository:tag, where the file says none or another one")
    load.add_argument("--platform", default="", help="which of several, such as linux/arm64 (default: this machine's)")
    shown = commands.add_parser("list", help="say which images are kept")
    removed = commands.add_parser("remove", help="forget images; functions that use them keep them")
    removed.add_argument("names", metavar="NAME", nargs="+", help="repository:tag")
    for command in (load, shown, removed):
        configuration.add_arguments(command)


def run(options: Any) -> int:
    """Load, list or remove."""
    from cumulo.engines.images.failures import ImageFailed
    from cumulo.engines.images.store import Images

    folder = _data_dir(options) / "images"
    try:
        if options.command == "load":
            return _load(Images(folder), options)
        return _remove(Images(folder), options.names) if options.command == "remove" else _list(Images(folder))
    except ImageFailed as failed:
        raise Refusal(str(failed))
    except PermissionError as error:
        raise Refusal(f"{error.filename or folder} belongs to another user", "run this as the user of the cloud")


def _data_dir(options: Any) -> Path:
    """Of the cloud that runs, else where one would."""
    settings = configuration.load(options)
    running = servers.find(settings)
    if running is not None and "data_dir" in running.health:
        return Path(running.health["data_dir"])
    servers.prepare_data_dir(settings.data_dir)
    return settings.data_dir


def _load(images: Any, options: Any) -> int:
    from cumulo.engines.images.references import parse

    name = parse(options.name).name if options.name else ""
    if options.file == "-":
        found = images.load(_Progress(sys.stdin.buffer), name, options.platform)
    else:
        path = Path(options.file)
        if not path.exists():
            raise Refusal(f"there is no {path}", code=2)
        if path.is_dir():
            found = images.load(path, name, options.platform)
        else:
            with path.open("rb") as stream:
                found = images.load(_Progress(stream), name, options.platform)
    for each, digest in found:
        print(f"{each}  {_described(images, digest)}")
    return 0


def _list(images: Any) -> int:
    rows = [
        [name, digest.removeprefix("sha256:")[:12], _described(images, digest)]
        for name, digest in images.names().items()
    ]
    print(table(sorted(rows)) or "no images: `docker save NAME | cumulo image load -` keeps one")
    return 0


def _remove(images: Any, names: list[str]) -> int:
    from cumulo.engines.images.references import parse

    for name in names:
        if not images.remove(parse(name).name):
            raise Refusal(f"there is no image {parse(name).name}", "`cumulo image list` says which there are")
    return 0


def _described(images: Any, digest: str) -> str:
    from cumulo.engines.images.failures import ImageFailed

    try:
        image = images.image(digest)
    except ImageFailed as failed:
        return str(failed)
    size_mb = image.size / 1_000_000
    return f"{size_mb:.1f} MB  {image.settings.os}/{image.settings.architecture}"


class _Progress:
    """A stream that tells a person on the terminal how much of it was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._read = 0
        self._told_at = time.monotonic()
        self._told = False

    def read(self, size: int = -1, /) -> bytes:
        """As the stream's own."""
        data = self._stream.read(size)
        self._read += len(data)
        now = time.monotonic()
        if sys.stderr.isatty() and (now - self._told_at > SECOND_S or (self._told and not data)):
            self._told_at, self._told = now, bool(data)
            print(f"\r{self._read // 1_000_000} MB" if data else "\r\x1b[K", end="", file=sys.stderr, flush=True)
        return data
