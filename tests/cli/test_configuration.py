"""Flags over variables over the file over defaults; errors that name the culprit and the nearest key."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cumulo.cli import Refusal, configuration


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration but the test's own."""
    import os

    for name in list(os.environ):
        if name.startswith("CUMULO_") or name in ("GATEWAY_LISTEN", "LS_LOG"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    monkeypatch.chdir(tmp_path)


def load(**flags: Any) -> Any:
    return configuration.load(SimpleNamespace(**flags))


def test_defaults_work() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.url) == ("localhost", 4566, "http://localhost:4566")
    assert settings.data_dir == Path.cwd() / "share" / "cumulo"
    assert settings.loopback


def test_flags_win_over_variables_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cumulo.toml").write_text('port = 1000\nhost = "127.0.0.2"\nlog_level = "debug"\n')
    monkeypatch.setenv("CUMULO_PORT", "2000")
    monkeypatch.setenv("CUMULO_HOST", "127.0.0.3")
    settings = load(port=3000)
    assert (settings.port, settings.host, settings.log_level) == (3000, "127.0.0.3", "debug")


def test_paths_are_relative_to_the_file() -> None:
    Path("there").mkdir()
    Path("there/mine.toml").write_text('data_dir = "state"\n')
    assert load(config="there/mine.toml").data_dir == Path.cwd() / "there" / "state"


def test_limits_come_from_file_and_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cumulo.toml").write_text("[limits]\nconnections = 7\n")
    assert load().limits.connections == 7
    monkeypatch.setenv("CUMULO_LIMITS_HEADER_BYTES", "1000")
    assert load().limits.header_bytes == 1000


def test_runtimes_come_from_file_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("cumulo.toml").write_text('[runtimes]\n"ruby3.2" = "bin/ruby"\njava21 = "/opt/jdk/bin/java"\n')
    assert load().runtimes == {"ruby3.2": str(Path.cwd() / "bin" / "ruby"), "java21": "/opt/jdk/bin/java"}
    monkeypatch.setenv("CUMULO_RUNTIMES", "nodejs22.x = /usr/bin/node, java8.al2=/opt/jdk/bin/java")
    assert load().runtimes == {"nodejs22.x": "/usr/bin/node", "java8.al2": "/opt/jdk/bin/java"}
    for wrong in ("ruby3.2", "cobol=/usr/bin/cobol", "ruby3.2=ruby"):
        monkeypatch.setenv("CUMULO_RUNTIMES", wrong)
        with pytest.raises(Refusal, match="names a program for a runtime"):
            load()


def test_lists_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUMULO_ALLOWED_HOSTS", "cloud.example, *.cloud.example")
    assert load().allowed_hosts == ("cloud.example", "*.cloud.example")


def test_localstack_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_LISTEN", "0.0.0.0:4599,0.0.0.0:443")
    settings = load()
    assert (settings.host, settings.port, settings.loopback) == ("0.0.0.0", 4599, False)
    monkeypatch.setenv("CUMULO_PORT", "4600")
    assert load().port == 4600


@pytest.mark.parametrize(
    ("text", "message", "fix"),
    [
        ("prot = 1", "cumulo.toml: unknown setting prot", "did you mean port?"),
        ("port = 'x'", "port = 'x' is not right", ""),
        ("port = 70000", "not between 0 and 65535", ""),
        ("log_level = 'loud'", "log_level is one of", ""),
        ("port = ", "is not valid TOML", ""),
        ("[limits]\nconection = 1", "unknown setting conection", "did you mean connections?"),
    ],
)
def test_errors_name_the_culprit(text: str, message: str, fix: str) -> None:
    Path("cumulo.toml").write_text(text)
    with pytest.raises(Refusal) as refusal:
        load()
    assert message in refusal.value.message
    assert fix in refusal.value.fix


def test_an_unknown_variable_names_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUMULO_PROT", "1")
    with pytest.raises(Refusal) as refusal:
        load()
    assert refusal.value.fix == "did you mean CUMULO_PORT?"
