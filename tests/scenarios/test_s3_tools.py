"""S3 with the programs that people use it with. Each is skipped only where it is not installed."""

import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
import venv
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from boto3.s3.transfer import TransferConfig

from tests.scenarios.conftest import CACHE
from tests.server_process import Server

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
MB = 1024 * 1024


def program(name: str) -> str:
    """The path of a program, or the test is skipped."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture
def s3(server_url: str) -> Any:
    return boto3.client("s3", endpoint_url=server_url, **KEYS)


@pytest.fixture
def bucket(s3: Any) -> str:
    s3.create_bucket(Bucket="tools")
    return "tools"


@pytest.fixture
def call(server_url: str, tmp_path: Path) -> Callable[..., str]:
    """Runs a program with credentials and endpoint in its environment; its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server_url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
        "RESTIC_PASSWORD": "secret",
    }

    def run(*command: str, **more: Any) -> str:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            env={**environment, **more.pop("env", {})},
            timeout=300,
            **more,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def make_files(folder: Path, count: int) -> dict[str, bytes]:
    """Files of several sizes, in folders, some with names that need care."""
    found: dict[str, bytes] = {}
    for number in range(count):
        name = f"d{number % 7}/é {number} +&.txt" if number % 5 == 0 else f"d{number % 7}/{number}.txt"
        data = os.urandom(1 + (number * 37) % 3000) if number != 3 else os.urandom(9 * MB)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_700_000_000, 1_700_000_000))  # S3 tells seconds: a file of this one looks newer than its copy
        found[name] = data
    return found


def read_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_transfer_manager(s3: Any, bucket: str, tmp_path: Path) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    source.write_bytes(os.urandom(20 * MB + 7))
    config = TransferConfig(multipart_threshold=5 * MB, multipart_chunksize=5 * MB, max_concurrency=4)
    s3.upload_file(
        str(source), bucket, "large", Config=config, ExtraArgs={"ContentType": "a/b", "Metadata": {"x": "y"}}
    )
    s3.download_file(bucket, "large", str(back), Config=config)
    assert back.read_bytes() == source.read_bytes()
    head = s3.head_object(Bucket=bucket, Key="large")
    assert (head["ContentType"], head["Metadata"], head["ETag"][-3:]) == ("a/b", {"x": "y"}, '-5"')


def sync(aws: list[str], call: Callable[..., str], bucket: str, tmp_path: Path, count: int) -> None:
    source, back = tmp_path / "source", tmp_path / "back"
    files = make_files(source, count)
    call(*aws, "s3", "sync", "--quiet", str(source), f"s3://{bucket}/in")
    call(*aws, "s3", "sync", "--quiet", f"s3://{bucket}/in", str(back))
    assert read_files(back) == files
    (source / "d1" / "new").write_bytes(b"new")
    os.utime(source / "d1" / "new", (1_700_000_000, 1_700_000_000))
    (source / "d2" / "2.txt").unlink()
    told = call(*aws, "s3", "sync", "--delete", str(source), f"s3://{bucket}/in")
    assert (told.count("upload:"), told.count("delete:")) == (1, 1)
    assert call(*aws, "s3", "sync", "--delete", str(source), f"s3://{bucket}/in") == ""
    call(*aws, "s3", "rm", "--recursive", "--quiet", f"s3://{bucket}")
    assert call(*aws, "s3", "ls", f"s3://{bucket}") == ""


@pytest.mark.parametrize("version", ["aws_v1", "aws_v2"])
def test_sync_both_ways(
    version: str, call: Callable[..., str], bucket: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    sync(request.getfixturevalue(version), call, bucket, tmp_path, 60)


@pytest.mark.soak
def test_sync_of_ten_thousand_files(aws_v2: list[str], call: Callable[..., str], bucket: str, tmp_path: Path) -> None:
    sync(aws_v2, call, bucket, tmp_path, 10_000)


def test_presigned_urls_of_the_older_command_line(
    aws_v1: list[str], call: Callable[..., str], bucket: str, s3: Any
) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    url = call(*aws_v1, "s3", "presign", f"s3://{bucket}/k").strip()
    assert call("curl", "-sf", url) == "hello"


def test_s3cmd(server: Server, call: Callable[..., str], bucket: str, tmp_path: Path) -> None:
    if find_spec("S3") is None:
        pytest.skip("s3cmd is not installed")
    script = shutil.which("s3cmd", path=str(Path(sys.executable).parent)) or program("s3cmd")
    host = f"localhost:{server.port}"
    (tmp_path / "s3cfg").write_text(
        f"[default]\naccess_key = test\nsecret_key = test\nuse_https = False\nhost_base = {host}\n"
        f"host_bucket = {host}\n"
    )
    for version in ("False", "True"):
        s3cmd = [
            sys.executable,
            script,
            "-c",
            str(tmp_path / "s3cfg"),
            f"--{'' if version == 'True' else 'no-'}check-md5",
        ]
        s3cmd += ["--signature-v2"] if version == "True" else []
        files = make_files(tmp_path / "source", 12)
        call(*s3cmd, "sync", f"{tmp_path / 'source'}/", f"s3://{bucket}/in/")
        call(*s3cmd, "sync", f"s3://{bucket}/in/", f"{tmp_path / ('back' + version)}/")
        assert read_files(tmp_path / f"back{version}") == files
        assert "ERROR" not in call(*s3cmd, "info", f"s3://{bucket}/in/d1/1.txt")
        call(*s3cmd, "cp", f"s3://{bucket}/in/d1/1.txt", f"s3://{bucket}/copy")
        call(*s3cmd, "del", "--recursive", "--force", f"s3://{bucket}/")
        assert call(*s3cmd, "ls", f"s3://{bucket}") == ""


def test_rclone(server_url: str, call: Callable[..., str], bucket: str, tmp_path: Path) -> None:
    rclone = [program("rclone"), "--config", str(tmp_path / "rclone.conf")]
    (tmp_path / "rclone.conf").write_text(
        f"[cloud]\ntype = s3\nprovider = Other\nenv_auth = true\nregion = us-east-1\nendpoint = {server_url}\n"
        "force_path_style = true\nacl = bucket-owner-full-control\n"
    )
    files = make_files(tmp_path / "source", 30)
    call(*rclone, "sync", str(tmp_path / "source"), f"cloud:{bucket}/in")
    call(*rclone, "check", "--download", str(tmp_path / "source"), f"cloud:{bucket}/in")
    call(*rclone, "sync", f"cloud:{bucket}/in", str(tmp_path / "back"))
    assert read_files(tmp_path / "back") == files
    call(*rclone, "moveto", f"cloud:{bucket}/in/d1/1.txt", f"cloud:{bucket}/in/moved")
    assert "moved" in call(*rclone, "lsf", f"cloud:{bucket}/in")
    call(*rclone, "purge", f"cloud:{bucket}/in")


def test_restic(server_url: str, call: Callable[..., str], bucket: str, tmp_path: Path) -> None:
    restic = [program("restic"), "-r", f"s3:{server_url}/{bucket}/backup", "--cache-dir", str(tmp_path / "cache")]
    source = tmp_path / "source"
    files = make_files(source, 40)
    call(*restic, "init")
    call(*restic, "backup", str(source))
    (source / "d1" / "1.txt").write_bytes(b"changed")
    call(*restic, "backup", str(source))
    call(*restic, "check", "--read-data")
    first, second = json.loads(call(*restic, "snapshots", "--json"))
    for snapshot, expected in ((first, files), (second, {**files, "d1/1.txt": b"changed"})):
        back = tmp_path / snapshot["short_id"]
        call(*restic, "restore", snapshot["id"], "--target", str(back))
        assert read_files(back / source.relative_to("/")) == expected
    call(*restic, "forget", "--keep-last", "1", "--prune")
    call(*restic, "check")


@pytest.fixture(scope="session")
def s3fs_python() -> str:
    """An interpreter with s3fs, whose botocore is an older one than ours."""
    home = CACHE / "s3fs"
    if not (home / "done").exists():
        shutil.rmtree(home, ignore_errors=True)
        venv.create(home, with_pip=True)
        subprocess.run([str(home / "bin" / "pip"), "install", "-q", "s3fs"], check=True, timeout=300)
        (home / "done").touch()
    return str(home / "bin" / "python")


def test_s3fs(s3fs_python: str, call: Callable[..., str], bucket: str) -> None:
    script = f"""
import os, s3fs
fs = s3fs.S3FileSystem()
data = os.urandom(11_000_000)
with fs.open("{bucket}/a/large", "wb", block_size=5 * 2**20) as file:
    file.write(data)
with fs.open("{bucket}/a/large", "rb") as file:
    assert file.read() == data
    file.seek(1000)
    assert file.read(10) == data[1000:1010]
fs.pipe("{bucket}/a/é +", b"small")
assert fs.cat("{bucket}/a/é +") == b"small"
assert sorted(fs.ls("{bucket}/a")) == ["{bucket}/a/large", "{bucket}/a/é +"]
fs.copy("{bucket}/a/large", "{bucket}/b")
fs.mv("{bucket}/b", "{bucket}/c")
assert fs.info("{bucket}/c")["size"] == len(data)
assert fs.find("{bucket}") == ["{bucket}/a/large", "{bucket}/a/é +", "{bucket}/c"]
fs.rm("{bucket}/a", recursive=True)
assert fs.find("{bucket}") == ["{bucket}/c"]
"""
    call(s3fs_python, "-c", script)


def test_pyarrow(server_url: str, bucket: str) -> None:
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    from pyarrow import dataset, fs, parquet

    filesystem = fs.S3FileSystem(
        access_key="test", secret_key="test", region="us-east-1", endpoint_override=server_url.partition("//")[2],
        scheme="http",
    )  # fmt: skip
    table = pa.table({"year": [2020, 2020, 2021], "n": [1, 2, 3]})
    dataset.write_dataset(table, f"{bucket}/t", filesystem=filesystem, format="parquet", partitioning=["year"])
    found = dataset.dataset(f"{bucket}/t", filesystem=filesystem, partitioning=["year"])
    assert sorted(found.to_table()["n"].to_pylist()) == [1, 2, 3]
    with filesystem.open_output_stream(f"{bucket}/large") as out:
        out.write(b"x" * 25 * MB)
    assert filesystem.get_file_info(f"{bucket}/large").size == 25 * MB
    parquet.write_table(table, f"{bucket}/one.parquet", filesystem=filesystem)
    assert parquet.read_table(f"{bucket}/one.parquet", filesystem=filesystem).num_rows == 3


def test_obstore(server_url: str, bucket: str) -> None:
    pytest.importorskip("obstore")
    import obstore
    from obstore.store import S3Store

    store = S3Store(
        bucket, endpoint=server_url, access_key_id="test", secret_access_key="test", region="us-east-1",
        client_options={"allow_http": True},
    )  # fmt: skip
    data = os.urandom(12 * MB)
    obstore.put(store, "large", data, chunk_size=5 * MB)
    assert bytes(obstore.get(store, "large").bytes()) == data
    assert bytes(obstore.get_range(store, "large", start=5, length=10)) == data[5:15]
    obstore.put(store, "once", b"first", mode="create")
    with pytest.raises(Exception, match=r"(?i)exists|precondition"):
        obstore.put(store, "once", b"second", mode="create")
    obstore.copy(store, "once", "twice")
    assert sorted(each["path"] for page in obstore.list(store) for each in page) == ["large", "once", "twice"]
    obstore.delete(store, ["large", "once", "twice"])


def test_duckdb_reads_parquet_over_httpfs(server: Server, bucket: str, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    extension = pytest.importorskip("duckdb_extension_httpfs")
    path = next(Path(extension.__file__).parent.rglob("httpfs.duckdb_extension*"), None)
    if path is None or f"v{duckdb.__version__}" not in str(path):
        pytest.skip(f"no httpfs for DuckDB {duckdb.__version__}")
    connection = duckdb.connect(config={"allow_unsigned_extensions": True})
    connection.execute(f"LOAD '{path}'")
    connection.execute(
        "CREATE SECRET (TYPE s3, KEY_ID 'test', SECRET 'test', REGION 'us-east-1', USE_SSL false, URL_STYLE 'path', "
        f"ENDPOINT 'localhost:{server.port}')"
    )
    target = f"s3://{bucket}/t"
    connection.execute(
        f"COPY (SELECT i, i % 3 AS p FROM range(100000) t(i)) TO '{target}' (FORMAT parquet, PARTITION_BY p)"
    )
    found = connection.execute(
        f"SELECT count(*), sum(i) FROM read_parquet('{target}/*/*.parquet') WHERE p = 1"
    ).fetchone()
    assert found == (33333, sum(range(1, 100000, 3)))


PAGE = """<!doctype html><title>upload</title>
<form method="post" enctype="multipart/form-data" action="%s">%s<input type="file" name="file"></form>
<script>
const files = new DataTransfer();
files.items.add(new File(["hello from a browser"], "from é browser.txt"));
document.querySelector("input[type=file]").files = files.files;
document.forms[0].submit();
</script>"""


@pytest.fixture
def page() -> Iterator[Any]:
    """A web server for one page; `done` are the queries that browsers were sent back with."""

    class Handler(http.server.BaseHTTPRequestHandler):
        html = ""
        done: list[dict[str, list[str]]] = []

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/done":
                Handler.done.append(parse_qs(parts.query))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((Handler.html if parts.path == "/" else "<p>uploaded</p>").encode())

        def log_message(self, *arguments: Any) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, Handler
    server.shutdown()
    server.server_close()


def test_a_browser_uploads_with_a_presigned_form(
    s3: Any, bucket: str, page: Any, call: Callable[..., str], tmp_path: Path
) -> None:
    chromium = shutil.which("chromium") or program("chromium-browser")
    port, handler = page
    target = f"http://localhost:{port}/done"
    form = s3.generate_presigned_post(
        bucket, "in/${filename}", Fields={"success_action_redirect": target},
        Conditions=[{"success_action_redirect": target}, ["content-length-range", 1, 1000]],
    )  # fmt: skip
    inputs = "".join([f'<input name="{name}" value="{value}">' for name, value in form["fields"].items()])
    handler.html = PAGE % (form["url"], inputs)
    shown = call(
        chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=8000", "--dump-dom", f"http://localhost:{port}/",
    )  # fmt: skip
    assert "uploaded" in shown
    answer = s3.get_object(Bucket=bucket, Key="in/from é browser.txt")
    assert answer["Body"].read() == b"hello from a browser"
    assert handler.done == [{"bucket": [bucket], "key": ["in/from é browser.txt"], "etag": [answer["ETag"]]}]
