"""AWS's SDK for functions, where it is installed beside cumulo: its packages alone, whatever else lies there."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

PRELOADED = (
    "boto3.session", "botocore.auth", "botocore.client", "botocore.credentials", "botocore.endpoint",
    "botocore.httpsession", "botocore.parsers", "botocore.regions", "botocore.retries.standard", "botocore.serialize",
    "botocore.waiter", "boto3.resources.factory",
)  # fmt: skip


class Finder:
    """Finds some packages where they are, without a look at their neighbours. What functions bring comes first."""

    def __init__(self, places: dict[str, str]) -> None:
        """`places`: names of packages and modules, and where they are."""
        self._places = places

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """As sys.meta_path wants it."""
        place = self._places.get(name) if path is None else None
        if place is None:
            return None
        if place.endswith(".py"):
            return spec_from_file_location(name, place)
        return spec_from_file_location(name, f"{place}/__init__.py", submodule_search_locations=[place])


def install(places: dict[str, str]) -> None:
    """Let imports find them."""
    sys.meta_path.append(Finder(places))


def preload(places: dict[str, str]) -> None:
    """Import what every client needs, before the forks."""
    install(places)
    try:
        for name in PRELOADED:
            importlib.import_module(name)
        _warm_up()
    except Exception:  # of another version, broken: functions import what they find, and are told
        return


def _warm_up() -> None:
    """Make a client, that what is imported with the first one is there; nothing is sent."""
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    sys.modules["boto3.session"].Session(**keys).client("s3")
    os.environ.pop("AWS_CONFIG_FILE")
    os.environ.pop("AWS_SHARED_CREDENTIALS_FILE")
