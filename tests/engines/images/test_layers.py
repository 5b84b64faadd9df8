"""Layers, one over the other, against a model of dicts; and layers that want to do harm."""

import contextlib
import gzip
import os
import stat
import tarfile
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cumulo.engines.images import layers, roots
from cumulo.engines.images.failures import BadImage
from tests.engines.images.building import Entry, device, digest, file, folder, hardlink, layer, symlink

LIMIT = 1 << 20
Node = tuple[str, str | bytes, int]  # kind, content or target, mode
Tree = dict[str, Node]
OURS = {*roots.FOLDERS, *roots.FILES}


def unpacked(data: bytes, place: Path, most: int = LIMIT, *, packed: bytes | None = None) -> Path:
    """A layer, unpacked."""
    place.parent.mkdir(parents=True, exist_ok=True)
    blob = place.with_suffix(".blob")
    blob.write_bytes(data if packed is None else packed)
    layers.unpack(blob, digest(data if packed is None else packed), digest(data), place, most)
    return place


def root_of(stack: Sequence[Iterable[Entry]], place: Path) -> Path:
    """The root that these layers make."""
    folders = [unpacked(layer(entries), place / str(number)) for number, entries in enumerate(stack)]
    roots.build(folders, place / "root")
    return place / "root"


def seen(root: Path) -> Tree:
    """What is in a root, but for what every root has."""
    found: Tree = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name in OURS:
            continue
        mode = stat.S_IMODE(path.lstat().st_mode)
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()), 0)
        elif path.is_dir():
            found[name] = ("folder", "", mode)
        else:
            found[name] = ("file", path.read_bytes(), mode)
    return found


# --- the model


def without(tree: Tree, name: str) -> Tree:
    return {each: node for each, node in tree.items() if each != name and not each.startswith(f"{name}/")}


def parents(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def of_layer(entries: Iterable[Entry]) -> tuple[Tree, set[str], list[str], list[str], list[Entry]]:
    """What a layer adds, the folders that it only implies, whiteouts, opaque folders, and the entries that count."""
    tree: Tree = {}
    implied: set[str] = set()
    gone: list[str] = []
    opaque: list[str] = []
    kept: list[Entry] = []
    for entry, data in entries:
        name, last = entry.name, entry.name.rpartition("/")[2]
        above = name.rpartition("/")[0]
        if last == ".wh..wh..opq":
            opaque.append(above)
        elif last.startswith(".wh."):
            gone.append(f"{above}/{last[4:]}" if above else last[4:])
        else:
            if any(tree.get(each, ("folder",))[0] != "folder" for each in parents(name)):
                continue  # below a file or a link: another test's
            if entry.islnk() and tree.get(entry.linkname, ("",))[0] != "file":
                continue
            if entry.islnk() and f"{entry.linkname}/".startswith(f"{name}/"):
                continue  # to itself, or to what it takes the place of: refused
            for each in parents(name):
                if each not in tree:
                    tree[each] = ("folder", "", 0o755)
                    implied.add(each)
            before = tree.get(name)
            if not (entry.isdir() and before is not None and before[0] == "folder"):
                target = tree.get(entry.linkname) if entry.islnk() else None
                tree = without(tree, name)
                implied = {each for each in implied if each in tree}
                if entry.islnk():
                    assert target is not None
                    tree[name] = target
                elif entry.issym():
                    tree[name] = ("link", entry.linkname, 0)
                elif entry.isreg():
                    tree[name] = ("file", data, entry.mode)
            if entry.isdir():
                tree[name] = ("folder", "", entry.mode)
                implied.discard(name)
        kept.append((entry, data))
    return tree, implied, gone, opaque, kept


def over(beneath: Tree, tree: Tree, implied: set[str], gone: list[str], opaque: list[str]) -> Tree:
    def reachable(name: str) -> bool:
        return all(beneath.get(each, ("",))[0] == "folder" for each in parents(name))

    for name in opaque:
        if name == "":
            beneath = {}
        elif reachable(name) and beneath.get(name, ("",))[0] == "folder":
            beneath = {each: node for each, node in beneath.items() if not each.startswith(f"{name}/")}
    for name in gone:
        if reachable(name):
            beneath = without(beneath, name)
    for name, node in sorted(tree.items()):
        before = beneath.get(name)
        if node[0] == "folder" and before is not None and before[0] == "folder":
            beneath[name] = before if name in implied else node
        else:
            beneath = without(beneath, name)
            beneath[name] = node
    return beneath


PART = st.sampled_from(("a", "b", "c"))
NAME = st.lists(PART, min_size=1, max_size=3).map("/".join)
ABOVE = st.lists(PART, max_size=2).map("/".join)


def whiteout(above: str, name: str) -> Entry:
    return file(f"{above}/.wh.{name}" if above else f".wh.{name}")


ENTRY = st.one_of(
    st.builds(file, NAME, st.binary(max_size=3), st.sampled_from((0o644, 0o755, 0o400))),
    st.builds(folder, NAME, st.sampled_from((0o755, 0o700, 0o1777))),
    st.builds(symlink, NAME, st.sampled_from(("a", "../b", "/etc", "nowhere"))),
    st.builds(hardlink, NAME, NAME),
    st.builds(whiteout, ABOVE, PART),
    ABOVE.map(lambda above: whiteout(above, ".wh..opq")),
)
STACK = st.lists(st.lists(ENTRY, max_size=6), min_size=1, max_size=4)


@settings(max_examples=60)
@given(STACK)
def test_layers_lie_over_each_other(stack: list[list[Entry]]) -> None:
    expected: Tree = {}
    clean = []
    for entries in stack:
        tree, implied, gone, opaque, kept = of_layer(entries)
        expected = over(expected, tree, implied, gone, opaque)
        clean.append(kept)
    with tempfile.TemporaryDirectory() as place:
        assert seen(root_of(clean, Path(place))) == expected


NAMES = st.lists(st.sampled_from(("a", "b", "..", ".", "", "/", ".wh.a", ".wh..wh..opq", ".wh...")), max_size=4)
TARGETS = st.sampled_from(("/", "..", "../..", "/outside", "a", "../../outside", "a/b", "."))
HOSTILE = st.one_of(
    st.builds(lambda parts: file("/".join(parts), b"x"), NAMES),
    st.builds(lambda parts: folder("/".join(parts)), NAMES),
    st.builds(lambda parts, target: symlink("/".join(parts), target), NAMES, TARGETS),
    st.builds(lambda parts, target: hardlink("/".join(parts), target), NAMES, TARGETS),
)


@settings(max_examples=60)
@given(st.lists(st.lists(HOSTILE, max_size=6), min_size=1, max_size=3))
def test_nothing_is_written_outside(stack: list[list[Entry]]) -> None:
    with tempfile.TemporaryDirectory() as folder_name:
        place = Path(folder_name)
        (place / "outside").write_text("before")
        (place / "work").mkdir()
        with contextlib.suppress(BadImage):
            root_of(stack, place / "work")
        assert sorted(path.name for path in place.iterdir()) == ["outside", "work"]
        assert (place / "outside").read_text() == "before"
        assert (place / "outside").stat().st_nlink == 1
        blobs = {f"{number}{end}" for number in range(len(stack)) for end in ("", ".blob")}
        assert {path.name for path in (place / "work").iterdir()} <= {*blobs, "root"}


# --- by example


def test_links_are_followed_within_the_layer(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    root = root_of(
        [[symlink("a", str(tmp_path / "x")), file("a/inside", "1"), symlink("up", "../../.."), file("up/top", "2")]],
        tmp_path / "images",
    )
    assert not list((tmp_path / "x").iterdir())
    assert (root / str(tmp_path / "x").lstrip("/") / "inside").read_text() == "1"
    assert (root / "top").read_text() == "2"


@pytest.mark.parametrize(
    "entries",
    [
        [file("../x")],
        [file("a/../../x")],
        [hardlink("a", "../x")],
        [hardlink("a", "")],
        [file("a"), hardlink("a", "a")],
        [folder("a"), hardlink("b", "a")],
        [hardlink("a/a", "a")],
        [file("a/a"), hardlink("a", "a/a")],
        [symlink("a", "b"), symlink("b", "a"), file("a/x")],
        [file("a"), file("a/b")],
        [file(".wh.")],
        [file("a/.wh...")],
        [hardlink("a", "nowhere")],
        [file("x" * 300)],
        [file("x", b"1" * (LIMIT + 1))],
    ],
)
def test_what_is_refused(entries: list[Entry], tmp_path: Path) -> None:
    with pytest.raises(BadImage):
        root_of([entries], tmp_path / "images")


def test_a_hard_link_to_a_file_of_a_lower_layer(tmp_path: Path) -> None:
    root = root_of([[file("a", "1")], [hardlink("b/c", "a")], [file("a", "2")]], tmp_path / "images")
    assert ((root / "a").read_text(), (root / "b" / "c").read_text()) == ("2", "1")


def test_devices_and_rights_beyond_the_usual_are_left_out(tmp_path: Path) -> None:
    pipe = tarfile.TarInfo("pipe")
    pipe.type = tarfile.FIFOTYPE
    root = root_of([[file("null", "beneath")], [device("null"), (pipe, b""), file("su", "", 0o4755)]], tmp_path / "i")
    assert not (root / "null").exists()
    assert not (root / "pipe").exists()
    assert stat.S_IMODE((root / "su").stat().st_mode) == 0o755


def test_times_are_kept_and_files_shared(tmp_path: Path) -> None:
    place = tmp_path / "images"
    root = root_of([[file("a", "1", mtime=1_234_567_890)]], place)
    assert (root / "a").stat().st_mtime == 1_234_567_890
    assert (root / "a").samefile(place / "0" / "tree" / "a")


def test_a_root_has_what_sandboxes_mount_over(tmp_path: Path) -> None:
    stack = [[symlink("tmp", "var/tmp"), symlink("etc/hosts", "/outside"), file("proc", "no folder"), folder("etc")]]
    root = root_of(stack, tmp_path / "images")
    for name in roots.FOLDERS:
        assert (root / name).is_dir() and not (root / name).is_symlink()
    for name in roots.FILES:
        assert (root / name).is_file() and not (root / name).is_symlink()


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    root = root_of([[file(name, "1"), file("b", "2")], [file(f".wh.{name}")]], tmp_path / "images")
    assert not (root / name).exists()
    assert (root / "b").exists()


def test_sparse_and_long_names(tmp_path: Path) -> None:
    name = "/".join(["n" * 90] * 4)
    root = root_of([[file(name, "1" * 5000)]], tmp_path / "images")
    assert (root / name).read_text() == "1" * 5000


@pytest.mark.parametrize("cut", [1, 300, 512, 600])
def test_damage_is_noticed(cut: int, tmp_path: Path) -> None:
    data = layer([file("a", os.urandom(700)), file("b", "2")])
    packed = gzip.compress(data, mtime=0)
    for number, whole in enumerate((data, packed)):
        for kind, damaged in {
            "cut": whole[:-cut],
            "more": whole + b"x",
            "changed": bytes([*whole[:cut], whole[cut] ^ 1, *whole[cut + 1 :]]),
        }.items():
            blob = tmp_path / f"{number}{kind}.blob"
            blob.write_bytes(damaged)
            with pytest.raises(BadImage):
                layers.unpack(blob, digest(whole), digest(data), tmp_path / f"{number}{kind}", LIMIT)


def test_what_grows_without_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MOST_ENTRIES", 1000)  # each may have so much of a header
    data = layer([]) + bytes(5 * LIMIT)
    blob = tmp_path / "blob"
    blob.write_bytes(gzip.compress(data, 1, mtime=0))
    with pytest.raises(BadImage, match="larger than images may be"):
        layers.unpack(blob, digest(blob.read_bytes()), digest(data), tmp_path / "layer", LIMIT)


def test_zstandard(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("cumulo.engines.zstandard")
    data = layer([file("a", "1" * 1000)])
    packed = zstandard.module().compress(data)
    assert (unpacked(data, tmp_path / "layer", packed=packed) / "tree" / "a").read_text() == "1" * 1000
    (tmp_path / "cut").write_bytes(packed[:-3])
    with pytest.raises(BadImage):
        layers.unpack(tmp_path / "cut", digest(packed), digest(data), tmp_path / "other", LIMIT)
