"""Environments whose root is an image."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from cumulo.engines.containers import engines
from cumulo.engines.environments.builds import Build, StartFailed
from cumulo.engines.environments.environments import Environments
from cumulo.engines.images.store import Images
from cumulo.engines.sandboxes.probe import Abilities
from tests.engines.environments.conftest import Bench
from tests.engines.images.building import Entry, Layout, bash, file, folder, layer, symlink


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    folder = tmp_path_factory.mktemp("images")
    for each in (folder, *folder.parents):
        if each.is_relative_to("/tmp") and each != Path("/tmp"):
            each.chmod(0o755)
    return Images(folder)


def image_of(images: Images, tmp_path: Path, *entries: Entry) -> Path:
    """The root of an image with bash and these."""
    layout = Layout()
    layout.image([bash(), layer(entries)], "test:1")
    ((_, digest),) = images.load(layout.write(tmp_path / "layout"))
    return images.root(digest)


def build(bench: Bench, root: Path, **changes: Any) -> Build:
    return bench.build(code=root, runtime="", handler="", image=root, entry_point=("/bootstrap",), **changes)


def said(bench: Bench, made: Build, *commands: str) -> list[str]:
    outcomes = bench.invoke(made, *(json.dumps(command).encode() for command in commands))
    assert not [outcome.payload for outcome in outcomes if outcome.error], bench.text
    return [json.loads(outcome.payload) for outcome in outcomes]


def test_an_image_is_the_root(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path, folder("app"), file("app/greeting", "hello"))
    made = build(bench, root, working_directory="/app", command=("one", "two words"))
    assert said(bench, made, "read -r x < greeting; echo $x", "echo $PWD ${arguments[1]} $#", "echo /*") == [
        "hello",
        "/app two words 2",
        "/app /bin /bootstrap /dev /etc /lib /lib64 /opt /proc /tmp /var",
    ]


def test_what_the_image_sets_is_weakest(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path)
    made = build(
        bench,
        root,
        image_variables={"PATH": "/opt/bin", "A": "image", "B": "image", "AWS_LAMBDA_FUNCTION_NAME": "image"},
        variables={"B": "function"},
    )
    command = "echo $PATH $A $B $AWS_LAMBDA_FUNCTION_NAME ${LAMBDA_TASK_ROOT-none} ${AWS_EXECUTION_ENV-none}"
    assert said(bench, made, command) == ["/opt/bin image function f none none"]
    docker = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert said(bench, build(bench, root), "echo $PATH") == [docker]


def test_a_program_is_looked_for_as_docker_does(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path, file("tools/run", '#!/bin/sh\n. /bootstrap "$0"', 0o755))
    for word, folder_name, shown in (
        ("run", "/", "/tools/run"),
        ("./run", "/tools", "./run"),
        ("tools/run", "/", "tools/run"),
    ):
        made = build(bench, root, image_variables={"PATH": "/bin:/tools"}, working_directory=folder_name)
        made = structs.replace(made, entry_point=(word,))
        assert said(bench, made, "echo $0") == [shown]


@pytest.mark.parametrize(
    ("changes", "kind", "text"),
    [
        ({"entry_point": ("/nowhere",)}, "Entrypoint", "fork/exec /nowhere: no such file or directory"),
        ({"entry_point": ("/secret",)}, "Entrypoint", "fork/exec /secret: permission denied"),
        ({"entry_point": ("/text",)}, "Entrypoint", "fork/exec /text: exec format error"),
        ({"entry_point": ("app.handler",)}, "Entrypoint", 'exec: "app.handler": executable file not found in $PATH'),
        ({"entry_point": ()}, "Entrypoint", "no command specified"),
        ({"working_directory": "/nowhere"}, "WorkingDir", "chdir /nowhere: no such file or directory"),
        ({"working_directory": "/text"}, "WorkingDir", "chdir /text: not a directory"),
    ],
)
def test_what_cannot_be_executed(
    bench: Bench, images: Images, tmp_path: Path, changes: dict[str, Any], kind: str, text: str
) -> None:
    root = image_of(images, tmp_path, file("text", "no program", 0o755), file("secret", "#!/bin/sh", 0o600))
    (outcome,) = bench.invoke(structs.replace(build(bench, root), **changes))
    assert outcome.error_type == f"Runtime.Invalid{kind}"
    document = json.loads(outcome.payload)
    assert document["errorType"] == f"Runtime.Invalid{kind}"
    assert document["errorMessage"] == f"RequestId: 00000000-0000-4000-8000-000000000001 Error: {text}"


EXTENSION = r"""#!/bin/bash
exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/}"
body='{"events": ["SHUTDOWN"]}'
printf 'POST /2020-01-01/extension/register HTTP/1.1\r\nHost: x\r\nLambda-Extension-Name: watcher\r\n' >&3
printf 'Content-Length: %d\r\n\r\n%s' "${#body}" "$body" >&3
while read -r name value <&3; do
  case "${name,,}" in lambda-extension-identifier:) id=${value%$'\r'} ;; $'\r') break ;; esac
done
echo "watching"
exec 4<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\/}"
printf 'GET /2020-01-01/extension/event/next HTTP/1.1\r\nHost: x\r\nLambda-Extension-Identifier: %s\r\n\r\n' "$id" >&4
read -r line <&4
echo "told"
"""


def test_extensions_of_the_image(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path, file("opt/extensions/watcher", EXTENSION, 0o755))
    assert said(bench, build(bench, root), "echo here") == ["here"]
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [SHUTDOWN]" in bench.text
    assert "watching" in bench.text and "told" in bench.text


def test_no_file_of_the_host_is_seen(bench: Bench, images: Images, tmp_path: Path) -> None:
    root = image_of(images, tmp_path, symlink("out", str(tmp_path)), file("x"))
    made = build(bench, root)
    assert said(bench, made, "cd /out", "echo x > /x", "echo y > /tmp/y && echo /tmp/*", "echo /etc/* /root/*") == [
        "/bootstrap: line 25: cd: /out: No such file or directory",
        "/bootstrap: line 25: /x: Read-only file system",
        "/tmp/y",
        "/etc/cumulo /etc/hosts /etc/resolv.conf /root/*",
    ]
    assert said(bench, made, "read -r a < /etc/hosts; echo $a; : > /dev/null && echo $?") == [
        "127.0.0.1 localhost sandbox.localdomain sandbox\n0"
    ]


def test_without_a_root_of_their_own_images_are_refused(
    bench: Bench, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = image_of(images, tmp_path)

    async def main(homes: Environments) -> None:
        await homes.sandboxes.open()
        monkeypatch.setattr(homes.sandboxes, "abilities", Abilities(refused="no"))
        monkeypatch.setattr(engines, "for_images", lambda: "")
        monkeypatch.setattr(homes.sandboxes, "_opening", asyncio.ensure_future(opened()))
        with pytest.raises(StartFailed, match="container images need mount namespaces"):
            await bench.start(homes, build(bench, root))

    async def opened() -> Abilities:
        return Abilities(refused="no")

    bench.run(main)
    bench._homes.__dict__.pop("_for_images")
