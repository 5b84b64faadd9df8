"""The store: what tools write comes in whole and checked, names lead to digests, and what nobody needs goes."""

import io
import json
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cumulo.engines.images import daemons, manifests, references, registries
from cumulo.engines.images.failures import BadImage, ImageFailed, Unsupported
from cumulo.engines.images.store import Images
from tests.engines.images.building import INDEX, MACHINE, Layout, bash, digest, file, layer, saved

ONE, TWO = layer([file("one", "1")]), layer([file("two", "2")])


@pytest.fixture
def images(tmp_path: Path) -> Images:
    return Images(tmp_path / "images")


def stream(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


def found(images: Images, name: str) -> str | None:
    return images.find(references.parse(name))


# --- names


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("app", ("", "app", "", "")),
        ("app:1", ("", "app", "1", "")),
        ("docker.io/library/app:1", ("", "app", "1", "")),
        ("localhost/team/app", ("", "team/app", "", "")),
        ("localhost:5000/app:1", ("localhost:5000", "app", "1", "")),
        ("[::1]:5000/app:1", ("[::1]:5000", "app", "1", "")),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/a/b_c:V.1-x", (
            "123456789012.dkr.ecr.us-east-1.amazonaws.com", "a/b_c", "V.1-x", "")),
        (f"r.example/app:1@{digest(b'')}", ("r.example", "app", "1", digest(b""))),
    ],
)  # fmt: skip
def test_names(text: str, parts: tuple[str, str, str, str]) -> None:
    assert references.parse(text) == parts


@pytest.mark.parametrize("text", ["", "App", "app:", "app@", "app@sha256:12", "a//b", "/a", "../a", "a b", "-a", "a:ä"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(ImageFailed):
        references.parse(text)


def test_an_image_is_found_with_and_without_its_registry(images: Images, tmp_path: Path) -> None:
    layout = Layout()
    image = layout.image([ONE], "team/app:1")["digest"]
    other = layout.image([TWO], "r.example/team/app:1")["digest"]
    assert images.load(layout.write(tmp_path / "layout")) == [("team/app:1", image), ("r.example/team/app:1", other)]
    assert found(images, "team/app:1") == image
    assert found(images, "r.example/team/app:1") == other
    assert found(images, "s.example/team/app:1") == image
    assert found(images, f"s.example/team/app@{image}") == image
    assert found(images, f"s.example/app@{image}") is None
    assert found(images, "team/app") is None
    assert found(images, "app:1") is None


# --- what tools write


@pytest.mark.parametrize("compress", ["", "gzip", "zstd"])
def test_an_archive_of_a_layout(images: Images, compress: str) -> None:
    layout = Layout()
    image = layout.image([ONE, TWO], "app:1", compress=compress, config={"Cmd": ["x"], "WorkingDir": "/w"})
    assert images.load(stream(layout.archive())) == [("app:1", image["digest"])]
    root = images.root(image["digest"])
    assert ((root / "one").read_text(), (root / "two").read_text()) == ("1", "2")
    settings = images.image(image["digest"]).settings
    assert (settings.command, settings.entry_point, settings.working_directory) == (["x"], [], "/w")


def test_what_docker_saved_before_layouts(images: Images) -> None:
    archive = saved([ONE, TWO, ONE], ["app:1", "localhost/app:latest"], {"Env": ["A=b=c", "D"], "Entrypoint": ["e"]})
    (first, second) = images.load(stream(archive))
    assert (first[0], second[0], first[1]) == ("app:1", "app:latest", second[1])
    image = images.image(first[1])
    assert image.settings.variables == {"A": "b=c", "D": ""}
    assert image.settings.entry_point == ["e"]
    assert (images.root(first[1]) / "two").read_text() == "2"
    assert images.load(stream(archive))[0][1] == first[1]


def test_what_other_builders_write_with_compressed_layers(images: Images) -> None:
    archive = saved([ONE, TWO, ONE], ["app:1"], compress=True)
    ((name, image),) = images.load(stream(archive))
    assert name == "app:1"
    assert images.image(image).manifest.layers[0].media_type.endswith("+gzip")
    assert (images.root(image) / "two").read_text() == "2"


def test_layers_that_are_not_what_the_configuration_says(images: Images) -> None:
    archive = saved([ONE, TWO], ["app:1"])
    with pytest.raises(BadImage, match="is damaged: it is"):
        images.load(stream(archive.replace(b"two", b"owt")))
    ((_, image),) = images.load(stream(saved([ONE], ["app:1"], rootfs={"diff_ids": [digest(TWO)]}, compress=True)))
    with pytest.raises(BadImage, match="unpacks to"):
        images.root(image)


def test_docker_names_images_of_a_layout_its_own_way(images: Images) -> None:
    layout = Layout()
    image = layout.image([ONE], "1")
    image["annotations"]["io.containerd.image.name"] = "docker.io/library/app:1"
    assert images.load(stream(layout.archive())) == [("app:1", image["digest"])]
    layout = Layout()
    image = layout.image([TWO])
    config = json.loads(layout.blobs[image["digest"]])["config"]["digest"].removeprefix("sha256:")
    files = [file(name, data) for name, data in layout.files().items()]
    listed = [{"Config": f"blobs/sha256/{config}", "RepoTags": ["two:2"], "Layers": []}]
    archive = layer([*files, file("manifest.json", json.dumps(listed))])
    assert images.load(stream(archive)) == [("two:2", image["digest"])]


def test_the_image_of_this_machine_is_taken_of_several(images: Images) -> None:
    layout = Layout()
    mine = layout.image([ONE], listed=False)
    other = layout.image([TWO], listed=False, architecture="riscv64")
    proof = {**layout.image([], listed=False), "platform": {"architecture": "unknown", "os": "unknown"}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [other, proof, mine]}
    named = {
        **layout.blob(json.dumps(index).encode(), INDEX),
        "annotations": {"org.opencontainers.image.ref.name": "a:1"},
    }
    layout.manifests.append(named)
    assert images.load(stream(layout.archive())) == [("a:1", mine["digest"])]
    assert images.load(stream(layout.archive()), platform="linux/riscv64") == [("a:1", other["digest"])]
    with pytest.raises(Unsupported, match=f"no image for linux/s390x: there is linux/riscv64, linux/{MACHINE}"):
        images.load(stream(layout.archive()), platform="linux/s390x")


def test_the_only_image_of_an_index_is_taken_whatever_its_platform(images: Images) -> None:
    layout = Layout()
    other = layout.image([TWO], listed=False, architecture="riscv64")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [other]}
    layout.manifests.append(layout.blob(json.dumps(index).encode(), INDEX))
    assert images.load(stream(layout.archive()), "a:1") == [("a:1", other["digest"])]


def test_a_name_for_one(images: Images, tmp_path: Path) -> None:
    layout = Layout()
    layout.image([ONE])
    with pytest.raises(ImageFailed, match="no name"):
        images.load(layout.write(tmp_path / "one"))
    assert images.load(tmp_path / "one", "app:2")[0][0] == "app:2"
    layout.image([TWO], "two:1")
    with pytest.raises(ImageFailed, match="there are 2 images in it, and one name for them"):
        images.load(layout.write(tmp_path / "two"), "app:2")


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([], "neither an OCI image layout nor"),
        ([file("manifest.json", "[{")], "manifest.json cannot be read"),
        ([file("manifest.json", '[{"Config": "c", "Layers": []}]')], "the archive has no c"),
        ([file("index.json", "{}")], "the index cannot be read"),
        ([file("index.json", '{"manifests": [{"mediaType": "", "digest": "../x", "size": 1}]}')], "the digest '../x'"),
    ],
)
def test_what_is_no_image(images: Images, entries: list[tuple[object, bytes]], text: str) -> None:
    with pytest.raises(ImageFailed, match=text):
        images.load(stream(layer(entries)))  # type: ignore[arg-type]


def test_what_is_no_archive(images: Images, tmp_path: Path) -> None:
    for data in (b"", b"x" * 2000, layer([file("a", "1" * 3000)])[:2000]):
        with pytest.raises(ImageFailed):
            images.load(stream(data))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageFailed, match="no OCI image layout"):
        images.load(tmp_path / "empty")
    assert not list((images._folder / "new").iterdir())


def test_every_blob_is_checked(images: Images, tmp_path: Path) -> None:
    layout = Layout()
    layout.image([ONE], "app:1")
    for name in list(layout.blobs):
        whole = layout.blobs[name]
        for damaged in (whole[:-1], whole + b" ", None):
            if damaged is None:
                del layout.blobs[name]
            else:
                layout.blobs[name] = damaged
            with pytest.raises(BadImage):
                images.load(stream(layout.archive()))
        layout.blobs[name] = whole
    assert images.names() == {}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"mediaType": "application/vnd.example"}, "a manifest of application/vnd.example"),
        ({"layers": [{"mediaType": "text/plain", "digest": digest(b""), "size": 0}]}, "a layer of text/plain"),
        ({"layers": [{"mediaType": manifests.OCI_LAYER, "digest": "sha512:1", "size": 0}]}, "the digest 'sha512:1'"),
    ],
)
def test_kinds_that_are_not_for_us(images: Images, change: dict[str, object], text: str) -> None:
    layout = Layout()
    image = layout.image([ONE], "app:1")
    manifest = {**json.loads(layout.blobs[image["digest"]]), **change}
    image.update(layout.blob(json.dumps(manifest).encode(), manifests.OCI_MANIFEST))
    with pytest.raises(Unsupported, match=text):
        images.load(stream(layout.archive()))


def test_images_for_other_systems_are_refused(images: Images) -> None:
    layout = Layout()
    layout.image([ONE], "app:1", os="windows")
    with pytest.raises(Unsupported, match="an image for windows"):
        images.load(stream(layout.archive()))


# --- unpacking, sweeping


def put(images: Images, name: str, *layers: bytes) -> str:
    layout = Layout()
    layout.image(layers, name)
    ((_, image),) = images.load(stream(layout.archive()))
    return image


def test_layers_are_unpacked_once(images: Images) -> None:
    first = images.root(put(images, "a:1", ONE, TWO))
    second = images.root(put(images, "b:1", ONE))
    assert (first / "one").samefile(second / "one")
    assert len(list((images._folder / "layers").iterdir())) == 2
    assert not list((images._folder / "new").iterdir())


def test_damage_after_loading_is_noticed(images: Images) -> None:
    image = put(images, "a:1", ONE)
    images.blobs.path(digest(ONE)).write_bytes(ONE[:-1024])
    with pytest.raises(BadImage):
        images.root(image)
    images.blobs.path(digest(ONE)).unlink()
    with pytest.raises(BadImage, match="is missing"):
        images.root(image)
    assert not (images._folder / "roots").exists()
    images.blobs.path(image).write_bytes(b"{}")
    with pytest.raises(BadImage, match="is damaged"):
        images.image(image)


def test_loading_again_heals(images: Images) -> None:
    image = put(images, "a:1", ONE)
    images.blobs.path(digest(ONE)).write_bytes(ONE[:-1] + b"x")
    assert put(images, "a:1", ONE) == image
    assert (images.root(image) / "one").read_text() == "1"


def test_images_larger_than_images_may_be(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cumulo.engines.images.store.MOST_BYTES", 1500)
    image = put(images, "a:1", layer([file("a", "1" * 1000)]), layer([file("a", "2" * 1000)]))
    with pytest.raises(BadImage, match="larger than images may be"):
        images.root(image)


def swept(images: Images, *used: str) -> int:
    alone = images.alone()
    assert alone is not None
    with alone:
        return images.sweep(set(used))


def test_what_nobody_needs_goes(images: Images) -> None:
    one, both = put(images, "a:1", ONE), put(images, "b:1", ONE, TWO)
    images.root(both)
    (images._folder / "new" / "left").mkdir()
    assert images.remove("b:1")
    assert not images.remove("b:1")
    assert swept(images, both) == 0
    assert (images.root(both) / "two").exists()
    assert not list((images._folder / "new").iterdir())
    assert swept(images) > len(TWO)
    assert images.image(one).digest == one
    with pytest.raises(BadImage):
        images.image(both)
    assert not list((images._folder / "roots").iterdir())
    assert not list((images._folder / "layers").iterdir())
    assert (images.root(one) / "one").exists()


def test_a_tag_moves_on(images: Images) -> None:
    put(images, "a:1", ONE)
    second = put(images, "a:1", TWO)
    assert images.names() == {"a:1": second}
    assert swept(images) > len(ONE)


def test_nothing_is_swept_while_something_comes(images: Images) -> None:
    with images.held(), images.held():
        assert images.alone() is None
    alone = images.alone()
    assert alone is not None
    alone.close()


def test_loading_at_once(images: Images) -> None:
    made = [Layout() for _ in range(8)]
    for number, layout in enumerate(made):
        layout.image([ONE, layer([file(str(number), "x")])], f"app:{number}")
    threads = [threading.Thread(target=images.load, args=(stream(layout.archive()),)) for layout in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(images.names()) == [f"app:{number}" for number in range(8)]
    roots: list[Path] = []
    image = images.names()["app:1"]
    threads = [threading.Thread(target=lambda: roots.append(images.root(image))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(roots)) == 1 and len(roots) == 6


# --- from others


class Registry(BaseHTTPRequestHandler):
    """Answers with a layout's files."""

    layout = Layout()

    def do_GET(self) -> None:
        _, _, repository, kind, name = self.path.split("/")
        data = None
        if repository == "broken":
            self.send_error(500)
            return
        if kind == "blobs" or name.startswith("sha256:"):
            data = self.layout.blobs.get(name)
        else:
            names = {each["annotations"]["org.opencontainers.image.ref.name"]: each for each in self.layout.manifests}
            each = names.get(f"{repository}:{name}")
            data = self.layout.blobs[each["digest"]] if each else None
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Not a word."""


@pytest.fixture
def registry() -> object:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        Registry.layout = Layout()
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"localhost:{server.server_port}"
        server.shutdown()


def test_a_registry_on_this_machine(images: Images, registry: str) -> None:
    image = Registry.layout.image([ONE, TWO], "app:1", compress="gzip")["digest"]
    for name in (f"{registry}/app:1", f"{registry}/app@{image}"):
        reference = references.parse(name)
        assert reference.is_near
        assert registries.take(images, reference) == image
    assert (images.root(image) / "two").read_text() == "2"
    assert registries.take(images, references.parse(f"{registry}/app:2")) is None
    with pytest.raises(ImageFailed, match="answers 500"):
        registries.take(images, references.parse(f"{registry}/broken:1"))
    Registry.layout.blobs[digest(b"x")] = b"not x"
    with pytest.raises(BadImage):
        registries.take(images, references.parse(f"{registry}/app@{digest(b'x')}"))


def test_registries_elsewhere_are_not_asked() -> None:
    near = ["localhost:1/a:1", "127.0.0.1:1/a:1", "127.9.9.9:1/a", "[::1]:1/a"]
    far = ["a:1", "localhost/a:1", "r.example:5000/a:1", "10.0.0.1:5000/a:1", "169.254.169.254:80/a"]
    assert [references.parse(name).is_near for name in (*near, *far)] == [True] * 4 + [False] * 5


def test_a_registry_that_is_not_there(images: Images) -> None:
    with pytest.raises(ImageFailed, match="does not answer"):
        registries.take(images, references.parse("127.0.0.1:1/app:1"))


def test_what_docker_has(images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that takes docker's words: the real one is not on every machine."""
    archive = tmp_path / "app.tar"
    archive.write_bytes(saved([ONE], ["team/app:1"]))
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "$@" >> "$0.log"\n'
        'case "$*" in\n'
        "  *inspect*' team/app:1') ;;\n"
        f"  'save team/app:1') cat {archive} ;;\n"
        "  *inspect*' broken:1') ;;\n"
        "  'save broken:1') echo no space left >&2; exit 1 ;;\n"
        "  *) exit 1 ;;\nesac\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(daemons, "PROGRAMS", ("docker", "no-such-program"))
    image = daemons.take(images, references.parse("r.example/team/app:1"))
    assert image is not None
    assert (images.root(image) / "one").read_text() == "1"
    assert program.with_suffix(".log").read_text().splitlines() == [
        "image inspect --format {{.Id}} r.example/team/app:1",
        "image inspect --format {{.Id}} team/app:1",
        "save team/app:1",
    ]
    assert daemons.take(images, references.parse("other:1")) is None
    with pytest.raises(ImageFailed, match="`docker save broken:1`: no space left"):
        daemons.take(images, references.parse("broken:1"))


STORAGE = '[storage]\ndriver = "vfs"\ngraphroot = "{0}/graph"\nrunroot = "{0}/run"\n'
FILE = """
FROM scratch
ADD rootfs.tar /
ENV GREETING="hello world" PATH=/bin
WORKDIR /work
COPY app /work/
ENTRYPOINT ["/bin/bash"]
CMD ["app"]
"""


@pytest.mark.skipif(shutil.which("podman") is None, reason="needs podman")
def test_what_podman_built(images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one, with a storage of its own."""
    (tmp_path / "storage.conf").write_text(STORAGE.format(tmp_path))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(tmp_path / "storage.conf"))
    (tmp_path / "rootfs.tar").write_bytes(bash())
    (tmp_path / "app").write_text("echo here")
    (tmp_path / "Dockerfile").write_text(FILE)

    def podman(*arguments: str) -> None:
        ran = subprocess.run(["podman", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr

    podman("build", "--tag", "team/app:1", ".")
    monkeypatch.setattr(daemons, "PROGRAMS", ("podman",))
    image = daemons.take(images, references.parse("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:1"))
    assert image is not None
    settings = images.image(image).settings
    assert settings.variables == {"GREETING": "hello world", "PATH": "/bin"}
    assert (settings.entry_point, settings.command, settings.working_directory) == (["/bin/bash"], ["app"], "/work")
    assert (images.root(image) / "work" / "app").read_text() == "echo here"
    for kind in ("oci-archive", "docker-archive"):
        podman("save", "--format", kind, "--output", f"{kind}.tar", "team/app:1")
        ((name, digest_of),) = images.load(tmp_path / f"{kind}.tar")
        assert name == "team/app:1"
        assert (images.root(digest_of) / "work" / "app").read_text() == "echo here"
