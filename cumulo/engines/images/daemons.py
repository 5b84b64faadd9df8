"""The images that docker and podman have on this machine: asked for by name, taken over as they would save them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from cumulo.engines.images.failures import ImageFailed
from cumulo.engines.images.references import Reference
from cumulo.engines.images.store import Images

PROGRAMS = ("docker", "podman")
INSPECT_S = 10


def take(store: Images, reference: Reference, platform: str = "") -> str | None:
    """Take an image over into a store that is held; its digest, None when nobody has it. Raises ImageFailed."""
    for program in filter(None, map(shutil.which, PROGRAMS)):
        for form in reference.forms():
            name = f"{form.place}@{form.digest}" if form.digest else form.name
            if not _has(program, name):
                continue
            digest = _saved(store, program, name, platform)
            if form.digest in ("", digest):
                return digest
    return None


def _has(program: str, name: str) -> bool:
    command = [program, "image", "inspect", "--format", "{{.Id}}", name]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        ran = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=INSPECT_S, check=False, cwd="/"
        )
        return ran.returncode == 0
    return False


def _saved(store: Images, program: str, name: str, platform: str) -> str:
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(
            [program, "save", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words, cwd="/"
        ) as saving,
    ):
        assert saving.stdout is not None
        try:
            found = store.take(saving.stdout, platform)
        except BaseException as error:
            saving.kill()
            if not isinstance(error, ImageFailed):
                raise
            words.seek(0)
            said = words.read().decode(errors="replace").strip().rpartition("\n")[2]
            raise ImageFailed(f"`{Path(program).name} save {name}`: {said or error}") from None
    if len(found) != 1:
        raise ImageFailed(f"`{Path(program).name} save {name}` gave {len(found)} images")
    return found[0].digest
