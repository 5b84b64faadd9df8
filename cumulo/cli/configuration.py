"""Settings from four places: flags win over CUMULO_* variables, those over the config file, that over defaults.

The file is TOML: `--config`, else `CUMULO_CONFIG`, else `./cumulo.toml`, else `cumulo/config.toml` in the person's
config directory (`~/.config`, or XDG_CONFIG_HOME). A key nobody knows is an error naming the nearest one. Paths in a
file are relative to that file. LocalStack's GATEWAY_LISTEN and LS_LOG are understood where ours are not given.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from cumulo.cli import Refusal
from cumulo.gateway.limits import Limits
from cumulo.settings import Settings

KEYS = Settings.__struct_fields__
LIMITS = Limits.__struct_fields__
LISTS = ("allowed_hosts", "allowed_origins", "hooks")
RUNTIMES = re.compile(r"(python|nodejs|java|ruby)[0-9.]+(\.x|\.al2)?")
LEVELS = ("debug", "info", "warning", "error")
COMMON_FLAGS = ("host", "port", "data_dir", "tls", "store", "iam", "log_level")
NOT_SETTINGS = ("CUMULO_CONFIG", "CUMULO_PURE", "CUMULO_BUILD_LOG")  # the last two are the build's
LOCALSTACK_HOOKS = Path("/etc/localstack/init")


def add_arguments(parser: Any) -> None:
    """The flags that every command touching a server shares."""
    parser.add_argument("--config", metavar="FILE", help="config file (default: ./cumulo.toml, then the personal one)")
    parser.add_argument("--data-dir", metavar="DIR", help="where state lives")
    parser.add_argument("--host", help="address to listen on (default localhost)")
    parser.add_argument("--port", type=int, help="port to listen on (default 4566; 0 takes a free one)")


def load(options: object) -> Settings:
    """The settings that these flags, the environment and the config file add up to, or a Refusal naming the culprit."""
    values: dict[str, Any] = {"data_dir": _data_home() / "cumulo", "cache_dir": _cache_home() / "cumulo"}
    hooks = [LOCALSTACK_HOOKS] if LOCALSTACK_HOOKS.is_dir() else []
    file = _find_file(options)
    if file is not None:
        values.update(_read_file(file))
        hooks.append(file.parent / "init")
    values.update(_read_environment())
    for key in COMMON_FLAGS:
        flag = getattr(options, key, None)
        if flag is not None:
            values.update(_checked({key: flag}, f"--{key.replace('_', '-')}"))
    data_dir = Path(values["data_dir"]).expanduser().absolute()
    values["data_dir"] = data_dir
    values["cache_dir"] = Path(values["cache_dir"]).expanduser().absolute()
    values.setdefault("hooks", tuple(path for path in (*hooks, data_dir / "init")))
    return Settings(**values)


def _read_file(file: Path) -> dict[str, Any]:
    import tomllib

    try:
        read = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise Refusal(f"cannot read the config file {file}: {error.strerror}")
    except ValueError as error:
        raise Refusal(f"{file} is not valid TOML: {error}")
    read = {key.replace("-", "_"): value for key, value in read.items()}
    for key in ("data_dir", "cache_dir"):
        if isinstance(read.get(key), str):
            read[key] = str(file.parent / Path(read[key]).expanduser())
    if isinstance(read.get("runtimes"), dict):
        read["runtimes"] = {
            name: str(file.parent / Path(str(program)).expanduser()) for name, program in read["runtimes"].items()
        }
    if isinstance(read.get("hooks"), list):
        read["hooks"] = [str(file.parent / Path(str(entry)).expanduser()) for entry in read["hooks"]]
    return _checked(read, str(file))


def _read_environment() -> dict[str, Any]:
    """CUMULO_PORT and the like; CUMULO_LIMITS_BODY_BYTES for a limit; lists are separated by commas."""
    values: dict[str, Any] = {}
    listen = os.environ.get("GATEWAY_LISTEN")
    if listen:  # LocalStack's: "[host][:port]", several with commas; the first is ours
        host, _, port = listen.split(",")[0].strip().rpartition(":")
        values.update(_checked({**({"host": host} if host else {}), "port": port}, "GATEWAY_LISTEN"))
    if os.environ.get("LS_LOG") in LEVELS:
        values["log_level"] = os.environ["LS_LOG"]
    limits: dict[str, Any] = {}
    for name, text in os.environ.items():
        if not name.startswith("CUMULO_") or name in NOT_SETTINGS or not text:
            continue
        key = name.removeprefix("CUMULO_").lower()
        if key.startswith("limits_"):
            limits[key.removeprefix("limits_")] = text
        else:
            value: Any = [part.strip() for part in text.split(",") if part.strip()] if key in LISTS else text
            if key == "runtimes":  # "ruby3.2=/usr/bin/ruby,java21=/opt/jdk/bin/java"
                value = {
                    name.strip(): program.strip() for name, _, program in (p.partition("=") for p in text.split(","))
                }
            values.update(_checked({key: value}, name, shown=name))
    if limits:
        values.update(_checked({"limits": limits}, "CUMULO_LIMITS_*"))
    return values


def _checked(values: dict[str, Any], source: str, *, shown: str = "") -> dict[str, Any]:
    """The values converted to the types of Settings, or a Refusal that says where the wrong one stands."""
    _known(values, KEYS, source, shown)
    if isinstance(values.get("limits"), dict):
        _known(values["limits"], LIMITS, f"{source}, [limits]", "")
    hints = {key: Settings.__annotations__[key] for key in values}
    converted = {}
    for key, value in values.items():
        try:
            converted[key] = msgspec.convert(value, hints[key], strict=False, dec_hook=_path)
        except msgspec.ValidationError as error:
            raise Refusal(f"{source}: {key} = {value!r} is not right: {error}", code=2)
    if converted.get("log_level", "info") not in LEVELS:
        raise Refusal(f"{source}: log_level is one of {', '.join(LEVELS)}", code=2)
    for name, program in converted.get("runtimes", {}).items():
        if not RUNTIMES.fullmatch(name) or not Path(program).is_absolute():
            raise Refusal(f'{source}: runtimes names a program for a runtime, as ruby3.2 = "/usr/bin/ruby"', code=2)
    if not 0 <= converted.get("port", 0) < 65536:
        raise Refusal(f"{source}: port {converted['port']} is not between 0 and 65535", code=2)
    return converted


def _known(values: dict[str, Any], keys: tuple[str, ...], source: str, shown: str) -> None:
    for key in values:
        if key not in keys:
            from difflib import get_close_matches

            near = get_close_matches(key, keys, 1, 0.5)
            nearest = f"CUMULO_{near[0].upper()}" if near and shown else near[0] if near else ""
            fix = f"did you mean {nearest}?" if near else f"known keys: {', '.join(keys)}"
            raise Refusal(f"{source}: unknown setting {shown or key}", fix, code=2)


def _path(wanted: type, value: Any) -> Any:
    if wanted is Path and isinstance(value, str | Path):
        return Path(value)
    raise NotImplementedError


def _find_file(options: object) -> Path | None:
    named = getattr(options, "config", None) or os.environ.get("CUMULO_CONFIG")
    if named:
        return Path(named).absolute()
    for candidate in (Path.cwd() / "cumulo.toml", _config_home() / "cumulo" / "config.toml"):
        if candidate.is_file():
            return candidate
    return None


def _home(variable: str, linux: str, mac: str, windows: str) -> Path:
    if os.environ.get(variable):
        return Path(os.environ[variable])
    if sys.platform == "darwin":
        return Path.home() / mac
    if sys.platform == "win32":
        return Path(os.environ.get(windows, str(Path.home())))
    return Path.home() / linux


def _data_home() -> Path:
    return _home("XDG_DATA_HOME", ".local/share", "Library/Application Support", "LOCALAPPDATA")


def _cache_home() -> Path:
    return _home("XDG_CACHE_HOME", ".cache", "Library/Caches", "LOCALAPPDATA")


def _config_home() -> Path:
    return _home("XDG_CONFIG_HOME", ".config", ".config", "APPDATA")
